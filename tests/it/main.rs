//! One binary for all integration tests: each links RocksDB.

mod backup;
mod bad_input;
mod collections;
mod crash;
mod indexes;
mod keyspaces;
mod maintenance;
mod model;
mod queries;
mod salvage;
mod search;
mod store_contract;
mod transactions;
mod verify;
mod workspace;
