//! What RocksDB counts, where it is asked to: counting takes time.

use rocksdb::Options;
use rocksdb::statistics::Ticker;

/// The counters of one open database.
pub(super) struct Statistics {
    /// Shares them with the database, which was opened with it.
    options: Options,
}

impl Statistics {
    /// Has a database count that is opened with `options` from now on.
    pub(super) fn of(options: &mut Options) -> Statistics {
        options.enable_statistics();
        Statistics { options: options.clone() }
    }

    pub(super) fn log_syncs(&self) -> u64 {
        self.options.get_ticker_count(Ticker::WalFileSynced)
    }
}
