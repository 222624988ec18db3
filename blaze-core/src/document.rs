//! Documents: maps from keys to values that keep the order in which they were written.

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

    /// The keys in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> + DoubleEndedIterator {
        self.entries.iter().map(|(key, _)| key.as_str())
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
        let mut document = Document::new();
        let mut places = std::collections::HashMap::new();
        for (key, value) in entries {
            let (key, value) = (key.into(), value.into());
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
