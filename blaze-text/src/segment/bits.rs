//! Numbers in as many bits as the greatest of them needs.
//!
//! 128 of them are kept in four lanes, as SIMD-BP128 does (Lemire and Boytsov, "Decoding billions of integers per second
//! through vectorization"): number `i` is in lane `i % 4`, and each lane is a stream of 32-bit words, so that a compiler
//! unpacks four at a time. Fewer are kept one behind the other.

/// Numbers in a block.
pub(super) const BLOCK: usize = 128;

pub(super) type Block = [u32; BLOCK];

/// How many bits the greatest needs.
pub(super) fn width(values: &[u32]) -> u8 {
    (u32::BITS - values.iter().fold(0, |all, value| all | value).leading_zeros()) as u8
}

/// Bytes of so many numbers.
#[inline]
pub(super) fn packed_bytes(count: usize, bits: u8) -> usize {
    (count * usize::from(bits)).div_ceil(8)
}

/// Appends at most 128 numbers, none of more than `bits` bits.
pub(super) fn pack(out: &mut Vec<u8>, values: &[u32], bits: u8) {
    match values.first_chunk::<BLOCK>() {
        Some(block) => pack_block(out, block, usize::from(bits)),
        None => pack_few(out, values, bits),
    }
}

fn pack_block(out: &mut Vec<u8>, block: &Block, bits: usize) {
    let mut words = [[0_u32; 4]; 33];
    for (step, four) in block.as_chunks::<4>().0.iter().enumerate() {
        let (word, shift) = (step * bits / 32, step * bits % 32);
        for lane in 0..4 {
            words[word][lane] |= four[lane] << shift;
            if shift + bits > 32 {
                words[word + 1][lane] |= four[lane] >> (32 - shift);
            }
        }
    }
    out.extend(words[..bits].as_flattened().iter().flat_map(|word| word.to_le_bytes()));
}

fn pack_few(out: &mut Vec<u8>, values: &[u32], bits: u8) {
    let (mut waiting, mut count) = (0_u64, 0);
    for &value in values {
        waiting |= u64::from(value) << count;
        count += u32::from(bits);
        while count >= 8 {
            out.push(waiting as u8);
            waiting >>= 8;
            count -= 8;
        }
    }
    if count > 0 {
        out.push(waiting as u8);
    }
}

/// Reads the first `count` numbers of `out`, at most 128, from the front of `packed`; nothing if that is too short.
#[inline]
pub(super) fn unpack(packed: &[u8], bits: u8, count: usize, out: &mut Block) -> Option<()> {
    if count == BLOCK {
        return unpack_any(packed, bits, out);
    }
    unpack_few(packed, bits, out.get_mut(..count).filter(|_| bits <= 32)?)
}

/// One of `count` numbers, at most 128, by its place; nothing if `packed` is too short.
#[inline]
pub(super) fn unpack_one(packed: &[u8], bits: u8, count: usize, at: usize) -> Option<u32> {
    let (bits, mask) = (usize::from(bits), u32::MAX.checked_shr(32 - u32::from(bits)).unwrap_or(0));
    let value = if count == BLOCK {
        let (words, _) = packed.as_chunks::<4>();
        let (word, shift) = (at / 4 * bits / 32 * 4 + at % 4, at / 4 * bits % 32);
        let word_at = |at: usize| words.get(at).map(|word| u64::from(u32::from_le_bytes(*word)));
        let next = if shift + bits > 32 { word_at(word + 4)? } else { 0 };
        (if bits == 0 { 0 } else { word_at(word)? } | next << 32) >> shift
    } else {
        window(packed.get(at * bits / 8..)?) >> (at * bits % 8)
    };
    Some(value as u32 & mask)
}

/// The first eight bytes as a number, zeros behind the last one.
#[inline]
fn window(bytes: &[u8]) -> u64 {
    match bytes.first_chunk() {
        Some(eight) => u64::from_le_bytes(*eight),
        None => bytes.iter().rev().fold(0, |window, &byte| window << 8 | u64::from(byte)),
    }
}

fn unpack_few(packed: &[u8], bits: u8, out: &mut [u32]) -> Option<()> {
    let packed = packed.get(..packed_bytes(out.len(), bits))?;
    let mask = u32::MAX.checked_shr(32 - u32::from(bits)).unwrap_or(0);
    let mut at = 0;
    for value in out {
        *value = (window(packed.get(at / 8..)?) >> (at % 8)) as u32 & mask;
        at += usize::from(bits);
    }
    Some(())
}

