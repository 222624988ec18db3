//! The naive model: what a database is when nothing has to be fast, durable or small.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::{Bound, RangeBounds};

use blaze::{Document, DocumentId, ErrorKind, Filter, Metric, Path, Update, Value, Vector};
use blaze_core::traverse;

use super::operations::{Find, IndexSpec, Keys, OnCollection, OnKeyspace, Operation, Search};

/// What an operation answers. Answers are compared as they print, which tells 1 from 1.0.
#[derive(Clone, Debug)]
#[expect(dead_code, reason = "what is compared as it prints is never read otherwise")]
pub(super) enum Answer {
    Done,
    Flag(bool),
    Count(u64),
    Changed { matched: u64, modified: u64 },
    Ids(Vec<DocumentId>),
    Documents(Vec<Option<(DocumentId, Document)>>),
    Pairs(Vec<(Vec<u8>, Vec<u8>)>),
    Names(Vec<String>),
    Found(Found),
    Hits(Vec<(DocumentId, Document, f32)>),
}

/// What a query answers, asked in every way.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) rows: Vec<(DocumentId, Document)>,
    pub(super) first: Option<(DocumentId, Document)>,
    pub(super) count: u64,
    pub(super) explained: u64,
    pub(super) index: Option<String>,
}

pub(super) type Outcome = Result<Answer, ErrorKind>;

/// Why a commit was not the model's, in words.
pub(super) type Complaint = String;

/// Which view an operation is asked of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum View {
    Database,
    Transaction,
    Snapshot,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) collections: BTreeMap<String, Collection>,
    pub(super) keyspaces: BTreeMap<String, BTreeMap<Vec<u8>, Vec<u8>>>,
    /// The commit that is under way.
    pub(super) commit: u64,
}

/// A document and the commit that wrote it.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) document: Document,
    pub(super) commit: u64,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Collection {
    pub(super) documents: BTreeMap<DocumentId, Stored>,
    pub(super) indexes: Vec<IndexSpec>,
}

impl Model {
    /// Checks an answer and makes the change.
    pub(super) fn check(&mut self, view: View, operation: &Operation, actual: &Outcome) -> Result<(), Complaint> {
        let expected = self.expect(view, operation, actual);
        let same = match (&expected, actual) {
            // Without a sort the order is the plan's; vectors may be equally near.
            (Ok(Answer::Found(_)), Ok(Answer::Found(found))) => return self.check_found(operation, found),
            (Ok(Answer::Hits(_)), Ok(Answer::Hits(hits))) => return self.check_hits(operation, hits),
            (expected, actual) => format!("{expected:?}") == format!("{actual:?}"),
        };
        match same {
            true => Ok(()),
            false => Err(format!("expected {expected:?}\n   found {actual:?}")),
        }
    }

    fn expect(&mut self, view: View, operation: &Operation, actual: &Outcome) -> Outcome {
        match operation {
            Operation::Collection { name, stale, on } => {
                if self.keyspaces.contains_key(*name) {
                    return Err(ErrorKind::Invalid);
                }
                let refused = match on {
                    // Before anything is looked up.
                    OnCollection::Update(_, update)
                    | OnCollection::Upsert(_, update)
                    | OnCollection::UpdateMany(_, update) => update.validate().err(),
                    _ => None,
                };
                if !self.collections.contains_key(*name) {
                    if let Some(error) = refused.as_ref().filter(|_| *stale) {
                        return Err(error.kind());
                    }
                    if *stale || view == View::Snapshot {
                        return Err(ErrorKind::NotFound);
                    }
                    self.collections.insert((*name).to_owned(), Collection::default());
                }
                if view == View::Snapshot && writes(on) {
                    return Err(ErrorKind::Invalid);
                }
                if let Some(error) = refused {
                    return Err(error.kind());
                }
                let commit = self.commit;
                self.collections
                    .get_mut(*name)
                    .map_or(Err(ErrorKind::Internal), |there| there.expect(on, commit, actual))
            }
            Operation::Keyspace { name, on } => {
                if self.collections.contains_key(*name) {
                    return Err(ErrorKind::Invalid);
                }
                if !self.keyspaces.contains_key(*name) {
                    if view == View::Snapshot {
                        return Err(ErrorKind::NotFound);
                    }
                    self.keyspaces.insert((*name).to_owned(), BTreeMap::new());
                }
                let is_write = matches!(on, OnKeyspace::Put(..) | OnKeyspace::Delete(_) | OnKeyspace::DeleteRange(_));
                if view == View::Snapshot && is_write {
                    return Err(ErrorKind::Invalid);
                }
                self.keyspaces.get_mut(*name).map_or(Err(ErrorKind::Internal), |there| on_keyspace(there, on))
            }
        }
    }

