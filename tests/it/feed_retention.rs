//! The bound on the bytes of the change feed.

#![expect(clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

use std::sync::Arc;

use blaze::{Database, DatabaseBuilder, Durability, ErrorKind, Feed, Keyspace, ManualClock, Timestamp};
use blaze_core::{Change, CommitRequest, Expiry, Family, MemStore, Store, Tracking, Write};
use blaze_lsm::{LsmOptions, LsmStore};

use crate::objects::content;

const BOUND: u64 = 1024 * 1024;
const VALUE_BYTES: usize = 10_000;

fn fixtures() -> [Database; 2] {
    let builder = || -> DatabaseBuilder {
        let clock = Arc::new(ManualClock::at_ms(1_000_000_000));
        Database::builder().clock(clock).durability(Durability::Buffered).feed_retention_bytes(BOUND)
    };
    [builder().in_memory().unwrap(), builder().temporary().unwrap()]
}

/// Commits two keys at a time.
fn write(db: &Database, commits: std::ops::Range<u64>) {
    for n in commits {
        db.transaction(|tx| {
            let keys = tx.keyspace("k")?;
            keys.put([0], content(VALUE_BYTES, n))?;
            keys.put([1], content(VALUE_BYTES, n))
        })
        .unwrap();
    }
}

/// The changes that are left, each of two keys.
fn commits(keys: &Keyspace) -> Vec<Timestamp> {
    let sets = keys.changes(keys.feed_start().unwrap().unwrap()).unwrap().map(|set| set.unwrap());
    sets.inspect(|set| assert_eq!(set.changes.len(), 2, "commits go whole")).map(|set| set.ts).collect()
}

#[test]
fn the_oldest_commits_go_when_the_feed_takes_more_than_its_bound() {
    for flushes in [false, true] {
        for (is_on_disk, db) in [false, true].into_iter().zip(fixtures()) {
            let keys = db.keyspace("k").unwrap();
            keys.set_feed(Feed::Images).unwrap();
            let start = keys.feed_start().unwrap().unwrap();
            write(&db, 0..10);
            db.apply_retention().unwrap();
            assert_eq!(keys.feed_start().unwrap().unwrap(), start, "what fits stays");
            let mut slow = keys.changes(start).unwrap();
            write(&db, 10..200);
            let all = commits(&keys);
            if flushes {
                db.compact().unwrap();
            }
            db.apply_retention().unwrap();
            let left = commits(&keys);
            // Each commit leaves the images before and after of two values, that do not compress.
            let bytes = left.len() * 4 * VALUE_BYTES;
            // What is not in files yet, RocksDB estimates by the towers of a skip list, which are drawn by chance.
            let is_estimated = is_on_disk && !flushes;
            let (least, most) = if is_estimated { (BOUND / 4, BOUND * 3) } else { (BOUND / 2, BOUND * 3 / 2) };
            assert!((least as usize..most as usize).contains(&bytes), "{bytes} bytes are left");
            assert_eq!(left, all[all.len() - left.len()..], "the newest ones are left");
            let floor = keys.feed_start().unwrap().unwrap();
            assert_eq!(floor, all[all.len() - left.len() - 1], "one who read all but what is left lost nothing");
            assert_eq!(keys.changes(start).map(drop).unwrap_err().kind(), ErrorKind::FeedTruncated);
            assert_eq!(slow.next().unwrap().unwrap_err().kind(), ErrorKind::FeedTruncated);
            assert_eq!(db.changes(start).map(drop).unwrap_err().kind(), ErrorKind::FeedTruncated);
            db.apply_retention().unwrap();
            assert_eq!(keys.feed_start().unwrap().unwrap(), floor, "what fits now stays");
        }
    }
}

#[test]
fn commits_apply_the_bound_by_themselves() {
    let clock = Arc::new(ManualClock::at_ms(1_000_000_000));
    let builder = Database::builder().clock(clock.clone()).durability(Durability::Buffered);
    let db = builder.feed_retention_bytes(BOUND).temporary().unwrap();
    let keys = db.keyspace("k").unwrap();
    keys.set_feed(Feed::Images).unwrap();
    write(&db, 0..100);
    let before = commits(&keys).len();
    clock.advance_ms(61_000);
    write(&db, 100..101);
    assert_eq!(before, 100);
    assert!(commits(&keys).len() < 50);
}

#[test]
fn without_a_bound_everything_stays_and_too_small_a_one_is_refused() {
    let db = Database::builder().durability(Durability::Buffered).temporary().unwrap();
    let keys = db.keyspace("k").unwrap();
    keys.set_feed(Feed::Images).unwrap();
    write(&db, 0..100);
    db.apply_retention().unwrap();
    assert_eq!(commits(&keys).len(), 100);
    let directory = tempfile::tempdir().unwrap();
    let refused = Database::builder().feed_retention_bytes(65_535).open(directory.path().join("db")).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
    assert_eq!(refused.to_string(), "change feeds would be kept to 65535 bytes, at least 65536 are needed");
    assert!(!directory.path().join("db").exists());
    assert_eq!(Database::builder().feed_retention_bytes(0).in_memory().unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn a_store_says_after_which_commit_the_feed_is_small_enough() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at_ms(1_000));
    let lsm = LsmStore::open(directory.path(), LsmOptions::new(clock.clone())).unwrap();
    // RocksDB estimates what it holds in memory by chance, by up to a third with so few rows; files it measures.
    let memory = MemStore::new(clock);
    let stores: [(&dyn Store, &dyn Fn()); 2] = [(&memory, &|| {}), (&lsm, &|| lsm.flush().unwrap())];
    for (store, flush) in stores {
        assert_eq!(store.feed_within(0).unwrap(), Timestamp::ZERO, "an empty feed fits");
        let tracking = Tracking { prefix: [0, 0, 0, 9], history: false, feed: Feed::Images, dropped: false };
        let commits: Vec<_> = (0..50)
            .map(|n| {
                let writes = vec![Write::put(Family::Data, [0, 0, 0, 9, n], content(5_000, u64::from(n)))];
                let request = CommitRequest {
                    writes,
                    tracked: vec![tracking],
                    durability: Durability::Buffered,
                    ..CommitRequest::default()
                };
                store.commit(request).unwrap()
            })
            .collect();
        flush();
        assert_eq!(store.feed_within(1 << 30).unwrap(), Timestamp::ZERO);
        assert_eq!(store.feed_within(0).unwrap(), commits[49]);
        let mut last = commits[49];
        for bytes in [20_000, 100_000, 200_000] {
            let floor = store.feed_within(bytes).unwrap();
            assert!(commits.contains(&floor), "{floor} is a commit");
            assert!(floor <= last, "more bytes reach further back");
            last = floor;
            let point = store.read_point().unwrap();
            let rows = store.changes(&point, floor).unwrap().map(|row| row.unwrap());
            let kept: usize = rows.map(|row: Change| row.key_bytes().len() + row.value_bytes().len()).sum();
            assert!(kept as u64 <= bytes * 3 / 2 && kept as u64 + 6_000 >= bytes / 2, "{kept} of {bytes} bytes");
        }
        let expiry = Expiry { feed: Some(commits[48]), ..Expiry::default() };
        store.commit(CommitRequest { expiry, ..CommitRequest::default() }).unwrap();
        assert_eq!(store.feed_within(1 << 30).unwrap(), commits[48], "what is gone takes nothing");
        assert_eq!(
            store.feed_within(40_000).unwrap(),
            commits[48],
            "what is left is below that, with the block that it fills"
        );
    }
}
