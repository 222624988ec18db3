//! One of the databases under test: how it is asked, closed and opened.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use blaze::{
    Collection, Database, Document, Durability, ErrorKind, Filter, Found as FoundDocument, KeyValues, Keyspace,
    ManualClock, Result, Rows, SeededEntropy, Snapshot, Timestamp, Transaction,
};
use tempfile::TempDir;

use super::naive::{self, Answer, Complaint, Found, Model, Outcome};
use super::operations::{End, Find, OnCollection, OnKeyspace, Operation};

pub(super) struct Side {
    db: Option<Database>,
    clock: Arc<ManualClock>,
    handles: HashMap<&'static str, Collection<Document>>,
    snapshots: Vec<Snapshot>,
    leaked: Vec<Leaked>,
    directory: Option<TempDir>, // after all that has it open
}

/// An iterator that outlives the database.
enum Leaked {
    Rows(Box<Rows<Document>>),
    Pairs(KeyValues),
    Transaction(Open),
}

/// A transaction under way.
pub(super) struct Open(Transaction);

/// What collections and keyspaces are taken from.
enum From<'a> {
    Database(&'a Database),
    Transaction(&'a Transaction),
    Snapshot(&'a Snapshot),
}

impl From<'_> {
    fn collection(&self, name: &str) -> Result<Collection<Document>> {
        match self {
            From::Database(db) => db.collection(name),
            From::Transaction(transaction) => transaction.collection(name),
            From::Snapshot(snapshot) => snapshot.collection(name),
        }
    }

    fn keyspace(&self, name: &str) -> Result<Keyspace> {
        match self {
            From::Database(db) => db.keyspace(name),
            From::Transaction(transaction) => transaction.keyspace(name),
            From::Snapshot(snapshot) => snapshot.keyspace(name),
        }
    }

    fn perform(&self, operation: &Operation) -> Result<Answer> {
        match operation {
            Operation::Collection { name, on, .. } => on_collection(&self.collection(name)?, on),
            Operation::Keyspace { name, on } => on_keyspace(&self.keyspace(name)?, on),
        }
    }
}

pub(super) fn outcome(result: Result<Answer>) -> Outcome {
    result.map_err(|error| error.kind())
}

impl Side {
    pub(super) fn over_rocksdb(clock: Arc<ManualClock>) -> Side {
        let mut side = Side::closed(clock);
        side.directory = Some(tempfile::tempdir().unwrap());
        side.open();
        side
    }

    pub(super) fn in_memory(clock: Arc<ManualClock>) -> Side {
        let mut side = Side::closed(clock);
        side.open();
        side
    }

    fn closed(clock: Arc<ManualClock>) -> Side {
        Side { db: None, clock, handles: HashMap::new(), snapshots: Vec::new(), leaked: Vec::new(), directory: None }
    }

    fn open(&mut self) {
        let builder = Database::builder()
            .clock(self.clock.clone())
            .entropy(Arc::new(SeededEntropy::new(7)))
            .durability(Durability::Buffered)
            .write_buffer_bytes(1024 * 1024)
            .cache_bytes(1024 * 1024);
        let db = match &self.directory {
            Some(directory) => builder.open(directory.path().join("database")),
            None => builder.in_memory(),
        };
        self.db = Some(db.unwrap());
    }

    pub(super) fn name(&self) -> &'static str {
        if self.directory.is_some() { "RocksDB" } else { "in memory" }
    }

    pub(super) fn db(&self) -> &Database {
        self.db.as_ref().unwrap()
    }

    pub(super) fn has_handle(&self, name: &str) -> bool {
        self.handles.contains_key(name)
    }

    pub(super) fn perform(&mut self, operation: &Operation) -> Outcome {
        outcome(match operation {
            Operation::Collection { name, stale: true, on } => on_collection(&self.handles[name], on),
            Operation::Collection { name, on, .. } => self.db().collection(name).and_then(|collection| {
                let answer = on_collection(&collection, on);
                self.handles.insert(name, collection);
                answer
            }),
            keyspace @ Operation::Keyspace { .. } => From::Database(self.db()).perform(keyspace),
        })
    }

    pub(super) fn begin(&self) -> Open {
        Open(self.db().begin().unwrap())
    }

    pub(super) fn take_snapshot(&mut self) {
        let snapshot = self.db().snapshot().unwrap();
        self.snapshots.push(snapshot);
    }

    pub(super) fn at_snapshot(&self, which: usize, operation: &Operation) -> Outcome {
        outcome(From::Snapshot(&self.snapshots[which]).perform(operation))
    }

    pub(super) fn forget_snapshot(&mut self, which: usize) {
        self.snapshots.remove(which);
    }

    pub(super) fn forget_handles(&mut self) {
        self.leaked.clear();
        self.handles.clear();
        self.snapshots.clear();
    }

    /// Begins something and keeps it until the database closes, if there is something to begin.
    pub(super) fn leak(&mut self, operation: &Operation) {
        let snapshot = self.db().snapshot().unwrap();
        let leaked = match operation {
            Operation::Collection { name, on: OnCollection::Find(find), .. } => {
                let rows = snapshot.collection(name).and_then(|films| films.find(find.filter.clone()).iter());
                rows.map(|mut rows| {
                    drop(rows.next());
                    Leaked::Rows(Box::new(rows))
                })
            }
            Operation::Collection { .. } => {
                let open = self.begin();
                drop(open.perform(operation));
                Ok(Leaked::Transaction(open))
            }
            Operation::Keyspace { name, .. } => {
                snapshot.keyspace(name).and_then(|pairs| pairs.iter()).map(|mut pairs| {
                    drop(pairs.next());
                    Leaked::Pairs(pairs)
                })
            }
        };
        self.leaked.extend(leaked);
    }

    /// Closes the database, by hand and with everything leaked, or by dropping every handle, and opens it again.
    pub(super) fn reopen(&mut self, explicit: bool) -> std::result::Result<(), Complaint> {
        let db = self.db.take().unwrap();
        if !explicit {
            self.forget_handles();
            drop(db);
            self.open();
            return Ok(());
        }
        db.close().map_err(|error| format!("closing: {error}"))?;
        db.close().map_err(|error| format!("closing again: {error}"))?;
        let expect = |what: &str, result: Result<()>| match result {
            Err(error) if error.kind() == ErrorKind::Closed => Ok(()),
            other => Err(format!("{what} after close: {other:?}")),
        };
        expect("begin", db.begin().map(drop))?;
        expect("names", db.collections().map(drop))?;
        for (name, handle) in &self.handles {
            expect(name, handle.count().map(drop))?;
            expect(name, handle.put(1, &Document::new()))?;
        }
        for snapshot in &self.snapshots {
            expect("snapshot", snapshot.collection::<Document>("films").map(drop))?;
        }
        // Open while handles of the closed database are still about: they must not be in the way.
        self.open();
        for leaked in self.leaked.drain(..) {
            match leaked {
                Leaked::Rows(mut rows) => expect("rows", rows.next().map_or_else(closed, |row| row.map(drop)))?,
                Leaked::Pairs(mut pairs) => expect("pairs", pairs.next().map_or_else(closed, |pair| pair.map(drop)))?,
                // It goes on answering what it has written itself.
                Leaked::Transaction(open) => expect("commit", open.0.commit().map(drop))?,
            }
        }
        self.forget_handles();
        Ok(())
    }

    pub(super) fn compare(&self, model: &Model) -> std::result::Result<(), Complaint> {
        let names = [self.db().collections().unwrap(), self.db().keyspaces().unwrap()].concat();
        if names != model.names() {
            return Err(format!("expected names {:?}, found {names:?}", model.names()));
        }
        compare(&From::Database(self.db()), model)
    }

    pub(super) fn compare_snapshot(&self, which: usize, model: &Model) -> std::result::Result<(), Complaint> {
        compare(&From::Snapshot(&self.snapshots[which]), model)
    }
}

