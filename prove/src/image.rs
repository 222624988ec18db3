//! A copy of all files of a life, as they were before a process opened them.

use std::fs;
use std::path::Path;

use crate::Result;
use crate::places::remove;

/// Copies a directory in the place of what is at `to`. Files that are never changed once they are written are linked, if
/// the file system can do that.
///
/// # Errors
/// Those of the system.
pub fn keep(from: &Path, to: &Path) -> Result<()> {
    remove(to)?;
    copy(from, to)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, copy_at) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            copy(&path, &copy_at)?;
        } else if !is_final(&path) || fs::hard_link(&path, &copy_at).is_err() {
            fs::copy(&path, &copy_at)?;
        }
    }
    Ok(())
}

fn is_final(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "sst" || extension == "blob")
}
