//! Indexes: how a user declares one, and what the catalog keeps of it.

mod build;
mod chunks;
mod covered;
mod definition;
mod embedded;
mod ensure;
mod entries;
mod fill;
mod remove;
mod replace;
mod subject;
mod text;
mod text_entries;
mod text_rows;
mod traits;
mod unique;
mod vector;
mod vector_entries;

use std::time::Duration;

use blaze_core::key::Order;
use blaze_core::{Error, Filter, Path, Result};
use blaze_vector::{Code, Copies, Metric};

pub(crate) use build::{complete_all, rebuild};
pub(crate) use covered::covered_values;
use definition::Rules;
pub(crate) use definition::{IndexDefinition, IndexFields};
pub(crate) use ensure::{check_room, ensure};
pub(crate) use entries::{BUILD_POSITION, Entries, is_entry, read_id, scan_range, write_id};
pub(crate) use remove::{remove, rename};
pub(crate) use replace::replace;
pub(crate) use text::{TextField, TextFields};
pub(crate) use text_rows::TextChange;
pub(crate) use traits::Traits;
pub(crate) use unique::{check_unique, is_own, owner, violation};
pub use vector::OnMismatch;
pub(crate) use vector::{Components, VectorFields, Width, validate_ef, validate_model};
pub(crate) use vector_entries::{id_bytes, placed_rows, vector_id, visit_rows};

use crate::embedding::SharedEmbedder;

/// An index to be built with [`Collection::ensure_index`](crate::Collection::ensure_index).
///
/// An index over fields answers equality and ranges on them, and on its first few alone; and sorts by what follows the
/// fields that a filter fixes, up to its last field. Every document has an entry, one without the field too. A field that
/// holds an array has an entry for the whole array and one for each element, so that `contains` is answered by the index; a
/// path through an array of maps has one for each value that it reaches.
///
/// A value whose encoding exceeds [`INDEX_VALUE_BYTES_MAX`](crate::limits::INDEX_VALUE_BYTES_MAX), such as a long string or a
/// whole array, is cut there. Once an index has such an entry, what it finds is checked on the documents, and it spares no
/// sort. No entry may exceed [`INDEX_ENTRY_BYTES_MAX`](crate::limits::INDEX_ENTRY_BYTES_MAX).
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
    rules: Rules,
    embedder: Option<SharedEmbedder>,
}

#[derive(Clone, Debug)]
enum IndexKind {
    Fields(Vec<(Path, Order)>),
    Vector(VectorFields),
    Text(text::TextDraft),
}

impl Index {
    fn new(kind: IndexKind) -> Index {
        Index { name: None, kind, rules: Rules::default(), embedder: None }
    }

    /// An ascending index on a field. It also serves descending sorts.
    pub fn on(path: impl Into<Path>) -> Index {
        Index::new(IndexKind::Fields(vec![(path.into(), Order::Ascending)]))
    }

    /// An index on a field in descending order, to be continued in another: `on_desc("year").then("title")`.
    pub fn on_desc(path: impl Into<Path>) -> Index {
        Index::new(IndexKind::Fields(vec![(path.into(), Order::Descending)]))
    }

    /// Continues the index with an ascending field. Ignored by vector and text indexes.
    pub fn then(self, path: impl Into<Path>) -> Index {
        self.continued(path.into(), Order::Ascending)
    }

