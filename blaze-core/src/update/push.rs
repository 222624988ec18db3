//! Values to be put into an array, where, and how long it may become.

use super::apply::same;
use crate::value::Value;

/// What [`push_each`](super::push_each) puts into an array: values, where they go, and how much of the array stays.
///
/// ```
/// use blaze_core::update::{Push, push_each};
/// use blaze_core::{Document, Value};
///
/// let mut player = Document::new().with("scores", [7, 9]);
/// // The newest scores first, and never more than three.
/// push_each("scores", Push::new([4, 8]).at(0).keep_first(3)).apply(&mut player)?;
/// assert_eq!(player.get("scores"), Some(&Value::from([4, 8, 7])));
/// # Ok::<(), blaze_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Push {
    values: Vec<Value>,
    position: Option<i64>,
    keep: Option<Keep>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Keep {
    First(usize),
    Last(usize),
}

impl Push {
    /// The values in their order, to go behind the last element.
    #[must_use]
    pub fn new<V: Into<Value>>(values: impl IntoIterator<Item = V>) -> Push {
        Push { values: values.into_iter().map(Into::into).collect(), ..Push::default() }
    }

    /// Puts the values before the element at `position` instead; a negative one counts from the end, -1 being the last
    /// element. Beyond either end of the array means at that end.
    #[must_use]
    pub fn at(mut self, position: i64) -> Push {
        self.position = Some(position);
        self
    }

    /// Keeps only the first `length` elements of what results.
    #[must_use]
    pub fn keep_first(mut self, length: usize) -> Push {
        self.keep = Some(Keep::First(length));
        self
    }

    /// Keeps only the last `length` elements of what results.
    #[must_use]
    pub fn keep_last(mut self, length: usize) -> Push {
        self.keep = Some(Keep::Last(length));
        self
    }

    /// The values.
    #[must_use]
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// Changes `array` and says whether that made a difference.
    pub(super) fn apply(&self, array: &mut Vec<Value>) -> bool {
        let length = array.len();
        let from_end = |position: i64| usize::try_from(position.unsigned_abs()).unwrap_or(usize::MAX);
        let start = match self.position {
            None => length,
            Some(position) if position < 0 => length.saturating_sub(from_end(position)),
            Some(position) => from_end(position).min(length),
        };
        // Only a bound can make the array what it was; without one it is not copied.
        let before = self.keep.map(|_| array.clone());
        array.splice(start..start, self.values.iter().cloned());
        match self.keep {
            Some(Keep::First(keep)) => array.truncate(keep),
            Some(Keep::Last(keep)) => drop(array.drain(..array.len().saturating_sub(keep))),
            None => {}
        }
        match before {
            None => !self.values.is_empty(),
            Some(before) => {
                before.len() != array.len() || before.iter().zip(array.iter()).any(|(old, new)| !same(old, new))
            }
        }
    }
}

impl<V: Into<Value>, I: IntoIterator<Item = V>> From<I> for Push {
    fn from(values: I) -> Push {
        Push::new(values)
    }
}
