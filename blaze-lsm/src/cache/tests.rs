//! Apart from the cache itself, which is also compiled with other locks, and these tests do not run under those.

use blaze_core::{Family, KeyRange, Timestamp, Write};

use crate::cache::RecordCache;

fn ts(bits: u64) -> Timestamp {
    Timestamp::from_bits(bits)
}

fn cached(cache: &RecordCache, key: &str, at: u64) -> Option<String> {
    let cached = cache.get(key.as_bytes(), ts(at))?;
    Some(String::from_utf8(cached.bytes().to_vec()).unwrap())
}

/// Offers a value as often as it takes to be kept.
fn offer(cache: &RecordCache, key: &str, value: &str, at: u64) {
    for _ in 0..2 {
        cache.offer(key.as_bytes(), value.as_bytes(), ts(at));
    }
}

fn put(key: &str, value: &str) -> Write {
    Write::put(Family::Data, key, value)
}

/// A cache that has no place left for what is read once.
fn full() -> RecordCache {
    let cache = RecordCache::new(1 << 20);
    (0..20_000).for_each(|key| assert!(!read(&cache, &format!("first {key}"), 1)));
    cache
}

#[test]
fn while_there_is_room_a_key_that_is_read_once_is_kept() {
    let cache = RecordCache::new(1 << 20);
    for key in 0..5_000 {
        assert!(!read(&cache, &format!("key {key}"), 1));
    }
    let kept = (0..5_000).filter(|key| read(&cache, &format!("key {key}"), 1)).count();
    assert_eq!(kept, 5_000);
}

#[test]
fn in_a_full_cache_a_key_that_is_read_once_is_not_kept() {
    let cache = full();
    assert!(hot_hits(&cache) > 900, "all keys are looked for");
    cache.offer(b"once", b"value", ts(1));
    assert_eq!(cached(&cache, "once", 1), None);
    offer(&cache, "twice", "value", 1);
    assert_eq!(cached(&cache, "twice", 1).as_deref(), Some("value"));
}

#[test]
fn an_older_read_point_does_not_see_a_newer_value() {
    let cache = RecordCache::new(1 << 20);
    offer(&cache, "key", "1", 5);
    assert_eq!(cached(&cache, "key", 4), None);
    cache.apply(&[put("key", "2")], ts(6));
    assert_eq!((cached(&cache, "key", 5), cached(&cache, "key", 6).as_deref()), (None, Some("2")));
}

#[test]
fn a_value_read_before_a_commit_is_not_kept_after_it() {
    let cache = RecordCache::new(1 << 20);
    cache.apply(&[put("key", "new")], ts(6));
    offer(&cache, "key", "old", 5);
    assert_eq!(cached(&cache, "key", 6), None);
    offer(&cache, "key", "new", 6);
    assert_eq!(cached(&cache, "key", 6).as_deref(), Some("new"));
}

#[test]
fn what_is_deleted_is_gone() {
    let cache = RecordCache::new(1 << 20);
    offer(&cache, "key", "1", 5);
    cache.apply(&[Write::delete(Family::Data, "key")], ts(6));
    assert_eq!(cached(&cache, "key", 6), None);
}

#[test]
fn a_stamp_goes_into_the_value() {
    let cache = RecordCache::new(1 << 20);
    offer(&cache, "key", "12345678.", 5);
    let value = b"        .".to_vec();
    cache.apply(&[Write::Put { family: Family::Data, key: b"key".to_vec(), value, stamp_at: Some(0) }], ts(6));
    let stamped = cache.get(b"key", ts(6)).unwrap();
    assert_eq!(stamped.bytes(), [&6_u64.to_be_bytes()[..], b"."].concat());
}

#[test]
fn a_removed_range_takes_what_its_collection_had_and_no_more() {
    let cache = RecordCache::new(1 << 20);
    let range = |start: &str, end: &str| KeyRange::new(start, Some(end.into()));
    for key in ["aaaa1", "aaaa2", "bbbb1"] {
        offer(&cache, key, "1", 5);
    }
    let remove = |range| Write::DeleteRange { family: Family::Data, range };
    cache.apply(&[put("aaaa2", "2"), remove(range("aaaa1", "aaaa3"))], ts(6));
    assert_eq!((cached(&cache, "aaaa1", 6), cached(&cache, "aaaa2", 6)), (None, None));
    assert_eq!(cached(&cache, "bbbb1", 6).as_deref(), Some("1"));
    offer(&cache, "aaaa2", "2", 6);
    assert_eq!(cached(&cache, "aaaa2", 6).as_deref(), Some("2"));
    cache.apply(&[remove(range("aaaa1", "bbbb3"))], ts(7));
    assert_eq!((cached(&cache, "aaaa2", 7), cached(&cache, "bbbb1", 7)), (None, None));
}

#[test]
fn a_cache_of_no_bytes_keeps_nothing() {
    let cache = RecordCache::new(0);
    offer(&cache, "key", "value", 1);
    assert_eq!(cached(&cache, "key", 1), None);
}

/// Reads a key as a view does: from the cache, else from elsewhere, which is offered.
fn read(cache: &RecordCache, key: &str, at: u64) -> bool {
    let hit = cached(cache, key, at).is_some();
    if !hit {
        cache.offer(key.as_bytes(), b"value", ts(at));
    }
    hit
}

/// How many of a thousand hot keys are found, after each was read often enough for that to show.
fn hot_hits(cache: &RecordCache) -> usize {
    let hot: Vec<String> = (0..1_000).map(|key| format!("hot {key}")).collect();
    for _ in 0..100 {
        for key in &hot {
            read(cache, key, 1);
        }
    }
    hot.iter().filter(|key| read(cache, key, 1)).count()
}

#[test]
fn most_keys_are_passed_over_while_hardly_a_read_finds_its_record() {
    let cache = full();
    let before = cache.stats().misses;
    (0..10_000).for_each(|key| assert!(!read(&cache, &format!("cold {key}"), 1)));
    let looked = cache.stats().misses - before;
    assert!((1_000..5_000).contains(&looked), "{looked} of 10,000 were looked for");
}

#[test]
fn keys_are_looked_for_again_once_they_are_hot() {
    let cache = full();
    for key in 0..10_000 {
        read(&cache, &format!("cold {key}"), 1);
    }
    let hits = hot_hits(&cache);
    assert!(hits > 900, "{hits} of 1,000 hot keys were found");
}

#[test]
fn what_was_passed_over_is_not_stale_later() {
    let cache = RecordCache::new(1 << 20);
    assert!(hot_hits(&cache) > 900);
    for key in 0..30_000 {
        read(&cache, &format!("cold {key}"), 1);
    }
    let writes: Vec<Write> = (0..1_000).map(|key| put(&format!("hot {key}"), "new")).collect();
    cache.apply(&writes, ts(2));
    for key in 0..1_000 {
        let found = cached(&cache, &format!("hot {key}"), 2);
        assert!(found.is_none_or(|value| value == "new"), "hot {key}");
    }
}

#[test]
fn a_single_hot_key_is_found_after_a_while_whichever_it_is() {
    for key in 0..32 {
        let cache = full();
        for cold in 0..2_000 {
            read(&cache, &format!("cold {cold}"), 1);
        }
        let hot = format!("hot {key}");
        let hits = (0..20_000).filter(|_| read(&cache, &hot, 1)).count();
        assert!(hits > 10_000, "{hot} was found {hits} times in 20,000");
    }
}
