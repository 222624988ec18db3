//! One binary for all integration tests: each links RocksDB.

mod store_contract;
mod workspace;
