//! What makes vectors of texts: the user's, called from here alone.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use blaze_core::{Error, Result};

/// Makes vectors of texts: a model in the process, or who calls a server. See [`Index::embed_from`](crate::Index::embed_from).
///
/// It is called from one thread of the process for all databases, and from the threads of those who call
/// [`Database::settle`](crate::Database::settle) or [`replace_index`](crate::Collection::replace_index): for documents, one call
/// at a time in each database. Queries call it from their threads besides, so that calls may overlap. No transaction is open
/// meanwhile, and the embedder may read and write its database. Nothing in it may wait for `settle` or `replace_index` there, nor
/// for an `ensure_index` that goes on with a replacement: on the thread of the call they answer
/// [`Invalid`](crate::ErrorKind::Invalid), on another one they would wait for ever. A panic is a failure of the call and does no
/// other harm.
///
/// ```
/// use blaze::{Embedder, Result};
///
/// /// Counts vowels.
/// struct Vowels;
///
/// impl Embedder for Vowels {
///     fn model(&self) -> &str {
///         "vowels-v1"
///     }
///
///     fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
///         let count = |text: &str, vowel| 1.0 + text.chars().filter(|letter| *letter == vowel).count() as f32;
///         Ok(texts.iter().map(|text| "aeiou".chars().map(|vowel| count(text, vowel)).collect()).collect())
///     }
/// }
///
/// assert_eq!(Vowels.embed_query("blaze")?, [2.0, 2.0, 1.0, 1.0, 1.0]);
/// # Ok::<(), blaze::Error>(())
/// ```
pub trait Embedder: Send + Sync {
    /// The label of the model, the same for as long as its vectors can be compared: an index whose label is another one
    /// embeds everything anew.
    fn model(&self) -> &str;

    /// The vectors of texts, one for each, in their order.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when a text will never have a vector: it is not tried again before it changes
    /// or another embedder comes. Anything else, such as [`Unavailable`](crate::ErrorKind::Unavailable), when it may have one
    /// later: it is tried again. When one of several texts is to blame the call may fail as a whole; they are then tried one
    /// by one.
    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>>;

    /// The vector of what is searched for; that of [`embed`](Embedder::embed) unless the model tells questions from
    /// documents.
    ///
    /// # Errors
    /// As [`embed`](Embedder::embed); the query that asks fails with it.
    fn embed_query(&self, text: &str) -> Result<Vec<f32>> {
        let vectors = self.embed(&[text])?;
        let found = vectors.len();
        match <[Vec<f32>; 1]>::try_from(vectors) {
            Ok([vector]) => Ok(vector),
            Err(_) => Err(Error::unavailable(format!("the embedder made {found} vectors of one text"))),
        }
    }

    /// How many texts one call takes at most; 32 unless said otherwise, and never more than
    /// [`EMBEDDING_BATCH_MAX`](crate::limits::EMBEDDING_BATCH_MAX).
    fn batch_max(&self) -> usize {
        32
    }
}

impl<E: Embedder + ?Sized> Embedder for Arc<E> {
    fn model(&self) -> &str {
        (**self).model()
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
        (**self).embed(texts)
    }

    fn embed_query(&self, text: &str) -> Result<Vec<f32>> {
        (**self).embed_query(text)
    }

    fn batch_max(&self) -> usize {
        (**self).batch_max()
    }
}

/// An embedder with the label that it had when it was handed over. Its answers are checked.
#[derive(Clone)]
pub(crate) struct SharedEmbedder {
    model: String,
    embedder: Arc<dyn Embedder>,
}

impl SharedEmbedder {
    pub(crate) fn new(embedder: impl Embedder + 'static) -> SharedEmbedder {
        SharedEmbedder { model: embedder.model().to_owned(), embedder: Arc::new(embedder) }
    }

    pub(crate) fn model(&self) -> &str {
        &self.model
    }

    /// True if both are one and the same.
    pub(super) fn is(&self, other: &SharedEmbedder) -> bool {
        Arc::ptr_eq(&self.embedder, &other.embedder)
    }

    pub(super) fn batch_max(&self) -> Result<usize> {
        self.call(|embedder| Ok(embedder.batch_max()))
    }

    /// The vectors of texts, as many as there are texts and of this dimension.
    pub(super) fn embed(&self, texts: &[&str], dimension: usize) -> Result<Vec<Vec<f32>>> {
        let vectors = self.call(|embedder| embedder.embed(texts))?;
        if vectors.len() != texts.len() {
            let (found, needed) = (vectors.len(), texts.len());
            return Err(self.failure(format!("{found} vectors of {needed} texts")));
        }
        vectors.iter().try_for_each(|vector| self.check(vector, dimension)).map(|()| vectors)
    }

    /// The vector of what is searched for, of this dimension.
    pub(crate) fn embed_query(&self, text: &str, dimension: usize) -> Result<Vec<f32>> {
        let vector = self.call(|embedder| embedder.embed_query(text))?;
        self.check(&vector, dimension).map(|()| vector)
    }

    fn check(&self, vector: &[f32], dimension: usize) -> Result<()> {
        if vector.len() != dimension {
            let found = vector.len();
            return Err(self.failure(format!("a vector of {found} components, the index has {dimension}")));
        }
        match vector.iter().enumerate().find(|(_, number)| !number.is_finite()) {
            Some((place, number)) => Err(self.failure(format!("a vector whose component {place} is {number}"))),
            None => Ok(()),
        }
    }

    fn failure(&self, made: String) -> Error {
        Error::unavailable(format!("the embedder of the model {:?} made {made}", self.model))
    }

    /// Calls it so that a panic ends nothing but the call.
    fn call<R>(&self, work: impl FnOnce(&dyn Embedder) -> Result<R>) -> Result<R> {
        // Nothing of ours is changed within: whatever it left half done is its own.
        catch_unwind(AssertUnwindSafe(|| work(&*self.embedder))).unwrap_or_else(|panic| {
            let (model, message) = (&self.model, message_of(&*panic));
            Err(Error::unavailable(format!("the embedder of the model {model:?} panicked: {message}")))
        })
    }
}

fn message_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message")
}

impl fmt::Debug for SharedEmbedder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedEmbedder").field("model", &self.model).finish_non_exhaustive()
    }
}
