//! One binary for all integration tests: each links RocksDB.

mod backup;
mod bad_input;
mod bulk_load;
mod collections;
mod crash;
mod failures;
mod feed;
mod golden;
mod history;
mod indexes;
mod isolation;
mod keyspaces;
mod maintenance;
mod many_databases;
mod model;
mod objects;
mod opening;
mod queries;
mod read_only;
mod salvage;
mod savepoints;
mod search;
mod store_contract;
mod transactions;
mod verify;
mod workspace;