    pub(super) fn drop_collection(&mut self, name: &str) -> Outcome {
        match self.keyspaces.contains_key(name) {
            true => Err(ErrorKind::Invalid),
            false => Ok(Answer::Flag(self.collections.remove(name).is_some())),
        }
    }

    pub(super) fn drop_keyspace(&mut self, name: &str) -> Outcome {
        match self.collections.contains_key(name) {
            true => Err(ErrorKind::Invalid),
            false => Ok(Answer::Flag(self.keyspaces.remove(name).is_some())),
        }
    }

    /// True if something was written on the way from one to the other.
    pub(super) fn differs(&self, other: &Model) -> bool {
        format!("{self:?}") != format!("{other:?}")
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.collections.keys().chain(self.keyspaces.keys()).cloned().collect()
    }

    fn check_found(&self, operation: &Operation, found: &Found) -> Result<(), Complaint> {
        let Operation::Collection { name, on: OnCollection::Find(find), .. } = operation else {
            return Err("an answer to another question".to_owned());
        };
        let Some(collection) = self.collections.get(*name) else { return Err("no collection".to_owned()) };
        let all = collection.find(find);
        let page: Vec<_> = all.iter().skip(find.skip).take(find.limit.unwrap_or(usize::MAX)).cloned().collect();
        let complain = |what: &str| Err(format!("{what}\nexpected {page:?}\n   found {found:?}"));
        if !find.sort.is_empty() {
            if format!("{page:?}") != format!("{:?}", found.rows) {
                return complain("wrong rows");
            }
        } else {
            let mut rows = found.rows.clone();
            rows.sort_by(|a, b| a.0.cmp(&b.0));
            if rows.len() != page.len() || rows.windows(2).any(|pair| pair[0].0 == pair[1].0) {
                return complain("not as many rows");
            }
            let known = |row: &(DocumentId, Document)| all.iter().any(|of| format!("{of:?}") == format!("{row:?}"));
            if !rows.iter().all(known) {
                return complain("a row that does not belong");
            }
        }
        if found.count != page.len() as u64 || found.explained != page.len() as u64 {
            return complain("counted otherwise");
        }
        if format!("{:?}", found.first) != format!("{:?}", found.rows.first()) {
            return complain("another first row");
        }
        let known =
            |name: &String| collection.indexes.iter().any(|index| index.name == *name && index.vector.is_none());
        if !found.index.as_ref().is_none_or(known) {
            return complain("an index that is not there");
        }
        Ok(())
    }

    fn check_hits(&self, operation: &Operation, hits: &[(DocumentId, Document, f32)]) -> Result<(), Complaint> {
        let Operation::Collection { name, on: OnCollection::Search(search), .. } = operation else {
            return Err("an answer to another question".to_owned());
        };
        let Some(collection) = self.collections.get(*name) else { return Err("no collection".to_owned()) };
        let Some((path, dimension, metric)) = collection.vector_index(search) else {
            return Err("no vector index".to_owned());
        };
        let mut near = collection.distances(search, path, dimension, metric);
        near.sort_by(|a, b| a.1.total_cmp(&b.1).then_with(|| a.0.cmp(&b.0)));
        let complain = |what: &str| Err(format!("{what}\nexpected {near:?}\n   found {hits:?}"));
        for (id, document, distance) in hits {
            let known = near.iter().find(|(near, _)| near == id);
            let same = |stored: &Stored| format!("{:?}", stored.document) == format!("{document:?}");
            if !collection.documents.get(id).is_some_and(same) {
                return complain("another document");
            }
            if known.is_none_or(|(_, known)| (known - f64::from(*distance)).abs() > tolerance(metric)) {
                return complain("another distance");
            }
        }
        // The components are small integers: all distances but those by angle are exact.
        let within = search.within.map_or(f64::INFINITY, f64::from);
        let most =
            |slack: f64| near.iter().filter(|(_, distance)| *distance <= within + slack).count().min(search.limit);
        let slack = tolerance(metric);
        if hits.len() < most(-slack) || hits.len() > most(slack) {
            return complain("not as many hits");
        }
        let exact = metric != Metric::Cosine;
        for (position, ((id, _, distance), (near, at))) in hits.iter().zip(&near).enumerate() {
            if (exact && id != near) || (f64::from(*distance) - at).abs() > slack {
                return complain(&format!("another hit at {position}"));
            }
        }
        Ok(())
    }
}

