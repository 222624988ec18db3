//! What a transaction changes.

use std::io::Write;
use std::time::Duration;

use blaze::{Document, Error, Expires, Result, Transaction, Value, inc, set};

/// One change; of few ids, keys and values, so that they meet.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Put(u8, Document),
    Insert(u8, Document),
    Set(u8, &'static str, Value),
    Count(u8),
    Delete(u8),
    DeleteWith(u8),
    Comment(u8, u8, i64),
    DeleteComment(u8, u8),
    PutPair(u8, u8),
    DeletePair(u8),
    DeletePairs(u8, u8),
    Add(u8, i64),
    Session(u8, u8, Option<u16>),
    EndSession(u8),
    PutFile(u8, Vec<u8>),
    DeleteFile(u8),
}

/// Makes a change; says whether there was something to change.
pub(super) fn apply(tx: &Transaction, change: &Change) -> Result<bool> {
    let notes = tx.collection::<Document>("notes")?;
    let comments = |parent: u8| notes.subcollection::<Document>(i64::from(parent), "comments");
    match change {
        Change::Put(id, document) => notes.put(i64::from(*id), document).map(|()| true),
        Change::Insert(id, document) => notes.insert_with_id(i64::from(*id), document).map(|()| true),
        Change::Set(id, field, value) => notes.update(i64::from(*id), set(*field, value.clone())).map(|()| true),
        Change::Count(id) => notes.upsert(i64::from(*id), inc("n", 1)).map(|_| true),
        Change::Delete(id) => notes.delete(i64::from(*id)),
        Change::DeleteWith(id) => notes.delete_with_children(i64::from(*id)),
        Change::Comment(parent, id, n) => {
            comments(*parent)?.put(i64::from(*id), &Document::new().with("n", *n)).map(|()| true)
        }
        Change::DeleteComment(parent, id) => comments(*parent)?.delete(i64::from(*id)),
        Change::PutPair(key, value) => tx.keyspace("pairs")?.put([*key], [*value]).map(|()| true),
        Change::DeletePair(key) => tx.keyspace("pairs")?.delete([*key]).map(|()| true),
        Change::DeletePairs(start, end) => tx.keyspace("pairs")?.delete_range([*start]..[*end]).map(|()| true),
        Change::Add(key, delta) => tx.keyspace("counters")?.add([*key], *delta).map(|()| true),
        Change::Session(key, value, ms) => {
            let life = ms.map_or(Expires::Never, |ms| Expires::After(Duration::from_millis(u64::from(ms))));
            tx.expiring_keyspace("sessions")?.put_expiring([*key], [*value], life).map(|()| true)
        }
        Change::EndSession(key) => tx.expiring_keyspace("sessions")?.delete([*key]).map(|()| true),
        Change::PutFile(key, bytes) => {
            let mut writer = tx.objects("files")?.create([*key])?;
            writer.write_all(bytes).map_err(|error| Error::unavailable(error.to_string()))?;
            writer.finish().map(|_| true)
        }
        Change::DeleteFile(key) => tx.objects("files")?.delete([*key]),
    }
}
