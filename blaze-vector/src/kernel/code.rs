//! Kernels over codes: sums of products of four-bit codes with a query of signed bytes, and differing bits, for many rows
//! at once.
//!
//! A row of four-bit codes is whole lines of 64 bytes. Byte `j` of line `n` holds component `128n + j` in its lower half
//! and component `128n + 64 + j` in its upper half; the query has a byte for each component in natural order, and zeros
//! where the row is only filled up.

#[cfg(test)]
#[cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "calls kernels after a check of the processor"))]
mod tests;

/// The bytes of a line: rows are whole lines.
pub(crate) const LINE: usize = 64;

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
