//! Front coding: of a term, how many bytes it begins with like the one before it, and the others.

use crate::reader::{Reader, write_varint};

/// What half a byte says at most; it then means this much and a varint.
const NIBBLE_MAX: usize = 15;

/// How many bytes both begin with.
#[inline]
pub(crate) fn shared_prefix(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// Appends `term`, which shares `shared` bytes with the term before it.
#[inline]
pub(crate) fn write_suffix(out: &mut Vec<u8>, shared: usize, term: &[u8]) {
    let suffix = &term[shared..];
    out.push((shared.min(NIBBLE_MAX) << 4 | suffix.len().min(NIBBLE_MAX)) as u8);
    if shared >= NIBBLE_MAX {
        write_varint(out, (shared - NIBBLE_MAX) as u64);
    }
    if suffix.len() >= NIBBLE_MAX {
        write_varint(out, (suffix.len() - NIBBLE_MAX) as u64);
    }
    out.extend_from_slice(suffix);
}

/// What [`write_suffix`] has written: how many bytes are shared, and the others.
#[inline(always)]
pub(crate) fn read_parts<'a>(reader: &mut Reader<'a>) -> Option<(usize, &'a [u8])> {
    let (&byte, rest) = reader.0.split_first()?;
    let (shared, length) = (usize::from(byte) >> 4, usize::from(byte) & NIBBLE_MAX);
    if shared < NIBBLE_MAX && length < NIBBLE_MAX {
        let (suffix, rest) = rest.split_at_checked(length)?;
        reader.0 = rest;
        return Some((shared, suffix)); // nearly always
    }
    read_long_parts(reader)
}

#[cold]
fn read_long_parts<'a>(reader: &mut Reader<'a>) -> Option<(usize, &'a [u8])> {
    let byte = usize::from(reader.byte()?);
    let (mut shared, mut length) = (byte >> 4, byte & NIBBLE_MAX);
    if shared == NIBBLE_MAX {
        shared = shared.checked_add(reader.size()?)?;
    }
    if length == NIBBLE_MAX {
        length = length.checked_add(reader.size()?)?;
    }
    Some((shared, reader.take(length)?))
}

/// What [`write_suffix`] has written: the shared bytes and the others, if both belong to a term behind `before`.
#[inline]
pub(crate) fn read_suffix<'a>(reader: &mut Reader<'a>, before: &[u8]) -> Option<(usize, &'a [u8])> {
    let (shared, suffix) = read_parts(reader)?;
    let is_behind = match before.get(shared) {
        Some(next) => suffix.first().is_some_and(|first| first > next),
        None => shared == before.len() && !suffix.is_empty(),
    };
    is_behind.then_some((shared, suffix))
}
