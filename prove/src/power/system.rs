//! What only Linux can do: have a file system stop, and have a part of a file written back.

use std::fs::File;
use std::io;
#[cfg(target_os = "linux")]
use std::num::NonZeroU64;

/// Has the file system that a directory is of stop at once: nothing that is not on the disk comes there any more, not even what
/// the journal would have taken next.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "no library has a safe call for it")]
pub(super) fn shut_down(directory: &File) -> io::Result<()> {
    use rustix::ioctl::{Setter, ioctl, opcode};

    /// `EXT4_IOC_SHUTDOWN`: `_IOR('X', 125, __u32)`.
    const SHUTDOWN: rustix::ioctl::Opcode = opcode::read::<u32>(b'X', 125);
    /// `EXT4_GOING_FLAGS_NOLOGFLUSH`.
    const WITHOUT_FLUSHING_THE_JOURNAL: u32 = 2;

    // SAFETY: the call reads one number of 32 bits, which a `Setter` points it to, and writes no memory. A file system
    // that does not know it refuses it.
    unsafe { ioctl(directory, Setter::<SHUTDOWN, u32>::new(WITHOUT_FLUSHING_THE_JOURNAL)) }.map_err(io::Error::from)
}

/// Begins to write back a part of a file, as the system does when it likes, without waiting and without making anything of it
/// durable.
#[cfg(target_os = "linux")]
pub(super) fn write_back(file: &File, from: u64, bytes: u64) -> io::Result<()> {
    // Who says that it does not need the pages has them written first.
    rustix::fs::fadvise(file, from, NonZeroU64::new(bytes), rustix::fs::Advice::DontNeed).map_err(io::Error::from)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn shut_down(_directory: &File) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(target_os = "linux"))]
pub(super) fn write_back(_file: &File, _from: u64, _bytes: u64) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs::{self, File};

    use super::{shut_down, write_back};

    #[test]
    fn a_file_system_that_cannot_stop_refuses_to() {
        // Of all there are, that of processes is everywhere, and is not to be stopped.
        let refused = shut_down(&File::open("/proc/self").unwrap()).unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(rustix::io::Errno::NOTTY.raw_os_error()), "{refused}");
    }

    #[test]
    fn writing_back_changes_nothing_that_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, [7; 10_000]).unwrap();
        write_back(&File::open(&path).unwrap(), 4_096, 5_000).unwrap();
        assert_eq!(fs::read(&path).unwrap(), [7; 10_000]);
    }
}
