//! Kernels over codes: sums of products of four-bit codes with a query of signed bytes, and differing bits, for many rows
//! at once.
//!
//! A row of four-bit codes is whole lines of 64 bytes. Byte `j` of line `n` holds component `128n + j` in its lower half
//! and component `128n + 64 + j` in its upper half; the query has a byte for each component in natural order, and zeros
//! where the row is only filled up.

use crate::code::Slab;

/// The bytes of a line: rows are whole lines.
pub(crate) const LINE: usize = 64;

/// How many lines ahead are fetched: about as many as a core waits for at a time. Sets of rows that lie anywhere in memory
/// are gone through up to twice as fast as with four (100,000 rows of a line among a million, 2026-11-22).
const LINES_AHEAD: usize = 28;

/// However long rows are, so many of them are fetched ahead.
const ROWS_AHEAD_MIN: usize = 4;

/// The rows of slots; `fetch` is called with each slot some rows before its own.
///
/// (2026-11-22: made of the adapters of the standard library, which are not inlined into functions with target features, this
/// took a twentieth of a search.)
pub(crate) struct RowsOf<'a, F> {
    rows: &'a Slab<u8>,
    slots: std::slice::Iter<'a, u32>,
    later: std::slice::Iter<'a, u32>,
    fetch: F,
}

impl<'a, F: Fn(u32)> RowsOf<'a, F> {
    pub(crate) fn new(rows: &'a Slab<u8>, slots: &'a [u32], fetch: F) -> RowsOf<'a, F> {
        let ahead = (LINES_AHEAD * LINE / rows.stride()).clamp(ROWS_AHEAD_MIN, LINES_AHEAD);
        let (first, later) = slots.split_at(ahead.min(slots.len()));
        first.iter().for_each(|&slot| fetch(slot));
        RowsOf { rows, slots: slots.iter(), later: later.iter(), fetch }
    }
}

impl<'a, F: Fn(u32)> Iterator for RowsOf<'a, F> {
    type Item = &'a [u8];

    #[inline(always)]
    fn next(&mut self) -> Option<&'a [u8]> {
        let &slot = self.slots.next()?;
        if let Some(&later) = self.later.next() {
            (self.fetch)(later);
        }
        Some(self.rows.row(slot as usize))
    }
}

/// Writes the sum of `row[i]·query[i]` to `out` for each of `rows`, of which each has half as many bytes as the query.
#[cfg_attr(any(target_arch = "x86_64", target_arch = "aarch64"), expect(unsafe_code, reason = "dispatch"))]
pub(crate) fn nibble_dots<'a>(query: &[u8], rows: impl Iterator<Item = &'a [u8]>, out: &mut [i32]) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512vnni") && is_x86_feature_detected!("avx512f") {
        // SAFETY: the processor was just seen to have AVX-512F and VNNI.
        return unsafe { simd::avx512::nibble_dots(query, rows, out) };
    } else if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor was just seen to have AVX2.
        return unsafe { simd::avx2::nibble_dots(query, rows, out) };
    }
    #[cfg(target_arch = "aarch64")]
    if std::arch::is_aarch64_feature_detected!("neon") {
        // SAFETY: the processor was just seen to have NEON.
        return unsafe { simd::neon::nibble_dots(query, rows, out) };
    }
    scalar::nibble_dots(query, rows, out);
}

/// Writes to `out`, for each of `rows`, how many of its bits differ from the query, which is as long.
#[cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "dispatch"))]
pub(crate) fn hammings<'a>(query: &[u8], rows: impl Iterator<Item = &'a [u8]>, out: &mut [i32]) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("popcnt") {
        // SAFETY: the processor was just seen to have POPCNT.
        return unsafe { simd::popcnt::hammings(query, rows, out) };
    }
    scalar::hammings(query, rows, out);
}

pub(super) mod scalar {
    use std::iter::zip;

    use super::LINE;

    pub(crate) fn nibble_dots<'a>(query: &[u8], rows: impl Iterator<Item = &'a [u8]>, out: &mut [i32]) {
        let (lines, _) = query.as_chunks::<{ 2 * LINE }>();
        for (out, row) in zip(out, rows) {
            let mut sum = 0;
            for (row, query) in zip(row.as_chunks::<LINE>().0, lines) {
                for (j, &byte) in row.iter().enumerate() {
                    sum += i32::from(byte & 15) * i32::from(query[j].cast_signed());
                    sum += i32::from(byte >> 4) * i32::from(query[LINE + j].cast_signed());
                }
            }
            *out = sum;
        }
    }

    /// Inlined into the caller, so that the caller's target features choose the instructions.
    #[inline]
    pub(crate) fn hammings<'a>(query: &[u8], rows: impl Iterator<Item = &'a [u8]>, out: &mut [i32]) {
        for (out, row) in zip(out, rows) {
            *out = super::super::scalar::hamming(query, row).cast_signed();
        }
    }
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[expect(unsafe_code, reason = "vector loads take raw pointers")]
pub(super) mod simd {
    #[cfg(target_arch = "x86_64")]
    pub(crate) mod avx512 {
        use std::arch::x86_64::*;
        use std::iter::zip;