fn tolerance(metric: Metric) -> f64 {
    if metric == Metric::Dot { 0.0 } else { 1e-5 }
}

fn writes(on: &OnCollection) -> bool {
    use OnCollection as On;
    matches!(
        on,
        On::Insert(..)
            | On::InsertMany(_)
            | On::Put(..)
            | On::Replace(..)
            | On::Update(..)
            | On::Upsert(..)
            | On::UpdateMany(..)
            | On::DeleteMany(_)
            | On::DeleteFirst(_)
            | On::Delete(_)
            | On::EnsureIndex(..)
            | On::DropIndex(_)
    )
}

impl IndexSpec {
    /// The values that no other document may have: one for each field, and whether it is an element of an array.
    fn constrained(&self, document: &Document) -> Vec<Vec<(bool, Value)>> {
        let Some(paths) = &self.unique else { return Vec::new() };
        if self.only.as_ref().is_some_and(|only| !only.matches(document)) {
            return Vec::new();
        }
        let mut all = vec![Vec::new()];
        for path in paths {
            let mut reached = Vec::new();
            traverse::visit(document, &Path::from(*path), &mut |value| match value {
                Value::Array(elements) => reached.extend(elements.iter().map(|element| (true, element.clone()))),
                value => reached.push((false, value.clone())),
            });
            reached.retain(|(_, value)| !value.is_null());
            let with = |values: &Vec<(bool, Value)>| {
                let extended = reached.iter().map(|value| [values.as_slice(), std::slice::from_ref(value)].concat());
                extended.collect::<Vec<_>>()
            };
            all = all.iter().flat_map(with).collect();
        }
        all
    }
}

impl Collection {
    fn expect(&mut self, on: &OnCollection, commit: u64, actual: &Outcome) -> Outcome {
        match on {
            OnCollection::Insert(id, _) if self.documents.contains_key(id) => Err(ErrorKind::AlreadyExists),
            OnCollection::Replace(id, _) | OnCollection::Update(id, _) if !self.documents.contains_key(id) => {
                Err(ErrorKind::NotFound)
            }
            OnCollection::Insert(id, document)
            | OnCollection::Put(id, document)
            | OnCollection::Replace(id, document) => self.write(id, document, commit),
            OnCollection::InsertMany(documents) => {
                let mut after = self.clone();
                for (position, document) in documents.iter().enumerate() {
                    after.write(&format!("new {position}").into(), document, commit)?;
                }
                let Ok(Answer::Ids(ids)) = actual else { return Ok(Answer::Ids(Vec::new())) };
                let fresh = |(position, id): (usize, &DocumentId)| {
                    matches!(id, DocumentId::Uuid(_))
                        && !self.documents.contains_key(id)
                        && ids[..position].iter().all(|earlier| earlier < id)
                };
                if ids.len() != documents.len() || !ids.iter().enumerate().all(fresh) {
                    return Err(ErrorKind::Internal);
                }
                for (id, document) in ids.iter().zip(documents) {
                    self.write(id, document, commit)?;
                }
                Ok(Answer::Ids(ids.clone()))
            }
            OnCollection::Update(id, update) => {
                let Some(stored) = self.documents.get(id) else { return Err(ErrorKind::NotFound) };
                let mut document = stored.document.clone();
                match update.apply(&mut document).map_err(|error| error.kind())? {
                    true => self.write(id, &document, commit),
                    false => Ok(Answer::Done),
                }
            }
            OnCollection::Upsert(id, update) => self.upsert(id, update, commit),
            OnCollection::UpdateMany(filter, update) => self.update_many(filter, update, commit, actual),
            OnCollection::DeleteMany(filter) => Ok(Answer::Count(self.delete_many(filter))),
            OnCollection::DeleteFirst(filter) => Ok(Answer::Documents(vec![self.delete_first(filter)])),
            OnCollection::Delete(id) => Ok(Answer::Flag(self.documents.remove(id).is_some())),
            OnCollection::Get(id) => Ok(Answer::Documents(vec![self.get(id)])),
            OnCollection::GetMany(ids) => Ok(Answer::Documents(ids.iter().map(|id| self.get(id)).collect())),
            OnCollection::Contains(id) => Ok(Answer::Flag(self.documents.contains_key(id))),
            OnCollection::Count => Ok(Answer::Count(self.documents.len() as u64)),
            OnCollection::EnsureIndex(wanted) => self.ensure_index(&wanted.1),
            OnCollection::DropIndex(name) => {
                let before = self.indexes.len();
                self.indexes.retain(|index| index.name != *name);
                Ok(Answer::Flag(self.indexes.len() < before))
            }
            OnCollection::Indexes => Ok(Answer::Names(self.index_names())),
            OnCollection::Find(_) => {
                Ok(Answer::Found(Found { rows: Vec::new(), first: None, count: 0, explained: 0, index: None }))
            }
            OnCollection::Search(search) => self.expect_search(search),
        }
    }

