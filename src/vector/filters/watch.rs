//! Who is told which documents a commit changes.
//!
//! A cache of filters is told of the documents of its collection by the commits that were made ready after it began to watch.
//! Those that were made ready before are under way: once all of them have ended, a view sees whatever was not told.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Weak};

use blaze_core::limits::VECTOR_FILTER_CHANGES_MAX;
use blaze_core::{Family, KeyRange, Timestamp, Write};
use parking_lot::Mutex;

use super::FilterCache;
use crate::catalog::prefix;
use crate::vector::layout;

/// The documents of a collection that a commit changes, by their keys without the number of the collection.
#[derive(Clone, Debug, Default)]
pub(super) struct Changed {
    pub(super) keys: Arc<[Box<[u8]>]>,
    /// How many there are, long keys counted as several.
    pub(super) weight: usize,
}

impl Changed {
    /// None if they are more than anybody wants to know.
    fn of(keys: Vec<Box<[u8]>>) -> Option<Changed> {
        let weight = keys.iter().map(|key| 1 + key.len() / 64).sum();
        (weight <= VECTOR_FILTER_CHANGES_MAX).then(|| Changed { keys: keys.into(), weight })
    }
}

/// Which caches of filters watch which collections.
#[derive(Debug, Default)]
pub(in crate::vector) struct Watch(Mutex<Watched>);

#[derive(Default)]
struct Watched {
    collections: HashMap<u32, Vec<Weak<FilterCache>>>,
    /// Held by the commits that were made ready since a cache began to watch last.
    now: UnderWay,
    /// Held by those that were made ready before.
    before: Vec<Weak<()>>,
}

/// Held by a commit while it is under way.
pub(crate) type UnderWay = Arc<()>;

/// Commits that were under way when a cache began to watch.
#[derive(Clone, Debug, Default)]
pub(super) struct Earlier(Vec<Weak<()>>);

impl Earlier {
    pub(super) fn have_ended(&self) -> bool {
        self.0.iter().all(|commits| commits.strong_count() == 0)
    }
}

/// What a commit changes of the documents of collections that are watched.
#[derive(Debug, Default)]
pub(crate) struct DocumentChanges(Vec<(Vec<Arc<FilterCache>>, Option<Changed>)>);

impl DocumentChanges {
    pub(in crate::vector) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells the caches, before anybody can see the commit.
    pub(in crate::vector) fn tell(&self, ts: Timestamp) {
        for (caches, changed) in &self.0 {
            caches.iter().for_each(|cache| cache.note(ts, changed.as_ref()));
        }
    }
}

impl Watch {
    /// What writes change of documents, and what their commit holds until it has ended. Nothing if they change no documents.
    pub(in crate::vector) fn enter(&self, writes: &[Write]) -> Option<(UnderWay, DocumentChanges)> {
        let documents = || writes.iter().filter(|write| write.family() == Family::Data);
        documents().next()?;
        let (under_way, watched) = {
            let mut watched = self.0.lock();
            watched.collections.retain(|_, caches| {
                caches.retain(|cache| cache.upgrade().is_some_and(|cache| cache.is_watching()));
                !caches.is_empty()
            });
            (Arc::clone(&watched.now), watched.collections.clone())
        };
        if watched.is_empty() {
            return Some((under_way, DocumentChanges::default()));
        }
        let mut changed: HashMap<u32, Option<Vec<Box<[u8]>>>> = HashMap::new();
        for write in documents() {
            match (write, write.key().and_then(layout::split)) {
                (Write::DeleteRange { range, .. }, _) => {
                    let touched =
                        watched.keys().filter(|collection| range.overlaps(&KeyRange::prefix(&prefix(**collection))));
                    touched.for_each(|collection| drop(changed.insert(*collection, None)));
                }
                (_, Some((collection, key))) if watched.contains_key(&collection) => {
                    let keys = changed.entry(collection).or_insert_with(|| Some(Vec::new()));
                    match keys {
                        Some(few) if few.len() < VECTOR_FILTER_CHANGES_MAX => few.push(key.into()),
                        _ => *keys = None,
                    }
                }
                _ => {}
            }
        }
        let told = changed.into_iter().filter_map(|(collection, keys)| {
            let caches: Vec<_> = watched.get(&collection)?.iter().filter_map(Weak::upgrade).collect();
            Some((caches, keys.and_then(Changed::of)))
        });
        Some((under_way, DocumentChanges(told.collect())))
    }

