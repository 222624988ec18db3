//! The disk below a directory: which file system, how long a sync takes, what it keeps in memory.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::measure::{Histogram, measure};

/// A disk, and how long its `fdatasync` takes after an append of 4 KiB: the floor under every durable commit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Disk {
    /// The file system's name; empty where the system does not tell.
    pub filesystem: String,
    /// True when it is memory: nothing on it survives power loss, so durable workloads are refused.
    pub is_memory: bool,
    /// Half of the syncs took at most so many microseconds.
    pub sync_p50_us: f64,
    /// 99 of 100 syncs took at most so many microseconds.
    pub sync_p99_us: f64,
}

/// Syncs that are measured.
const SYNCS: usize = 200;

impl Disk {
    /// The disk below `directory`.
    ///
    /// # Errors
    /// Those of writing to it.
    pub fn of(directory: &Path) -> Result<Disk> {
        let filesystem = filesystem(directory);
        let latency = measure_syncs(directory, SYNCS)?.latency();
        Ok(Disk {
            is_memory: matches!(filesystem.as_str(), "tmpfs" | "ramfs" | "devtmpfs" | "hugetlbfs"),
            filesystem,
            sync_p50_us: latency.p50_us,
            sync_p99_us: latency.p99_us,
        })
    }
}

/// Measures so many syncs of a file in a directory, each after an append of 4 KiB.
///
/// # Errors
/// Those of the file.
pub fn measure_syncs(directory: &Path, count: usize) -> io::Result<Histogram> {
    let mut file = tempfile::tempfile_in(directory)?;
    let mut histogram = Histogram::default();
    for _ in 0..count {
        file.write_all(&[0; 4096])?;
        let (duration, synced) = measure(|| file.sync_data());
        synced?;
        histogram.record(duration);
    }
    Ok(histogram)
}

/// The file system of the mount that is nearest above the directory.
fn filesystem(directory: &Path) -> String {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let directory = fs::canonicalize(directory).unwrap_or_default();
    let mounts = mounts.lines().filter_map(mount);
    let above = mounts.filter(|(point, _)| directory.starts_with(point));
    // Of mounts at the same point the last one counts, and max_by_key returns the last.
    above.max_by_key(|(point, _)| point.as_os_str().len()).map(|(_, kind)| kind).unwrap_or_default()
}

/// The mount point and the file system of a line of `mountinfo`: `36 35 98:0 /root /point options - ext4 ...`.
fn mount(line: &str) -> Option<(PathBuf, String)> {
    let (left, right) = line.split_once(" - ")?;
    let point = left.split(' ').nth(4)?.replace("\\040", " ");
    Some((PathBuf::from(point), right.split(' ').next()?.to_owned()))
}

/// Lets the system forget what it has cached of the files below a directory, so that the next reads come from the
/// disk. Everything is synced first, since only clean pages can be forgotten. False where there is no such call.
///
/// # Errors
/// Those of the files.
pub fn drop_cached_pages(directory: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            drop_cached_pages(&entry.path())?;
        } else {
            let file = File::open(entry.path())?;
            file.sync_all()?;
            if !forget(&file)? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Waits until the file system below a directory has written everything, and has let go of the space of removed files:
/// both go on for seconds after a job and would slow down the syncs of the next one.
///
/// # Errors
/// Those of the file system.
pub fn settle(directory: &Path) -> io::Result<()> {
    let directory = File::open(directory)?;
    #[cfg(target_os = "linux")]
    rustix::fs::syncfs(&directory)?;
    #[cfg(not(target_os = "linux"))]
    directory.sync_all()?;
    Ok(())
}

#[cfg(any(target_os = "linux", target_os = "freebsd"))]
fn forget(file: &File) -> io::Result<bool> {
    rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed)?;
    Ok(true)
}

#[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
fn forget(_file: &File) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_mount_tells_its_point_and_its_file_system() {
        let line = "36 35 98:0 /mnt1 /a\\040b rw,noatime master:1 - ext3 /dev/root rw,errors=continue";
        assert_eq!(mount(line), Some((PathBuf::from("/a b"), "ext3".to_owned())));
        assert_eq!(mount("36 35 98:0"), None);
    }

    #[test]
    fn a_disk_is_measured_and_nothing_is_left_on_it() {
        let directory = tempfile::tempdir().unwrap();
        let disk = Disk::of(directory.path()).unwrap();
        assert!(disk.sync_p99_us >= disk.sync_p50_us && disk.sync_p50_us > 0.0, "{disk:?}");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn files_whose_pages_were_dropped_are_still_there() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("below")).unwrap();
        fs::write(directory.path().join("below/file"), b"content").unwrap();
        drop_cached_pages(directory.path()).unwrap();
        assert_eq!(fs::read(directory.path().join("below/file")).unwrap(), b"content");
    }
}
