//! The catalog: which collections, keyspaces and indexes there are.
//!
//! Every name has one row in the `catalog` family. A session that touches a name guards its row, so that no commit can
//! miss an index or a drop. Numbers are given out once and never again.

mod conflict;
mod count;
mod definition;
mod dictionaries;
mod dropped;
mod expiring;
mod layout;
mod named;
mod orphan;
mod place;
mod row;
mod subcollection;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use blaze_core::fault::{self, Point};
use blaze_core::limits::{KEY_BYTES_MAX, NAME_BYTES_MAX, VALUE_BYTES_MAX};
use blaze_core::record::{self, Dictionary, Record, STAMP_AT};
use blaze_core::{
    CommitRequest, Direction, Durability, Entropy, Error, ErrorKind, FEATURE_TEXT_INDEXES, Family, Isolation, KeyRange,
    PointRead, ReadPoint, Result, SeededEntropy, Store, Timestamp, Tracking, Write, from_document, to_document,
};
use parking_lot::{Mutex, RwLock};

pub(crate) use conflict::name_conflict;
pub(crate) use count::{correct_count, count, count_as_new, count_estimate, count_one, recount};
pub(crate) use definition::{Definition, Kind};
use dictionaries::Dictionaries;
pub(crate) use dropped::Dropped;
pub(crate) use expiring::define as define_expiring;
pub(crate) use layout::{
    counted_of, is_own, migration_key, prefix, prefixed, retention_time_key, split_prefixed, whole_prefix,
    with_prefixed,
};
pub(crate) use named::{Named, Target};
pub(crate) use orphan::{Orphan, reclaim_orphans};
pub(crate) use row::{Row, read_row, rewrite};
pub(crate) use subcollection::{check_level, check_place, open_below, subcollections};

use crate::database::core::Core;
use crate::history;
use crate::index::IndexDefinition;
use crate::session::{RetryLimits, Scope, Session, retry};

/// What all sessions of a database share about its catalog: nothing here is needed to be right, all of it to be fast,
/// but for the dictionaries, which only ever grow.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    pub(crate) dictionaries: Arc<Dictionaries>,
    /// Decoded rows by name.
    rows: RwLock<HashMap<String, KnownRow>>,
    /// True once there may be a keyspace whose values expire: who begins to read must then know the time.
    expires: AtomicBool,
    /// Held by who corrects the count of a collection.
    correcting_counts: Mutex<()>,
}

/// A row of the catalog as it was last read.
#[derive(Debug)]
struct KnownRow {
    /// The commit that wrote it.
    version: Timestamp,
    /// The last commit to the catalog of the latest view in which it was found, if it was found without changes on top.
    found_in: Option<Timestamp>,
    definition: Arc<Definition>,
}

impl Catalog {
    /// What another one knows of the same catalog: dictionaries, which whoever reads a record must have as new as it is.
    pub(crate) fn sharing_dictionaries(&self) -> Catalog {
        Catalog { dictionaries: Arc::clone(&self.dictionaries), ..Catalog::default() }
    }

    /// The row of a name, if it was found in this very catalog before.
    fn row_in(&self, name: &str, catalog_ts: Timestamp) -> Option<Arc<Definition>> {
        let rows = self.rows.read();
        rows.get(name).filter(|row| row.found_in == Some(catalog_ts)).map(|row| Arc::clone(&row.definition))
    }

    /// The row of a name, if it is of this version; remembers in which catalog it was found.
    fn row_of(&self, name: &str, version: Timestamp, catalog_ts: Option<Timestamp>) -> Option<Arc<Definition>> {
        let known = |rows: &HashMap<String, KnownRow>| {
            let row = rows.get(name).filter(|row| row.version == version)?;
            Some((Arc::clone(&row.definition), row.found_in < catalog_ts))
        };
        let (definition, is_later) = known(&self.rows.read())?;
        if is_later && let Some(row) = self.rows.write().get_mut(name).filter(|row| row.version == version) {
            row.found_in = row.found_in.max(catalog_ts);
        }
        Some(definition)
    }

    /// True if there may be a keyspace whose values expire.
    pub(crate) fn expires(&self) -> bool {
        self.expires.load(Ordering::Acquire)
    }

