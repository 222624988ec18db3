//! Hits by the value of a field.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use blaze_core::limits::{SEARCH_GROUPS_MAX, SEARCH_LIMIT_MAX};
use blaze_core::record::Record;
use blaze_core::{DocumentId, Error, Family, Filter, Path, Predicate, Result, Value};
use blaze_vector::Hit as Near;
use serde::de::DeserializeOwned;

use super::Search;
use super::admission::{Admission, GroupTest, group_keys};
use super::exact::{Outcome, find};
use super::explain::{SearchExplain, timed};
use super::hit::Hit;
use super::prepare::Wanted;
use crate::catalog::Definition;
use crate::collection::document_key;
use crate::session::Session;

/// Documents that are found at first for each one that is asked for.
const FOUND_PER_ROW: usize = 3;

/// Documents that are found at least in one go.
const FOUND_MIN: usize = 100;

/// A search whose hits are put into groups, made by [`Search::group_by`].
#[derive(Debug)]
#[must_use = "a search does nothing until it is run"]
pub struct GroupedSearch<T> {
    search: Search<T>,
    path: Path,
    groups: usize,
    per_group: usize,
}

impl<T> Clone for GroupedSearch<T> {
    fn clone(&self) -> GroupedSearch<T> {
        GroupedSearch { search: self.search.clone(), path: self.path.clone(), ..*self }
    }
}

/// The nearest documents with the same value of a field.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct HitGroup<T> {
    /// The value.
    pub key: Value,
    /// The nearest of its documents, the nearest first.
    pub hits: Vec<Hit<T>>,
}

/// What is known of the nearest groups.
#[derive(Debug, Default)]
struct Groups {
    /// The groups in the order of their nearest documents.
    order: Vec<Value>,
    nearest: BTreeMap<Value, Vec<Near<DocumentId>>>,
    /// How each search for them was done, without its hits; and for how many the first of them was.
    searches: Vec<Outcome>,
    first_k: usize,
    /// Documents that were read to tell their groups.
    documents_examined: u64,
}

impl<T> Search<T> {
    /// Answers the nearest `groups` of documents that have a value of the path in common, and of each group the nearest
    /// `per_group`. The groups are in the order of their nearest documents.
    ///
    /// An array counts as its elements, as in [`distinct`](crate::Query::distinct), so that a document may stand in several
    /// groups; one whose field is missing or null stands in none. Together at most [`SEARCH_LIMIT_MAX`] documents and
    /// [`SEARCH_GROUPS_MAX`] groups. An index on the path helps where a group has few documents.
    ///
    /// ```
    /// use blaze::{Database, Document, Index, Metric, Value, Vector};
    ///
    /// let db = Database::in_memory()?;
    /// let pages = db.collection::<Document>("pages")?;
    /// pages.ensure_index(Index::vector("v", 1).metric(Metric::L2))?;
    /// for (book, page) in [("a", 1.0), ("a", 2.0), ("a", 3.0), ("b", 4.0), ("c", 9.0)] {
    ///     pages.insert(&Document::new().with("book", book).with("v", Vector::F32(vec![page])))?;
    /// }
    /// let groups = pages.search().nearest("v", &[0.0]).group_by("book", 2, 2).run()?;
    /// let found: Vec<_> = groups.iter().map(|group| (group.key.clone(), group.hits.len())).collect();
    /// assert_eq!(found, [(Value::from("a"), 2), (Value::from("b"), 1)]);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn group_by(self, path: impl Into<Path>, groups: usize, per_group: usize) -> GroupedSearch<T> {
        GroupedSearch { search: self, path: path.into(), groups, per_group }
    }
}

