//! Distances of two vectors that lie in the processor's cache: Blaze's kernels beside simsimd's.

use std::hint::black_box;

use blaze_bench::distribution::Random;
use blaze_vector::kernel;
use criterion::{BenchmarkId, Criterion, Throughput};
use simsimd::{BinarySimilarity, SpatialSimilarity};

const DIMENSIONS: [usize; 4] = [128, 384, 768, 1536];

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let criterion = &mut criterion;
    compare(criterion, "dot", numbers, kernel::dot, f32::dot);
    compare(criterion, "squared L2", numbers, kernel::squared_l2, f32::sqeuclidean);
    compare(criterion, "cosine", numbers, kernel::dot_and_square, f32::cosine);
    compare(criterion, "hamming", bits, kernel::hamming, u8::hamming);
    criterion.final_summary();
}

/// Measures two functions on pairs of vectors of each dimension.
fn compare<T, A, B>(
    criterion: &mut Criterion,
    name: &str,
    vector: fn(&mut Random, usize) -> Vec<T>,
    blaze: impl Fn(&[T], &[T]) -> A,
    simsimd: impl Fn(&[T], &[T]) -> B,
) {
    let mut group = criterion.benchmark_group(name);
    let mut random = Random::seeded(1);
    for dimensions in DIMENSIONS {
        let (a, b) = (vector(&mut random, dimensions), vector(&mut random, dimensions));
        group.throughput(Throughput::Elements(dimensions as u64));
        group.bench_function(BenchmarkId::new("blaze", dimensions), |bencher| {
            bencher.iter(|| blaze(black_box(&a), black_box(&b)));
        });
        group.bench_function(BenchmarkId::new("simsimd", dimensions), |bencher| {
            bencher.iter(|| simsimd(black_box(&a), black_box(&b)));
        });
    }
    group.finish();
}

fn numbers(random: &mut Random, dimensions: usize) -> Vec<f32> {
    (0..dimensions).map(|_| random.fraction() as f32 - 0.5).collect()
}

fn bits(random: &mut Random, dimensions: usize) -> Vec<u8> {
    let mut bytes = vec![0; dimensions / 8];
    random.fill(&mut bytes);
    bytes
}
