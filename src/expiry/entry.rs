//! Entries of the index that says what expires when.

use std::sync::Arc;

use blaze_core::{Direction, Durability, Error, Family, Isolation, KeyRange, Result, Write};

use super::expiry_of;
use crate::catalog::{self, Kind, prefix};
use crate::database::core::Core;
use crate::session::{Session, commit_alone};

/// Values that one transaction of a rebuild looks at.
const REBUILD_ROWS: usize = 1_000;

/// Says that a key of an expiring keyspace has, or had, a value that expires at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    pub(crate) expiry_ms: u64,
    pub(crate) key: &'a [u8],
}

impl<'a> Entry<'a> {
    /// Its key in [`Family::Index`], in the keyspace with the number `id`.
    pub(crate) fn index_key(self, id: u32) -> Vec<u8> {
        let mut key = Vec::with_capacity(12 + self.key.len());
        key.extend_from_slice(&prefix(id));
        key.extend_from_slice(&self.expiry_ms.to_be_bytes());
        key.extend_from_slice(self.key);
        key
    }

    /// The write that makes it.
    pub(crate) fn put(self, id: u32) -> Write {
        Write::put(Family::Index, self.index_key(id), [])
    }

    /// The entry that has this key in the index, without the keyspace's number.
    pub(crate) fn read(rest: &'a [u8]) -> Result<Entry<'a>> {
        match rest.split_first_chunk() {
            Some((expiry, key)) if !key.is_empty() => Ok(Entry { expiry_ms: u64::from_be_bytes(*expiry), key }),
            _ => Err(Error::corruption(format!("an entry of {} bytes is too short to say what expires", rest.len()))),
        }
    }

    /// The keys of all entries of a keyspace.
    pub(crate) fn all(id: u32) -> KeyRange {
        KeyRange::prefix(&prefix(id))
    }
}

/// Makes the entries of a keyspace anew of its values.
pub(crate) struct Rebuild {
    name: String,
    /// The key in [`Family::Data`] from which to go on; none at the beginning.
    next: Option<Vec<u8>>,
}

impl Rebuild {
    pub(crate) fn of(name: &str) -> Rebuild {
        Rebuild { name: name.to_owned(), next: None }
    }

    /// Does all of it, in small transactions.
    pub(crate) fn run(mut self, core: &Arc<Core>) -> Result<()> {
        loop {
            // Whatever the database's isolation: the values must be those that the entries are made of.
            let next = commit_alone(core, Isolation::Serializable, Durability::Buffered, |session| self.step(session))?;
            if next.is_none() {
                return Ok(());
            }
            self.next = next;
        }
    }

    fn step(&self, session: &Session) -> Result<Option<Vec<u8>>> {
        let id = catalog::get(session, &self.name, Kind::Keyspace)?.id;
        let whole = KeyRange::prefix(&prefix(id));
        let start = self.next.clone().unwrap_or_else(|| whole.start().to_vec());
        let range = KeyRange::new(start, whole.end().map(<[u8]>::to_vec));
        let mut cursor = session.cursor(Family::Data, &range, Direction::Forward)?;
        for _ in 0..REBUILD_ROWS {
            let Some((key, stored)) = cursor.next()? else { return Ok(None) };
            if let Some(expiry_ms) = expiry_of(stored)? {
                let entry = Entry { expiry_ms, key: key.get(4..).unwrap_or_default() };
                session.put(Family::Index, entry.index_key(id), Vec::new(), None)?;
            }
        }
        Ok(cursor.next()?.map(|(key, _)| key.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn entries_sort_by_time_and_are_read_as_they_were_written(
            one in (any::<u64>(), proptest::collection::vec(any::<u8>(), 1..5)),
            other in (any::<u64>(), proptest::collection::vec(any::<u8>(), 1..5)),
        ) {
            let entry = |(expiry_ms, key): &(u64, Vec<u8>)| Entry { expiry_ms: *expiry_ms, key }.index_key(7);
            prop_assert_eq!(entry(&one).cmp(&entry(&other)), one.cmp(&other));
            let bytes = entry(&one);
            prop_assert_eq!(Entry::read(&bytes[4..]).unwrap(), Entry { expiry_ms: one.0, key: &one.1 });
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            prop_assert_eq!(Entry::read(&bytes).is_ok(), bytes.len() > 8);
        }
    }
}
