//! What a database of a campaign has: collections, indexes, keyspaces, and how it is opened.

use std::path::Path;

use blaze::schema::{Schema, int, string};
use blaze::{
    Collection, Copies, Database, Document, DocumentId, Durability, Environment, ErrorKind, Feed, History, Index,
    IndexState, SchemaState, Transaction, Validation,
};

use crate::Result;
use crate::model::{DIMENSION, Shelf};

/// The document that all lanes rewrite.
pub const HUB: &str = "hub";
/// What is below notes.
const REPLIES: &str = "replies";
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
        Shelf::Replies => &["below"],
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
        ("below", _) => Index::on("_parent").then("n"),
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
        Shelf::Replies => "notes/replies",
    }
}

/// The collection of a shelf.
///
/// # Errors
/// Those of the database.
pub fn collection(db: &Database, shelf: Shelf) -> blaze::Result<Collection<Document>> {
    match shelf {
        Shelf::Replies => db.collection::<Document>(name(Shelf::Notes))?.group(REPLIES),
        _ => db.collection(name(shelf)),
    }
}

/// The collection of a shelf within a transaction.
///
/// # Errors
/// Those of the database.
pub fn collection_within(tx: &Transaction, shelf: Shelf) -> blaze::Result<Collection<Document>> {
    match shelf {
        Shelf::Replies => tx.collection::<Document>(name(Shelf::Notes))?.group(REPLIES),
        _ => tx.collection(name(shelf)),
    }
}

/// The id in the database of what has an id in the model.
#[must_use]
pub fn document_id(shelf: Shelf, id: &str) -> DocumentId {
    match id.rsplit_once('/') {
        Some((parent, own)) if shelf == Shelf::Replies => (parent, own).into(),
        _ => id.into(),
    }
}

/// What people have to be like.
#[must_use]
pub fn people_schema() -> Schema {
    Schema::new().required("email", string()).required("age", int()).required("lane", int())
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

/// Opens the database in a directory, or makes it, in an environment that many share.
///
/// # Errors
/// Those of the database.
pub fn open_in(path: &Path, environment: &Environment) -> blaze::Result<Database> {
    Database::builder()
        .durability(Durability::Buffered)
        .environment(environment)
        .write_buffer_bytes(1 << 20)
        .slow_commit_ms(None)
        .open(path)
}

/// Brings everything about that a database has to have, and completes what a death cut short.
///
/// # Errors
/// Those of the database.
pub fn prepare(db: &Database) -> Result<()> {
    for shelf in Shelf::ALL {
        let collection = collection(db, shelf)?;
        if shelf == Shelf::People && collection.history()? != History::Forever {
            collection.set_history(History::Forever)?;
        }
        if collection.feed()? != Feed::Images {
            collection.set_feed(Feed::Images)?;
        }
        if shelf == Shelf::People {
            let schema = people_schema();
            let there = collection.schema()?;
            if there.is_none_or(|there| there.schema != schema || there.state != SchemaState::Checked) {
                collection.set_schema(&schema, Validation::Strict)?;
            }
        }
        let known = collection.indexes()?;
        for name in index_names(shelf) {
            match known.iter().find(|known| known.name == *name) {
                Some(index) if index.replacement.is_some() => {
                    collection.replace_index(name, self::index(name, false))?
                }
                Some(index) if index.state == IndexState::Ready => {}
                // What a repair has begun anew and not completed is of the form that it had.
                _ => match collection.ensure_index(index(name, false)) {
                    Err(error) if error.kind() == ErrorKind::Invalid => collection.ensure_index(index(name, true))?,
                    ensured => ensured?,
                },
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
