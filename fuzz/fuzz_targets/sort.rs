//! Runs of sorted rows in temporary files: whatever is done to a file, its rows come back as they were, or are refused.

#![no_main]

use std::fs;
use std::sync::Arc;

use blaze_core::Family;
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;

const BLOCK_BYTES: usize = 256;

mod error {
    pub(crate) fn file(path: &std::path::Path, error: std::io::Error) -> blaze_core::Error {
        blaze_core::Error::unavailable(format!("{}: {error}", path.display())).with_source(error)
    }
}

mod handles {
    /// A store that is always open.
    pub(crate) struct Handles;

    impl Handles {
        pub(crate) fn check_open(&self) -> blaze_core::Result<()> {
            Ok(())
        }
    }
}

#[allow(dead_code, reason = "only runs are written and read; the engine around them needs RocksDB")]
#[path = "../../blaze-lsm/src/sort"]
mod sort {
    mod blocks;
    mod run;

    use super::*;

    pub(super) type Row<'a> = (Family, &'a [u8], &'a [u8]);
    type OwnedRow = (Family, Vec<u8>, Vec<u8>);

    fn too_long(what: &str, bytes: usize) -> blaze_core::Error {
        blaze_core::Error::limit_exceeded(format!("{what} of a row has {bytes} bytes"))
    }

    pub(super) fn check(rows: &[OwnedRow], damage: impl FnOnce(&mut Vec<u8>) -> Result<()>) -> Result<()> {
        let path = std::env::temp_dir().join(format!("blaze-fuzz-sort-{}", std::process::id()));
        let _ = fs::remove_file(&path);
        let mut writer =
            run::RunWriter::create(path.clone(), &Arc::new(handles::Handles), BLOCK_BYTES).expect("a file");
        for (family, key, value) in rows {
            writer.push((*family, key, value)).expect("a row");
        }
        let run = writer.finish().expect("a run");
        let mut bytes = fs::read(&path).expect("the file that was written");
        damage(&mut bytes)?;
        fs::write(&path, bytes).expect("the file");
        let unpacker = blocks::unpacker().expect("memory");
        let mut reader = run::RunReader::open(run, BLOCK_BYTES, unpacker).expect("the file that is there");
        let mut read = Vec::new();
        loop {
            match reader.advance() {
                Err(_) => return Ok(()),
                Ok(false) => break,
                Ok(true) => {
                    let (family, key, value) = reader.row();
                    read.push((family, key.to_vec(), value.to_vec()));
                }
            }
        }
        assert_eq!(read, rows, "other rows than were written");
        Ok(())
    }
}

fn check(bytes: &[u8]) -> Result<()> {
    let mut source = Unstructured::new(bytes);
    let mut rows = Vec::new();
    for _ in 0..source.int_in_range(0..=8)? {
        let family = *source.choose(&Family::ALL)?;
        let value = vec![source.arbitrary()?; source.int_in_range(0..=300)?];
        rows.push((family, source.arbitrary()?, value));
    }
    sort::check(&rows, |file| {
        for _ in 0..source.int_in_range(0..=6)? {
            let at = source.int_in_range(0..=file.len())?;
            match source.int_in_range(0..=2)? {
                0 => file.truncate(at),
                1 => drop(file.splice(at..at, source.arbitrary::<Vec<u8>>()?)),
                _ => {
                    let by: u8 = source.arbitrary()?;
                    file.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= by);
                }
            }
        }
        Ok(())
    })
}

fuzz_target!(|bytes: &[u8]| {
    let _ = check(bytes); // too few bytes make no rows
});
