//! Positions of a term in a document as bytes: the first one, doubled, and one more if there are others; then how many others
//! there are and the gaps between them, all less one.

use crate::reader::{Reader, write_varint};

/// Appends the gaps of positions, less one each, behind the first one.
#[inline]
pub(crate) fn push_gaps(positions: &[u32], gaps: &mut Vec<u32>) {
    gaps.extend(positions.first());
    gaps.extend(positions.windows(2).map(|two| two[1].wrapping_sub(two[0]).wrapping_sub(1)));
}

/// Appends positions of which all but the first are given as the gap before them, less one.
#[inline]
pub(crate) fn write_gaps(out: &mut Vec<u8>, gaps: &[u32]) {
    let Some((&first, others)) = gaps.split_first() else { return };
    write_varint(out, u64::from(first) << 1 | u64::from(!others.is_empty()));
    if !others.is_empty() {
        write_varint(out, others.len() as u64 - 1);
    }
    others.iter().for_each(|gap| write_varint(out, *gap));
}

/// Appends what was written.
#[inline]
pub(crate) fn read_positions(reader: &mut Reader<'_>, positions: &mut Vec<u32>) -> Option<()> {
    let (mut position, others) = read_first(reader)?;
    positions.push(position);
    for _ in 0..others {
        position = position.checked_add(reader.varint32()?)?.checked_add(1)?;
        positions.push(position);
    }
    Some(())
}

/// Passes what was written, and answers how many positions that are.
#[inline]
pub(crate) fn skip_positions(reader: &mut Reader<'_>) -> Option<u32> {
    let (_, others) = read_first(reader)?;
    for _ in 0..others {
        reader.varint32()?;
    }
    u32::try_from(others + 1).ok()
}

/// The first position, and how many others there are: at most as many as bytes.
#[inline]
fn read_first(reader: &mut Reader<'_>) -> Option<(u32, usize)> {
    let first = reader.varint()?;
    let position = u32::try_from(first >> 1).ok()?;
    if first & 1 == 0 {
        return Some((position, 0));
    }
    let others = reader.size()?.checked_add(1)?;
    (others <= reader.0.len()).then_some((position, others))
}
