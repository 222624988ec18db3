//! Ranges of keys.

/// Which way a cursor walks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// From the smallest key to the largest.
    #[default]
    Forward,
    /// From the largest key to the smallest.
    Reverse,
}

/// The keys `start <= key < end`; without an `end`, all from `start` on.
///
/// ```
/// use blaze_core::KeyRange;
///
/// let range = KeyRange::prefix(b"ab");
/// assert!(range.contains(b"ab") && range.contains(b"ab\xFF") && !range.contains(b"ac"));
/// assert_eq!(KeyRange::prefix(b"\xFF").end(), None);
/// ```
#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub struct KeyRange {
    start: Vec<u8>,
    end: Option<Vec<u8>>,
}

impl Clone for KeyRange {
    fn clone(&self) -> KeyRange {
        KeyRange { start: self.start.clone(), end: self.end.clone() }
    }

    /// Without an allocation where the keys fit into those that are replaced: cursors are opened often.
    fn clone_from(&mut self, source: &KeyRange) {
        self.start.clone_from(&source.start);
        self.end.clone_from(&source.end);
    }
}

impl KeyRange {
    /// The keys from `start` on and below `end`, if there is one.
    #[must_use]
    pub fn new(start: impl Into<Vec<u8>>, end: Option<Vec<u8>>) -> KeyRange {
        KeyRange { start: start.into(), end }
    }

    /// Every key.
    #[must_use]
    pub fn all() -> KeyRange {
        KeyRange { start: Vec::new(), end: None }
    }

    /// Exactly one key.
    #[must_use]
    pub fn point(key: &[u8]) -> KeyRange {
        KeyRange { start: key.to_vec(), end: Some(successor(key)) }
    }

    /// The keys that begin with `prefix`.
    #[must_use]
    pub fn prefix(prefix: &[u8]) -> KeyRange {
        KeyRange { start: prefix.to_vec(), end: prefix_end(prefix) }
    }

    /// The first key that may be inside.
    #[must_use]
    pub fn start(&self) -> &[u8] {
        &self.start
    }

    /// The first key above, if the range has an upper end.
    #[must_use]
    pub fn end(&self) -> Option<&[u8]> {
        self.end.as_deref()
    }

    /// True if `key` is inside.
    #[must_use]
    pub fn contains(&self, key: &[u8]) -> bool {
        key >= self.start.as_slice() && self.end.as_deref().is_none_or(|end| key < end)
    }

    /// True if no key can be inside.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.end.as_deref().is_some_and(|end| end <= self.start.as_slice())
    }

    /// True if a key can be inside both.
    #[must_use]
    pub fn overlaps(&self, other: &KeyRange) -> bool {
        let below = |end: Option<&[u8]>, start: &[u8]| end.is_none_or(|end| start < end);
        !self.is_empty() && !other.is_empty() && below(self.end(), &other.start) && below(other.end(), &self.start)
    }

    /// The part that is inside both.
    #[must_use]
    pub fn intersect(&self, other: &KeyRange) -> KeyRange {
        let end = match (&self.end, &other.end) {
            (Some(a), Some(b)) => Some(a.min(b).clone()),
            (a, b) => a.clone().or_else(|| b.clone()),
        };
        KeyRange { start: self.start.clone().max(other.start.clone()), end }
    }
}

/// The smallest key above `key`.
fn successor(key: &[u8]) -> Vec<u8> {
    let mut next = Vec::with_capacity(key.len() + 1);
    next.extend_from_slice(key);
    next.push(0);
    next
}

/// The smallest key above all that begin with `prefix`; `None` when no key is.
fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|&byte| byte != 0xFF)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}
