//! The kernels in plain Rust: the fallback for every target, and the oracle of the others.

use std::iter::zip;

/// Independent sums, so that additions overlap and the compiler may vectorise them.
const LANES: usize = 8;

/// Adds `term(a[i], b[i])` over all `i`.
#[inline]
fn sum(a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    let (a_blocks, a_tail) = a.as_chunks::<LANES>();
    let (b_blocks, b_tail) = b.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (a, b) in zip(a_blocks, b_blocks) {
        for lane in 0..LANES {
            sums[lane] += term(a[lane], b[lane]);
        }
    }
    let tail: f32 = zip(a_tail, b_tail).map(|(&a, &b)| term(a, b)).sum();
    sums.iter().sum::<f32>() + tail
}

pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    sum(a, b, |a, b| a * b)
}

pub(super) fn squared_l2(a: &[f32], b: &[f32]) -> f32 {
    sum(a, b, |a, b| (a - b) * (a - b))
}

pub(super) fn dot_and_square(a: &[f32], b: &[f32]) -> (f32, f32) {
    (dot(a, b), dot(b, b))
}

/// Inlined into the caller, so that the caller's target features choose the instructions.
#[inline]
pub(super) fn hamming(a: &[u8], b: &[u8]) -> u32 {
    let (a_words, a_tail) = a.as_chunks::<8>();
    let (b_words, b_tail) = b.as_chunks::<8>();
    let words: u32 =
        zip(a_words, b_words).map(|(a, b)| (u64::from_ne_bytes(*a) ^ u64::from_ne_bytes(*b)).count_ones()).sum();
    words + zip(a_tail, b_tail).map(|(a, b)| (a ^ b).count_ones()).sum::<u32>()
}
