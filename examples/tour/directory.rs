//! The directory that the tour writes to, and the only one that it ever removes.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use crate::Outcome;

/// A file with this name says that the directory is the tour's own.
const MARKER: &str = "made-by-the-blaze-tour";

pub(crate) struct DemoDirectory {
    path: PathBuf,
    keep: bool,
}

impl DemoDirectory {
    /// Makes `target/blaze-demo`, empty. What an earlier tour left there goes; what is not the tour's stays.
    pub(crate) fn make(keep: bool) -> Outcome<DemoDirectory> {
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| project().join("target"), PathBuf::from);
        let path = std::path::absolute(target.join("blaze-demo"))?;
        match fs::read_dir(&path) {
            Ok(mut entries) => {
                if entries.next().is_some() && !path.join(MARKER).is_file() {
                    let path = path.display();
                    return Err(format!("{path} holds files that the tour did not make: move them away").into());
                }
                fs::remove_dir_all(&path)?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(format!("{}: {error}", path.display()).into()),
        }
        fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        fs::write(path.join(MARKER), "The tour empties this directory whenever it starts.\n")?;
        Ok(DemoDirectory { path, keep })
    }

    /// A place inside.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for DemoDirectory {
    fn drop(&mut self) {
        if !self.keep {
            let _ = fs::remove_dir_all(&self.path); // the next tour tries again
        }
    }
}

/// The directory of Blaze's `Cargo.toml`: what Cargo says now, or else what it said when the tour was built.
pub(crate) fn project() -> PathBuf {
    env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into()).into()
}

/// Bytes in all files of a directory and of those in it.
pub(crate) fn bytes_on_disk(path: &Path) -> Outcome<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { bytes_on_disk(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}
