//! What a sample of queries says about the recall of all.

/// The normal quantile that leaves 5 % on one side.
const Z: f64 = 1.644_853_626_951_472_2;

/// The mean of the recalls of queries, and what the recall of all queries is at least, with a confidence of 95 %.
///
/// Hits of one query are alike: where the graph misses a region, it misses several at once. So they do not count as so many
/// independent trials, but as many as would vary like the queries did, and at least one a query. The bound is that of
/// Wilson (1927, "Probable inference, the law of succession, and statistical inference") for so many trials; unlike the
/// normal one it says something, too, when nothing was missed. It is never above what it is then: that misses were seen to
/// be spread says nothing about queries of which none was seen, and which may miss everything.
pub(super) fn mean_and_lower_bound(recalls: &[f64], hits_per_query: usize) -> (f64, f64) {
    let queries = recalls.len() as f64;
    if recalls.is_empty() {
        return (0.0, 0.0);
    }
    let mean = recalls.iter().sum::<f64>() / queries;
    let spread = recalls.iter().map(|recall| (recall - mean).powi(2)).sum::<f64>() / (queries - 1.0).max(1.0);
    let trials_max = queries * hits_per_query.max(1) as f64;
    let trials = match mean * (1.0 - mean) / (spread / queries) {
        trials if trials.is_finite() => trials.clamp(queries, trials_max),
        _ => queries, // no query was unlike another
    };
    let square = Z * Z / trials;
    let centre = mean + square / 2.0;
    let radius = Z * ((mean * (1.0 - mean) / trials) + square / (4.0 * trials)).sqrt();
    (mean, ((centre - radius) / (1.0 + square)).clamp(0.0, mean).min(shown_without_a_miss(recalls.len())))
}

/// The recall that so many queries show if none of them misses anything: the most that they can show.
pub(super) fn shown_without_a_miss(queries: usize) -> f64 {
    let queries = queries as f64;
    queries / (queries + Z * Z)
}

/// How many queries show a recall with a confidence of 95 % if none of them misses anything.
pub(super) fn trials_without_a_miss(recall: f64) -> usize {
    (Z * Z * recall / (1.0 - recall)).ceil() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_queries_without_a_miss_say_about_997_per_mille() {
        let (mean, bound) = mean_and_lower_bound(&[1.0; 1_000], 10);
        assert_eq!(mean, 1.0);
        assert!((bound - 0.9973).abs() < 1e-4, "{bound}");
    }

    #[test]
    fn a_few_misses_do_not_show_more_than_none() {
        for queries in [50, 1_000, 3_000] {
            let mut recalls = vec![1.0; queries];
            let most = shown_without_a_miss(queries);
            assert!((mean_and_lower_bound(&recalls, 10).1 - most).abs() < 1e-9, "{queries}");
            for missing in 0..3 {
                recalls[missing] = 0.9;
                assert!(mean_and_lower_bound(&recalls, 10).1 <= most, "{missing} misses of {queries} queries");
            }
        }
    }

    #[test]
    fn queries_that_fail_as_a_whole_count_as_one_trial_each() {
        let mut recalls = vec![1.0; 1_000];
        recalls[..10].fill(0.0);
        let (mean, bound) = mean_and_lower_bound(&recalls, 10);
        assert!((mean - 0.99).abs() < 1e-12);
        assert!((bound - 0.9833).abs() < 5e-4, "{bound}"); // Wilson for 990 of 1000
        recalls.fill(1.0);
        recalls[..100].fill(0.9);
        let (same_mean, closer) = mean_and_lower_bound(&recalls, 10);
        assert!((same_mean - 0.99).abs() < 1e-12);
        assert!(closer > bound + 0.004, "misses that are spread say more: {closer}");
    }

    #[test]
    fn the_bound_holds_for_the_recall_behind_the_sample() {
        // Queries with ten hits each, of which some are missed at a rate that differs from query to query.
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut uniform = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let rates = [0.0, 0.0, 0.0, 0.005, 0.05]; // of misses; 0.011 in the mean
        let mut held = 0;
        for _ in 0..1_000 {
            let recalls: Vec<f64> = (0..1_000)
                .map(|query| (0..10).filter(|_| uniform() >= rates[query % rates.len()]).count() as f64 / 10.0)
                .collect();
            held += usize::from(mean_and_lower_bound(&recalls, 10).1 <= 0.989);
        }
        assert!((930..=995).contains(&held), "{held} of 1000 bounds hold");
    }

    #[test]
    fn no_queries_say_nothing() {
        assert_eq!(mean_and_lower_bound(&[], 10), (0.0, 0.0));
        let (mean, bound) = mean_and_lower_bound(&[1.0], 10);
        assert!(mean == 1.0 && bound < 0.3, "{bound}");
    }
}
