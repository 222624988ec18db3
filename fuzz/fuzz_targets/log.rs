//! The reader of the log: arbitrary bytes never panic, with checksums that are wrong and with ones that are right.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code, unreachable_pub, reason = "the log's part of it is used")]
#[path = "../../blaze-lsm/src/crc32c.rs"]
mod crc32c;
#[allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "only the reader is used; the engine around it needs RocksDB"
)]
#[path = "../../blaze-lsm/src/log/mod.rs"]
mod log;

const BLOCK_BYTES: usize = 32 * 1024;
const HEADER_BYTES: usize = 7;

fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| (crc >> 1) ^ (0x82F6_3B78 * (crc & 1));
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

/// Takes the bytes for fragments one behind another and makes their checksums right.
fn repair(bytes: &mut [u8]) {
    for block in bytes.chunks_mut(BLOCK_BYTES) {
        let mut rest = block;
        while rest.len() >= HEADER_BYTES {
            let length = usize::from(u16::from_le_bytes([rest[4], rest[5]]));
            let end = (HEADER_BYTES + length).min(rest.len());
            let (fragment, behind) = rest.split_at_mut(end);
            let masked = crc32c(&fragment[6..]).rotate_right(15).wrapping_add(0xA282_EAD8);
            fragment[..4].copy_from_slice(&masked.to_le_bytes());
            rest = behind;
        }
    }
}

fn audit(files: &[Vec<u8>]) {
    let mut audit = log::Audit::default();
    for (number, bytes) in files.iter().enumerate() {
        audit.read(number as u64, bytes.as_slice()).expect("memory can be read");
    }
    let found = audit.finish();
    if let Some(cut) = found.cut {
        assert!(cut.offset <= files[cut.file as usize].len() as u64, "a cut behind the end of its file");
    }
    let _ = found.damage.map(|damage| damage.to_string());
}

fuzz_target!(|bytes: &[u8]| {
    let _ = log::LogMark::of_batch(bytes);
    let Some((split, bytes)) = bytes.split_first() else { return };
    let (first, second) = bytes.split_at(bytes.len() * usize::from(*split) / 256);
    let mut files = [first.to_vec(), second.to_vec()];
    audit(&files);
    files.iter_mut().for_each(|file| repair(file));
    audit(&files);
});