/// An iterator that has ended may say so, even when its database is closed.
fn closed() -> Result<()> {
    Err(blaze_core::Error::closed("ended"))
}

impl Open {
    pub(super) fn perform(&self, operation: &Operation) -> Outcome {
        outcome(From::Transaction(&self.0).perform(operation))
    }

    pub(super) fn end(self, end: End) -> std::result::Result<(), ErrorKind> {
        let Open(transaction) = self;
        // Taking it may create it, which a commit would make last.
        let kept = if end == End::Commit { None } else { transaction.collection::<Document>("films").ok() };
        let ended = match end {
            End::Commit => transaction.commit().map(drop),
            End::Rollback => {
                transaction.rollback();
                Ok(())
            }
            End::Drop => {
                drop(transaction);
                Ok(())
            }
        };
        if let Some(kept) = kept {
            let kinds =
                [kept.count().map(drop), kept.put(1, &Document::new())].map(|result| result.map_err(|e| e.kind()));
            assert_eq!(kinds, [Err(ErrorKind::Closed); 2], "a collection of a transaction that has ended");
        }
        ended.map_err(|error| error.kind())
    }
}

/// Everything that a view shows, against the model.
fn compare(from: &From<'_>, model: &Model) -> std::result::Result<(), Complaint> {
    let mut versions: BTreeMap<u64, Timestamp> = BTreeMap::new();
    for (name, expected) in &model.collections {
        let collection = from.collection(name).map_err(|error| error.to_string())?;
        let found: Vec<FoundDocument<Document>> = collection.find_all().run().map_err(|error| error.to_string())?;
        let documents = expected.documents.iter().map(|(id, stored)| (id, &stored.document)).collect::<Vec<_>>();
        let rows = found.iter().map(|row| (&row.id, &row.value)).collect::<Vec<_>>();
        if format!("{documents:?}") != format!("{rows:?}") {
            return Err(format!("{name}: expected {documents:?}\n   found {rows:?}"));
        }
        for (row, stored) in found.iter().zip(expected.documents.values()) {
            if *versions.entry(stored.commit).or_insert(row.version) != row.version {
                return Err(format!("{name}: one commit has several versions, {:?}", row.version));
            }
        }
        let indexes = collection.indexes().map_err(|error| error.to_string())?;
        let indexes: Vec<_> = indexes.iter().map(|index| format!("{} {:?}", index.name, index.state)).collect();
        if indexes != expected.index_names() {
            return Err(format!("{name}: expected indexes {:?}, found {indexes:?}", expected.index_names()));
        }
        for filter in naive::questions() {
            for filter in [filter.clone(), Filter::Or(vec![filter])] {
                compare_answer(name, &collection, filter, model)?;
            }
        }
    }
    if !versions.values().is_sorted_by(|earlier, later| earlier < later) {
        return Err(format!("versions do not follow the commits: {versions:?}"));
    }
    for (name, expected) in &model.keyspaces {
        let keyspace = from.keyspace(name).map_err(|error| error.to_string())?;
        let pairs: BTreeMap<_, _> =
            keyspace.iter().unwrap().collect::<Result<_>>().map_err(|error| error.to_string())?;
        if pairs != *expected {
            return Err(format!("{name}: expected {expected:?}\n   found {pairs:?}"));
        }
    }
    Ok(())
}

