//! [`DiskSpace`]: commits that grow the database are refused before the disk is full.
//!
//! Once RocksDB has met a full disk in its log, only reopening helps. So some space is kept back: room for what is in
//! memory to be written out, and a reserve for deletes, which are how a database makes room for itself.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use blaze_core::{Error, Result, Write};

const MIB: u64 = 1024 * 1024;
/// What is kept back for deletes and compactions, beyond the write buffers.
const RESERVE_BYTES: u64 = 8 * MIB;
/// Below this deletes are refused, too: the log itself might not fit.
const LAST_BYTES: u64 = MIB;
/// The file system is asked once in so many bytes of writes, and once in so many milliseconds of writing.
const CHECK_EVERY_BYTES: u64 = MIB;
const CHECK_EVERY_MS: u64 = 1_000;

/// Watches the free space of a file system. While it is short it is asked before every commit, so that commits go on
/// as soon as there is space again.
#[derive(Debug)]
pub(crate) struct DiskSpace {
    path: PathBuf,
    /// Growing commits need as much free.
    wanted_bytes: u64,
    written_bytes: AtomicU64,
    /// When the file system is asked again, by the clock of the commits.
    next_check_ms: AtomicU64,
    is_short: AtomicBool,
}

impl DiskSpace {
    /// Watches the file system of `path` for a database with so many bytes of write buffers.
    pub(crate) fn new(path: &Path, write_buffer_bytes: usize) -> DiskSpace {
        DiskSpace {
            path: path.to_path_buf(),
            wanted_bytes: RESERVE_BYTES + write_buffer_bytes as u64,
            written_bytes: AtomicU64::new(CHECK_EVERY_BYTES), // the first commit asks
            next_check_ms: AtomicU64::new(0),
            is_short: AtomicBool::new(false),
        }
    }

    /// Refuses writes that may not fit, before anything of them is written.
    pub(crate) fn admit(&self, writes: &[Write], now_ms: u64) -> Result<()> {
        let bytes: u64 = writes.iter().map(bytes).sum();
        let is_due = self.written_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes >= CHECK_EVERY_BYTES
            || now_ms >= self.next_check_ms.load(Ordering::Relaxed)
            || self.is_short.load(Ordering::Relaxed);
        if !is_due {
            return Ok(());
        }
        let Some(free_bytes) = free_bytes(&self.path) else { return Ok(()) };
        self.written_bytes.store(0, Ordering::Relaxed);
        self.next_check_ms.store(now_ms.saturating_add(CHECK_EVERY_MS), Ordering::Relaxed);

        let grows = grows(writes);
        let wanted_bytes = bytes + if grows { self.wanted_bytes } else { LAST_BYTES };
        self.is_short.store(free_bytes < bytes + self.wanted_bytes, Ordering::Relaxed);
        match free_bytes < wanted_bytes {
            true => Err(self.full(free_bytes, wanted_bytes, grows)),
            false => Ok(()),
        }
    }

    #[cold]
    fn full(&self, free_bytes: u64, wanted_bytes: u64, grows: bool) -> Error {
        let advice = if grows { "free some; deletes still work" } else { "free some" };
        let path = self.path.display();
        Error::unavailable(format!(
            "the disk is full: {free_bytes} bytes are free for {path}, the commit wants {wanted_bytes}: {advice}"
        ))
    }
}

/// About what a write takes in the log.
fn bytes(write: &Write) -> u64 {
    let bytes = match write {
        Write::Put { key, value, .. } => key.len() + value.len(),
        Write::Delete { key, .. } | Write::Add { key, .. } => key.len(),
        Write::DeleteRange { range, .. } => range.start().len() + range.end().map_or(0, <[u8]>::len),
        Write::Touch { .. } => 0,
    };
    bytes as u64
}

/// What this process may still write to the file system; `None` when that is not known.
#[cfg(unix)]
fn free_bytes(path: &Path) -> Option<u64> {
    let space = rustix::fs::statvfs(path).ok()?;
    space.f_bavail.checked_mul(space.f_frsize)
}

#[cfg(not(unix))]
fn free_bytes(_path: &Path) -> Option<u64> {
    None
}

/// True for writes that take more space than they give back. What is deleted may be subtracted from a counter with it.
fn grows(writes: &[Write]) -> bool {
    let deletes = writes.iter().any(|write| matches!(write, Write::Delete { .. } | Write::DeleteRange { .. }));
    writes.iter().any(|write| match write {
        Write::Put { .. } => true,
        Write::Add { delta, .. } => *delta > 0 || !deletes,
        Write::Delete { .. } | Write::DeleteRange { .. } | Write::Touch { .. } => false,
    })
}

#[cfg(all(test, unix))]
mod tests {
    use blaze_core::{ErrorKind, Family, KeyRange};

    use super::*;

    /// No disk has as much free as these write buffers take.
    fn short() -> DiskSpace {
        DiskSpace::new(Path::new("/"), 1 << 60)
    }

    fn put(bytes: usize) -> [Write; 1] {
        [Write::put(Family::Data, *b"key", vec![0; bytes])]
    }

    #[test]
    fn puts_are_refused_and_deletes_are_not() {
        let space = short();
        for now_ms in [0, 1, 5_000] {
            assert_eq!(space.admit(&put(1), now_ms).unwrap_err().kind(), ErrorKind::Unavailable);
            space.admit(&[Write::delete(Family::Data, *b"key")], now_ms).unwrap();
            space.admit(&[Write::DeleteRange { family: Family::Data, range: KeyRange::all() }], now_ms).unwrap();
        }
    }

    #[test]
    fn what_is_deleted_may_be_subtracted_from_a_counter() {
        let space = short();
        let add = |delta| Write::Add { family: Family::Data, key: b"count".to_vec(), delta };
        let delete = || Write::delete(Family::Data, *b"key");
        space.admit(&[delete(), add(-1)], 0).unwrap();
        for refused in [vec![delete(), add(1)], vec![add(-1)], vec![delete(), add(-1), put(1)[0].clone()]] {
            assert!(space.admit(&refused, 0).is_err(), "{refused:?}");
        }
    }

    #[test]
    fn a_disk_that_is_gone_is_not_taken_for_a_full_one() {
        DiskSpace::new(Path::new("/there/is/no/such/disk"), 1 << 60).admit(&put(1), 0).unwrap();
    }

    #[test]
    fn between_checks_nobody_asks() {
        let mut space = DiskSpace::new(Path::new("/there/is/no/such/disk"), 1 << 60);
        space.admit(&put(1), 7_000).unwrap();
        space.written_bytes.store(0, Ordering::Relaxed);
        space.next_check_ms.store(8_000, Ordering::Relaxed);
        space.path = PathBuf::from("/");
        space.admit(&put(1), 7_999).unwrap();
        assert!(space.admit(&put(1), 8_000).is_err(), "the time is up");
        space.is_short.store(false, Ordering::Relaxed);
        space.next_check_ms.store(u64::MAX, Ordering::Relaxed);
        space.written_bytes.store(0, Ordering::Relaxed);
        space.admit(&put(1_000_000), 0).unwrap();
        assert!(space.admit(&put(100_000), 0).is_err(), "a mebibyte was written");
    }
}
