//! One binary for all integration tests: each links RocksDB.

#[cfg(feature = "async")]
mod async_calls;
mod backup;
mod bad_input;
mod bulk_load;
mod collection_load;
mod collections;
mod copies;
mod crash;
mod database_feed;
mod expiry;
mod failures;
mod feed;
mod feed_retention;
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
mod pipelines;
mod queries;
mod read_only;
mod salvage;
mod savepoints;
mod search;
mod store_contract;
mod transactions;
mod updates;
mod verify;
mod workspace;