    /// From now on there may be such a keyspace.
    pub(crate) fn note_expiring(&self) {
        self.expires.store(true, Ordering::Release);
    }
}

/// The definition behind `name`, if there is one of this kind. Guards it, absent or not.
pub(crate) fn find(session: &Session, name: &str, kind: Kind) -> Result<Option<Arc<Definition>>> {
    let Some(definition) = row(session, name)? else { return Ok(None) };
    if definition.kind != kind {
        let (is, wanted) = (definition.kind.with_article(), kind.with_article());
        return Err(Error::invalid(format!("{name:?} is {is}, not {wanted}")));
    }
    if session.is_as_of() {
        history::check(session, name, &definition)?;
    } else if definition.is_tracked() {
        session.track(definition.tracking())?;
    }
    Ok(Some(definition))
}

/// The definition behind `name`.
pub(crate) fn get(session: &Session, name: &str, kind: Kind) -> Result<Arc<Definition>> {
    find(session, name, kind)?.ok_or_else(|| Error::not_found(format!("there is no {kind} {name:?}")))
}

/// Sees to it that `name` is there: creates it, or answers `NotFound` where nothing can be written.
pub(crate) fn open(scope: &Scope, name: &str, kind: Kind) -> Result<()> {
    validate_name(name, kind.as_str())?;
    let there = scope.read(|session| Ok(find(session, name, kind)?.is_some()))?;
    match there {
        true => Ok(()),
        false if scope.is_read_only() => scope.read(|session| get(session, name, kind).map(drop)),
        false => scope.write(|session| ensure(session, name, kind).map(drop)),
    }
}

/// The definition behind `name`, which is created if it is not there.
fn ensure(session: &Session, name: &str, kind: Kind) -> Result<Arc<Definition>> {
    if let Some(definition) = find(session, name, kind)? {
        return Ok(definition);
    }
    let definition = Definition::new(kind, allocate(session.core())?);
    put(session, name, &definition)?;
    Ok(Arc::new(definition))
}

/// Writes the definition behind `name`.
pub(crate) fn put(session: &Session, name: &str, definition: &Definition) -> Result<()> {
    let mut row = Vec::new();
    record::encode(&to_document(definition)?, &Dictionary::default(), &mut row)?;
    if definition.expires() {
        expiring::keep_first_time(session)?;
        session.core().catalog.note_expiring(); // before anybody can see it
    }
    if definition.needs_retention() {
        session.define_retention();
    }
    if definition.indexes.iter().any(IndexDefinition::is_on_text) {
        session.require(FEATURE_TEXT_INDEXES)?;
    }
    session.put(Family::Catalog, layout::name_key(name), row, Some(STAMP_AT))
}

/// Removes `name` with everything in it, subcollections included; says whether it was there. When it returns, most of the space was given back,
/// unless someone reads an older view: then compactions give it back later.
pub(crate) fn remove(core: &Arc<Core>, name: &str, kind: Kind) -> Result<bool> {
    core.check_writable()?;
    let (removed_at, orphans) = retry(core, RetryLimits::default(), || {
        // Whatever the database's isolation: what others write to what goes must not be in the way.
        let session = Session::read_write(core, Isolation::Serializable, core.durability)?;
        let mut orphans = remove_name(&session, name, kind)?;
        if kind == Kind::Collection && !orphans.is_empty() {
            for below in subcollections(&session, name)? {
                orphans.extend(remove_name(&session, &below, kind)?);
            }
        }
        Ok((session.commit()?, orphans))
    })?;
    fault::reached(Point::NameDropped);
    for orphan in &orphans {
        // The name is gone. Where this fails, the next opening sees to it.
        let _ = orphan.reclaim(core, removed_at);
    }
    Ok(!orphans.is_empty())
}

