//! Objects that are written chunk by chunk, outside of transactions.

use std::io::{Read, Write};

use blaze::limits::OBJECT_CHUNK_BYTES;
use blaze::{Database, Objects};

use super::ensure;
use crate::Result;
use crate::random::Random;
use crate::workload::persist;

const NAME: &str = "streams";
const OBJECTS: u64 = 3;

/// Writes objects again and again, and gives some of them up.
///
/// # Errors
/// What the database does not do as it has to.
pub fn work(db: &Database, random: &Random) -> Result<()> {
    let objects = db.objects(NAME)?;
    loop {
        let (key, seed) = (random.below(OBJECTS).to_string(), random.below(1 << 30));
        let bytes = bytes_of(seed);
        let mut writer = objects.create(&key)?;
        if random.percent(20) {
            writer.write_all(&bytes[..bytes.len() / 2])?;
            continue;
        }
        writer.write_all(&bytes)?;
        writer.finish()?;
        if random.percent(20) {
            persist(|| objects.delete(&key))?;
        }
    }
}

/// Some chunks that a number fixes, and that begin with it.
fn bytes_of(seed: u64) -> Vec<u8> {
    let random = Random::of(&[seed, 9]);
    let length = OBJECT_CHUNK_BYTES + random.below(2 * OBJECT_CHUNK_BYTES as u64) as usize;
    let mut bytes = seed.to_be_bytes().to_vec();
    bytes.resize_with(8 + length / 4_096, || random.below(256) as u8);
    let pattern = bytes.clone();
    bytes.extend(pattern.iter().cycle().take(length));
    bytes
}

/// Each object is what its beginning says.
pub(super) fn check(db: &Database) -> Result<()> {
    if !db.object_stores()?.iter().any(|name| name == NAME) {
        return Ok(());
    }
    let objects: Objects = db.objects(NAME)?;
    for entry in objects.list("")? {
        let (key, info) = entry?;
        let mut bytes = Vec::new();
        if let Some(mut reader) = objects.open(&key)? {
            reader.read_to_end(&mut bytes)?;
        }
        let seed = bytes.first_chunk().map_or(0, |seed| u64::from_be_bytes(*seed));
        let is_whole = info.bytes == bytes.len() as u64 && bytes == bytes_of(seed);
        ensure(is_whole, || format!("{} of {} bytes is torn", key.escape_ascii(), info.bytes))?;
    }
    Ok(())
}
