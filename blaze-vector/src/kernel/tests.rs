//! Every version of every kernel that this processor has, against double precision and against `simsimd`.

use std::iter::zip;

use proptest::prelude::*;
use simsimd::{BinarySimilarity, SpatialSimilarity};

use super::{dot, dot_and_square, hamming, scalar, squared_l2};

type Kernel<R> = Box<dyn Fn(&[f32], &[f32]) -> R>;

struct Kernels {
    name: &'static str,
    dot: Kernel<f32>,
    squared_l2: Kernel<f32>,
    dot_and_square: Kernel<(f32, f32)>,
}

macro_rules! kernels {
    ($name:literal, $call:ident, $($path:ident)::+) => {
        Kernels {
            name: $name,
            dot: Box::new(|a, b| $call!($($path)::+::dot(a, b))),
            squared_l2: Box::new(|a, b| $call!($($path)::+::squared_l2(a, b))),
            dot_and_square: Box::new(|a, b| $call!($($path)::+::dot_and_square(a, b))),
        }
    };
}

macro_rules! safe {
    ($call:expr) => {
        $call
    };
}

#[cfg(target_arch = "x86_64")]
macro_rules! detected {
    ($call:expr) => {
        // SAFETY: `all` lists these kernels only after a check of the processor.
        unsafe { $call }
    };
}

/// What the dispatcher chooses, and every version that it could choose on some processor and this one can run.
#[cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "calls kernels after a check of the processor"))]
fn all() -> Vec<Kernels> {
    use super::super::kernel;
    #[cfg_attr(not(target_arch = "x86_64"), expect(unused_mut, reason = "elsewhere what is chosen is all there is"))]
    let mut all = vec![kernels!("dispatched", safe, kernel), kernels!("scalar", safe, scalar)];
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            all.push(kernels!("avx512", detected, super::simd::avx512));
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            all.push(kernels!("avx2", detected, super::simd::avx2));
        }
    }
    all
}

/// A sum in double precision and the bound on what single precision may miss of it.
fn reference(a: &[f32], b: &[f32], term: impl Fn(f64, f64) -> f64) -> (f64, f64) {
    let terms = || zip(a, b).map(|(&a, &b)| term(a.into(), b.into()));
    let magnitude: f64 = terms().map(f64::abs).sum();
    let underflow = a.len() as f64 * f64::from(f32::from_bits(1));
    (terms().sum(), a.len() as f64 * f64::from(f32::EPSILON) * magnitude + underflow)
}

fn check(a: &[f32], b: &[f32]) {
    let expected_dot = reference(a, b, |a, b| a * b);
    let expected_square = reference(b, b, |a, b| a * b);
    let expected_l2 = reference(a, b, |a, b| (a - b) * (a - b));
    let near = |found: f32, (expected, tolerance): (f64, f64), what: &str, name: &str| {
        let error = (f64::from(found) - expected).abs();
        assert!(error <= tolerance, "{name} {what} of {} numbers: {found}, expected {expected} ± {tolerance}", a.len());
    };
    for kernels in all() {
        near((kernels.dot)(a, b), expected_dot, "dot", kernels.name);
        near((kernels.squared_l2)(a, b), expected_l2, "squared_l2", kernels.name);
        let (dot, square) = (kernels.dot_and_square)(a, b);
        near(dot, expected_dot, "dot of dot_and_square", kernels.name);
        near(square, expected_square, "square of dot_and_square", kernels.name);
    }
    if !a.is_empty() {
        near(<f32 as SpatialSimilarity>::dot(a, b).unwrap() as f32, expected_dot, "dot", "simsimd");
        near(<f32 as SpatialSimilarity>::l2sq(a, b).unwrap() as f32, expected_l2, "squared_l2", "simsimd");
    }
}

/// Numbers in [-1, 1) that repeat only after very long.
fn pattern(len: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..len).map(|_| next()).collect()
}

#[test]
fn every_length_and_alignment_agrees_with_double_precision() {
    let (a, b) = (pattern(4100, 1), pattern(4100, 2));
    for len in (0..=260).chain([511, 512, 513, 768, 784, 960, 1023, 1536, 3072, 4095, 4096]) {
        for offset in 0..4 {
            check(&a[offset..][..len], &b[3 - offset..][..len]);
        }
    }
}

