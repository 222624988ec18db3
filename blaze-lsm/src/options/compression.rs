//! How files are compressed.

use blaze_core::Family;
use rocksdb::{DBCompressionType, Options as RocksOptions};

/// Bytes that the blocks of a file have in common, which are kept once for all of them, and of which samples they are made.
const DICTIONARY_BYTES: i32 = 32 * 1024;
const SAMPLED_BYTES: i32 = 1024 * 1024;

/// RocksDB's own choices.
const WINDOW_BITS: i32 = -14;
const LEVEL: i32 = 32_767;
/// The level that compresses fastest. (2026-11-22, terms of 36,273 films: 170 MB/s and 4.39 MB, by level 3 99 MB/s
/// and 4.35 MB; LZ4 makes 7.1 MB of them.)
const FAST_LEVEL: i32 = 1;
const STRATEGY: i32 = 0;

/// How the last level of files is compressed, which holds nine tenths of what is stored. The others are compressed to be read
/// and written fast, and what a history needs to be small.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compression {
    /// To be read fast: LZ4, but for a history and for the terms of texts, which are hardly ever read: Zstandard. What vector
    /// indexes hold, of which embeddings would not become smaller, is not compressed.
    #[default]
    Fast,
    /// To be small: Zstandard, with a dictionary for each file.
    Small,
}

impl Compression {
    pub(super) fn apply(self, family: Family, options: &mut RocksOptions) {
        options.set_compression_type(DBCompressionType::Lz4);
        match self {
            // Numbers of embeddings and their codes are as good as chance: LZ4 leaves 99.99 % of those of films. Small whole
            // numbers would become smaller: a database of 60,000 x 784 pixels takes 315 MB where it took 200. Without LZ4 their
            // graph is built in 0.93 of the time, and first searches, which read rows, are answered in 0.78 of it (2026-11-23).
            Compression::Fast if family == Family::Vector => {
                options.set_compression_type(DBCompressionType::None);
                options.set_bottommost_compression_type(DBCompressionType::None);
            }
            Compression::Fast if family == Family::History => {
                options.set_bottommost_compression_type(DBCompressionType::Zstd); // hardly ever read
            }
            // Beside pages of bits, which it makes hardly smaller and which are kept in memory as they are, there are the terms of
            // each document, which hardly anybody reads but who writes it anew.
            Compression::Fast if family == Family::Text => {
                options.set_bottommost_compression_type(DBCompressionType::Zstd);
                options.set_bottommost_compression_options(WINDOW_BITS, FAST_LEVEL, STRATEGY, 0, true);
            }
            Compression::Fast => options.set_bottommost_compression_type(DBCompressionType::Lz4),
            Compression::Small => {
                options.set_bottommost_compression_type(DBCompressionType::Zstd);
                options.set_bottommost_compression_options(WINDOW_BITS, LEVEL, STRATEGY, DICTIONARY_BYTES, true);
                options.set_bottommost_zstd_max_train_bytes(SAMPLED_BYTES, true);
            }
        }
    }
}
