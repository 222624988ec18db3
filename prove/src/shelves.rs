//! What a database of a campaign has: collections, indexes, keyspaces, and how it is opened.

use std::path::Path;

use blaze::{Collection, Copies, Database, Document, Durability, Feed, History, Index, IndexState};

use crate::Result;
use crate::model::{DIMENSION, Shelf};

/// The document that all lanes rewrite.
pub const HUB: &str = "hub";
/// Pairs of keys and values.
pub const PAIRS: &str = "pairs";
/// How many transactions each lane has committed, by its number.
pub const POSITIONS: &str = "positions";
/// The keyspace, and the key in it, of the counter that all lanes add to.
pub const TOTALS: &str = "totals";
/// Objects.
pub const BLOBS: &str = "blobs";
/// The collection that is loaded anew, generation after generation.
pub const LOADED: &str = "loaded";
/// The collection and the keyspace that are made and dropped.
pub const CHURNED: &str = "churned";
/// The keyspace of what is made and dropped.
pub const CHURNED_KEYS: &str = "churned keys";

/// Names of the indexes of each shelf.
#[must_use]
pub fn index_names(shelf: Shelf) -> &'static [&'static str] {
    match shelf {
        Shelf::People => &["email", "place", "tags"],
        Shelf::Notes => &["text", "embedding"],
    }
}

/// The index of a name: as it is made first, or in another form.
pub fn index(name: &str, other_form: bool) -> Index {
    let index = match (name, other_form) {
        ("email", _) => Index::on("email").unique(),
        ("place", false) => Index::on("city").then_desc("age"),
        ("place", true) => Index::on("city").then("age"),
        ("tags", false) => Index::on("tags"),
        ("tags", true) => Index::on("tags").then("age"),
        ("text", false) => Index::text(["title", "body"]),
        ("text", true) => Index::text(["title", "body"]).field_boost("title", 2.0),
        (_, false) => Index::vector("embedding", DIMENSION),
        (_, true) => Index::vector("embedding", DIMENSION).copies(Copies::F16),
    };
    index.named(name)
}

/// The name of a shelf's collection.
#[must_use]
pub fn name(shelf: Shelf) -> &'static str {
    match shelf {
        Shelf::People => "people",
        Shelf::Notes => "notes",
    }
}

/// The collection of a shelf.
///
/// # Errors
/// Those of the database.
pub fn collection(db: &Database, shelf: Shelf) -> blaze::Result<Collection<Document>> {
    db.collection(name(shelf))
}

/// Opens the database in a directory, or makes it.
///
/// # Errors
/// Those of the database.
pub fn open(path: &Path) -> blaze::Result<Database> {
    open_as(path, Durability::Buffered)
}

/// The same, and what it commits by itself is as durable as this.
///
/// # Errors
/// Those of the database.
pub fn open_as(path: &Path, durability: Durability) -> blaze::Result<Database> {
    Database::builder()
        .durability(durability)
        .write_buffer_bytes(1 << 20)
        .cache_bytes(8 << 20)
        .slow_commit_ms(None)
        .open(path)
}

/// Brings everything about that a database has to have, and completes what a death cut short.
///
/// # Errors
/// Those of the database.
pub fn prepare(db: &Database) -> Result<()> {
    for shelf in [Shelf::People, Shelf::Notes] {
        let collection = collection(db, shelf)?;
        if shelf == Shelf::People && collection.history()? != History::Forever {
            collection.set_history(History::Forever)?;
        }
        if collection.feed()? != Feed::Images {
            collection.set_feed(Feed::Images)?;
        }
        let known = collection.indexes()?;
        for name in index_names(shelf) {
            match known.iter().find(|known| known.name == *name) {
                Some(index) if index.replacement.is_some() => {
                    collection.replace_index(name, self::index(name, false))?
                }
                Some(index) if index.state == IndexState::Ready => {}
                _ => collection.ensure_index(index(name, false))?,
            }
        }
    }
    let positions = db.keyspace(POSITIONS)?;
    if positions.feed()? != Feed::Images {
        positions.set_feed(Feed::Images)?;
    }
    for name in [PAIRS, TOTALS] {
        db.keyspace(name)?;
    }
    db.objects(BLOBS)?;
    db.collection::<Document>(HUB)?;
    Ok(())
}
