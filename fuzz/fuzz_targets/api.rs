//! Random operations on a database over RocksDB and on one in memory, against the model of the tests: see `tests/it/model.rs`.

#![no_main]

use blaze::{Entropy, SeededEntropy};
use libfuzzer_sys::fuzz_target;

/// More than any steps are drawn from.
const DRAWN_BYTES: usize = 64 * 1024;

fuzz_target!(|bytes: &[u8]| {
    // Zeros behind the end would not do: who draws a number below another may want a different one for ever.
    let random = SeededEntropy::new(crc32fast::hash(bytes).into());
    let mut drawn = bytes.to_vec();
    while drawn.len() < DRAWN_BYTES {
        drawn.extend(random.next_u64().to_le_bytes());
    }
    blaze::model::run_bytes(&drawn);
});
