//! What is dropped leaves no rows.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use blaze::{Database, Document, Index};
use blaze_core::{Direction, Family, KeyRange, ManualClock, Store};
use blaze_lsm::{LsmOptions, LsmStore};
use blaze_prove::side::loaded;
use blaze_prove::{Finding, Result, shelves};

/// The families whose rows belong to something that has a name.
const FAMILIES: [Family; 4] = [Family::Data, Family::Index, Family::Vector, Family::Text];

pub(super) fn run(directory: &Path) -> Result<()> {
    let path = directory.join("db");
    // Twice, since the first time leaves what is there for good.
    let mut before = None;
    for _ in 0..2 {
        make_and_drop(&shelves::open(&path)?)?;
        shelves::open(&path)?.close()?; // which sees to what is left
        let rows = rows(&path)?;
        if let Some(before) = before.replace(rows.clone())
            && before != rows
        {
            return Err(Finding::new(format!("rows are left of what was dropped: {before:?} became {rows:?}")));
        }
    }
    Ok(())
}

fn make_and_drop(db: &Database) -> Result<()> {
    let dropped = db.collection::<Document>("dropped")?;
    dropped.ensure_index(Index::on("n").unique())?;
    dropped.ensure_index(Index::text(["text"]))?;
    dropped.ensure_index(Index::vector("at", 3))?;
    for n in 0..50 {
        dropped.put(n as i64, &loaded(1, n))?;
        db.keyspace("dropped keys")?.put(n.to_string(), "value")?;
    }
    db.drop_collection("dropped")?;
    db.drop_keyspace("dropped keys")?;
    Ok(db.close()?)
}

/// How many rows begin with each number, by family.
fn rows(path: &Path) -> Result<BTreeMap<(&'static str, Vec<u8>), u64>> {
    let store = LsmStore::open(path, LsmOptions::new(Arc::new(ManualClock::at_ms(0))))?;
    let mut rows = BTreeMap::new();
    for family in FAMILIES {
        let mut cursor = store.read_point()?.cursor(family, &KeyRange::all(), Direction::Forward)?;
        while let Some((key, _)) = cursor.next()? {
            *rows.entry((family.name(), key.iter().take(4).copied().collect())).or_default() += 1;
        }
    }
    store.close()?;
    Ok(rows)
}
