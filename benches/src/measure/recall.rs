//! How much of the truth an approximate search finds.

/// The share of the `k` true neighbours that are among the first `k` found: recall@k.
///
/// ```
/// assert_eq!(blaze_bench::measure::recall(&[1, 2, 3, 4], &[4, 9, 1, 3], 4), 0.75);
/// ```
#[must_use]
pub fn recall(truth: &[u64], found: &[u64], k: usize) -> f64 {
    let truth = &truth[..k.min(truth.len())];
    let found = &found[..k.min(found.len())];
    let hits = truth.iter().filter(|id| found.contains(id)).count();
    if truth.is_empty() { 1.0 } else { hits as f64 / truth.len() as f64 }
}