    fn upsert(&mut self, id: &DocumentId, update: &Update, commit: u64) -> Outcome {
        let before = self.documents.get(id).map(|stored| stored.document.clone());
        let mut document = before.clone().unwrap_or_default();
        let changed = update.apply(&mut document).map_err(|error| error.kind())?;
        if changed || before.is_none() {
            self.write(id, &document, commit)?;
        }
        Ok(Answer::Flag(before.is_none()))
    }

    fn update_many(&mut self, filter: &Filter, update: &Update, commit: u64, actual: &Outcome) -> Outcome {
        let matching = self.matching(filter);
        let (mut after, mut refused) = (Vec::new(), Vec::new());
        for id in &matching {
            let mut document = self.documents[id].document.clone();
            match update.apply(&mut document) {
                Ok(false) => {}
                Ok(true) => match self.validate(&document) {
                    Ok(()) => after.push((id, document)),
                    Err(kind) => refused.push(kind),
                },
                Err(error) => refused.push(error.kind()),
            }
        }
        let mut whole = self.clone(); // whole or not at all
        for (id, document) in &after {
            refused.extend(whole.write(id, document, commit).err());
        }
        // Which of them is met first is a question of the order in which documents are found.
        if let Some(first) = refused.first() {
            return Err(*actual.as_ref().err().filter(|kind| refused.contains(kind)).unwrap_or(first));
        }
        *self = whole;
        Ok(Answer::Changed { matched: matching.len() as u64, modified: after.len() as u64 })
    }

    fn delete_many(&mut self, filter: &Filter) -> u64 {
        let matching = self.matching(filter);
        matching.iter().for_each(|id| drop(self.documents.remove(id)));
        matching.len() as u64
    }

    fn delete_first(&mut self, filter: &Filter) -> Option<(DocumentId, Document)> {
        let sort = vec![("a", false)];
        let all = self.find(&Find { filter: filter.clone(), sort, skip: 0, limit: None });
        let first = all.into_iter().next();
        if let Some((id, _)) = &first {
            self.documents.remove(id);
        }
        first
    }

    fn matching(&self, filter: &Filter) -> Vec<DocumentId> {
        let matching = self.documents.iter().filter(|(_, stored)| filter.matches(&stored.document));
        matching.map(|(id, _)| id.clone()).collect()
    }

    fn write(&mut self, id: &DocumentId, document: &Document, commit: u64) -> Outcome {
        self.validate(document)?;
        self.check_unique(id, document)?;
        self.documents.insert(id.clone(), Stored { document: document.clone(), commit });
        Ok(Answer::Done)
    }

    /// Refuses what does not fit a vector index.
    fn validate(&self, document: &Document) -> Result<(), ErrorKind> {
        let mut vectors = self.indexes.iter().filter_map(|index| index.vector);
        vectors.try_for_each(|(path, dimension, metric)| vector_of(document, path, dimension, metric).map(drop))
    }

