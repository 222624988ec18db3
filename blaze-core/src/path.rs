//! Paths: how a field inside a document is named.

use std::fmt;

use crate::error::{Error, Result};
use crate::limits::NESTING_MAX;

/// The way from a document to a field in it: keys, joined by dots.
///
/// `a.b` is the field `b` of the map under `a`. Where `a` is an array, the path goes on in each of its maps, so that
/// it can reach several values; a number, as in `a.0.b`, chooses one element (or the key `"0"` of a map).
///
/// ```
/// use blaze_core::Path;
///
/// let path = Path::from("contributors.id");
/// assert_eq!(path.segments().len(), 2);
/// assert!(Path::from("a..b").validate().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path {
    segments: Vec<Segment>,
}

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Segment {
    key: String,
    index: Option<usize>,
}

impl Segment {
    /// The step to the element at `index` of an array.
    pub(crate) fn element(index: usize) -> Segment {
        Segment { key: index.to_string(), index: Some(index) }
    }

    /// The key that the step takes in a map.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The element that the step takes in an array, if it is a number.
    #[must_use]
    pub fn index(&self) -> Option<usize> {
        self.index
    }
}

impl Path {
    /// A path of keys that may themselves contain dots.
    pub fn from_keys<K: Into<String>>(keys: impl IntoIterator<Item = K>) -> Path {
        let segment = |key: K| {
            let key = key.into();
            let canonical = key == "0" || !key.starts_with('0');
            let index =
                if canonical && key.bytes().all(|byte| byte.is_ascii_digit()) { key.parse().ok() } else { None };
            Segment { key, index }
        };
        Path { segments: keys.into_iter().map(segment).collect() }
    }

    /// The steps, at least one.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Checks that no step is empty and that there are not too many.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid), [`LimitExceeded`](crate::ErrorKind::LimitExceeded).
    pub fn validate(&self) -> Result<()> {
        if self.segments.is_empty() || self.segments.iter().any(|segment| segment.key.is_empty()) {
            return Err(Error::invalid(format!("path {:?} has an empty step", self.to_string())));
        }
        if self.segments.len() > NESTING_MAX {
            let steps = self.segments.len();
            return Err(Error::limit_exceeded(format!("path has {steps} steps, the limit is {NESTING_MAX}")));
        }
        Ok(())
    }
}

impl From<&str> for Path {
    /// Splits at the dots. Nothing is refused here: [`validate`](Path::validate) runs where the path is used.
    fn from(text: &str) -> Path {
        Path::from_keys(text.split('.'))
    }
}

impl From<String> for Path {
    fn from(text: String) -> Path {
        Path::from(text.as_str())
    }
}

impl From<&Path> for Path {
    fn from(path: &Path) -> Path {
        path.clone()
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.segments.iter().enumerate() {
            if position > 0 {
                f.write_str(".")?;
            }
            f.write_str(&segment.key)?;
        }
        Ok(())
    }
}
