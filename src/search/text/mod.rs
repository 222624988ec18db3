//! Search by text, alone or together with similarity.

mod explain;
mod facet;
mod find;
mod fusion;
mod highlights;
mod hit;
mod like;
mod node;
mod prepare;
mod rank;
mod request;
mod run;
mod select;
mod suggest;
mod target;
mod words;

use blaze_core::{DocumentId, Filter, Path, Vector};

use super::Search;
use super::prepare::Target as Near;
use crate::Highlighter;
use crate::collection::Collection;
pub use explain::{HitExplain, TermExplain, TermScore, TextExplain};
pub use fusion::Fusion;
pub use hit::{Highlight, PartialTextHit, TextHit, TextIdHit};
pub use rank::{TextRank, VectorRank};
use request::{Target, TextRequest};
pub use select::TextSelect;
pub use suggest::{Suggest, Suggestion};
pub use target::TextTarget;

/// A search for the documents that match a text best, made by [`Search::text`] and [`Search::more_like`].
///
/// It needs an index of [text](crate::Index::text), and finds what is committed and what its transaction has written: the index
/// is never behind the documents. A [snapshot](crate::Snapshot) and a view of the [past](crate::Database::as_of) find the texts
/// that they see, the latter by reading all documents. The score is that of BM25 (`k1` 1.2, `b` 0.75), each field by itself with
/// the lengths of its texts, summed over the words and fields, and by the boosts of both. The best are found exactly.
///
/// A snapshot or transaction that is older than the last two times that the index was folded, or than its first use since the
/// database was opened, reads the lengths of all texts and all unfolded changes first, and keeps them for its other searches if
/// they take little of [the memory](crate::DatabaseBuilder::text_memory_bytes): it answers the same, later.
///
/// Equally good documents come in no certain order, which may change when the index is folded, though nothing is written. Who
/// turns pages with [`offset`](TextSearch::offset) takes a [snapshot](crate::Database::snapshot).
///
/// With [`nearest`](TextSearch::nearest), [`nearest_text`](TextSearch::nearest_text) or [`similar_to`](TextSearch::similar_to) it
/// is a hybrid search, of texts and vectors at one read point: a document may match the text, or be near to the vector, or both.
/// See [`Fusion`] for the order.
///
/// ```
/// use blaze::{Database, Document, Index, field};
///
/// let db = Database::in_memory()?;
/// let films = db.collection::<Document>("films")?;
/// films.ensure_index(Index::text(["title", "plot"]))?;
/// for (title, plot, year) in [
///     ("Solaris", "A psychologist travels to a space station above an ocean that thinks.", 1972),
///     ("Stalker", "A guide leads two men to a room that grants wishes.", 1979),
///     ("Gravity", "Two astronauts are adrift after their station is destroyed.", 2013),
/// ] {
///     films.insert_with_id(title, &Document::new().with("title", title).with("plot", plot).with("year", year))?;
/// }
/// let hits = films.search().text("space station").filter(field("year").lt(2000)).run()?;
/// assert_eq!(hits.len(), 1);
/// assert_eq!((hits[0].id.to_string().as_str(), hits[0].by_text.unwrap().rank), ("Solaris", 1));
/// # Ok::<(), blaze::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "a search does nothing until it is run"]
pub struct TextSearch<T> {
    collection: Collection<T>,
    request: TextRequest,
}

impl<T> Clone for TextSearch<T> {
    fn clone(&self) -> TextSearch<T> {
        TextSearch { collection: self.collection.clone(), request: self.request.clone() }
    }
}