#[test]
fn numbers_behind_the_end_are_not_read() {
    for len in 0..70 {
        let (mut a, mut b) = (vec![1.0; len], vec![2.0; len]);
        a.extend([f32::NAN; 80]);
        b.extend([f32::NAN; 80]);
        for kernels in all() {
            assert_eq!((kernels.dot)(&a[..len], &b[..len]), 2.0 * len as f32, "{} of {len}", kernels.name);
            assert_eq!((kernels.squared_l2)(&a[..len], &b[..len]), len as f32, "{} of {len}", kernels.name);
        }
    }
}

#[test]
fn one_extreme_number_anywhere_has_the_same_effect_in_every_version() {
    for (number, dot, square) in [
        (f32::NAN, f32::NAN, f32::NAN),
        (f32::INFINITY, f32::INFINITY, f32::INFINITY),
        (f32::NEG_INFINITY, f32::NEG_INFINITY, f32::INFINITY),
        (f32::MAX, f32::MAX, f32::INFINITY),
        (1e30, 1e30, f32::INFINITY),
        (f32::from_bits(1), 0.0, 0.0), // subnormal: lost beside the ones, and harmless
    ] {
        for len in [1, 5, 16, 33, 64, 100] {
            for position in 0..len {
                let mut vector = vec![0.0; len];
                vector[position] = number;
                let (ones, zeros) = (vec![1.0; len], vec![0.0; len]);
                for kernels in all() {
                    let same = |found: f32, expected: f32| {
                        let is_same = found == expected || (found.is_nan() && expected.is_nan());
                        let name = kernels.name;
                        assert!(is_same || (found - expected).abs() < 1e-40, "{name}: {number} gives {found}");
                    };
                    same((kernels.dot)(&vector, &ones), dot);
                    same((kernels.squared_l2)(&vector, &zeros), square);
                    same((kernels.dot_and_square)(&ones, &vector).1, square);
                }
            }
        }
    }
}

#[test]
#[should_panic(expected = "both vectors have the same length")]
fn slices_of_different_lengths_panic() {
    let _ = dot(&[1.0], &[1.0, 2.0]);
}

proptest! {
    #[test]
    fn numbers_of_mixed_magnitudes_agree_with_double_precision(
        pairs in proptest::collection::vec((-1e18f32..1e18, -1e3f32..1e3, -1e-20f32..1e-20, 0u8..9), 0..300),
    ) {
        let pick = |(large, medium, small, choice): &(f32, f32, f32, u8), shift: u8| match (choice + shift) % 3 {
            0 => *large,
            1 => *medium,
            _ => *small,
        };
        let a: Vec<f32> = pairs.iter().map(|pair| pick(pair, 0)).collect();
        let b: Vec<f32> = pairs.iter().map(|pair| pick(pair, pair.3 / 3)).collect();
        check(&a, &b);
    }

    #[test]
    fn hamming_counts_bits_one_by_one(
        pairs in proptest::collection::vec(any::<(u8, u8)>(), 0..600),
        offset in 0usize..9,
    ) {
        let (a, b): (Vec<u8>, Vec<u8>) = pairs.into_iter().unzip();
        let (a, b) = (&a[offset.min(a.len())..], &b[offset.min(b.len())..]);
        let bits = |bytes: &[u8], i: usize| bytes[i / 8] >> (i % 8) & 1;
        let expected = (0..a.len() * 8).filter(|&i| bits(a, i) != bits(b, i)).count() as u32;
        prop_assert_eq!(hamming(a, b), expected);
        prop_assert_eq!(scalar::hamming(a, b), expected);
        if !a.is_empty() {
            prop_assert_eq!(<u8 as BinarySimilarity>::hamming(a, b), Some(f64::from(expected)));
        }
    }

    #[test]
    fn a_distance_to_itself_is_nothing(a in proptest::collection::vec(-1e18f32..1e18, 0..300)) {
        prop_assert_eq!(squared_l2(&a, &a), 0.0);
        let (dot, square) = dot_and_square(&a, &a);
        prop_assert_eq!(dot, square);
    }
}
