//! Indexes: how a user declares one, and what the catalog keeps of it.

mod build;
mod definition;
mod entries;

use blaze_core::key::Order;
use blaze_core::{Path, Result};
use blaze_vector::Metric;

pub(crate) use build::{check_room, complete_all, ensure, remove};
pub(crate) use definition::{IndexDefinition, IndexFields};
pub(crate) use entries::{Entries, MULTI_ENTRY, read_id, scan_range, write_id};

/// An index to be built with [`Collection::ensure_index`](crate::Collection::ensure_index).
///
/// An index over fields answers equality and ranges on them, and on its first few alone; and sorts by what follows the
/// fields that a filter fixes, up to its last field. Every document has an entry, one without the field too. A field that
/// holds an array has an entry for the whole array and one for each element, so that `contains` is answered by the index; a
/// path through an array of maps has one for each value that it reaches. No entry may exceed
/// [`INDEX_ENTRY_BYTES_MAX`](crate::limits::INDEX_ENTRY_BYTES_MAX), that of the whole array included.
///
/// ```
/// use blaze::{Database, Document, Index, Metric, field};
///
/// let db = Database::temporary()?;
/// let films = db.collection::<Document>("films")?;
/// films.ensure_index(Index::on("year").then_desc("title"))?;
/// films.ensure_index(Index::on("genres"))?;
/// films.ensure_index(Index::vector("embedding", 384).metric(Metric::Cosine))?;
/// films.insert(&Document::new().with("title", "Solaris").with("year", 1972).with("genres", vec!["Drama"]))?;
///
/// let explain = films.find(field("genres").contains("Drama")).explain()?;
/// assert_eq!(explain.index(), Some("genres"));
/// # Ok::<(), blaze::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "an index does nothing until it is ensured on a collection"]
pub struct Index {
    name: Option<String>,
    kind: IndexKind,
}

#[derive(Clone, Debug)]
enum IndexKind {
    Fields(Vec<(Path, Order)>),
    Vector { path: Path, dimension: usize, metric: Metric },
}

impl Index {
    /// An ascending index on a field. It also serves descending sorts.
    pub fn on(path: impl Into<Path>) -> Index {
        Index { name: None, kind: IndexKind::Fields(vec![(path.into(), Order::Ascending)]) }
    }

    /// An index on a field in descending order, to be continued in another: `on_desc("year").then("title")`.
    pub fn on_desc(path: impl Into<Path>) -> Index {
        Index { name: None, kind: IndexKind::Fields(vec![(path.into(), Order::Descending)]) }
    }

    /// Continues the index with an ascending field. Ignored by a vector index.
    pub fn then(self, path: impl Into<Path>) -> Index {
        self.continued(path.into(), Order::Ascending)
    }

    /// Continues the index with a descending field. Ignored by a vector index.
    pub fn then_desc(self, path: impl Into<Path>) -> Index {
        self.continued(path.into(), Order::Descending)
    }

    fn continued(mut self, path: Path, order: Order) -> Index {
        if let IndexKind::Fields(fields) = &mut self.kind {
            fields.push((path, order));
        }
        self
    }

    /// An index on a vector field for search by similarity: by the cosine, unless a metric is chosen.
    ///
    /// The field holds a vector or an array of numbers with `dimension` components, or is missing or null.
    pub fn vector(path: impl Into<Path>, dimension: usize) -> Index {
        Index { name: None, kind: IndexKind::Vector { path: path.into(), dimension, metric: Metric::Cosine } }
    }

    /// The metric of a vector index. Ignored by others.
    pub fn metric(mut self, chosen: Metric) -> Index {
        if let IndexKind::Vector { metric, .. } = &mut self.kind {
            *metric = chosen;
        }
        self
    }

    /// The name; without one, the paths make it.
    pub fn named(mut self, name: impl Into<String>) -> Index {
        self.name = Some(name.into());
        self
    }

    /// What the catalog keeps of it, checked, under a number.
    pub(crate) fn define(&self, id: u32) -> Result<IndexDefinition> {
        match &self.kind {
            IndexKind::Fields(fields) => IndexDefinition::fields(id, self.name.as_deref(), fields),
            IndexKind::Vector { path, dimension, metric } => {
                IndexDefinition::vector(id, self.name.as_deref(), path, *dimension, *metric)
            }
        }
    }
}

/// Whether an index can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IndexState {
    /// Kept up to date by every write, but not yet filled with what was there before: not used by queries.
    /// [`ensure_index`](crate::Collection::ensure_index) completes one whose building was cut short.
    Building,
    /// Complete and used.
    Ready,
}

/// What there is to know of an index.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IndexInfo {
    /// Its name.
    pub name: String,
    /// What it is on, as text: `year, title desc` or `embedding (384, cosine)`.
    pub definition: String,
    /// Whether it can be used.
    pub state: IndexState,
}

/// How far the building of an index has come.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct IndexProgress {
    /// Documents that have their entries.
    pub documents: u64,
}