impl<T> Search<T> {
    /// The text to be found: a query as people write it, or a [`TextQuery`](crate::TextQuery).
    ///
    /// What a search by similarity has said before, of the vector, its index and how wide it is to go, holds for the vector
    /// alone, as [`within`](Search::within) and [`min_score`](Search::min_score) do; filter, limit and offset hold for both.
    /// So it is if it has a vector by then: said before `text` and without a vector, the [index](Search::index) and the smallest
    /// score are those of the [text](TextSearch), whatever comes behind.
    ///
    /// ```
    /// use blaze::{Database, Document, Index, Vector};
    ///
    /// let db = Database::in_memory()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.ensure_index(Index::text(["title"]))?;
    /// films.ensure_index(Index::vector("mood", 2))?;
    /// for (title, mood) in [("Space Opera", [0.0, 1.0]), ("Spaceballs", [1.0, 0.1]), ("Solaris", [0.1, 1.0])] {
    ///     films.insert_with_id(title, &Document::new().with("title", title).with("mood", Vector::F32(mood.to_vec())))?;
    /// }
    /// let hits = films.search().text("space").nearest("mood", &[0.1, 1.0]).run()?;
    /// assert_eq!(hits.iter().map(|hit| hit.id.to_string()).collect::<Vec<_>>(), ["Space Opera", "Solaris", "Spaceballs"]);
    /// assert_eq!((hits[0].by_text.unwrap().rank, hits[0].by_vector.unwrap().rank), (1, 2));
    /// # Ok::<(), blaze::Error>(())
    /// ```
    #[doc(alias = "bm25")]
    pub fn text(self, query: impl Into<TextTarget>) -> TextSearch<T> {
        let Search { collection, request } = self;
        TextSearch { collection, request: TextRequest::new(Target::Query(query.into()), request) }
    }

    /// Documents to be like in their words: what is searched for are the words that tell most of them, at most 25, those that are
    /// frequent in these documents and rare in others. They are no hits themselves.
    ///
    /// ```
    /// use blaze::{Database, Document, Index};
    ///
    /// let db = Database::in_memory()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.ensure_index(Index::text(["plot"]))?;
    /// for (title, plot) in [
    ///     ("Alien", "the crew of a spaceship meets a monster"),
    ///     ("Life", "the crew of a station meets a monster"),
    ///     ("Amélie", "a waitress in the city of Paris changes the lives of others"),
    /// ] {
    ///     films.insert_with_id(title, &Document::new().with("plot", plot))?;
    /// }
    /// let hits = films.search().more_like(["Alien"]).run()?;
    /// assert_eq!(hits[0].id.to_string(), "Life");
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// When it is run: [`NotFound`](crate::ErrorKind::NotFound) when one of the documents is not there;
    /// [`Invalid`](crate::ErrorKind::Invalid) when none is named; [`LimitExceeded`](crate::ErrorKind::LimitExceeded) for more than
    /// [`SEARCH_EXAMPLES_MAX`](crate::limits::SEARCH_EXAMPLES_MAX).
    #[doc(alias = "mlt")]
    pub fn more_like<I: Into<DocumentId>>(self, ids: impl IntoIterator<Item = I>) -> TextSearch<T> {
        let Search { collection, request } = self;
        let ids = ids.into_iter().map(Into::into).collect();
        TextSearch { collection, request: TextRequest::new(Target::Like(ids), request) }
    }
}

impl<T> TextSearch<T> {
    /// The name of the text index to be searched. Without, it is the first one that has all fields that the query names.
    pub fn index(mut self, name: impl Into<String>) -> TextSearch<T> {
        self.request.index = Some(name.into());
        self
    }

    /// Only documents that match.
    ///
    /// Where other indexes find few documents that match, these are found first, and scored; else documents are checked that
    /// would enter the answer. [`explain`](TextSearch::explain) tells.
    pub fn filter(mut self, filter: impl Into<Filter>) -> TextSearch<T> {
        self.request.filter = filter.into();
        self
    }

    /// At most so many documents, 1 to [`SEARCH_LIMIT_MAX`](crate::limits::SEARCH_LIMIT_MAX) together with the offset; 10 by
    /// default.
    pub fn limit(mut self, documents: usize) -> TextSearch<T> {
        self.request.limit = Some(documents);
        self
    }

    /// Leaves out so many documents at the beginning. For pages of one list, see what [`TextSearch`] says of the order.
    pub fn offset(mut self, documents: usize) -> TextSearch<T> {
        self.request.offset = documents;
        self
    }