    /// Refuses what another document has in a unique index.
    fn check_unique(&self, id: &DocumentId, document: &Document) -> Result<(), ErrorKind> {
        let others = || self.documents.iter().filter(|(other, _)| *other != id);
        for index in &self.indexes {
            let own = index.constrained(document);
            let has = |stored: &Stored| index.constrained(&stored.document).iter().any(|values| own.contains(values));
            if others().any(|(_, stored)| has(stored)) {
                return Err(ErrorKind::AlreadyExists);
            }
        }
        Ok(())
    }

    fn get(&self, id: &DocumentId) -> Option<(DocumentId, Document)> {
        self.documents.get(id).map(|stored| (id.clone(), stored.document.clone()))
    }

    pub(super) fn index_names(&self) -> Vec<String> {
        self.indexes.iter().map(|index| format!("{} Ready", index.name)).collect()
    }

    fn ensure_index(&mut self, spec: &IndexSpec) -> Outcome {
        if let Some(there) = self.indexes.iter().find(|there| there.name == spec.name) {
            return if there.on == spec.on { Ok(Answer::Done) } else { Err(ErrorKind::Invalid) };
        }
        self.indexes.push(spec.clone());
        let fits = self.documents.iter().try_for_each(|(id, stored)| {
            self.validate(&stored.document).and_then(|()| self.check_unique(id, &stored.document))
        });
        if fits.is_err() {
            self.indexes.pop();
        }
        fits.map(|()| Answer::Done)
    }

    /// All documents that match, in order.
    fn find(&self, find: &Find) -> Vec<(DocumentId, Document)> {
        let matching = self.documents.iter().filter(|(_, stored)| find.filter.matches(&stored.document));
        let mut rows: Vec<_> = matching.map(|(id, stored)| (id.clone(), stored.document.clone())).collect();
        rows.sort_by(|a, b| {
            let by_keys = find.sort.iter().map(|(path, descending)| {
                let (a, b) = (extreme(&a.1, path, *descending), extreme(&b.1, path, *descending));
                if *descending { b.cmp(&a) } else { a.cmp(&b) }
            });
            let by_id = if find.sort.last().is_some_and(|last| last.1) { b.0.cmp(&a.0) } else { a.0.cmp(&b.0) };
            by_keys.fold(Ordering::Equal, Ordering::then).then(by_id)
        });
        rows
    }

    /// The first index on the field that the vector fits, else the first.
    fn vector_index(&self, search: &Search) -> Option<(&'static str, usize, Metric)> {
        let on_field = || self.indexes.iter().filter_map(|index| index.vector).filter(|(of, ..)| *of == search.path);
        on_field().find(|(_, dimension, _)| *dimension == search.vector.len()).or_else(|| on_field().next())
    }

    fn expect_search(&self, search: &Search) -> Outcome {
        let (_, dimension, metric) = self.vector_index(search).ok_or(ErrorKind::Invalid)?;
        let zero = search.vector.iter().all(|number| *number == 0.0);
        if search.limit == 0 || search.vector.len() != dimension || (metric == Metric::Cosine && zero) {
            return Err(ErrorKind::Invalid);
        }
        Ok(Answer::Hits(Vec::new()))
    }

    fn distances(&self, search: &Search, path: &str, dimension: usize, metric: Metric) -> Vec<(DocumentId, f64)> {
        let query: Vec<f64> = search.vector.iter().copied().map(f64::from).collect();
        let matching = self.documents.iter().filter(|(_, stored)| search.filter.matches(&stored.document));
        let near = |(id, stored): (&DocumentId, &Stored)| {
            let vector = vector_of(&stored.document, path, dimension, metric).ok()??;
            Some((id.clone(), distance(metric, &query, &vector)))
        };
        matching.filter_map(near).collect()
    }
}

/// The smallest value that a path reaches, or the largest; none before null.
fn extreme<'a>(document: &'a Document, path: &str, largest: bool) -> Option<&'a Value> {
    let mut reached = Vec::new();
    traverse::visit(document, &Path::from(path), &mut |value| reached.push(value));
    if largest { reached.into_iter().max() } else { reached.into_iter().min() }
}