        use crate::kernel::code::LINE;

        #[inline]
        #[target_feature(enable = "avx512f,avx512vnni")]
        fn load(block: &[u8; LINE]) -> __m512i {
            // SAFETY: the block is 64 bytes, and this load asks for no alignment.
            unsafe { _mm512_loadu_si512(block.as_ptr().cast()) }
        }

        #[target_feature(enable = "avx512f,avx512vnni")]
        pub(crate) fn nibble_dots<'a>(query: &[u8], rows: impl Iterator<Item = &'a [u8]>, out: &mut [i32]) {
            let (query, _) = query.as_chunks::<LINE>();
            let (query, _) = query.as_chunks::<2>();
            let mask = _mm512_set1_epi8(15);
            for (out, row) in zip(out, rows) {
                let (row, _) = row.as_chunks::<LINE>();
                let (mut lower, mut upper) = (_mm512_setzero_si512(), _mm512_setzero_si512());
                for (line, query) in zip(row, query) {
                    let line = load(line);
                    lower = _mm512_dpbusd_epi32(lower, _mm512_and_si512(line, mask), load(&query[0]));
                    let high = _mm512_and_si512(_mm512_srli_epi32::<4>(line), mask);
                    upper = _mm512_dpbusd_epi32(upper, high, load(&query[1]));
                }
                *out = _mm512_reduce_add_epi32(_mm512_add_epi32(lower, upper));
            }
        }
    }

    #[cfg(target_arch = "x86_64")]
    pub(crate) mod avx2 {
        use std::arch::x86_64::*;
        use std::iter::zip;

        use crate::kernel::code::LINE;

        const HALF: usize = LINE / 2;

        #[inline]
        #[target_feature(enable = "avx2")]
        fn load(block: &[u8; HALF]) -> __m256i {
            // SAFETY: the block is 32 bytes, and this load asks for no alignment.
            unsafe { _mm256_loadu_si256(block.as_ptr().cast()) }
        }

        /// Products of a code and a query byte are at most 15·128, so that 17 of them fit 16 bits.
        #[target_feature(enable = "avx2")]
        pub(crate) fn nibble_dots<'a>(query: &[u8], rows: impl Iterator<Item = &'a [u8]>, out: &mut [i32]) {
            let (query, _) = query.as_chunks::<HALF>();
            let (query, _) = query.as_chunks::<4>();
            let (mask, ones) = (_mm256_set1_epi8(15), _mm256_set1_epi16(1));
            for (out, row) in zip(out, rows) {
                let (row, _) = row.as_chunks::<HALF>();
                let (row, _) = row.as_chunks::<2>();
                let mut sum = _mm256_setzero_si256();
                for (line, query) in zip(row, query) {
                    let (first, second) = (load(&line[0]), load(&line[1]));
                    let high = |half| _mm256_and_si256(_mm256_srli_epi16::<4>(half), mask);
                    let low = |half| _mm256_and_si256(half, mask);
                    let products = _mm256_add_epi16(
                        _mm256_add_epi16(
                            _mm256_maddubs_epi16(low(first), load(&query[0])),
                            _mm256_maddubs_epi16(low(second), load(&query[1])),
                        ),
                        _mm256_add_epi16(
                            _mm256_maddubs_epi16(high(first), load(&query[2])),
                            _mm256_maddubs_epi16(high(second), load(&query[3])),
                        ),
                    );
                    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(products, ones));
                }
                let four = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256::<1>(sum));
                let two = _mm_add_epi32(four, _mm_shuffle_epi32::<0b1110>(four));
                *out = _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32::<1>(two)));
            }
        }
    }

    #[cfg(target_arch = "x86_64")]
    pub(crate) mod popcnt {
        #[target_feature(enable = "popcnt")]
        pub(crate) fn hammings<'a>(query: &[u8], rows: impl Iterator<Item = &'a [u8]>, out: &mut [i32]) {
            crate::kernel::code::scalar::hammings(query, rows, out);
        }
    }

    #[cfg(target_arch = "aarch64")]
    pub(crate) mod neon {
        use std::arch::aarch64::*;
        use std::iter::zip;

        use crate::kernel::code::LINE;

        const QUARTER: usize = LINE / 4;

        #[inline]
        #[target_feature(enable = "neon")]
        fn load(block: &[u8; QUARTER]) -> uint8x16_t {
            // SAFETY: the block is 16 bytes, and this load asks for no alignment.
            unsafe { vld1q_u8(block.as_ptr()) }
        }

        /// Adds products of codes and query bytes, of which 16 fit 16 bits.
        #[inline]
        #[target_feature(enable = "neon")]
        fn multiply_add(sum: int16x8_t, codes: uint8x16_t, query: uint8x16_t) -> int16x8_t {
            let (codes, query) = (vreinterpretq_s8_u8(codes), vreinterpretq_s8_u8(query));
            vmlal_high_s8(vmlal_s8(sum, vget_low_s8(codes), vget_low_s8(query)), codes, query)
        }

        #[target_feature(enable = "neon")]
        pub(crate) fn nibble_dots<'a>(query: &[u8], rows: impl Iterator<Item = &'a [u8]>, out: &mut [i32]) {
            let (query, _) = query.as_chunks::<QUARTER>();
            let (query, _) = query.as_chunks::<8>();
            let mask = vdupq_n_u8(15);
            for (out, row) in zip(out, rows) {
                let (row, _) = row.as_chunks::<QUARTER>();
                let (row, _) = row.as_chunks::<4>();
                let mut sum = vdupq_n_s32(0);
                for (line, query) in zip(row, query) {
                    let mut products = vdupq_n_s16(0);
                    for quarter in 0..4 {
                        let codes = load(&line[quarter]);
                        products = multiply_add(products, vandq_u8(codes, mask), load(&query[quarter]));
                        products = multiply_add(products, vshrq_n_u8::<4>(codes), load(&query[4 + quarter]));
                    }
                    sum = vpadalq_s16(sum, products);
                }
                *out = vaddvq_s32(sum);
            }
        }
    }
}

