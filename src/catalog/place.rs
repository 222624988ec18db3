//! Where the keys of a name are, for reads that must not wait for each other.

use std::sync::atomic::{AtomicU64, Ordering};

use blaze_core::Timestamp;
use parking_lot::Mutex;

/// The version of no catalog.
const NONE: u64 = u64::MAX;

/// Where the keys of a name are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) id: u32,
    pub(crate) expiring: bool,
}

/// The place that was found last, and in which catalog.
///
/// Two numbers that belong together, read without a lock and without a write to memory that others read, too: whoever finds
/// the same catalog before and after the place has the place of that catalog.
#[derive(Debug)]
pub(super) struct KnownPlace {
    catalog_ts: AtomicU64,
    place: AtomicU64,
    /// One thread at a time changes them, and only to those of a later catalog: if one came back, a reader could take the
    /// place of another that was there for a moment for its own.
    latest: Mutex<Option<Timestamp>>,
}

impl KnownPlace {
    pub(super) fn new() -> KnownPlace {
        KnownPlace { catalog_ts: AtomicU64::new(NONE), place: AtomicU64::new(0), latest: Mutex::new(None) }
    }

    /// The place in the catalog of `catalog_ts`, if it is known.
    pub(super) fn get(&self, catalog_ts: Timestamp) -> Option<Place> {
        let is_right = |ordering| self.catalog_ts.load(ordering) == catalog_ts.to_bits();
        if !is_right(Ordering::Acquire) {
            return None;
        }
        let bits = self.place.load(Ordering::Acquire); // what follows is not done before it
        is_right(Ordering::Relaxed).then_some(Place { id: bits as u32, expiring: bits >> 32 != 0 })
    }

    /// Keeps the place in the catalog of `catalog_ts`, unless that is not the latest.
    pub(super) fn set(&self, catalog_ts: Timestamp, place: Place) {
        let mut latest = self.latest.lock();
        if latest.is_some_and(|latest| catalog_ts <= latest) {
            return;
        }
        *latest = Some(catalog_ts);
        self.catalog_ts.store(NONE, Ordering::Relaxed);
        // Whoever sees this sees that the catalog is another one, or is not known.
        self.place.store(u64::from(place.id) | u64::from(place.expiring) << 32, Ordering::Release);
        self.catalog_ts.store(catalog_ts.to_bits(), Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::thread;

    use super::*;

    fn place_in(catalog: u64) -> Place {
        Place { id: catalog as u32, expiring: catalog.is_multiple_of(2) }
    }

    #[test]
    fn a_place_is_known_in_its_own_catalog_only() {
        let known = KnownPlace::new();
        assert_eq!(known.get(Timestamp::ZERO), None);
        known.set(Timestamp::from_bits(7), place_in(7));
        known.set(Timestamp::from_bits(6), place_in(6));
        assert_eq!(known.get(Timestamp::from_bits(6)), None);
        assert_eq!(known.get(Timestamp::from_bits(7)), Some(place_in(7)));
        assert_eq!(known.get(Timestamp::from_bits(8)), None);
    }

    #[test]
    fn nobody_gets_the_place_of_another_catalog_while_places_change() {
        let (known, newest, done) = (KnownPlace::new(), AtomicU64::new(0), AtomicBool::new(false));
        thread::scope(|scope| {
            for writer in 0..2 {
                let (known, newest, done) = (&known, &newest, &done);
                scope.spawn(move || {
                    for catalog in (writer..400_000_u64).step_by(2) {
                        newest.fetch_max(catalog, Ordering::Relaxed);
                        known.set(Timestamp::from_bits(catalog), place_in(catalog));
                    }
                    done.store(true, Ordering::Relaxed);
                });
            }
            let mut found = 0_u64;
            while !done.load(Ordering::Relaxed) || found == 0 {
                let newest = newest.load(Ordering::Relaxed);
                for catalog in newest.saturating_sub(8)..=newest {
                    if let Some(place) = known.get(Timestamp::from_bits(catalog)) {
                        assert_eq!(place, place_in(catalog));
                        found += 1;
                    }
                }
            }
        });
    }
}