fn vector_of(document: &Document, path: &str, dimension: usize, metric: Metric) -> Result<Option<Vec<f64>>, ErrorKind> {
    let mut reached = Vec::new();
    traverse::visit(document, &Path::from(path), &mut |value| reached.push(value));
    let numbers: Vec<f64> = match reached.as_slice() {
        [] | [Value::Null] => return Ok(None),
        [Value::Vector(Vector::F32(numbers))] => numbers.iter().copied().map(f64::from).collect(),
        [Value::Vector(Vector::I8(numbers))] => numbers.iter().copied().map(f64::from).collect(),
        [Value::Array(elements)] => elements
            .iter()
            .map(|element| match element {
                Value::Float(number) => Ok(*number),
                Value::Int(number) => Ok(*number as f64),
                Value::UInt(number) => Ok(*number as f64),
                _ => Err(ErrorKind::Invalid),
            })
            .collect::<Result<_, _>>()?,
        _ => return Err(ErrorKind::Invalid),
    };
    let length = numbers.iter().map(|number| number * number).sum::<f64>().sqrt();
    let comparable = length <= 1e18 && (length > 0.0 || metric != Metric::Cosine); // not so NaN
    if numbers.len() == dimension && comparable { Ok(Some(numbers)) } else { Err(ErrorKind::Invalid) }
}

fn distance(metric: Metric, a: &[f64], b: &[f64]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let distance = match metric {
        Metric::L2 => a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt(),
        Metric::Dot => -dot(a, b),
        _ => 1.0 - dot(a, b) / (dot(a, a) * dot(b, b)).sqrt(),
    };
    distance + 0.0 // one zero
}

fn on_keyspace(pairs: &mut BTreeMap<Vec<u8>, Vec<u8>>, on: &OnKeyspace) -> Outcome {
    let inside = |keys: &Keys, key: &Vec<u8>| (keys.0.as_ref(), keys.1.as_ref()).contains(key);
    let range = |pairs: &BTreeMap<Vec<u8>, Vec<u8>>, keys: &Keys| {
        let inside = pairs.iter().filter(|(key, _)| inside(keys, key));
        inside.map(|(key, value)| (key.clone(), value.clone())).collect::<Vec<_>>()
    };
    match on {
        OnKeyspace::Put(key, _) | OnKeyspace::Delete(key) | OnKeyspace::Get(key) if key.is_empty() => {
            return Err(ErrorKind::Invalid);
        }
        OnKeyspace::Put(key, value) => drop(pairs.insert(key.clone(), value.clone())),
        OnKeyspace::Delete(key) => drop(pairs.remove(key)),
        OnKeyspace::DeleteRange(keys) => pairs.retain(|key, _| !inside(keys, key)),
        OnKeyspace::Get(key) => {
            let pair = pairs.get(key).map(|value| (key.clone(), value.clone()));
            return Ok(Answer::Pairs(pair.into_iter().collect()));
        }
        OnKeyspace::Range(keys) => return Ok(Answer::Pairs(range(pairs, keys))),
        OnKeyspace::RangeReverse(keys) => return Ok(Answer::Pairs(range(pairs, keys).into_iter().rev().collect())),
        OnKeyspace::Prefix(prefix) => {
            let all = range(pairs, &(Bound::Unbounded, Bound::Unbounded));
            return Ok(Answer::Pairs(all.into_iter().filter(|(key, _)| key.starts_with(prefix)).collect()));
        }
        OnKeyspace::Count => return Ok(Answer::Count(pairs.len() as u64)),
    }
    Ok(Answer::Done)
}

/// Questions that every index of the test can answer, and that a scan can.
pub(super) fn questions() -> Vec<Filter> {
    use blaze::field;
    vec![
        Filter::everything(),
        field("a").eq(1),
        field("a").ge(1),
        field("a").exists(false),
        field("a").exists(true),
        field("a").contains("a"),
        field("b").lt(2).and(field("b").ge(0)),
        field("a").is_in([1, 2]).and(field("b").gt(0)),
        field("c.d").le(Value::from("b")),
        field("tags").contains("a"),
        field("tags").eq(Vec::<Value>::new()),
        field("items.k").eq(1).and(field("items.n").exists(true)),
        field("items.n").between(0, 2),
        field("items.0.k").exists(true),
    ]
}
