//! One binary: each links RocksDB.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failure that a test does not expect ends it"
)]

#[cfg(target_os = "linux")]
mod disk;
mod flips;
mod kills;
mod mistakes;
mod planted;
#[cfg(unix)]
mod points;
mod power;
