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
    // RocksDB has no code for any of these. The first two are of its POSIX file system: this process, and another one,
    // which is not of ours, or the marker would have told.
    if text.contains("lock hold by current process") || text.contains("While lock file") {
        return locked(path);
    }
    if text.contains("Direct I/O is not supported") {
        // Nobody has asked for it. RocksDB says so when a file cannot be read at first and can be when it tries again.
        return Error::unavailable(format!("opening {}: a file could not be read: {text}", path.display()));
    }
    if text.contains("Column family not found") {
        let path = path.display();
        return Error::invalid(format!("{path} is of an older version of Blaze: open it for writing once"));
    }
    rocks(&format!("opening {}", path.display()), error)
}

#[cold]
pub(crate) fn locked(path: &Path) -> Error {
    Error::new(ErrorKind::Locked, format!("{} is open already", path.display()))
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

#[cold]
pub(crate) fn read_only() -> Error {
    Error::invalid("the database is open read-only")
}
