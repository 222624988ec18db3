//! A keyspace that is loaded at once, dropped, and loaded again.

use std::time::Duration;

use blaze::{Database, Expires};

use super::ensure;
use crate::Result;
use crate::workload::persist;

const NAME: &str = "loaded keys";
const KEYS: u64 = 200;

/// Loads it anew.
///
/// # Errors
/// What the database does not do as it has to.
pub fn load(db: &Database, generation: u64) -> Result<()> {
    persist(|| db.drop_keyspace(NAME))?;
    let mut loader = db.load_expiring_keyspace(NAME)?;
    for key in 0..KEYS {
        let expires = if key.is_multiple_of(2) { Expires::Never } else { Expires::After(Duration::from_secs(86_400)) };
        loader.put_expiring(format!("{key:04}"), generation.to_string(), expires)?;
    }
    loader.finish()?;
    Ok(())
}

/// It is whole or not there.
pub(super) fn check(db: &Database) -> Result<()> {
    if !db.keyspaces()?.iter().any(|name| name == NAME) {
        return Ok(());
    }
    let found = db.keyspace(NAME)?.iter()?.collect::<blaze::Result<Vec<_>>>()?;
    let first = found.first().map(|(_, value)| value.clone()).unwrap_or_default();
    let is_right =
        |((key, value), n): (&(Vec<u8>, Vec<u8>), u64)| *value == first && *key == format!("{n:04}").as_bytes();
    let is_whole = found.len() as u64 == KEYS && found.iter().zip(0..).all(is_right);
    ensure(is_whole, || format!("there are {} keys, not of one load", found.len()))
}