fn unpack_any(packed: &[u8], bits: u8, out: &mut Block) -> Option<()> {
    macro_rules! unpack_each {
        ($($bits:literal)*) => {
            match bits {
                0 => out.fill(0),
                $($bits => unpack_block::<$bits>(packed, out)?,)*
                _ => return None,
            }
        };
    }
    unpack_each!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32);
    Some(())
}

fn unpack_block<const BITS: usize>(packed: &[u8], out: &mut Block) -> Option<()> {
    let words: &[[u8; 16]; BITS] = packed.as_chunks().0.first_chunk()?;
    let steps: &mut [[u32; 4]; 32] = out.as_chunks_mut().0.first_chunk_mut()?;
    macro_rules! unroll {
        ($($step:literal)*) => { $(unpack_four(words, $step, &mut steps[$step]);)* };
    }
    unroll!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31);
    Some(())
}

/// All but `words` and `out` is known when this is compiled. The mask comes before the halves are put together, and words are
/// read as words: else a compiler knows the shifts as rotations, or the bytes as bytes, and does one lane after the other, which
/// takes three times as long (2026-11-22).
#[inline(always)]
fn unpack_four<const BITS: usize>(words: &[[u8; 16]; BITS], step: usize, out: &mut [u32; 4]) {
    let (word, shift, mask) = (step * BITS / 32, step * BITS % 32, u32::MAX >> (32 - BITS));
    let four = lanes(&words[word]).map(|value| value >> shift);
    *out = if shift + BITS > 32 {
        let next = lanes(&words[word + 1]).map(|value| value << (32 - shift) & mask);
        [four[0] | next[0], four[1] | next[1], four[2] | next[2], four[3] | next[3]]
    } else {
        four.map(|value| value & mask)
    };
}

#[inline(always)]
fn lanes(word: &[u8; 16]) -> [u32; 4] {
    let lanes = word.as_chunks().0;
    [lanes[0], lanes[1], lanes[2], lanes[3]].map(u32::from_le_bytes)
}

/// Makes numbers of the gaps between them, less one each, from the number before the first.
#[inline]
pub(super) fn accumulate(gaps: &mut Block, mut before: u32) {
    for four in gaps.as_chunks_mut::<4>().0 {
        let [a, b, c, d] = four.map(|gap| gap.wrapping_add(1));
        let (ab, cd) = (a.wrapping_add(b), c.wrapping_add(d));
        *four = [a, ab, ab.wrapping_add(c), ab.wrapping_add(cd)].map(|sum| before.wrapping_add(sum));
        before = four[3];
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_are_unpacked_as_they_were_packed(values in vec(any::<u32>(), 0..=BLOCK), full: bool, bits in 0_u8..=32) {
            let mut values = values;
            if full {
                values.resize(BLOCK, 7);
            }
            for value in &mut values {
                *value = value.checked_shr(32 - u32::from(bits)).unwrap_or(0);
            }
            prop_assert!(width(&values) <= bits);
            let mut packed = Vec::new();
            pack(&mut packed, &values, bits);
            prop_assert_eq!(packed.len(), packed_bytes(values.len(), bits));
            let mut out = [9; BLOCK];
            prop_assert_eq!(unpack(&packed, bits, values.len(), &mut out), Some(()));
            prop_assert_eq!(&out[..values.len()], &values[..]);
            for (at, value) in values.iter().enumerate() {
                prop_assert_eq!(unpack_one(&packed, bits, values.len(), at), Some(*value));
            }
            if packed.pop().is_some() {
                prop_assert_eq!(unpack(&packed, bits, values.len(), &mut out), None);
            }
        }

        #[test]
        fn any_bytes_are_numbers_or_refused(packed: Vec<u8>, bits: u8, count in 0_usize..=BLOCK) {
            let mut out = [0; BLOCK];
            let is_read = unpack(&packed, bits, count, &mut out).is_some();
            for (at, value) in out[..count].iter().enumerate() {
                let one = unpack_one(&packed, bits % 33, count, at);
                prop_assert!(!is_read || one == Some(*value));
            }
            prop_assert!(!is_read || packed_bytes(count, bits) <= packed.len());
        }

        #[test]
        fn gaps_add_up(gaps in vec(0_u32..1_000, BLOCK), before in prop_oneof![Just(u32::MAX), 0_u32..1_000]) {
            let mut block: Block = gaps.clone().try_into().unwrap();
            accumulate(&mut block, before);
            let mut last = before;
            for (gap, number) in gaps.into_iter().zip(block) {
                last = last.wrapping_add(gap).wrapping_add(1);
                prop_assert_eq!(number, last);
            }
        }
    }
}
