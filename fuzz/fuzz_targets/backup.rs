//! The descriptions of backups and the marker of a database: arbitrary bytes never panic, and no file outside is named.

#![no_main]

use std::path::{Component, Path};

use blaze_core::Timestamp;
use libfuzzer_sys::fuzz_target;

#[allow(dead_code, reason = "the checksums of files are not computed here")]
#[path = "../../blaze-lsm/src/crc32c.rs"]
mod crc32c;
#[allow(dead_code, unreachable_pub, reason = "only what is parsed is used; the engine around it needs RocksDB")]
#[path = "../../blaze-lsm/src/marker.rs"]
mod marker;

/// The one error that reading files brings.
mod error {
    pub(crate) fn file(path: &std::path::Path, error: std::io::Error) -> blaze_core::Error {
        blaze_core::Error::unavailable(format!("{}: {error}", path.display())).with_source(error)
    }
}

#[allow(dead_code, unreachable_pub, reason = "only what is parsed is used; the engine around it needs RocksDB")]
#[path = "../../blaze-lsm/src/backup"]
mod backup {
    mod description;

    use super::*;

    pub(super) fn parse(bytes: &[u8]) {
        let Ok(description) = description::Description::parse(bytes) else { return };
        for file in description.files {
            let mut parts = Path::new(&file.name).components();
            assert!(parts.all(|part| matches!(part, Component::Normal(_))), "{} is outside", file.name);
        }
    }

    pub(super) fn metadata() -> String {
        description::metadata(Timestamp::from_ms(7)).iter().map(|byte| format!("{byte:02X}")).collect()
    }
}

fn check_marker(bytes: &[u8]) {
    for read_only in [false, true] {
        let _ = marker::check(bytes, read_only);
    }
    if marker::check(bytes, false).is_ok() {
        assert_eq!(marker::encode(marker::features(bytes)), bytes, "a marker reads back as another");
    }
}

fuzz_target!(|bytes: &[u8]| {
    backup::parse(bytes);
    // What a checksum keeps out, with one that is right.
    let mut described = format!("1700000000\n42\nmetadata {}\n", backup::metadata()).into_bytes();
    described.extend_from_slice(bytes);
    backup::parse(&described);
    check_marker(bytes);
    let mut sealed = [b"BLAZE-DB", bytes].concat();
    sealed.extend_from_slice(&crc32fast::hash(&sealed).to_be_bytes());
    check_marker(&sealed);
});
