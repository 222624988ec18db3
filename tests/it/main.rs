//! One binary for all integration tests: each links RocksDB.

mod bad_input;
mod collections;
mod crash;
mod indexes;
mod isolation;
mod keyspaces;
mod model;
mod queries;
mod savepoints;
mod search;
mod store_contract;
mod transactions;
mod workspace;
