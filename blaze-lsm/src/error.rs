//! What RocksDB's errors mean to a caller.

use std::io;
use std::path::Path;

use blaze_core::{Error, ErrorKind};

/// An error of RocksDB while `doing` something. Its type stays inside this crate: only its text goes on.
#[cold]
pub(crate) fn rocks(doing: &str, error: &rocksdb::Error) -> Error {
    rocks_message(doing, error.as_ref())
}

/// As [`rocks`], by the message alone: RocksDB's C interface tells no more.
#[cold]
pub(crate) fn rocks_message(doing: &str, message: &str) -> Error {
    let kind = match message.split(':').next() {
        Some("Corruption") => ErrorKind::Corruption,
        Some("Invalid argument" | "Not implemented") => ErrorKind::Internal,
        // Full disks, failed reads and syncs, a background error of before: nothing helps but repair and reopening.
        _ => ErrorKind::Unavailable,
    };
    Error::new(kind, format!("{doing}: {message}"))
}

/// An error of RocksDB while opening the directory `path`.
#[cold]
pub(crate) fn open(path: &Path, error: &rocksdb::Error) -> Error {
    let text: &str = error.as_ref();
    // RocksDB has no code for it. Both messages are of its POSIX file system: this process, and another one.
    if text.contains("lock hold by current process") || text.contains("While lock file") {
        return Error::new(ErrorKind::Locked, format!("{} is open already", path.display()));
    }
    rocks(&format!("opening {}", path.display()), error)
}

/// An error of the operating system at `path`.
#[cold]
pub(crate) fn file(path: &Path, error: io::Error) -> Error {
    Error::unavailable(format!("{}: {error}", path.display())).with_source(error)
}

#[cold]
pub(crate) fn closed() -> Error {
    Error::closed("the database is closed")
}
