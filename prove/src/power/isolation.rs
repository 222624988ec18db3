//! A campaign among its own mounts, which go with it.

use std::process::Command;

use super::disk::run;
use crate::{Finding, Result};

/// Begins the program anew, with these arguments, among mounts of its own, which the system takes back when the last process
/// among them has ended, whatever ends it. Comes back only if that is impossible.
///
/// # Errors
/// Why.
#[cfg(target_os = "linux")]
pub fn enter<I: IntoIterator<Item = std::ffi::OsString>>(arguments: I) -> Result<std::convert::Infallible> {
    use std::os::unix::process::CommandExt;

    const ISOLATED: [&str; 3] = ["--mount", "--propagation", "private"];
    run(Command::new("unshare").args(ISOLATED).arg("true"))?;
    let error = Command::new("unshare").args(ISOLATED).arg("--").arg(std::env::current_exe()?).args(arguments).exec();
    Err(Finding::from(error))
}

/// As on Linux, but always impossible.
///
/// # Errors
/// Why.
#[cfg(not(target_os = "linux"))]
pub fn enter<I: IntoIterator<Item = std::ffi::OsString>>(_arguments: I) -> Result<std::convert::Infallible> {
    Err(Finding::new("only Linux can mount an ext4 that is cut"))
}
