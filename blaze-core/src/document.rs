//! Documents: maps from keys to values that keep the order in which they were written.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};

use crate::value::Value;

/// A map from keys to [`Value`]s, in the order in which the keys were written.
///
/// Two documents are equal when they hold equal values under the same keys, in whatever order.
///
/// ```
/// use blaze_core::{Document, Value};
///
/// let film = Document::new().with("title", "Solaris").with("year", 1972);
/// assert_eq!(film.get("year"), Some(&Value::Int(1972)));
/// assert_eq!(film.keys().collect::<Vec<_>>(), ["title", "year"]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Document {
    entries: Vec<(String, Value)>,
}

impl Document {
    /// An empty document.
    #[must_use]
    pub fn new() -> Document {
        Document::default()
    }

    /// A document of entries whose keys the caller knows to be distinct.
    pub(crate) fn from_distinct(entries: Vec<(String, Value)>) -> Document {
        Document { entries }
    }

    /// The document with `key` set to `value`: a chain of these writes a document down.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<Value>) -> Document {
        self.insert(key, value);
        self
    }

    /// Sets `key`, in its old place if it was there, and returns the value it had. Takes time linear in the keys.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        let (key, value) = (key.into(), value.into());
        match self.entries.iter_mut().find(|(name, _)| *name == key) {
            Some((_, old)) => Some(std::mem::replace(old, value)),
            None => {
                self.entries.push((key, value));
                None
            }
        }
    }

    /// The value under `key`. A dot has no meaning here; see [`Path`](crate::Path) for nested access.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entries.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The value under `key`, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.entries.iter_mut().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Removes `key` and returns its value; the others keep their order.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let position = self.entries.iter().position(|(name, _)| name == key)?;
        Some(self.entries.remove(position).1)
    }

    /// True if `key` is there, be it null.
    #[must_use]
    pub fn contains_key(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True if there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The keys and values in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> + DoubleEndedIterator {
        self.entries.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The entries sorted by key: how documents are compared and put into index keys.
    pub(crate) fn sorted(&self) -> Vec<(&str, &Value)> {
        let mut entries: Vec<_> = self.iter().collect();
        entries.sort_unstable_by_key(|(key, _)| *key);
        entries
    }

    /// The keys in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> + DoubleEndedIterator + Clone {
        self.entries.iter().map(|(key, _)| key.as_str())
    }
}

impl Ord for Document {
    fn cmp(&self, other: &Document) -> Ordering {
        self.sorted().cmp(&other.sorted())
    }
}

impl PartialOrd for Document {
    fn partial_cmp(&self, other: &Document) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Document {
    fn eq(&self, other: &Document) -> bool {
        // Each pair of values is compared once: twice at every level would be exponential in the depth.
        match self.keys().eq(other.keys()) {
            true => self.entries == other.entries,
            false => self.len() == other.len() && self.sorted() == other.sorted(),
        }
    }
}

impl Eq for Document {}

impl Hash for Document {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.sorted().hash(state);
    }
}

impl IntoIterator for Document {
    type Item = (String, Value);
    type IntoIter = std::vec::IntoIter<(String, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl<K: Into<String>, V: Into<Value>> FromIterator<(K, V)> for Document {
    /// Later values replace earlier ones under the same key. Takes time linear in the entries.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Document {
        let entries: Vec<(String, Value)> =
            entries.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        if are_distinct(&entries) {
            return Document { entries };
        }
        let mut document = Document::new();
        let mut places = HashMap::new();
        for (key, value) in entries {
            match places.get(&key) {
                Some(&place) => {
                    let entry: &mut (String, Value) = &mut document.entries[place];
                    entry.1 = value;
                }
                None => {
                    places.insert(key.clone(), document.entries.len());
                    document.entries.push((key, value));
                }
            }
        }
        document
    }
}

pub(crate) fn are_distinct(entries: &[(String, Value)]) -> bool {
    if entries.len() > 16 {
        let mut keys = HashSet::with_capacity(entries.len());
        return entries.iter().all(|(key, _)| keys.insert(key.as_str()));
    }
    // For so few, comparing each with each is faster than hashing.
    entries.iter().enumerate().all(|(place, (key, _))| entries[..place].iter().all(|(earlier, _)| earlier != key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_values_replace_earlier_ones_in_their_place() {
        for others in [0, 40] {
            let others = (0..others).map(|key| (format!("{key}"), key));
            let entries = [("a", 1), ("b", 2), ("a", 3)].map(|(key, value)| (key.to_owned(), value));
            let document: Document = entries.into_iter().chain(others.clone()).collect();
            let expected = Document::new().with("a", 3).with("b", 2);
            let expected: Document = expected.into_iter().chain(others.map(|(key, n)| (key, n.into()))).collect();
            assert!(document.iter().eq(expected.iter()), "{document:?}");
        }
    }

    #[test]
    fn the_order_of_keys_does_not_matter_to_equality() {
        let document = |keys: &[(&str, i32)]| keys.iter().copied().collect::<Document>();
        assert_eq!(document(&[("a", 1), ("b", 2)]), document(&[("b", 2), ("a", 1)]));
        assert_ne!(document(&[("a", 1), ("b", 2)]), document(&[("a", 2), ("b", 1)]));
        assert_ne!(document(&[("a", 1)]), document(&[("a", 1), ("b", 2)]));
        assert!(document(&[("b", 0), ("a", 2)]) > document(&[("a", 1), ("c", 9)]));
    }

    #[test]
    fn deep_unequal_documents_are_compared_in_linear_time() {
        let deep = |leaf: i32| (0..90).fold(Value::from(leaf), |inner, _| Document::new().with("a", inner).into());
        assert_ne!(deep(1), deep(2));
        assert!(deep(1) < deep(2));
    }
}