#[cfg(test)]
#[cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "calls kernels after a check of the processor"))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Kernel = Box<dyn Fn(&[u8], Vec<&[u8]>, &mut [i32])>;

    /// What the dispatcher chooses, and every version that this processor can run.
    fn all() -> Vec<(&'static str, Kernel)> {
        let mut all: Vec<(&'static str, Kernel)> = vec![
            ("dispatched", Box::new(|q, r, o| nibble_dots(q, r.into_iter(), o))),
            ("scalar", Box::new(|q, r, o| scalar::nibble_dots(q, r.into_iter(), o))),
        ];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") {
                // SAFETY: the processor was just seen to have AVX2.
                all.push(("avx2", Box::new(|q, r, o| unsafe { simd::avx2::nibble_dots(q, r.into_iter(), o) })));
            }
            if is_x86_feature_detected!("avx512vnni") && is_x86_feature_detected!("avx512f") {
                // SAFETY: the processor was just seen to have AVX-512F and VNNI.
                all.push(("avx512", Box::new(|q, r, o| unsafe { simd::avx512::nibble_dots(q, r.into_iter(), o) })));
            }
        }
        all
    }

    fn check(query: &[u8], rows: &Slab<u8>) {
        let slots: Vec<u32> = (0..rows.rows() as u32).rev().collect();
        let expected: Vec<i32> = slots
            .iter()
            .map(|&slot| {
                let row = rows.row(slot as usize);
                let code = |i: usize| row[i / 128 * 64 + i % 64] >> if i % 128 < 64 { 0 } else { 4 } & 15;
                (0..query.len()).map(|i| i32::from(code(i)) * i32::from(query[i] as i8)).sum()
            })
            .collect();
        for (name, kernel) in all() {
            let mut out = vec![7; slots.len() + 1];
            kernel(query, RowsOf::new(rows, &slots, |_| {}).collect(), &mut out);
            assert_eq!(out[..slots.len()], expected, "{name}, {} lines", rows.stride() / LINE);
            assert_eq!(out[slots.len()], 7, "{name} writes no more than it was asked for");
        }
    }

    fn slab(rows: &[Vec<u8>]) -> Slab<u8> {
        let mut slab = Slab::new(rows[0].len());
        slab.grow(rows.len(), 0);
        for (i, row) in rows.iter().enumerate() {
            slab.row_mut(i).copy_from_slice(row);
        }
        slab
    }

    #[test]
    fn the_largest_codes_and_queries_do_not_overflow_at_any_dimension() {
        for lines in 1..=32 {
            for byte in [127u8, 128, 0, 255] {
                check(&vec![byte; lines * 128], &slab(&vec![vec![255; lines * LINE]; 3]));
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn every_version_agrees_with_the_plain_sum(
            (query, rows) in (1usize..8, 1usize..20).prop_flat_map(|(lines, rows)| (
                proptest::collection::vec(any::<u8>(), lines * 128),
                proptest::collection::vec(proptest::collection::vec(any::<u8>(), lines * LINE), rows),
            )),
        ) {
            check(&query, &slab(&rows));
        }

        #[test]
        fn bits_of_rows_are_counted_one_by_one(
            (query, rows) in (1usize..70, 1usize..20).prop_flat_map(|(bytes, rows)| (
                proptest::collection::vec(any::<u8>(), bytes),
                proptest::collection::vec(proptest::collection::vec(any::<u8>(), bytes), rows),
            )),
        ) {
            let slab = slab(&rows);
            let slots: Vec<u32> = (0..rows.len() as u32).collect();
            let expected: Vec<i32> = rows
                .iter()
                .map(|row| row.iter().zip(&query).map(|(a, b)| (a ^ b).count_ones() as i32).sum())
                .collect();
            let mut out = [vec![0; rows.len()], vec![0; rows.len()]];
            hammings(&query, RowsOf::new(&slab, &slots, |_| {}), &mut out[0]);
            scalar::hammings(&query, RowsOf::new(&slab, &slots, |_| {}), &mut out[1]);
            prop_assert_eq!(&out, &[expected.clone(), expected]);
        }
    }
}
