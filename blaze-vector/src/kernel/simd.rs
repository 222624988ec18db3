//! The kernels in the processor's own vector instructions. All `unsafe` of this crate is the loads in this file, and the
//! calls in the parent module that follow a check of the processor.
//!
//! Each instruction set brings the same few operations on its register; [`kernels!`] builds the kernels from them. Four
//! independent sums hide the latency of the multiply-add, which bounds a loop with one sum.

/// Defines `dot`, `squared_l2` and `dot_and_square` from `Register`, `LANES`, `zero`, `load`, `load_tail`, `add`,
/// `subtract`, `multiply_add` and `total` in scope.
macro_rules! kernels {
    ($features:literal) => {
        /// Folds `step` over the registers of both slices into four independent states.
        #[inline]
        #[target_feature(enable = $features)]
        fn fold<S: Copy>(a: &[f32], b: &[f32], zero: S, step: impl Fn(S, Register, Register) -> S) -> [S; 4] {
            let (a_blocks, a_tail) = a.as_chunks::<LANES>();
            let (b_blocks, b_tail) = b.as_chunks::<LANES>();
            let (a_groups, a_rest) = a_blocks.as_chunks::<4>();
            let (b_groups, b_rest) = b_blocks.as_chunks::<4>();
            let mut states = [zero; 4];
            for (a, b) in zip(a_groups, b_groups) {
                for i in 0..4 {
                    states[i] = step(states[i], load(&a[i]), load(&b[i]));
                }
            }
            for (i, (a, b)) in zip(a_rest, b_rest).enumerate() {
                states[i] = step(states[i], load(a), load(b));
            }
            if !a_tail.is_empty() {
                states[3] = step(states[3], load_tail(a_tail), load_tail(b_tail));
            }
            states
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn total_of_four(sums: [Register; 4]) -> f32 {
            total(add(add(sums[0], sums[1]), add(sums[2], sums[3])))
        }

        #[target_feature(enable = $features)]
        pub(in crate::kernel) fn dot(a: &[f32], b: &[f32]) -> f32 {
            total_of_four(fold(a, b, zero(), |sum, a, b| multiply_add(a, b, sum)))
        }

        #[target_feature(enable = $features)]
        pub(in crate::kernel) fn squared_l2(a: &[f32], b: &[f32]) -> f32 {
            total_of_four(fold(a, b, zero(), |sum, a, b| {
                let difference = subtract(a, b);
                multiply_add(difference, difference, sum)
            }))
        }

        #[target_feature(enable = $features)]
        pub(in crate::kernel) fn dot_and_square(a: &[f32], b: &[f32]) -> (f32, f32) {
            let sums = fold(a, b, (zero(), zero()), |(dot, square), a, b| {
                (multiply_add(a, b, dot), multiply_add(b, b, square))
            });
            (total_of_four(sums.map(|(dot, _)| dot)), total_of_four(sums.map(|(_, square)| square)))
        }
    };
}

/// The tail of a vector, filled up with zeros, which add nothing to any of the sums.
#[inline]
fn padded<const LANES: usize>(tail: &[f32]) -> [f32; LANES] {
    let mut block = [0.0; LANES];
    block[..tail.len()].copy_from_slice(tail);
    block
}

#[cfg(target_arch = "x86_64")]
pub(super) mod avx512 {
    use std::arch::x86_64::*;
    use std::iter::zip;

    type Register = __m512;
    const LANES: usize = 16;

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn zero() -> Register {
        _mm512_setzero_ps()
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn load(block: &[f32; LANES]) -> Register {
        // SAFETY: the block is 16 floats, and this load asks for no alignment.
        unsafe { _mm512_loadu_ps(block.as_ptr()) }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn load_tail(tail: &[f32]) -> Register {
        let mask = (1u16 << tail.len()) - 1; // a tail is shorter than a register
        // SAFETY: only lanes below `tail.len()` are read; the others become zero without an access to memory.
        unsafe { _mm512_maskz_loadu_ps(mask, tail.as_ptr()) }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn add(a: Register, b: Register) -> Register {
        _mm512_add_ps(a, b)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn subtract(a: Register, b: Register) -> Register {
        _mm512_sub_ps(a, b)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn multiply_add(a: Register, b: Register, sum: Register) -> Register {
        _mm512_fmadd_ps(a, b, sum)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn total(register: Register) -> f32 {
        _mm512_reduce_add_ps(register)
    }

    kernels!("avx512f");
}

#[cfg(target_arch = "x86_64")]
pub(super) mod avx2 {
    use std::arch::x86_64::*;
    use std::iter::zip;

    use super::padded;

    type Register = __m256;
    const LANES: usize = 8;

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn zero() -> Register {
        _mm256_setzero_ps()
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn load(block: &[f32; LANES]) -> Register {
        // SAFETY: the block is 8 floats, and this load asks for no alignment.
        unsafe { _mm256_loadu_ps(block.as_ptr()) }
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn load_tail(tail: &[f32]) -> Register {
        load(&padded(tail))
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn add(a: Register, b: Register) -> Register {
        _mm256_add_ps(a, b)
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn subtract(a: Register, b: Register) -> Register {
        _mm256_sub_ps(a, b)
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn multiply_add(a: Register, b: Register, sum: Register) -> Register {
        _mm256_fmadd_ps(a, b, sum)
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn total(register: Register) -> f32 {
        let four = _mm_add_ps(_mm256_castps256_ps128(register), _mm256_extractf128_ps::<1>(register));
        let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
        _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
    }

    kernels!("avx2,fma");
}

#[cfg(target_arch = "x86_64")]
pub(super) mod popcnt {
    #[target_feature(enable = "popcnt")]
    pub(in crate::kernel) fn hamming(a: &[u8], b: &[u8]) -> u32 {
        crate::kernel::scalar::hamming(a, b)
    }
}

#[cfg(target_arch = "aarch64")]
pub(super) mod neon {
    use std::arch::aarch64::*;
    use std::iter::zip;

    use super::padded;

    type Register = float32x4_t;
    const LANES: usize = 4;

    #[inline]
    #[target_feature(enable = "neon")]
    fn zero() -> Register {
        vdupq_n_f32(0.0)
    }

    #[inline]
    #[target_feature(enable = "neon")]
    fn load(block: &[f32; LANES]) -> Register {
        // SAFETY: the block is 4 floats, and this load asks for no more alignment than theirs.
        unsafe { vld1q_f32(block.as_ptr()) }
    }

    #[inline]
    #[target_feature(enable = "neon")]
    fn load_tail(tail: &[f32]) -> Register {
        load(&padded(tail))
    }

    #[inline]
    #[target_feature(enable = "neon")]
    fn add(a: Register, b: Register) -> Register {
        vaddq_f32(a, b)
    }

    #[inline]
    #[target_feature(enable = "neon")]
    fn subtract(a: Register, b: Register) -> Register {
        vsubq_f32(a, b)
    }

    #[inline]
    #[target_feature(enable = "neon")]
    fn multiply_add(a: Register, b: Register, sum: Register) -> Register {
        vfmaq_f32(sum, a, b)
    }

    #[inline]
    #[target_feature(enable = "neon")]
    fn total(register: Register) -> f32 {
        vaddvq_f32(register)
    }

    kernels!("neon");
}
