//! What comes from the operating system: its clock, its randomness, its temporary files.

use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};

use blaze_core::{Clock, Entropy, Error, Result};

/// The wall clock of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else is given")]
    fn now_ms(&self) -> u64 {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        // Before 1970 the clock is wrong anyway; timestamps go on from the last commit.
        since_epoch.map_or(0, |elapsed| u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
    }
}

/// Randomness that the operating system seeds; not for secrets.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn next_u64(&self) -> u64 {
        // The standard library keys each hasher differently, from the operating system's random source.
        RandomState::new().hash_one(0_u8)
    }
}

/// A directory of its own among the temporary files, removed with all that is in it when dropped.
#[derive(Debug)]
pub(crate) struct TemporaryDirectory(PathBuf);

impl TemporaryDirectory {
    pub(crate) fn create() -> Result<TemporaryDirectory> {
        // Never from a seed: two databases with the same one must not meet here.
        let name = format!("blaze-{}-{:016x}", std::process::id(), SystemEntropy.next_u64());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).map_err(|error| {
            let place = path.display();
            Error::unavailable(format!("cannot make the temporary directory {place}: {error}")).with_source(error)
        })?;
        Ok(TemporaryDirectory(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TemporaryDirectory {
    fn drop(&mut self) {
        // It is among the temporary files: what cannot be removed now, the system removes.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