    /// From now on `cache` is told of the documents of a collection by whatever commit is made ready. Answers those that were
    /// before.
    pub(super) fn begin(&self, collection: u32, cache: &Arc<FilterCache>) -> Earlier {
        let mut watched = self.0.lock();
        let caches = watched.collections.entry(collection).or_default();
        if !caches.iter().any(|there| std::ptr::eq(there.as_ptr(), Arc::as_ptr(cache))) {
            caches.push(Arc::downgrade(cache));
        }
        let before = std::mem::take(&mut watched.now);
        watched.before.retain(|commits| commits.strong_count() > 0);
        watched.before.push(Arc::downgrade(&before));
        drop(before);
        Earlier(watched.before.clone())
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").field("collections", &self.collections.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::catalog::prefixed;

    fn watching() -> Arc<FilterCache> {
        let cache = FilterCache::new(1_000);
        cache.has_sets.store(true, Ordering::Release);
        Arc::new(cache)
    }

    fn put(collection: u32, key: &[u8]) -> Write {
        Write::put(Family::Data, prefixed(collection, key), b"document")
    }

    fn ts(n: u64) -> Timestamp {
        Timestamp::from_bits(n)
    }

    #[test]
    fn what_was_made_ready_before_is_waited_for_and_what_comes_after_tells() {
        let (watch, cache) = (Watch::default(), watching());
        let (first, told) = watch.enter(&[put(7, b"a")]).unwrap();
        assert!(told.is_empty());
        let earlier = watch.begin(7, &cache);
        let (second, told) = watch.enter(&[put(7, b"b"), put(8, b"c"), put(7, b"d")]).unwrap();
        told.tell(ts(1));
        let later = watch.begin(7, &watching());
        assert!(!earlier.have_ended() && !later.have_ended());
        drop(first);
        assert!(earlier.have_ended() && !later.have_ended(), "each waits for those before it");
        drop(second);
        assert!(later.have_ended());
        let log = cache.log.lock();
        let keys: Vec<&[u8]> = log.commits.iter().flat_map(|(_, changed)| &*changed.keys).map(|key| &**key).collect();
        assert_eq!(keys, [b"b", b"d"]);
    }

    #[test]
    fn only_changes_of_documents_are_told_and_only_while_somebody_listens() {
        let (watch, cache) = (Watch::default(), watching());
        watch.begin(7, &cache);
        assert!(watch.enter(&[Write::put(Family::Vector, prefixed(7, b"a"), b"row")]).is_none());
        assert!(watch.enter(&[put(8, b"a")]).unwrap().1.is_empty(), "of another collection");
        assert!(!watch.enter(&[put(7, b"a")]).unwrap().1.is_empty());
        cache.has_sets.store(false, Ordering::Release);
        assert!(watch.enter(&[put(7, b"a")]).unwrap().1.is_empty());
        assert!(watch.0.lock().collections.is_empty());
    }

    #[test]
    fn what_is_too_much_to_be_told_leaves_a_gap() {
        let many = |keys: u32| (0..keys).map(|n| put(7, &n.to_be_bytes())).collect::<Vec<_>>();
        let all = Write::DeleteRange { family: Family::Data, range: KeyRange::prefix(&prefix(7)) };
        let most = u32::try_from(VECTOR_FILTER_CHANGES_MAX).unwrap();
        for (commits, has_gap) in [
            (vec![many(most)], false),
            (vec![many(most + 1)], true),
            (vec![many(most), many(1)], true),
            (vec![vec![put(7, b"a"), all, put(7, b"b")]], true),
            (vec![vec![put(7, &vec![1; 64 * most as usize])]], true),
        ] {
            let (watch, cache) = (Watch::default(), watching());
            watch.begin(7, &cache);
            commits.iter().for_each(|writes| watch.enter(writes).unwrap().1.tell(ts(1)));
            assert_eq!(cache.log.lock().has_gap, has_gap, "{} commits", commits.len());
            assert_eq!(cache.is_watching(), !has_gap);
        }
    }
}
