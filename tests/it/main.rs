//! One binary for all integration tests: each links RocksDB.

mod bad_input;
mod bulk_load;
mod collections;
mod crash;
mod indexes;
mod keyspaces;
mod model;
mod objects;
mod queries;
mod search;
mod store_contract;
mod transactions;
mod workspace;
