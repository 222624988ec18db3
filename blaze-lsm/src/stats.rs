//! What a store can say about itself.

use std::fs;
use std::io::ErrorKind as IoErrorKind;

use blaze_core::{Family, Result, Timestamp};
use serde::Serialize;

use crate::cache::RecordCacheStats;
use crate::error;
use crate::ffi::Engine;
use crate::store::LsmStore;

/// What a database holds and does at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DatabaseStats {
    /// What is in its directory.
    pub disk: DiskStats,
    /// What it holds in memory.
    pub memory: MemoryStats,
    /// How its background work stands.
    pub compaction: CompactionStats,
    /// How its commits do.
    pub commits: CommitStats,
    /// Who reads.
    pub readers: ReaderStats,
    /// The records that are read most.
    pub record_cache: RecordCacheStats,
    /// What has gone because its time had come; told by who asks the store for commits, not by the store.
    pub retention: RetentionStats,
    /// The graphs of vector indexes that are in memory, in the order of their collections and indexes; told by who searches
    /// them, not by the store.
    pub vector_indexes: Vec<VectorIndexStats>,
    /// The text indexes that are in memory, in the order of their collections and indexes; told by who searches them, not by the
    /// store.
    pub text_indexes: Vec<TextIndexStats>,
}

/// A text index that is in memory, as the last search saw it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TextIndexStats {
    /// The name of the collection.
    pub collection: String,
    /// The name of the index.
    pub index: String,
    /// Segments.
    pub segments: u64,
    /// Documents in the segments.
    pub documents: u64,
    /// Documents that were replaced or removed and are still in segments, until these are merged.
    pub removed: u64,
    /// Changes that are committed and not folded into segments yet.
    pub unfolded: u64,
    /// Bytes of the pages of the segments, before they are compressed.
    pub bytes: u64,
    /// Bytes of memory beside pages that were read, which all text indexes share.
    pub memory_bytes: u64,
}

/// The graph of a vector index that is in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct VectorIndexStats {
    /// The name of the collection.
    pub collection: String,
    /// The name of the index.
    pub index: String,
    /// Vectors in the graph; of an index of several for each document, all of them.
    pub linked: u64,
    /// Vectors that were replaced or removed and are still in the graph, for older views or until there are more of them.
    pub removed: u64,
    /// Vectors that are committed and not linked yet.
    pub tail: u64,
    /// Vectors that have no place in the graph yet while it is made of all there are: of `linked + unlinked`, `linked` are done.
    pub unlinked: u64,
    /// Filters of which it is known which vectors match.
    pub filters: u64,
    /// Bytes of memory for the graph, with codes, ids, what waits to be linked and what is known of filters.
    pub memory_bytes: u64,
    /// Bytes of memory for the vectors in full that searches have read, beside that: of what the graphs leave of their memory.
    pub cached_bytes: u64,
    /// True if searches use the graph; false while it catches up, or is made.
    pub is_complete: bool,
    /// True for an index that is built to take the place of the one of this name, whose searches go on by that one's graph.
    pub replaces: bool,
}

/// What has gone by itself since the database was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RetentionStats {
    /// Values of expiring keyspaces that were removed after they had expired.
    pub expired_values: u64,
    /// Documents that were removed after they had expired by an index.
    pub expired_documents: u64,
}

/// How commits do, since the database was opened.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CommitStats {
    /// Commits that were written.
    pub committed: u64,
    /// Commits that were refused: conflicts, transactions that were too old, limits.
    pub refused: u64,
    /// Batches in which they were written: fewer than commits when many arrive at once.
    pub batches: u64,
    /// Bytes of these batches: keys and values, and what history and change feed keep.
    pub bytes: u64,
    /// Syncs of the log.
    pub syncs: u64,
    /// Batches that wait for a sync now.
    pub pending_syncs: u64,
    /// Bytes of memory in which recent writes are remembered, to find conflicts.
    pub oracle_bytes: u64,
    /// Writes that are remembered.
    pub oracle_writes: u64,
    /// Transactions that read at an earlier time cannot commit any more; milliseconds since the Unix epoch.
    pub oracle_floor_ms: u64,
}

/// Who reads now.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ReaderStats {
    /// Views of different commits that are being read, or could be at once.
    pub views: u64,
    /// The commit of the oldest of them, in milliseconds since the Unix epoch: what was overwritten or removed later
    /// cannot be reclaimed.
    pub oldest_view_ms: Option<u64>,
    /// How long ago that was, by the clock of the database; 0 while there is no view but that of the last commit.
    pub oldest_view_age_ms: u64,
}

