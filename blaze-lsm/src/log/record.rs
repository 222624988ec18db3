//! The physical records of the log: `masked crc32c of what follows but the length (4) | length (2) | kind (1) |
//! payload`, little-endian, none across the border of a block.

use crate::crc32c::crc32c;

/// Records lie in blocks of this size. What is left at the end of one and too short for a header is skipped.
pub(crate) const BLOCK_BYTES: usize = 32 * 1024;
pub(crate) const HEADER_BYTES: usize = 7;

/// Which part of a batch a fragment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Whole,
    First,
    Middle,
    Last,
    /// No part of a batch, and RocksDB passes over it, too.
    None,
}

/// What stands at a place in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    Fragment {
        part: Part,
        payload: &'a [u8],
    },
    /// Nothing was written here: RocksDB goes on with the next block as if nothing were missing.
    Zeros,
    /// RocksDB stops here.
    Damage,
    /// The kind is one of a recycled log, which this never is. RocksDB looks at it before it looks at the checksum, and
    /// behind any other record it reads it again and again, for ever (`ReadPhysicalRecord` in its `log_reader.cc`).
    Endless,
}

/// Reads what stands at the beginning of `rest`, the rest of a block.
pub(crate) fn read(rest: &[u8]) -> Found<'_> {
    let Some((&[a, b, c, d, low, high, kind], behind)) = rest.split_first_chunk::<HEADER_BYTES>() else {
        return Found::Damage;
    };
    let length = usize::from(u16::from_le_bytes([low, high]));
    if matches!(kind, 5..=8 | 11 | 131) {
        return Found::Endless;
    }
    if behind.len() < length {
        return Found::Damage;
    }
    if kind == 0 && length == 0 {
        return Found::Zeros;
    }
    if mask(crc32c(&rest[HEADER_BYTES - 1..HEADER_BYTES + length])) != u32::from_le_bytes([a, b, c, d]) {
        return Found::Damage;
    }
    let part = match kind {
        1 => Part::Whole,
        2 => Part::First,
        3 => Part::Middle,
        4 => Part::Last,
        128.. => Part::None,
        _ => return Found::Damage, // compression and timestamps of the user, both off, and what is not known
    };
    Found::Fragment { part, payload: &behind[..length] }
}

/// How far behind the beginning of `rest`, where something is damaged, the next sound fragment begins; the length of
/// `rest` if there is none.
///
/// Where the damage is not in the length, that is the next record. Otherwise a fragment may be found that lies in the
/// value of a record, so whoever uses it must see to it that it fits.
pub(crate) fn skip_damage(rest: &[u8]) -> usize {
    let is_sound = |at: &usize| {
        let is_part = matches!(rest.get(at + HEADER_BYTES - 1), Some(1..=4)); // spares most checksums
        is_part && matches!(read(&rest[*at..]), Found::Fragment { .. })
    };
    let length = rest.get(4..6).map_or(0, |bytes| usize::from(u16::from_le_bytes([bytes[0], bytes[1]])));
    let next = Some(HEADER_BYTES + length).filter(is_sound);
    next.or_else(|| (1..rest.len()).find(is_sound)).unwrap_or(rest.len())
}

/// What RocksDB stores of a checksum: it may be part of bytes that are summed again.
pub(super) fn mask(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xA282_EAD8)
}
