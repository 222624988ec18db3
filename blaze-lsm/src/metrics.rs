//! What a database tells to the recorder of the crate `metrics`, behind the feature `metrics`.
//!
//! Each name below is a constant whose documentation says what is counted; units come last in the names, as Prometheus
//! has them. Install the recorder before a database is opened: its handles are taken then, so that recording costs
//! an atomic addition, and the names are described then. All of them have the label `database` if the database was opened
//! with one.
//!
//! Counters of commits and of what is reclaimed, and histograms, are recorded where things happen. Gauges, and the counters
//! of the record cache and of stalls, are brought up to date whenever the statistics of the database are asked for:
//! call `stats()` as often as they are collected. Databases without a label share their gauges, and the last one to be
//! asked sets them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ::metrics::{
    Counter, Gauge, Histogram, Label, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge,
    histogram,
};
use parking_lot::Mutex;

use crate::commit::Tally;
use crate::stats::DatabaseStats;

/// The label by which databases of one process are told apart.
pub const LABEL: &str = "database";

/// Counter: commits that were written.
pub const COMMITS_TOTAL: &str = "blaze_commits_total";
/// Counter: commits that were refused, by conflicts, age or limits.
pub const COMMITS_REFUSED_TOTAL: &str = "blaze_commits_refused_total";
/// Counter: batches in which commits were written.
pub const COMMIT_BATCHES_TOTAL: &str = "blaze_commit_batches_total";
/// Counter: bytes of these batches, what history and change feed keep included.
pub const COMMIT_BYTES_TOTAL: &str = "blaze_commit_bytes_total";
/// Counter: syncs of the log.
pub const SYNCS_TOTAL: &str = "blaze_syncs_total";
/// Counter: ranges whose files were deleted at once after a drop, or after something was left unfinished.
pub const RECLAIMED_RANGES_TOTAL: &str = "blaze_reclaimed_ranges_total";
/// Counter, from `stats()`: reads that found their record in the record cache.
pub const RECORD_CACHE_HITS_TOTAL: &str = "blaze_record_cache_hits_total";
/// Counter, from `stats()`: reads that did not.
pub const RECORD_CACHE_MISSES_TOTAL: &str = "blaze_record_cache_misses_total";
/// Counter, from `stats()`: times that commits began to be slowed down.
pub const WRITE_DELAYS_TOTAL: &str = "blaze_write_delays_total";
/// Counter, from `stats()`: times that commits began to wait.
pub const WRITE_STOPS_TOTAL: &str = "blaze_write_stops_total";

/// Histogram: seconds from the call of a commit that was written to its return.
pub const COMMIT_SECONDS: &str = "blaze_commit_seconds";
/// Histogram: seconds that a sync of the log took.
pub const SYNC_SECONDS: &str = "blaze_sync_seconds";
/// Histogram: commits that were written together.
pub const GROUP_COMMITS: &str = "blaze_group_commits";

/// Gauge: seconds since the commit that the oldest view shows, if anything reads another view than the last; else 0.
pub const OLDEST_VIEW_AGE_SECONDS: &str = "blaze_oldest_view_age_seconds";
/// Gauge: bytes of memory in which recent writes are remembered, to find conflicts.
pub const ORACLE_BYTES: &str = "blaze_oracle_bytes";
/// Gauge: batches that wait for a sync.
pub const PENDING_SYNCS: &str = "blaze_pending_syncs";
/// Gauge: bytes of the files in the directory.
pub const DISK_BYTES: &str = "blaze_disk_bytes";
/// Gauge: of these, bytes of the log.
pub const LOG_BYTES: &str = "blaze_log_bytes";
/// Gauge: bytes of memory that hold writes on their way to files.
pub const WRITE_BUFFER_BYTES: &str = "blaze_write_buffer_bytes";
/// Gauge: bytes that the cache of blocks holds.
pub const BLOCK_CACHE_BYTES: &str = "blaze_block_cache_bytes";
/// Gauge: bytes that the record cache holds.
pub const RECORD_CACHE_BYTES: &str = "blaze_record_cache_bytes";
/// Gauge: about how many bytes compactions have to write until the files are in shape.
pub const PENDING_COMPACTION_BYTES: &str = "blaze_pending_compaction_bytes";

/// Takes the time of something, for a histogram.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "it measures, and nothing that is stored")]
    pub(crate) fn start() -> Stopwatch {
        Stopwatch(Instant::now())
    }

    fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// What one database records to.
pub(crate) struct Metrics {
    commits: Counter,
    refused: Counter,
    batches: Counter,
    bytes: Counter,
    syncs: Counter,
    reclaimed: Counter,
    commit_seconds: Histogram,
    sync_seconds: Histogram,
    group_commits: Histogram,
    gauges: [(Gauge, Read); GAUGES.len()],
    sums: [(Counter, ReadSum); SUMS.len()],
    /// How much of the sums was recorded: other databases may count under the same names.
    recorded: Mutex<[u64; SUMS.len()]>,
}

/// What a gauge shows of the statistics.
type Read = fn(&DatabaseStats) -> f64;

/// A number of the statistics that only grows.
type ReadSum = fn(&DatabaseStats) -> u64;