fn compare_answer(
    name: &str,
    collection: &Collection<Document>,
    filter: Filter,
    model: &Model,
) -> std::result::Result<(), Complaint> {
    let found = collection.find(filter.clone()).run().map_err(|error| format!("{name}: {filter}: {error}"))?;
    let mut ids: Vec<_> = found.into_iter().map(|row| row.id).collect();
    ids.sort();
    let documents = model.collections[name].documents.iter();
    let matching: Vec<_> =
        documents.filter(|(_, stored)| filter.matches(&stored.document)).map(|(id, _)| id.clone()).collect();
    match ids == matching {
        true => Ok(()),
        false => Err(format!("{name}: {filter}: expected {matching:?}\n   found {ids:?}")),
    }
}

fn on_collection(collection: &Collection<Document>, on: &OnCollection) -> Result<Answer> {
    let pair = |found: FoundDocument<Document>| (found.id, found.value);
    Ok(match on {
        OnCollection::Insert(id, document) => {
            collection.insert_with_id(id, document)?;
            Answer::Done
        }
        OnCollection::InsertMany(documents) => Answer::Ids(collection.insert_many(documents.iter().cloned())?),
        OnCollection::Put(id, document) => {
            collection.put(id, document)?;
            Answer::Done
        }
        OnCollection::Replace(id, document) => {
            collection.replace(id, document)?;
            Answer::Done
        }
        OnCollection::Update(id, update) => {
            collection.update(id, update.clone())?;
            Answer::Done
        }
        OnCollection::Upsert(id, update) => Answer::Flag(collection.upsert(id, update.clone())?),
        OnCollection::UpdateMany(filter, update) => {
            let report = collection.update_many(filter.clone(), update.clone())?;
            Answer::Changed { matched: report.matched, modified: report.modified }
        }
        OnCollection::DeleteMany(filter) => Answer::Count(collection.delete_many(filter.clone())?),
        OnCollection::DeleteFirst(filter) => {
            let first = collection.find(filter.clone()).sort(blaze::asc("a")).delete_first();
            Answer::Documents(vec![first.run()?.map(pair)])
        }
        OnCollection::Delete(id) => Answer::Flag(collection.delete(id)?),
        OnCollection::Get(id) => Answer::Documents(vec![collection.get(id)?.map(pair)]),
        OnCollection::GetMany(ids) => {
            Answer::Documents(collection.get_many(ids)?.into_iter().map(|found| found.map(pair)).collect())
        }
        OnCollection::Contains(id) => Answer::Flag(collection.contains(id)?),
        OnCollection::Count => Answer::Count(collection.count()?),
        OnCollection::EnsureIndex(wanted) => {
            collection.ensure_index(wanted.0.clone())?;
            Answer::Done
        }
        OnCollection::DropIndex(name) => Answer::Flag(collection.drop_index(name)?),
        OnCollection::Indexes => {
            let indexes = collection.indexes()?;
            Answer::Names(indexes.iter().map(|index| format!("{} {:?}", index.name, index.state)).collect())
        }
        OnCollection::Find(find) => Answer::Found(ask(collection, find)?),
        OnCollection::Search(search) => {
            let mut query = collection.search().nearest(search.path, &search.vector);
            query = query.filter(search.filter.clone()).limit(search.limit);
            if let Some(within) = search.within {
                query = query.within(within);
            }
            let hits = query.run()?;
            assert_eq!(query.explain()?.rows, hits.len() as u64, "{search:?}");
            Answer::Hits(hits.into_iter().map(|hit| (hit.id, hit.value, hit.distance)).collect())
        }
    })
}

