//! The most space that a directory takes while something is done in it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::directory_bytes;

/// How often the directory is looked at. What comes and goes in between is not seen.
const EVERY: Duration = Duration::from_millis(5);

/// A thread that looks at a directory now and then.
#[derive(Debug)]
pub struct DiskPeak {
    directory: PathBuf,
    over: Sender<()>,
    watch: JoinHandle<io::Result<u64>>,
}

impl DiskPeak {
    /// Begins to look at a directory, every five milliseconds.
    #[must_use]
    pub fn watch(directory: &Path) -> DiskPeak {
        let (over, waiting) = mpsc::channel();
        let directory = directory.to_path_buf();
        let watched = directory.clone();
        let watch = thread::spawn(move || {
            let mut peak = directory_bytes(&watched)?.allocated_bytes;
            while waiting.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                peak = peak.max(directory_bytes(&watched)?.allocated_bytes);
            }
            Ok(peak)
        });
        DiskPeak { directory, over, watch }
    }

    /// The most bytes of blocks that everything below the directory took at once, by now.
    ///
    /// # Errors
    /// Those of reading the directory.
    pub fn end(self) -> io::Result<u64> {
        let last = directory_bytes(&self.directory)?.allocated_bytes;
        drop(self.over);
        let peak = self.watch.join().map_err(|_| io::Error::other("who watched the directory has panicked"))?;
        Ok(peak?.max(last))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_peak_is_more_than_what_is_left() {
        let directory = tempfile::tempdir().unwrap();
        let peak = DiskPeak::watch(directory.path());
        fs::write(directory.path().join("large"), vec![1; 1 << 20]).unwrap();
        thread::park_timeout(20 * EVERY); // until it was seen
        fs::remove_file(directory.path().join("large")).unwrap();
        fs::write(directory.path().join("small"), vec![1; 1 << 12]).unwrap();
        let left = directory_bytes(directory.path()).unwrap().allocated_bytes;
        assert!(peak.end().unwrap() >= 1 << 20 && left < 1 << 20, "{left} bytes are left");
    }

    #[test]
    fn what_is_there_at_the_end_counts_however_quick_that_was() {
        let directory = tempfile::tempdir().unwrap();
        let peak = DiskPeak::watch(directory.path());
        fs::write(directory.path().join("large"), vec![1; 1 << 20]).unwrap();
        assert!(peak.end().unwrap() >= 1 << 20);
    }
}