const GAUGES: [(&str, Unit, &str, Read); 9] = [
    (
        OLDEST_VIEW_AGE_SECONDS,
        Unit::Seconds,
        "Age of the commit that the oldest view shows, if anything reads another than the last",
        |stats| stats.readers.oldest_view_age_ms as f64 / 1_000.0,
    ),
    (ORACLE_BYTES, Unit::Bytes, "Memory in which recent writes are remembered, to find conflicts", |stats| {
        stats.commits.oracle_bytes as f64
    }),
    (PENDING_SYNCS, Unit::Count, "Batches that wait for a sync", |stats| stats.commits.pending_syncs as f64),
    (DISK_BYTES, Unit::Bytes, "Files in the directory", |stats| stats.disk.total_bytes as f64),
    (LOG_BYTES, Unit::Bytes, "Of the files, the log", |stats| stats.disk.log_bytes as f64),
    (WRITE_BUFFER_BYTES, Unit::Bytes, "Memory that holds writes on their way to files", |stats| {
        stats.memory.write_buffer_bytes as f64
    }),
    (BLOCK_CACHE_BYTES, Unit::Bytes, "What the cache of blocks holds", |stats| stats.memory.cache_used_bytes as f64),
    (RECORD_CACHE_BYTES, Unit::Bytes, "What the record cache holds", |stats| stats.record_cache.used_bytes as f64),
    (PENDING_COMPACTION_BYTES, Unit::Bytes, "What compactions have to write until the files are in shape", |stats| {
        stats.compaction.pending_bytes as f64
    }),
];

const SUMS: [(&str, &str, ReadSum); 4] = [
    (RECORD_CACHE_HITS_TOTAL, "Reads that found their record in the record cache", |stats| stats.record_cache.hits),
    (RECORD_CACHE_MISSES_TOTAL, "Reads that did not find their record in the record cache", |stats| {
        stats.record_cache.misses
    }),
    (WRITE_DELAYS_TOTAL, "Times that commits began to be slowed down", |stats| stats.compaction.write_delays),
    (WRITE_STOPS_TOTAL, "Times that commits began to wait", |stats| stats.compaction.write_stops),
];

impl Metrics {
    /// Takes the handles of a database from the recorder that is installed, and tells it what they mean.
    pub(crate) fn open(label: Option<&str>) -> Arc<Metrics> {
        describe();
        let labels: Vec<Label> = label.map(|label| Label::new(LABEL, label.to_owned())).into_iter().collect();
        let count = |name: &'static str| counter!(name, labels.iter());
        let measure = |name: &'static str| histogram!(name, labels.iter());
        Arc::new(Metrics {
            commits: count(COMMITS_TOTAL),
            refused: count(COMMITS_REFUSED_TOTAL),
            batches: count(COMMIT_BATCHES_TOTAL),
            bytes: count(COMMIT_BYTES_TOTAL),
            syncs: count(SYNCS_TOTAL),
            reclaimed: count(RECLAIMED_RANGES_TOTAL),
            commit_seconds: measure(COMMIT_SECONDS),
            sync_seconds: measure(SYNC_SECONDS),
            group_commits: measure(GROUP_COMMITS),
            gauges: GAUGES.map(|(name, _, _, read)| (gauge!(name, labels.iter()), read)),
            sums: SUMS.map(|(name, _, read)| (count(name), read)),
            recorded: Mutex::default(),
        })
    }

    /// A commit was written.
    pub(crate) fn committed(&self, time: Stopwatch) {
        self.commit_seconds.record(time.elapsed());
    }

    /// A group had its turn.
    pub(crate) fn wrote(&self, group: &Tally) {
        self.commits.increment(group.committed);
        self.refused.increment(group.refused);
        self.batches.increment(group.batches);
        self.bytes.increment(group.bytes);
        if group.committed > 0 {
            self.group_commits.record(group.committed as f64);
        }
    }

    /// The log was synced.
    pub(crate) fn synced(&self, time: Stopwatch) {
        self.syncs.increment(1);
        self.sync_seconds.record(time.elapsed());
    }

    /// The files of a range were deleted.
    pub(crate) fn reclaimed(&self) {
        self.reclaimed.increment(1);
    }

    /// Brings up to date what is read off the statistics.
    pub(crate) fn refresh(&self, stats: &DatabaseStats) {
        for (gauge, read) in &self.gauges {
            gauge.set(read(stats));
        }
        let mut recorded = self.recorded.lock();
        for ((counter, read), recorded) in self.sums.iter().zip(&mut *recorded) {
            let sum = read(stats);
            counter.increment(sum.saturating_sub(*recorded));
            *recorded = sum.max(*recorded);
        }
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// Tells the recorder what all names mean.
fn describe() {
    describe_counter!(COMMITS_TOTAL, Unit::Count, "Commits that were written");
    describe_counter!(COMMITS_REFUSED_TOTAL, Unit::Count, "Commits that were refused: conflicts, age, limits");
    describe_counter!(COMMIT_BATCHES_TOTAL, Unit::Count, "Batches in which commits were written");
    describe_counter!(COMMIT_BYTES_TOTAL, Unit::Bytes, "Bytes of the batches, history and change feed included");
    describe_counter!(SYNCS_TOTAL, Unit::Count, "Syncs of the log");
    describe_counter!(RECLAIMED_RANGES_TOTAL, Unit::Count, "Ranges whose files were deleted at once");
    describe_histogram!(COMMIT_SECONDS, Unit::Seconds, "From the call of a commit that was written to its return");
    describe_histogram!(SYNC_SECONDS, Unit::Seconds, "Time that a sync of the log took");
    describe_histogram!(GROUP_COMMITS, Unit::Count, "Commits that were written together");
    GAUGES.into_iter().for_each(|(name, unit, meaning, _)| describe_gauge!(name, unit, meaning));
    SUMS.into_iter().for_each(|(name, meaning, _)| describe_counter!(name, Unit::Count, meaning));
}

#[cfg(test)]
mod tests;