/// Bytes in the directory of a database, by the kind of their files.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DiskStats {
    /// All files together.
    pub total_bytes: u64,
    /// Sorted files: what was flushed and compacted.
    pub sorted_bytes: u64,
    /// Files of large values.
    pub large_value_bytes: u64,
    /// The log of commits, as much of it as is still needed or was not yet removed.
    pub log_bytes: u64,
    /// What the files list and describe: manifests, options, the information log, the marker.
    pub other_bytes: u64,
    /// Of the sorted files, bytes that are alive: the rest waits for a reader or for its removal.
    pub live_sorted_bytes: u64,
}

/// Bytes in memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct MemoryStats {
    /// Writes that are not yet in sorted files, and those that are but that a reader holds.
    pub write_buffer_bytes: u64,
    /// The most that the cache of blocks and large values holds.
    pub cache_capacity_bytes: u64,
    /// What it holds.
    pub cache_used_bytes: u64,
    /// Of that, what readers hold in this moment.
    pub cache_pinned_bytes: u64,
    /// What open files keep in memory beside the cache.
    pub open_file_bytes: u64,
}

/// How flushes and compactions stand.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CompactionStats {
    /// Sorted files on each level, all families together; level 0 first.
    pub files_per_level: Vec<u64>,
    /// About how many bytes compactions have to write until the tree is in shape.
    pub pending_bytes: u64,
    /// Compactions that run.
    pub running_compactions: u64,
    /// Flushes that run.
    pub running_flushes: u64,
    /// True when commits wait, because flushes or compactions cannot keep up.
    pub writes_are_stopped: bool,
    /// Bytes a second to which commits are slowed down; 0 when they are not.
    pub delayed_write_bytes_per_second: u64,
    /// Times that commits began to be slowed down, since the database was opened, by one family of keys or another.
    pub write_delays: u64,
    /// Times that commits began to wait, in the same way.
    pub write_stops: u64,
    /// Errors of the background since the database was opened.
    pub background_errors: u64,
}

/// RocksDB's list of what made writes to a family stall.
const STALLS: &str = "rocksdb.cf-write-stall-stats";

impl LsmStore {
    /// What the store holds and does now. Reads the directory and some counters, no data. Brings up to date the gauges of
    /// the feature `metrics`.
    ///
    /// # Errors
    /// [`Closed`](blaze_core::ErrorKind::Closed); [`Unavailable`](blaze_core::ErrorKind::Unavailable) when the
    /// directory cannot be read.
    pub fn stats(&self) -> Result<DatabaseStats> {
        let engine = self.engine()?;
        let stats = DatabaseStats {
            disk: self.disk(&engine)?,
            memory: memory(&engine)?,
            compaction: compaction(&engine)?,
            commits: CommitStats { syncs: engine.syncs(), ..self.pipeline.stats() },
            readers: self.readers(),
            record_cache: self.handles.cache.stats(),
            retention: RetentionStats::default(),
            vector_indexes: Vec::new(),
            text_indexes: Vec::new(),
        };
        self.pipeline.metrics().refresh(&stats);
        Ok(stats)
    }

    fn readers(&self) -> ReaderStats {
        let views = self.handles.live_views();
        let oldest = views.first().copied();
        let behind = oldest.filter(|oldest| !self.handles.is_current(*oldest));
        let age_ms = |oldest: Timestamp| self.clock().now_ms().saturating_sub(oldest.ms());
        ReaderStats {
            views: views.len() as u64,
            oldest_view_ms: oldest.map(Timestamp::ms),
            oldest_view_age_ms: behind.map_or(0, age_ms),
        }
    }

    fn disk(&self, engine: &Engine) -> Result<DiskStats> {
        let mut disk = DiskStats::default();
        for entry in fs::read_dir(self.path()).map_err(|error| error::file(self.path(), error))? {
            let measured = entry.and_then(|entry| Ok((entry.path(), entry.metadata()?.len())));
            let (path, bytes) = match measured {
                Ok(measured) => measured,
                Err(error) if error.kind() == IoErrorKind::NotFound => continue, // RocksDB deletes files at any time
                Err(error) => return Err(error::file(self.path(), error)),
            };
            disk.total_bytes += bytes;
            let kind = match path.extension().and_then(|extension| extension.to_str()) {
                Some("sst") => &mut disk.sorted_bytes,
                Some("blob") => &mut disk.large_value_bytes,
                Some("log") => &mut disk.log_bytes,
                _ => &mut disk.other_bytes,
            };
            *kind += bytes;
        }
        disk.live_sorted_bytes = sum(engine, "rocksdb.live-sst-files-size")?;
        Ok(disk)
    }
}

