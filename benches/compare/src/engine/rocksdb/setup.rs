//! How a database is opened and used, in one of two ways.

use blaze_bench::engine::{Durability, EngineOptions, Opening};
use rocksdb::{BottommostLevelCompaction, CompactOptions, Options};

use super::as_blaze;
use super::statistics::Statistics;

/// How a database is opened and used.
pub(super) struct Setup {
    pub(super) settings: Options,
    pub(super) compaction: CompactOptions,
    /// Of what is written as [`Transactional`](blaze_bench::engine::Transactional).
    pub(super) durability: Durability,
    /// Where something is to be counted.
    pub(super) statistics: Option<Statistics>,
}

impl Setup {
    /// As its authors recommend.
    pub(super) fn recommended(options: &EngineOptions) -> Setup {
        Setup {
            settings: super::options(options),
            compaction: CompactOptions::default(),
            durability: Durability::Sync,
            statistics: None,
        }
    }

    /// As Blaze does.
    pub(super) fn as_blaze(options: &EngineOptions, opening: Opening) -> Setup {
        let mut settings = as_blaze::options(options);
        let statistics = opening.counts_syncs.then(|| Statistics::of(&mut settings));
        let mut compaction = CompactOptions::default();
        // So that both have trees of the same shape: by default files are only moved to the last level.
        compaction.set_bottommost_level_compaction(BottommostLevelCompaction::ForceOptimized);
        Setup { settings, compaction, durability: opening.durability, statistics }
    }
}
