//! An ext4 file system in a file.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use super::system;
use crate::random::Random;
use crate::{Finding, Result};

/// Bytes of a file system; of the file only what was written is there.
const BYTES: u64 = 512 << 20;

/// How the order of data and of what ext4 knows of it is kept. All are safe for what was synced.
const JOURNALS: [&str; 6] = ["ordered", "ordered", "ordered", "ordered", "writeback", "journal"];

/// A file of the campaign's own: to sync it commits the journal.
const OTHER: &str = "other";

/// How often a file system is unmounted that somebody still uses, and the time between.
const UNMOUNTED_MAX: u32 = 50;
const BETWEEN: Duration = Duration::from_millis(20);

/// A file system in a file, mounted for as long as this lives.
#[derive(Debug)]
pub struct Disk {
    image: PathBuf,
    mounted_at: PathBuf,
    options: String,
    is_mounted: bool,
}

impl Disk {
    /// Where the disk of a life is mounted.
    #[must_use]
    pub fn mounted_at(life: &Path) -> PathBuf {
        life.join("disk")
    }

    /// Makes and mounts a disk in the directory of a life. Its options are chosen among those that an ext4 may have; mostly it does
    /// without the sync that ext4 adds to a renaming for those who forgot it.
    ///
    /// # Errors
    /// Why that is impossible here.
    pub fn make(life: &Path, random: &Random) -> Result<Disk> {
        let (image, mounted_at) = (life.join("image.ext4"), Disk::mounted_at(life));
        File::create(&image)?.set_len(BYTES)?;
        let block_bytes = random.pick(&["1024", "4096"]).copied().unwrap_or("4096");
        let made_with = ["-q", "-F", "-b", block_bytes, "-J", "size=8", "-E", "nodiscard,lazy_itable_init=1"];
        run(Command::new("mkfs.ext4").args(made_with).arg(&image))?;
        let mut options = format!("loop,noinit_itable,data={}", random.pick(&JOURNALS).unwrap_or(&JOURNALS[0]));
        for (option, percent) in [("noauto_da_alloc", 70), ("nodelalloc", 10)] {
            if random.percent(percent) {
                options = format!("{options},{option}");
            }
        }
        fs::create_dir_all(&mounted_at)?;
        let mut disk = Disk { image, mounted_at, options, is_mounted: false };
        disk.mount()?;
        Ok(disk)
    }

    /// Its root.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.mounted_at
    }

    /// Cuts its power: nothing that is not on the disk comes there any more.
    ///
    /// # Errors
    /// Those of the system.
    pub fn cut(&self) -> Result<()> {
        Ok(system::shut_down(&File::open(&self.mounted_at)?)?)
    }

    /// Brings back what the disk has: the journal is replayed.
    ///
    /// # Errors
    /// Those of the system.
    pub fn recover(&mut self) -> Result<()> {
        self.unmount()?;
        self.mount()
    }

    /// Commits the journal, as the system does every few seconds.
    ///
    /// # Errors
    /// Those of the system.
    pub fn commit_journal(&self) -> Result<()> {
        let mut other = File::options().create(true).append(true).open(self.mounted_at.join(OTHER))?;
        other.write_all(b".")?;
        Ok(other.sync_all()?)
    }

    /// Unmounts it; a lazy one is the last resort.
    ///
    /// # Errors
    /// Those of the system.
    pub fn unmount(&mut self) -> Result<()> {
        if !self.is_mounted {
            return Ok(());
        }
        for _ in 0..UNMOUNTED_MAX {
            if run(Command::new("umount").arg(&self.mounted_at)).is_ok() {
                self.is_mounted = false;
                return Ok(());
            }
            thread::park_timeout(BETWEEN);
        }
        run(Command::new("umount").arg("-l").arg(&self.mounted_at))?;
        self.is_mounted = false;
        Err(Finding::new(format!("somebody uses {} and does not let go", self.mounted_at.display())))
    }

    fn mount(&mut self) -> Result<()> {
        run(Command::new("mount").args(["-t", "ext4", "-o", &self.options]).arg(&self.image).arg(&self.mounted_at))?;
        self.is_mounted = true;
        Ok(())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = self.unmount();
    }
}

/// Runs a program that says nothing if all went well.
pub(super) fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_owned();
    let output = match command.stdin(Stdio::null()).output() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(Finding::new(format!("the program {} is not installed", OsStr::display(&program))));
        }
        output => output?,
    };
    match output.status.success() {
        true => Ok(()),
        false => {
            let told = String::from_utf8_lossy(&output.stderr);
            Err(Finding::new(format!("{} failed ({}): {}", OsStr::display(&program), output.status, told.trim())))
        }
    }
}