    /// Continues the index with a descending field. Ignored by vector and text indexes.
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
    /// The field holds a vector or an array of numbers with `dimension` components, or is missing or null: then the document
    /// is not indexed. With [`Metric::Hamming`] it holds a vector of `dimension` bits, a multiple of eight. Several indexes may
    /// be on one field, under different names.
    ///
    /// From 4,096 vectors on the index has a graph in memory, which proposes what may be near; the documents at the moment of the
    /// search, with what its transaction has written, decide. What is committed is found at once and linked into the graph in
    /// the background; more than 4,096 vectors that wait for that make the next writer of the index wait, too. The graph is
    /// written to the database now and then and when that is closed, and read by the first search. While there is none, and
    /// for views from before it was read, all vectors are looked at.
    ///
    /// A search in a serializable transaction counts as reading all vectors of the index: the transaction conflicts with every
    /// later commit that changes one of them.
    ///
    /// ```
    /// use blaze::{Database, Document, Index, Metric, Vector};
    ///
    /// let db = Database::in_memory()?;
    /// let images = db.collection::<Document>("images")?;
    /// images.ensure_index(Index::vector("fingerprint", 16).metric(Metric::Hamming))?;
    /// images.insert_with_id("a", &Document::new().with("fingerprint", Vector::Bits(vec![0b1111_0000, 0])))?;
    /// images.insert_with_id("b", &Document::new().with("fingerprint", Vector::Bits(vec![0b1111_1111, 1])))?;
    /// let hits = images.search().nearest("fingerprint", Vector::Bits(vec![0b1111_0001, 0])).run()?;
    /// assert_eq!((hits[0].id.to_string().as_str(), hits[0].distance), ("a", 1.0));
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn vector(path: impl Into<Path>, dimension: usize) -> Index {
        Index::new(IndexKind::Vector(VectorFields::new(path.into(), dimension)))
    }

    /// An index on several vectors of each document, as of the chunks of a text: as [`vector`](Index::vector), but that the path
    /// may lead through arrays and reach many.
    ///
    /// Each value that the path reaches is a vector, or an array of them; an array that begins with a number is a vector itself.
    /// A document has at most [`VECTORS_PER_DOCUMENT_MAX`](crate::limits::VECTORS_PER_DOCUMENT_MAX). A search finds documents,
    /// each once and by the nearest of its vectors: [`Hit::chunk`](crate::Hit::chunk) says which. Vectors are kept by what they
    /// are: when one of a document is changed, or they are put in another order, only what has changed is written and linked.
    ///
    /// ```
    /// use blaze::{Database, Document, Index, Value, Vector};
    ///
    /// let db = Database::in_memory()?;
    /// let books = db.collection::<Document>("books")?;
    /// books.ensure_index(Index::vectors("chunks.embedding", 2))?;
    /// let chunk = |text: &str, numbers: [f32; 2]| {
    ///     Value::from(Document::new().with("text", text).with("embedding", Vector::F32(numbers.to_vec())))
    /// };
    /// let chunks = vec![chunk("Call me Ishmael.", [1.0, 0.1]), chunk("The whale surfaced.", [0.0, 1.0])];
    /// books.insert_with_id("Moby Dick", &Document::new().with("chunks", chunks))?;
    /// books.insert_with_id("Solaris", &Document::new().with("chunks", vec![chunk("At 19.00 hours", [0.9, 0.5])]))?;
    ///
    /// let hits = books.search().nearest("chunks.embedding", &[0.0, 1.0]).limit(2).run()?;
    /// let texts: Vec<_> = hits
    ///     .iter()
    ///     .filter_map(|hit| hit.get("chunks")?.as_array()?.get(hit.chunk?)?.as_map()?.get("text")?.as_str())
    ///     .collect();
    /// assert_eq!(texts, ["The whale surfaced.", "At 19.00 hours"]);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    #[doc(alias = "chunks")]
    pub fn vectors(path: impl Into<Path>, dimension: usize) -> Index {
        Index::vector(path, dimension).of_vector(|vector| vector.several = true)
    }

    /// The metric of a vector index. Ignored by others.
    pub fn metric(self, chosen: Metric) -> Index {
        self.of_vector(|vector| vector.metric = chosen)
    }

    /// The label of what makes the vectors of the index: vectors of different models cannot be compared. Ignored by others.
    ///
    /// An index keeps the label that it was made with: ensuring it with another one is an error, and so is a
    /// [search](crate::Search::model) that states another one. [`replace_index`](crate::Collection::replace_index) goes over
    /// to the next model.
    ///
    /// ```
    /// use blaze::{Database, Document, Index};
    ///
    /// let db = Database::in_memory()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.ensure_index(Index::vector("embedding", 2).model("small-v1"))?;
    /// let error = films.ensure_index(Index::vector("embedding", 2).model("small-v2")).unwrap_err();
    /// assert!(error.to_string().contains("small-v1") && error.to_string().contains("small-v2"));
    /// let search = films.search().nearest("embedding", &[1.0, 0.0]);
    /// assert!(search.clone().model("small-v1").run().is_ok());
    /// assert!(search.model("small-v2").run().is_err());
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn model(self, label: impl Into<String>) -> Index {
        let label = label.into();
        self.of_vector(|vector| vector.model = Some(label))
    }