impl<T: DeserializeOwned> GroupedSearch<T> {
    /// The nearest groups, the nearest first.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when `groups` or `per_group` is zero or beyond its limit, when the path is not
    /// well-formed, or with an offset, a limit or diversity; else as [`Search::run`].
    pub fn run(&self) -> Result<Vec<HitGroup<T>>> {
        self.validate()?;
        self.search.read(|session, definition, wanted| {
            let Groups { order, mut nearest, .. } = self.find(session, definition, &wanted)?;
            let group = |key: Value| {
                let found = nearest.remove(&key).unwrap_or_default().into_iter();
                let hits = found
                    .map(|near| wanted.hit(session, definition, near)?.read(session, definition))
                    .collect::<Result<_>>()?;
                Ok(HitGroup { key, hits })
            };
            order.into_iter().map(group).collect()
        })
    }
}

impl<T> GroupedSearch<T> {
    /// Searches and says how, and what that took.
    ///
    /// Groups take one search or several: a first one, others for groups that it did not come upon, and one for each group of
    /// which it found too few documents. Path, filter, strategy and recall are those of the first, numbers are of all together,
    /// and the plan tells of each. Rows are the documents of all groups.
    ///
    /// ```
    /// use blaze::{Database, Document, Index, Metric, SearchPath, Vector};
    ///
    /// let db = Database::in_memory()?;
    /// let pages = db.collection::<Document>("pages")?;
    /// pages.ensure_index(Index::vector("v", 1).metric(Metric::L2))?;
    /// for (book, page) in [("a", 1.0), ("a", 2.0), ("a", 3.0), ("b", 4.0), ("c", 9.0)] {
    ///     pages.insert(&Document::new().with("book", book).with("v", Vector::F32(vec![page])))?;
    /// }
    /// let explain = pages.search().nearest("v", &[0.0]).group_by("book", 2, 2).explain()?;
    /// assert_eq!((explain.path, explain.rows), (SearchPath::Exact, 3));
    /// assert_eq!((explain.plan.inputs.len(), explain.vectors_examined), (1, 5));
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`run`](GroupedSearch::run), but that the type of the documents does not matter.
    pub fn explain(&self) -> Result<SearchExplain> {
        self.validate()?;
        self.search.read(|session, definition, wanted| {
            let wanted = Wanted { explains: true, ..wanted };
            let (groups, time_ms) = timed(session, || self.find(session, definition, &wanted))?;
            let Groups { nearest, searches, first_k, documents_examined, .. } = groups;
            let rows = nearest.values().map(Vec::len).sum::<usize>() as u64;
            let GroupedSearch { path, groups, per_group, .. } = self;
            let count = searches.len();
            let about = format!("{groups} groups of {per_group} by {path}, searches: {count}");
            let mut searches = searches.into_iter();
            let first = searches.next().ok_or_else(|| Error::internal("groups were found without a search"))?;
            let explain = SearchExplain::new(session.core(), &wanted, first, first_k, time_ms);
            Ok(explain.with(searches.collect(), about, (documents_examined, rows)))
        })
    }

    fn validate(&self) -> Result<()> {
        let GroupedSearch { search, path, groups, per_group } = self;
        path.validate().map_err(|error| error.context("in group_by"))?;
        if !(1..=SEARCH_GROUPS_MAX).contains(groups) {
            return Err(Error::invalid(format!("a search for {groups} groups, 1 to {SEARCH_GROUPS_MAX} are possible")));
        }
        if *per_group == 0 || groups.saturating_mul(*per_group) > SEARCH_LIMIT_MAX {
            return Err(Error::invalid(format!(
                "a search for {groups} groups of {per_group} documents, 1 to {SEARCH_LIMIT_MAX} documents are possible"
            )));
        }
        let request = &search.request;
        let refused = [
            ("an offset", request.offset > 0),
            ("a limit", request.limit.is_some()),
            ("diversity", request.diversity.is_some()),
        ];
        match refused.iter().find(|(_, there)| *there) {
            Some((what, _)) => Err(Error::invalid(format!("a search by groups cannot have {what}"))),
            None => Ok(()),
        }
    }

    fn find(&self, session: &Arc<Session>, definition: &Definition, wanted: &Wanted<'_>) -> Result<Groups> {
        let mut groups = Groups::default();
        let rows = (self.groups * self.per_group).saturating_mul(FOUND_PER_ROW).max(FOUND_MIN);
        let mut is_all = false;
        let mut is_first = true;
        // Each time, documents are found of groups that were not found before, up to the last of the groups that exist.
        while !is_all && groups.order.len() < self.groups {
            let k = if is_first { rows } else { FOUND_MIN.max(2 * (self.groups - groups.order.len())) }
                .min(SEARCH_LIMIT_MAX);
            let test = GroupTest::BesideThese(groups.order.iter().cloned().collect());
            let found = groups.search(session, definition, &self.wanted_of(wanted, test), k)?;
            is_all = found.len() < k;
            groups.take(session, definition, &self.path, self.groups, found)?;
            // Of a group that was found, the nearest documents were, too; all of them, if there are no more of any.
            groups.nearest.retain(|_, hits| {
                hits.truncate(self.per_group);
                (is_first && is_all) || hits.len() == self.per_group
            });
            is_first = false;
        }
        let has_too_few = |key: &&Value| !groups.nearest.contains_key(*key);
        let missing: Vec<Value> = groups.order.iter().filter(has_too_few).cloned().collect();
        for key in missing {
            let of_group = self.wanted_of(wanted, GroupTest::In(key.clone()));
            let found = groups.search(session, definition, &of_group, self.per_group)?;
            groups.nearest.insert(key, found);
        }
        Ok(groups)
    }

    /// What is wanted, of certain groups.
    fn wanted_of<'a>(&self, wanted: &Wanted<'a>, test: GroupTest) -> Wanted<'a> {
        let mut filter = wanted.admission.filter.clone();
        if let GroupTest::In(key) = &test {
            // No more than the test says; an index can tell it.
            let has = |predicate| Filter::Field(self.path.clone(), predicate);
            let is_in = has(Predicate::Eq(key.clone())).or(has(Predicate::Contains(key.clone())));
            filter = filter.and(is_in);
        }
        let group = Some((self.path.clone(), test));
        Wanted { admission: Admission { filter, group, ..wanted.admission.clone() }, ..wanted.clone() }
    }
}