fn ask(collection: &Collection<Document>, find: &Find) -> Result<Found> {
    let pair = |found: FoundDocument<Document>| (found.id, found.value);
    let mut query = collection.find(find.filter.clone()).sort(find.sort_keys()).skip(find.skip);
    if let Some(limit) = find.limit {
        query = query.limit(limit);
    }
    let explain = query.explain()?;
    Ok(Found {
        rows: query.run()?.into_iter().map(pair).collect(),
        first: query.first()?.map(pair),
        count: query.count()?,
        explained: explain.rows,
        index: explain.index().map(str::to_owned),
    })
}

fn on_keyspace(keyspace: &Keyspace, on: &OnKeyspace) -> Result<Answer> {
    Ok(match on {
        OnKeyspace::Put(key, value) => {
            keyspace.put(key, value)?;
            Answer::Done
        }
        OnKeyspace::Delete(key) => {
            keyspace.delete(key)?;
            Answer::Done
        }
        OnKeyspace::DeleteRange(keys) => {
            keyspace.delete_range(keys.clone())?;
            Answer::Done
        }
        OnKeyspace::Get(key) => {
            let value = keyspace.get(key)?;
            assert_eq!(keyspace.contains(key)?, value.is_some(), "{key:?}");
            Answer::Pairs(value.into_iter().map(|value| (key.clone(), value)).collect())
        }
        OnKeyspace::Range(keys) => Answer::Pairs(keyspace.range(keys.clone())?.collect::<Result<_>>()?),
        OnKeyspace::RangeReverse(keys) => Answer::Pairs(keyspace.range_reverse(keys.clone())?.collect::<Result<_>>()?),
        OnKeyspace::Prefix(prefix) => Answer::Pairs(keyspace.prefix(prefix)?.collect::<Result<_>>()?),
        OnKeyspace::Count => Answer::Count(keyspace.count()?),
    })
}