/// Removes `name`, if it is there, and makes orphans of what it leads to.
pub(crate) fn remove_name(session: &Session, name: &str, kind: Kind) -> Result<Vec<Orphan>> {
    let Some(definition) = find(session, name, kind)? else { return Ok(Vec::new()) };
    // Snapshots from before the drop go on reading its records, so the dictionary must be in memory by then.
    session.core().catalog.dictionaries.get(session.core(), definition.id)?;
    session.delete(Family::Catalog, layout::name_key(name))?;
    if definition.counted {
        session.delete(Family::Data, layout::count_key(definition.id))?;
    }
    match definition.feed {
        Some(_) => Dropped::keep(session, name, &definition)?,
        None => session.delete_range(Family::Catalog, KeyRange::prefix(&prefix(definition.id)))?,
    }
    definition.migration.forget(session, definition.id)?;
    let data = Orphan::new(Family::Data, prefix(definition.id));
    let indexes = definition.indexes.iter().map(|index| Orphan::new(index.family(), prefix(index.id)));
    let expiries = definition.expiring.then(|| Orphan::new(Family::Index, prefix(definition.id)));
    let orphans: Vec<Orphan> = std::iter::once(data).chain(expiries).chain(indexes).collect();
    orphans.iter().try_for_each(|orphan| orphan.declare(session))?;
    if definition.is_tracked() {
        session.track(Tracking { dropped: true, ..definition.tracking() })?; // last: a failure above must not count
    }
    Ok(orphans)
}

/// Changes what `name` leaves behind when it is written to, from this commit on.
pub(crate) fn change(scope: &Scope, name: &str, kind: Kind, edit: impl Fn(&mut Definition)) -> Result<()> {
    scope.write(|session| {
        let before = get(session, name, kind)?;
        let mut after = (*before).clone();
        edit(&mut after);
        if (&before.history, before.feed) == (&after.history, after.feed) {
            return Ok(());
        }
        put(session, name, &after)?;
        session.track(after.tracking()) // last, as above
    })
}

/// All names with what is behind them, sorted by name.
pub(crate) fn definitions(session: &Session) -> Result<Vec<(String, Definition)>> {
    let mut definitions = Vec::new();
    let range = KeyRange::prefix(&layout::name_key(""));
    let mut cursor = session.cursor(Family::Catalog, &range, Direction::Forward)?;
    while let Some((key, row)) = cursor.next()? {
        definitions.push((layout::name_of(key)?, decode(row)?.1));
    }
    Ok(definitions)
}

/// All names of a kind, sorted.
pub(crate) fn names(session: &Session, kind: Kind) -> Result<Vec<String>> {
    let definitions = definitions(session)?.into_iter();
    Ok(definitions.filter(|(_, definition)| definition.kind == kind).map(|(name, _)| name).collect())
}

/// A number for a collection, keyspace or index that none ever had.
///
/// It is given out in a commit of its own, so that it stays given out when the transaction that wants it fails.
pub(crate) fn allocate(core: &Arc<Core>) -> Result<u32> {
    let key = layout::counter_key();
    retry(core, RetryLimits::default(), || {
        let point = core.store.read_point()?;
        let next = match point.get(Family::Catalog, &key)? {
            None => layout::FIRST_ID,
            Some(bytes) => {
                let bytes = bytes.as_slice().try_into();
                u32::from_be_bytes(bytes.map_err(|_| Error::corruption("the catalog's counter is not 4 bytes long"))?)
            }
        };
        let after = next.checked_add(1).ok_or_else(|| {
            Error::limit_exceeded(format!("all {} numbers of collections and indexes were given out", u32::MAX))
        })?;
        commit_ahead(core, &*point, vec![Write::put(Family::Catalog, key.clone(), after.to_be_bytes())], &key)?;
        fault::reached(Point::NumberGiven);
        Ok(next)
    })
}

/// Commits what later commits build upon, guarded by `key`. The log keeps the order, so the weaker durability will do.
fn commit_ahead(core: &Core, point: &dyn ReadPoint, writes: Vec<Write>, key: &[u8]) -> Result<()> {
    let request = CommitRequest {
        read_ts: point.ts(),
        guards: vec![PointRead { family: Family::Catalog, key: key.to_vec() }],
        writes,
        durability: Durability::Buffered,
        ..CommitRequest::default()
    };
    core.store.commit(request).map(drop).map_err(|error| match error.kind() {
        // Nothing of what the caller wants was handed over yet.
        ErrorKind::CommitOutcomeUnknown(_) => Error::unavailable(error.to_string()).with_source(error),
        _ => error,
    })
}

