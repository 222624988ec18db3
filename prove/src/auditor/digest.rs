//! All that can be read of a database, in a few numbers.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use blaze::{Database, Document};

use crate::Result;
use crate::corner::expiring::GOING;

/// Of each name a hash of all that is in it, but for what goes by itself.
///
/// # Errors
/// Those of the database.
pub fn of(db: &Database) -> Result<BTreeMap<String, u64>> {
    let mut digest = BTreeMap::new();
    for name in db.collections()?.into_iter().filter(|name| stays(name)) {
        let mut hasher = DefaultHasher::new();
        let collection = db.collection::<Document>(&name)?;
        for found in collection.find_all().iter()? {
            let found = found?;
            (found.id.to_string(), format!("{:?}", found.version), found.value).hash(&mut hasher);
        }
        for index in collection.indexes()? {
            (index.name, index.definition, format!("{:?}", index.state), index.replacement).hash(&mut hasher);
        }
        collection.count()?.hash(&mut hasher);
        digest.insert(format!("collection {name}"), hasher.finish());
    }
    for name in db.keyspaces()?.into_iter().filter(|name| stays(name)) {
        let mut hasher = DefaultHasher::new();
        for pair in db.keyspace(&name)?.iter()? {
            pair?.hash(&mut hasher);
        }
        digest.insert(format!("keyspace {name}"), hasher.finish());
    }
    for name in db.object_stores()? {
        let mut hasher = DefaultHasher::new();
        for entry in db.objects(&name)?.list("")? {
            format!("{:?}", entry?).hash(&mut hasher);
        }
        digest.insert(format!("objects {name}"), hasher.finish());
    }
    Ok(digest)
}

fn stays(name: &str) -> bool {
    !GOING.contains(&name)
}