    /// What becomes of documents whose field holds no vector of the dimension and the kind of a vector index: refused, unless
    /// something else is chosen. Ignored by others.
    ///
    /// ```
    /// use blaze::{Database, Document, Index, OnMismatch, Vector};
    ///
    /// let db = Database::in_memory()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.ensure_index(Index::vector("embedding", 2).on_mismatch(OnMismatch::Skip))?;
    /// films.insert(&Document::new().with("embedding", Vector::F32(vec![1.0, 2.0, 3.0])))?;
    /// assert!(films.search().nearest("embedding", &[1.0, 0.0]).run()?.is_empty());
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn on_mismatch(self, chosen: OnMismatch) -> Index {
        self.of_vector(|vector| vector.on_mismatch = chosen)
    }

    /// The precision in which a vector index keeps its copies of the vectors: single, unless another one is chosen. Ignored by
    /// others.
    ///
    /// Distances are those to the copies. The documents keep their vectors as they were written.
    ///
    /// ```
    /// use blaze::{Copies, Database, Document, Index, Metric, Vector};
    ///
    /// let db = Database::in_memory()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.ensure_index(Index::vector("embedding", 2).metric(Metric::L2).copies(Copies::F16))?;
    /// films.insert(&Document::new().with("embedding", Vector::F32(vec![0.1, 0.0])))?;
    /// let hits = films.search().nearest("embedding", &[0.1, 0.0]).run()?;
    /// assert!(hits[0].distance > 0.0 && hits[0].distance < 1e-4);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn copies(self, chosen: Copies) -> Index {
        self.of_vector(|vector| vector.copies = chosen)
    }

    /// How the graph of a vector index holds vectors in memory: in eight bits for each number, unless four are chosen, which
    /// take half the memory and have more rows compared in full; bits are always held as they are. Ignored by others.
    ///
    /// ```
    /// use blaze::{Database, Document, Index, VectorCode};
    ///
    /// let db = Database::in_memory()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.ensure_index(Index::vector("embedding", 768).code(VectorCode::Four))?;
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn code(self, chosen: Code) -> Index {
        self.of_vector(|vector| vector.code = Some(chosen))
    }

    /// Half the links that a node has room for in the graph of a vector index, 2 to 128; 16 by default. More find more, and
    /// take memory and time. Ignored by others.
    ///
    /// ```
    /// use blaze::{Database, Document, Index};
    ///
    /// let db = Database::in_memory()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.ensure_index(Index::vector("embedding", 768).m(24).ef_construction(300))?;
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn m(self, links: usize) -> Index {
        self.of_vector(|vector| vector.m = links)
    }

    /// How many candidates the links of a new node are chosen from in the graph of a vector index, `m` to 4,096; 200 by
    /// default. More make better links, and take time. Ignored by others.
    pub fn ef_construction(self, candidates: usize) -> Index {
        self.of_vector(|vector| vector.ef_construction = candidates)
    }

    /// How many candidates a search keeps on its way through the graph of a vector index, unless it
    /// [says](crate::Search::ef) so itself: 1 to [`SEARCH_EF_MAX`](crate::limits::SEARCH_EF_MAX), 100 by default. More find
    /// more, and take time. Ignored by others.
    ///
    /// ```
    /// use blaze::{Database, Document, Index};
    ///
    /// let db = Database::in_memory()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.ensure_index(Index::vector("embedding", 384).m(24).ef_construction(300).ef(200))?;
    /// let refused = films.ensure_index(Index::vector("other", 384).m(1)).unwrap_err();
    /// assert!(refused.to_string().ends_with("the index on other: m is 1, not 2 to 128"), "{refused}");
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn ef(self, candidates: usize) -> Index {
        self.of_vector(|vector| vector.ef = Some(candidates))
    }

    /// The recall that searches of a vector index are to reach, in place of [`ef`](Index::ef): the part of the true nearest
    /// that they find, in the mean over searches, 0.5 to 0.999. Ignored by others.
    ///
    /// How wide a search has to be for that is measured, in the background, once the graph of the index is there: 1,000 of the
    /// vectors, for a recall above 0.997 up to 3,000, are searched for as if they were not stored, with one width after the
    /// other, and what is found is compared with what there is. A width will do if the recall of all such searches is at least
    /// the one asked for, with a confidence of 95 %. Searches among 50, 10 and 1 % of the vectors are measured apart.
    /// Until it is measured, and where no width will do, all vectors are looked at, so that the recall is reached in any
    /// case. It is measured again when there are twice as many vectors, or half as many; what was measured before is used
    /// meanwhile.
    ///
    /// Stored vectors say what searches find that are like them. Where queries are unlike, as those of texts in another
    /// language are, [`calibrate_index`](crate::Collection::calibrate_index) measures with given ones.
    /// [`index_calibration`](crate::Collection::index_calibration) tells what was measured, and
    /// [`explain`](crate::Search::explain) what of that a search went by.
    ///
    /// ```
    /// use blaze::{Database, Document, Index};
    ///
    /// let db = Database::in_memory()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.ensure_index(Index::vector("embedding", 384).recall(0.99))?;
    /// assert_eq!(films.indexes()?[0].definition, "embedding (384, cosine, recall 0.99)");
    /// let refused = films.ensure_index(Index::vector("other", 384).recall(0.99).ef(200)).unwrap_err();
    /// assert!(refused.to_string().ends_with("it has ef 200 and a recall of 0.99, one of them is possible"), "{refused}");
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn recall(self, wanted: f64) -> Index {
        self.of_vector(|vector| vector.recall = Some(wanted))
    }

    fn of_vector(mut self, change: impl FnOnce(&mut VectorFields)) -> Index {
        if let IndexKind::Vector(vector) = &mut self.kind {
            change(vector);
        }
        self
    }

    /// Allows no two documents with the same values in all fields of the index.
    ///
    /// As with the nulls of SQL, a document in which one of the fields is missing or null is not constrained. Values are equal
    /// as in filters: `1` and `1.0` are. Of an array each element is constrained, and not the whole: no other document may
    /// have an equal element, while equal elements of one array do no harm; through an array of maps, likewise each value. An
    /// element is never taken for a value that stands alone.
    /// Writing what another document has is [`AlreadyExists`](crate::ErrorKind::AlreadyExists), in every isolation. A value
    /// whose encoding exceeds [`INDEX_VALUE_BYTES_MAX`](crate::limits::INDEX_VALUE_BYTES_MAX) is
    /// [`LimitExceeded`](crate::ErrorKind::LimitExceeded). Vector and text indexes cannot be unique.
    ///
    /// ```
    /// use blaze::{Database, Document, ErrorKind, Index};
    ///
    /// let db = Database::temporary()?;
    /// let users = db.collection::<Document>("users")?;
    /// users.ensure_index(Index::on("email").unique())?;
    /// users.insert_with_id(1, &Document::new().with("email", "ann@example.org"))?;
    /// let error = users.insert_with_id(2, &Document::new().with("email", "ann@example.org")).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    /// users.insert_with_id(2, &Document::new())?;
    /// users.insert_with_id(3, &Document::new())?;
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn unique(mut self) -> Index {
        self.rules.unique = true;
        self
    }

    /// Makes it a partial index: only documents that match `filter` have entries.
    ///
    /// It is smaller, and a unique one constrains these documents only. A query uses it when its own filter implies this
    /// one: for each term here it has a term on the same path that no other value could satisfy. The filter may take
    /// [`INDEX_FILTER_BYTES_MAX`](crate::limits::INDEX_FILTER_BYTES_MAX) bytes. A search uses a partial vector index
    /// likewise when its filter implies this one.
    ///
    /// ```
    /// use blaze::{Database, Document, Index, field};
    ///
    /// let db = Database::temporary()?;
    /// let orders = db.collection::<Document>("orders")?;
    /// orders.ensure_index(Index::on("due").only(field("state").eq("open")))?;
    /// orders.insert(&Document::new().with("state", "open").with("due", 7))?;
    /// let open = orders.find(field("state").eq("open").and(field("due").lt(9)));
    /// assert_eq!(open.explain()?.index(), Some("due"));
    /// assert_eq!(orders.find(field("due").lt(9)).explain()?.index(), None);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn only(mut self, filter: impl Into<Filter>) -> Index {
        self.rules.only = Some(filter.into());
        self
    }

    /// Has documents expire: one is removed `after` the time in its field, which must be the only one of the index.
    ///
    /// A document whose field holds no time never expires; of several times, in an array or through one, the earliest counts.
    /// Expired documents are removed in the background and by commits, some at a time, by ordinary commits: with their
    /// entries, their rows in the change feed and their history. Until then they are seen and may be written; one whose time
    /// has moved ahead by then stays. It happens by the clock of retention, which is believed only while it goes on plausibly,
    /// and only once the index is complete. Whole milliseconds count. Vector and text indexes cannot have documents expire.
    ///
    /// ```
    /// use std::time::Duration;
    /// use blaze::{Database, Document, Index};
    ///
    /// let db = Database::temporary()?;
    /// let sessions = db.collection::<Document>("sessions")?;
    /// sessions.ensure_index(Index::on("seen").expire_after(Duration::from_secs(3_600)))?;
    /// assert_eq!(sessions.indexes()?[0].expire_after, Some(Duration::from_secs(3_600)));
    /// # Ok::<(), blaze::Error>(())
    /// ```
    #[doc(alias = "ttl")]
    pub fn expire_after(mut self, after: Duration) -> Index {
        self.rules.expire_after = Some(after);
        self
    }

    /// The name; without one, the paths make it.
    pub fn named(mut self, name: impl Into<String>) -> Index {
        self.name = Some(name.into());
        self
    }

    /// What the catalog keeps of it, checked, under a number.
    pub(crate) fn define(&self, id: u32) -> Result<IndexDefinition> {
        let definition = match &self.kind {
            IndexKind::Fields(fields) => IndexDefinition::fields(id, self.name.as_deref(), fields),
            IndexKind::Vector(vector) => IndexDefinition::vector(id, self.name.as_deref(), &self.with_model(vector)?),
            IndexKind::Text(text) => IndexDefinition::text(id, self.name.as_deref(), &text.finish()?),
        };
        definition?.with_rules(&self.rules)
    }
}

