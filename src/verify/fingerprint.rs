//! Comparing two sets of entries without holding either.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// The sum of the hashes of some entries: two sets that differ have the same one once in 2^64 times.
///
/// A document's entries are met in the order of documents, those of an index in the order of the index, and a sum does
/// not mind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fingerprint {
    count: u64,
    sum: u64,
}

impl Fingerprint {
    pub(super) fn add(&mut self, key: &[u8], value: &[u8]) {
        let mut hasher = DefaultHasher::new();
        (key, value).hash(&mut hasher);
        self.count += 1;
        self.sum = self.sum.wrapping_add(hasher.finish());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(entries: &[(&str, &str)]) -> Fingerprint {
        let mut fingerprint = Fingerprint::default();
        entries.iter().for_each(|(key, value)| fingerprint.add(key.as_bytes(), value.as_bytes()));
        fingerprint
    }

    #[test]
    fn the_order_does_not_matter_and_everything_else_does() {
        let entries = of(&[("a", "1"), ("b", "2")]);
        assert_eq!(entries, of(&[("b", "2"), ("a", "1")]));
        for other in [
            &[("a", "1")][..],
            &[("a", "2"), ("b", "1")],
            &[("a", "1"), ("b", "2"), ("b", "2")],
            &[("a1", ""), ("b2", "")],
        ] {
            assert_ne!(entries, of(other), "{other:?}");
        }
    }
}
