//! A limit on the memory of one process, page cache included, by a control group of Linux.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A control group for one process, removed when this is dropped.
///
/// It takes the right to make a group, which root has, or whoever the system has delegated a group to. Version 1 and 2 of
/// control groups are understood.
#[derive(Debug)]
pub struct MemoryLimit {
    group: PathBuf,
}

/// How a version of control groups names its files. Swap is limited too, so that a limit is one of memory.
struct Version {
    memory: &'static str,
    swap: &'static str,
    /// What to write for no swap beside `bytes` of memory.
    no_swap: fn(u64) -> u64,
}

const FIRST: Version =
    Version { memory: "memory.limit_in_bytes", swap: "memory.memsw.limit_in_bytes", no_swap: |bytes| bytes };
const SECOND: Version = Version { memory: "memory.max", swap: "memory.swap.max", no_swap: |_| 0 };

impl MemoryLimit {
    /// A group whose processes, all together, get `bytes` of memory, what the system caches of their files included.
    ///
    /// # Errors
    /// Those of the last place that was tried, when the system has no such groups or lets nobody make one.
    pub fn of(bytes: u64) -> io::Result<MemoryLimit> {
        let mut last = io::Error::new(io::ErrorKind::Unsupported, "there are no control groups");
        for (parent, version) in parents() {
            match MemoryLimit::below(&parent, &version, bytes) {
                Ok(limit) => return Ok(limit),
                Err(error) => last = io::Error::new(error.kind(), format!("{}: {error}", parent.display())),
            }
        }
        Err(last)
    }

    /// The group's directory, for [`join`](MemoryLimit::join) in the process that is to be limited.
    #[must_use]
    pub fn group(&self) -> &Path {
        &self.group
    }

    /// Puts this process into a group. What it has allocated before is not counted.
    ///
    /// # Errors
    /// Those of the group.
    pub fn join(group: &Path) -> io::Result<()> {
        fs::write(group.join("cgroup.procs"), std::process::id().to_string())
    }

    fn below(parent: &Path, version: &Version, bytes: u64) -> io::Result<MemoryLimit> {
        let group = parent.join(format!("blaze-bench-{}", std::process::id()));
        if group.exists() {
            fs::remove_dir(&group)?; // left behind by a process of the same number
        }
        fs::create_dir(&group)?;
        let limit = MemoryLimit { group };
        fs::write(limit.group.join(version.memory), bytes.to_string())?;
        // Absent where the kernel does not account for swap; then there is usually none.
        let _ = fs::write(limit.group.join(version.swap), (version.no_swap)(bytes).to_string());
        Ok(limit)
    }
}

impl Drop for MemoryLimit {
    fn drop(&mut self) {
        // It fails while a process is in the group; the next group of this name removes it then.
        let _ = fs::remove_dir(&self.group);
    }
}

/// Where a group could be made: below our own group, and at the root.
fn parents() -> Vec<(PathBuf, Version)> {
    let ours = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let mut parents = Vec::new();
    for line in ours.lines() {
        // hierarchy:controllers:path, and version 2 is hierarchy 0 without controllers.
        let mut parts = line.splitn(3, ':');
        let (Some(hierarchy), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let path = path.trim_start_matches('/');
        if hierarchy == "0" && controllers.is_empty() {
            for root in ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"] {
                if fs::read_to_string(Path::new(root).join("cgroup.controllers"))
                    .is_ok_and(|all| all.contains("memory"))
                {
                    parents.extend([Path::new(root).join(path), PathBuf::from(root)].map(|parent| (parent, SECOND)));
                }
            }
        } else if controllers.split(',').any(|controller| controller == "memory") {
            let root = Path::new("/sys/fs/cgroup/memory");
            parents.extend([root.join(path), root.to_path_buf()].map(|parent| (parent, FIRST)));
        }
    }
    parents
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_has_its_limit_and_goes_away() {
        match MemoryLimit::of(256 << 20) {
            Ok(limit) => {
                let group = limit.group().to_path_buf();
                let limited = [FIRST.memory, SECOND.memory].iter().any(|name| {
                    fs::read_to_string(group.join(name)).is_ok_and(|bytes| bytes.trim() == (256 << 20).to_string())
                });
                assert!(limited, "{} has no limit", group.display());
                drop(limit);
                assert!(!group.exists());
            }
            // Most users may not make groups; then the reason must be told.
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}