/// The number that names this copy of the database, drawn when it is created, and `anew` when it was made of another one.
pub(crate) fn replica(store: &dyn Store, entropy: &dyn Entropy, anew: bool) -> Result<u64> {
    let point = store.read_point()?;
    let key = layout::replica_key();
    let there = match point.get(Family::Catalog, &key)? {
        None => None,
        Some(bytes) => {
            let bytes = bytes.as_slice().try_into();
            let bytes = bytes.map_err(|_| Error::corruption("the replica id is not 8 bytes long"))?;
            Some(u64::from_be_bytes(bytes))
        }
    };
    if let Some(replica) = there.filter(|_| !anew) {
        return Ok(replica);
    }
    let drawn = entropy.next_u64();
    // Mixed with the original's, so that entropy that its owner repeats makes no twin of it.
    let replica = there.map_or(drawn, |original| SeededEntropy::new(original ^ drawn).next_u64());
    store.commit(CommitRequest {
        read_ts: point.ts(),
        guards: vec![PointRead { family: Family::Catalog, key: key.clone() }],
        writes: vec![Write::put(Family::Catalog, key, replica.to_be_bytes())],
        durability: Durability::Sync,
        ..CommitRequest::default()
    })?;
    Ok(replica)
}

/// Checks the name of a `what`.
pub(crate) fn validate_name(name: &str, what: &str) -> Result<()> {
    match name.len() {
        0 => Err(Error::invalid(format!("{what} name is empty, at least 1 byte is needed"))),
        1..=NAME_BYTES_MAX => Ok(()),
        bytes => Err(Error::limit_exceeded(format!("{what} name has {bytes} bytes, the limit is {NAME_BYTES_MAX}"))),
    }
}

/// Checks a key of raw bytes.
pub(crate) fn validate_key(key: &[u8]) -> Result<()> {
    match key.len() {
        0 => Err(Error::invalid("key is empty, at least 1 byte is needed")),
        1..=KEY_BYTES_MAX => Ok(()),
        bytes => Err(Error::limit_exceeded(format!("key has {bytes} bytes, the limit is {KEY_BYTES_MAX}"))),
    }
}

/// Checks a value of raw bytes.
pub(crate) fn validate_value(value: &[u8]) -> Result<()> {
    match value.len() {
        0..=VALUE_BYTES_MAX => Ok(()),
        bytes => Err(Error::limit_exceeded(format!("value has {bytes} bytes, the limit is {VALUE_BYTES_MAX}"))),
    }
}

fn row(session: &Session, name: &str) -> Result<Option<Arc<Definition>>> {
    let key = layout::name_key(name);
    session.guard(Family::Catalog, &key)?;
    let catalog = &session.core().catalog;
    let seen = session.catalog_version();
    let catalog_ts = seen.is_committed().then(|| seen.committed_ts());
    // Each transaction asks for its names anew, and the row may be in a file (2026-11-21: two such reads were a seventh of the
    // work of a transaction that inserts one document).
    if let Some(definition) = catalog_ts.and_then(|catalog_ts| catalog.row_in(name, catalog_ts)) {
        return session.check_open().map(|()| Some(definition));
    }
    let mut found = None;
    session.visit(Family::Catalog, &key, &mut |row| {
        let version = layout::stamp_of(row)?;
        found = Some(match catalog.row_of(name, version, catalog_ts) {
            Some(definition) => definition,
            None => {
                let (version, definition) = decode(row)?;
                let definition = Arc::new(definition);
                // A row of this transaction's own has no version yet.
                if version != Timestamp::ZERO {
                    let known = KnownRow { version, found_in: catalog_ts, definition: Arc::clone(&definition) };
                    catalog.rows.write().insert(name.to_owned(), known);
                }
                definition
            }
        });
        Ok(())
    })?;
    Ok(found)
}

fn decode(row: &[u8]) -> Result<(Timestamp, Definition)> {
    let dictionary = Dictionary::default();
    let record = Record::open(row, &dictionary)?;
    let definition = from_document(record.decode()?)
        .map_err(|error| Error::corruption(format!("a row of the catalog does not parse: {error}")))?;
    Ok((record.version(), definition))
}
