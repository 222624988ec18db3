//! Random operations on a database over RocksDB and on one in memory, against the model of the tests: see `tests/it/model.rs`.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| blaze::model::run_bytes(bytes));
