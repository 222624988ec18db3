//! The loss of power: a database on a file system of its own, which stops dead.
//!
//! A process that dies leaves what it has written to the operating system, which a loss of power takes. So a life is led on
//! a [`Disk`], an ext4 file system in a file; a [`Cut`] ends a cycle by having that file system stop (`EXT4_IOC_SHUTDOWN`
//! without flushing its journal): what is not on the disk by then never comes there. Before, the system may have written
//! back whatever it likes, in any order: [`Writeback`] chooses. What the disk has afterwards is brought in order by ext4's own
//! recovery, and the next process audits it.
//!
//! Mounts are made in a [namespace](isolation) of the campaign: whatever ends it, the system takes them back.

mod cut;
mod disk;
pub mod isolation;
mod system;
mod writeback;

use std::path::Path;
use std::{fs, process};

pub use cut::{Cut, Outage};
pub use disk::Disk;
pub use writeback::Writeback;

use crate::Result;
use crate::places::remove;
use crate::random::Random;

/// Tries out in a directory whether power can be cut here.
///
/// # Errors
/// Why it cannot: the rights of root, ext4, a loop device or a program is missing.
pub fn try_out(directory: &Path) -> Result<()> {
    let place = directory.join(format!("trial-{}", process::id()));
    remove(&place)?;
    fs::create_dir_all(&place)?;
    let tried = Disk::make(&place, &Random::of(&[0])).and_then(|mut disk| {
        disk.cut()?;
        disk.recover()
    });
    remove(&place)?;
    tried
}
