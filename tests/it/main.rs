//! One binary for all integration tests: each links RocksDB.

mod bad_input;
mod collections;
mod crash;
mod feed;
mod history;
mod indexes;
mod keyspaces;
mod model;
mod queries;
mod search;
mod store_contract;
mod transactions;
mod workspace;