    /// Only documents of this [score](TextHit::score) or a larger one: of a hybrid search, that which the fusion makes. By
    /// reciprocal ranks, that is 2 / 61 at most unless their constant is another.
    pub fn min_score(mut self, score: f32) -> TextSearch<T> {
        self.request.min_score = Some(score);
        self
    }

    /// Makes it a hybrid search: the vector to be near to, as in [`Search::nearest`]. Where more is to be said of the search by
    /// vectors, say it first: `search().nearest(field, vector).ef(200).text(query)`.
    pub fn nearest(mut self, path: impl Into<Path>, vector: impl Into<Vector>) -> TextSearch<T> {
        self.request.vector.target = Some(Near::Vector(path.into(), vector.into()));
        self
    }

    /// Makes it a hybrid search: the text whose vector to be near to, as in [`Search::nearest_text`].
    pub fn nearest_text(mut self, path: impl Into<Path>, text: impl Into<String>) -> TextSearch<T> {
        self.request.vector.target = Some(Near::Text(path.into(), text.into()));
        self
    }

    /// Makes it a hybrid search: documents whose vectors to be near to, as in [`Search::similar_to`]. They are no hits
    /// themselves, even if they match the text.
    pub fn similar_to<I: Into<DocumentId>>(
        mut self,
        path: impl Into<Path>,
        ids: impl IntoIterator<Item = I>,
    ) -> TextSearch<T> {
        let ids = ids.into_iter().map(Into::into).collect();
        self.request.vector.target = Some(Near::Documents(path.into(), ids));
        self
    }

    /// How a hybrid search makes one list of two; by reciprocal ranks, by default.
    ///
    /// ```
    /// use blaze::{Database, Document, Fusion, Index, Vector};
    ///
    /// let db = Database::in_memory()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.ensure_index(Index::text(["title"]))?;
    /// films.ensure_index(Index::vector("mood", 2))?;
    /// for (title, mood) in [("Space Opera", [0.0, 1.0]), ("Spaceballs", [1.0, 0.1])] {
    ///     films.insert_with_id(title, &Document::new().with("title", title).with("mood", Vector::F32(mood.to_vec())))?;
    /// }
    /// let search = films.search().text("space").nearest("mood", &[1.0, 0.0]);
    /// let hits = search.clone().fusion(Fusion::Weighted { text: 0.8, vector: 0.2 }).run()?;
    /// assert_eq!((hits[0].id.to_string().as_str(), hits[0].score), ("Space Opera", 0.8));
    /// let hits = search.fusion(Fusion::Weighted { text: 0.2, vector: 0.8 }).run()?;
    /// assert_eq!((hits[0].id.to_string().as_str(), hits[0].score), ("Spaceballs", 0.8));
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn fusion(mut self, fusion: Fusion) -> TextSearch<T> {
        self.request.fusion = Some(fusion);
        self
    }

    /// How many documents of each list a hybrid search looks at: 100 by default, or as many as are asked for, if these are more.
    /// More may change the order, since a document then is in both lists that was in one.
    pub fn candidates(mut self, documents: usize) -> TextSearch<T> {
        self.request.candidates = Some(documents);
        self
    }

    /// Has hits say which parts of a field of the index match, as the default [`Highlighter`] shows them; may be said of several
    /// fields. See [`TextHit::highlights`]. The words of a phrase are marked wherever they are, also apart from each other.
    ///
    /// ```
    /// use blaze::{Database, Document, Index};
    ///
    /// let db = Database::in_memory()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.ensure_index(Index::text(["plot"]))?;
    /// films.insert(&Document::new().with("plot", "An ocean that thinks"))?;
    /// let hits = films.search().text("OCEAN").highlight("plot").run()?;
    /// assert_eq!(hits[0].highlights[0].snippets[0].text, "An <mark>ocean</mark> that thinks");
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn highlight(self, path: impl Into<Path>) -> TextSearch<T> {
        self.highlight_with(path, Highlighter::default())
    }

    /// As [`highlight`](TextSearch::highlight), in a way of your own.
    pub fn highlight_with(mut self, path: impl Into<Path>, highlighter: Highlighter) -> TextSearch<T> {
        self.request.highlights.push((path.into(), highlighter));
        self
    }
}
