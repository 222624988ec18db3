//! What a process takes: memory, bytes moved to and from the disk, space in a directory.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// What a run has taken in all; absent where the system does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    /// The most memory of the process that was in use at once, mapped files included.
    pub peak_memory_bytes: Option<u64>,
    /// Bytes written to the disk; see [`written_bytes`].
    pub written_bytes: Option<u64>,
    /// Milliseconds of processor time, in user and kernel mode together.
    pub processor_ms: Option<u64>,
}

impl Resources {
    /// Those of this process until now.
    #[must_use]
    pub fn now() -> Resources {
        Resources {
            peak_memory_bytes: status_kilobytes("VmHWM:").map(|kilobytes| kilobytes * 1024),
            written_bytes: written_bytes(),
            processor_ms: processor_ms(),
        }
    }
}

/// Bytes that this process has caused to be written to the disk: every page it made dirty counts once, also when it is
/// written later. The kernel's threads are not counted. Linux only.
#[must_use]
pub fn written_bytes() -> Option<u64> {
    let io = fs::read_to_string("/proc/self/io").ok()?;
    io.lines().find_map(|line| line.strip_prefix("write_bytes: ")?.trim().parse().ok())
}

/// Memory of this process that is in use now, mapped files included.
#[must_use]
pub fn resident_bytes() -> Option<u64> {
    status_kilobytes("VmRSS:").map(|kilobytes| kilobytes * 1024)
}

fn status_kilobytes(field: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// User and kernel time of all threads. The kernel counts it in ticks of 10 ms, whatever its own tick is.
fn processor_ms() -> Option<u64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name, in brackets, and may hold anything.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(ticks * 10)
}

/// Space that files take: their lengths, and what is allocated for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskUse {
    /// Sum of the lengths of all files.
    pub length_bytes: u64,
    /// Sum of the blocks of all files; less where a file has holes, more where space is set aside.
    pub allocated_bytes: u64,
}

/// The space that everything below a directory takes. A file with several names there counts once.
///
/// # Errors
/// Those of reading it; a file that disappears meanwhile counts for nothing.
pub fn directory_bytes(directory: &Path) -> io::Result<DiskUse> {
    unseen_bytes(directory, &mut HashSet::new())
}

/// The space of what was not seen before by another name.
fn unseen_bytes(directory: &Path, seen: &mut HashSet<FileId>) -> io::Result<DiskUse> {
    let mut sum = DiskUse::default();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let of_entry = match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => unseen_bytes(&entry.path(), seen),
            Ok(metadata) if file_id(&metadata).is_some_and(|id| !seen.insert(id)) => continue,
            Ok(metadata) => Ok(DiskUse { length_bytes: metadata.len(), allocated_bytes: allocated(&metadata) }),
            Err(error) => Err(error),
        };
        match of_entry {
            Ok(disk) => {
                sum.length_bytes += disk.length_bytes;
                sum.allocated_bytes += disk.allocated_bytes;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(sum)
}

/// The device and the number of a file.
type FileId = (u64, u64);

/// What a file with several names has in common under all of them.
#[cfg(unix)]
fn file_id(metadata: &fs::Metadata) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt;
    (metadata.nlink() > 1).then(|| (metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn file_id(_metadata: &fs::Metadata) -> Option<FileId> {
    None
}

#[cfg(unix)]
fn allocated(metadata: &fs::Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;
    metadata.blocks() * 512
}

#[cfg(not(unix))]
fn allocated(metadata: &fs::Metadata) -> u64 {
    metadata.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_takes_what_its_files_take_at_any_depth() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("below")).unwrap();
        fs::write(directory.path().join("one"), [1; 100]).unwrap();
        fs::write(directory.path().join("below/two"), [2; 10_000]).unwrap();
        let disk = directory_bytes(directory.path()).unwrap();
        assert_eq!(disk.length_bytes, 10_100);
        assert!(directory_bytes(&directory.path().join("absent")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_with_two_names_takes_its_space_once() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("one"), [1; 100]).unwrap();
        fs::hard_link(directory.path().join("one"), directory.path().join("two")).unwrap();
        assert_eq!(directory_bytes(directory.path()).unwrap().length_bytes, 100);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn linux_tells_what_this_process_takes() {
        let resources = Resources::now();
        assert!(resources.peak_memory_bytes.unwrap() > 1024 * 1024);
        assert!(resources.written_bytes.is_some() && resources.processor_ms.is_some());
    }
}