impl Groups {
    /// The `k` nearest that are wanted; how they were found is kept.
    fn search(
        &mut self,
        session: &Arc<Session>,
        definition: &Definition,
        wanted: &Wanted<'_>,
        k: usize,
    ) -> Result<Vec<Near<DocumentId>>> {
        let mut outcome = find(session, definition, wanted, k)?;
        if self.searches.is_empty() {
            self.first_k = k;
        }
        let hits = std::mem::take(&mut outcome.hits);
        self.searches.push(outcome);
        Ok(hits)
    }

    /// Takes in documents that were found, the nearest first, until there are enough groups.
    fn take(
        &mut self,
        session: &Session,
        definition: &Definition,
        path: &Path,
        most: usize,
        found: Vec<Near<DocumentId>>,
    ) -> Result<()> {
        let known: BTreeSet<Value> = self.order.iter().cloned().collect();
        self.documents_examined += found.len() as u64;
        for near in found {
            for key in keys_of(session, definition, path, &near.key)? {
                if known.contains(&key) {
                    continue;
                }
                if !self.nearest.contains_key(&key) {
                    if self.order.len() == most {
                        continue;
                    }
                    self.order.push(key.clone());
                }
                self.nearest.entry(key).or_default().push(near.clone());
            }
        }
        Ok(())
    }
}

fn keys_of(session: &Session, definition: &Definition, path: &Path, id: &DocumentId) -> Result<BTreeSet<Value>> {
    let dictionary = session.core().catalog.dictionaries.get(session.core(), definition.id)?;
    let mut keys = BTreeSet::new();
    session.visit(Family::Data, &document_key(definition.id, id), &mut |bytes| {
        let record = Record::open(bytes, &dictionary);
        keys = record
            .and_then(|record| group_keys(&record.document().with_id(id), path))
            .map_err(|error| error.context(format!("document {id:?}")))?;
        Ok(())
    })?;
    Ok(keys)
}