impl Index {
    /// As [`define`](Index::define), to be built beside the index of a name and to take its place.
    pub(crate) fn define_in_place_of(&self, name: &str, id: u32) -> Result<IndexDefinition> {
        match &self.name {
            Some(own) if own != name => Err(Error::invalid(format!(
                "the index {name:?} is to be replaced by one that is named {own:?}: leave the name out, or rename the index"
            ))),
            _ => Ok(self.define(id)?.in_place_of(name)),
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
    /// What it is on, as text, with its rules: `year, title desc`, `email, unique`, `embedding (384, cosine)` or `text of title (words)`.
    pub definition: String,
    /// Whether it can be used.
    pub state: IndexState,
    /// True if no two documents may have the same values.
    pub unique: bool,
    /// The filter of a partial index.
    pub only: Option<Filter>,
    /// How long after the time in the field documents expire, if they do.
    pub expire_after: Option<Duration>,
    /// The label of what makes the vectors of a vector index, if it has one.
    pub model: Option<String>,
    /// What is being built to [replace](crate::Collection::replace_index) it, as text.
    pub replacement: Option<String>,
    /// About how many bytes it takes, in memory and on disk, compressed as it is there; what was overwritten or deleted
    /// counts until it is compacted away. In a database in memory it is counted entry by entry.
    pub bytes_used: u64,
}

/// How far the building of an index has come.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct IndexProgress {
    /// Documents that this call has looked at: those that a build which was cut short had come to are not among them.
    pub documents: u64,
    /// How many of them this call has had embedded: by an index that replaces another one, which it does only when it has all
    /// vectors. Others are embedded after it.
    pub embedded: u64,
    /// How many documents it was to look at when it began, if the collection counts its documents. Those that come and go
    /// meanwhile are not followed: at the end it may have looked at a few more or fewer.
    pub expected: Option<u64>,
    /// How many vectors are linked in the graph of an index that replaces another one, which it does only when it has its graph.
    /// Other indexes on vectors get theirs after they are built, of which
    /// [`stats`](crate::Database::stats) tell.
    pub linked: u64,
}
