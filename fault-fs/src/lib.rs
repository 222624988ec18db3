//! A file system under RocksDB that loses what was not synced, and fails when it is told to.
//!
//! [`FaultFs`] is a shim around RocksDB's `FaultInjectionTestFS`. An [`Env`](rocksdb::Env) of it is given to a database in the
//! place of the system's. At some call the power goes off: from then on every call fails. Once the database is gone, files are
//! cut where they are synced, or, as a disk may have written more than it was asked to, somewhere behind; and names go that no
//! sync of their directory has made durable. Then the database is opened again. Or a call of some kind fails: the `n`-th, or
//! all from then on.
//!
//! Only RocksDB's own files go through it, and only on Linux: elsewhere the crate is empty.

#[cfg(target_os = "linux")]
mod fault_fs;
#[cfg(target_os = "linux")]
mod shim;

#[cfg(target_os = "linux")]
pub use fault_fs::{Call, Failure, FaultFs};
