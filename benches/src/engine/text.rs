//! Indexes of texts.

use std::time::Duration;

use crate::Result;
use crate::dataset::Matrix;
use crate::dataset::text::TextSet;

/// What is looked for. Words are runs of ASCII letters and digits in lower case, as in the texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextQuestion {
    /// Texts with any of the words: the more and the rarer, the better.
    Any(Vec<String>),
    /// Texts with all of the words.
    All(Vec<String>),
    /// Texts with the words one after the other.
    Phrase(Vec<String>),
}

impl TextQuestion {
    /// Its words.
    #[must_use]
    pub fn words(&self) -> &[String] {
        match self {
            TextQuestion::Any(words) | TextQuestion::All(words) | TextQuestion::Phrase(words) => words,
        }
    }
}

/// A text that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TextHit {
    /// The number of its row.
    pub id: u64,
    /// How well it fits: more is better.
    pub score: f32,
}

/// What a product makes of BM25 with k1 = 1.2 and b = 0.75: its answers are checked by its own formula.
#[derive(Clone, Copy, Debug)]
pub struct TextFormula {
    /// A short name: two formulas with one name are the same.
    pub name: &'static str,
    /// What a word weighs.
    pub weight: WordWeight,
    /// What the length of a text counts as.
    pub length: fn(u32) -> u32,
    /// True if texts without a word count among all of them.
    pub counts_empty: bool,
}

impl TextFormula {
    /// Exact lengths, and weights that are never negative.
    pub const EXACT: TextFormula =
        TextFormula { name: "exact", weight: WordWeight::Positive, length: |length| length, counts_empty: false };
}

/// What a word weighs that is in `n` of `N` texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordWeight {
    /// ln(1 + (N - n + 0.5) / (n + 0.5)); a phrase weighs what its words weigh together.
    Positive,
    /// ln((N - n + 0.5) / (n + 0.5)), and a millionth where that is not above 0; a phrase is a word.
    Classic,
}

/// Bytes that an index takes on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TextSize {
    /// What searches read: words, postings, positions, lengths and ids. `None` where nobody tells.
    pub index_bytes: Option<u64>,
    /// The same with what is kept besides so that a text can be deleted without analysing it again.
    pub total_bytes: u64,
}

/// What is loaded into an index.
#[derive(Clone, Copy, Debug)]
pub struct TextItems<'a> {
    /// The texts; the id of each is the number of its row.
    pub texts: &'a TextSet,
    /// A vector beside each text, for those who search by both. They are compared by angle.
    pub vectors: Option<&'a Matrix>,
}

/// What a product may lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextSkill {
    /// [`insert`](Texts::insert) with what is inserted being found at once, before it is worked into the index.
    Unfolded,
    /// [`search_with_vector`](Texts::search_with_vector).
    Vectors,
}

/// An open index of texts.
pub trait Texts: Send + Sync {
    /// Adds the first `rows` texts to the empty index, by one thread that writes, and makes it ready to search; calls
    /// `progress` with the rows done. Returns how long the index took: not what came before it, such as storing documents.
    ///
    /// # Errors
    /// Those of the product.
    fn load(&self, items: TextItems<'_>, rows: u64, progress: &mut dyn FnMut(u64)) -> Result<Duration>;

    /// Adds the texts from `first` on in one transaction. They are found when this returns, and what else the product does
    /// with them in the background may be left to do.
    ///
    /// # Errors
    /// Those of the product.
    fn insert(&self, items: TextItems<'_>, first: u64) -> Result<()>;

    /// Makes one segment of all, or whatever searches fastest, and waits until it is done.
    ///
    /// # Errors
    /// Those of the product.
    fn merge(&self) -> Result<()>;

    /// The `limit` best texts, the best one first.
    ///
    /// # Errors
    /// Those of the product.
    fn search(&self, question: &TextQuestion, limit: usize) -> Result<Vec<TextHit>>;

    /// The ids of the `limit` nearest texts by their vectors; by the words as well where a question is given, in the way
    /// that the product combines them by default.
    ///
    /// # Errors
    /// Those of the product.
    fn search_with_vector(&self, _question: Option<&TextQuestion>, _vector: &[f32], _limit: usize) -> Result<Vec<u64>> {
        Err("this index has no vectors beside its texts".into())
    }

    /// How it scores.
    fn formula(&self) -> TextFormula;

    /// How many texts are not worked into the index yet, where the product tells.
    ///
    /// # Errors
    /// Those of the product.
    fn unfolded(&self) -> Result<Option<u64>> {
        Ok(None)
    }

    /// How much space it takes, after [`merge`](Texts::merge).
    ///
    /// # Errors
    /// Those of the product.
    fn size(&self) -> Result<TextSize>;

    /// True when the product cannot do it.
    fn lacks(&self, _skill: TextSkill) -> bool {
        true
    }
}