fn memory(engine: &Engine) -> Result<MemoryStats> {
    // All families share one cache, so that one of them speaks for it.
    let cache = |name: &str| engine.family_property(Family::Data, name);
    Ok(MemoryStats {
        write_buffer_bytes: sum(engine, "rocksdb.size-all-mem-tables")?,
        cache_capacity_bytes: cache("rocksdb.block-cache-capacity")?,
        cache_used_bytes: cache("rocksdb.block-cache-usage")?,
        cache_pinned_bytes: cache("rocksdb.block-cache-pinned-usage")?,
        open_file_bytes: sum(engine, "rocksdb.estimate-table-readers-mem")?,
    })
}

fn compaction(engine: &Engine) -> Result<CompactionStats> {
    Ok(CompactionStats {
        files_per_level: files_per_level(engine)?,
        pending_bytes: sum(engine, "rocksdb.estimate-pending-compaction-bytes")?,
        running_compactions: engine.property("rocksdb.num-running-compactions")?,
        running_flushes: engine.property("rocksdb.num-running-flushes")?,
        writes_are_stopped: engine.property("rocksdb.is-write-stopped")? != 0,
        delayed_write_bytes_per_second: engine.property("rocksdb.actual-delayed-write-rate")?,
        write_delays: stalls(engine, "total-delays")?,
        write_stops: stalls(engine, "total-stops")?,
        background_errors: engine.property("rocksdb.background-errors")?,
    })
}

/// How often writes to any family stalled in this way.
fn stalls(engine: &Engine, way: &str) -> Result<u64> {
    let mut stalls = 0;
    for family in Family::ALL {
        let listed = engine.family_text(family, STALLS)?.unwrap_or_default();
        stalls += stalls_in(&listed, way).unwrap_or(0);
    }
    Ok(stalls)
}

/// The count of one way of stalling in what RocksDB lists, which is `way: count, ...` behind a heading.
fn stalls_in(listed: &str, way: &str) -> Option<u64> {
    let mut counts = listed.split([',', '\n']).filter_map(|entry| entry.rsplit_once(": "));
    let (_, count) = counts.find(|(name, _)| name.trim_start() == way)?;
    count.trim_end().parse().ok()
}

fn files_per_level(engine: &Engine) -> Result<Vec<u64>> {
    let mut levels = Vec::new();
    for family in Family::ALL {
        let mut level = 0;
        while let Some(files) = engine.family_text(family, &format!("rocksdb.num-files-at-level{level}"))? {
            if levels.len() == level {
                levels.push(0);
            }
            levels[level] += files.parse().unwrap_or(0);
            level += 1;
        }
    }
    while levels.last() == Some(&0) {
        levels.pop();
    }
    Ok(levels)
}

fn sum(engine: &Engine, property: &str) -> Result<u64> {
    Family::ALL.into_iter().map(|family| engine.family_property(family, property)).sum()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use blaze_core::ManualClock;

    use super::*;
    use crate::LsmOptions;

    #[test]
    fn stalls_are_found_in_what_rocksdb_lists() {
        let listed =
            "Write Stall (count): cf-total-delays: 1, memtable-limit-stops: 2, total-delays: 3, total-stops: 4\n";
        assert_eq!(stalls_in(listed, "total-delays"), Some(3));
        assert_eq!(stalls_in(listed, "total-stops"), Some(4));
        assert_eq!(stalls_in(listed, "total"), None);

        let directory = tempfile::tempdir().unwrap();
        let options = LsmOptions::new(Arc::new(ManualClock::at_ms(1_000)));
        let store = LsmStore::open(directory.path(), options).unwrap();
        let listed = store.engine().unwrap().family_text(Family::Data, STALLS).unwrap().unwrap();
        for way in ["total-delays", "total-stops"] {
            assert_eq!(stalls_in(&listed, way), Some(0), "{listed:?}");
        }
    }
}
