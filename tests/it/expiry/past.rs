//! Values that expire, seen from later: history, versions, change feeds.

use blaze::{Change, Feed, History, Timestamp, Version};

use super::*;

fn moment(seconds: u64) -> Timestamp {
    Timestamp::from_ms(START_MS + seconds * SECOND_MS)
}

#[test]
fn the_past_is_seen_with_what_had_expired_by_then() {
    for (db, clock) in fixtures() {
        let letters = letters(&db);
        letters.set_history(History::Forever).unwrap();
        letters.put_expiring("a", "again", seconds(10)).unwrap();
        let seen = |ts| keys(db.as_of(ts).unwrap().keyspace("letters").unwrap().iter().unwrap()).concat();
        clock.advance_ms(15 * SECOND_MS);
        for is_reaped in [false, true] {
            assert_eq!(seen(moment(1)), "abcd", "reaped: {is_reaped}");
            assert_eq!(seen(Timestamp::from_bits(moment(10).to_bits() - 1)), "abcd", "reaped: {is_reaped}");
            assert_eq!(seen(moment(10)), "bcd", "reaped: {is_reaped}");
            assert_eq!(seen(moment(14)), "bcd", "reaped: {is_reaped}");
            assert_eq!(seen(Timestamp::MAX), "bcd", "the future is now; reaped: {is_reaped}");
            let past = db.as_of(moment(9)).unwrap().keyspace("letters").unwrap();
            assert_eq!(past.get_many(["a", "c"]).unwrap(), [Some(b"again".to_vec()), Some(b"3".to_vec())]);
            assert_eq!(past.expires_at("a").unwrap(), Some(at_ms(START_MS + 10 * SECOND_MS)));
            db.apply_retention().unwrap();
            assert_eq!(reaped(&db), 1);
        }
    }
}

#[test]
fn a_version_ends_when_it_expires() {
    for (db, clock) in fixtures() {
        let letters = db.expiring_keyspace("letters").unwrap();
        letters.set_history(History::Forever).unwrap();
        letters.put_expiring("a", "1", seconds(10)).unwrap();
        let first = db.snapshot().unwrap().read_ts();
        clock.advance_ms(12 * SECOND_MS);
        let versions = || letters.versions("a").unwrap().map(Result::unwrap).collect::<Vec<_>>();
        let value = |text: &str| Some(text.as_bytes().to_vec());
        let version = |from, until, value| Version { from, until, value };
        let life = version(Some(first), Some(moment(10)), value("1"));
        for is_reaped in [false, true] {
            assert_eq!(versions(), [version(Some(moment(10)), None, None), life.clone()], "reaped: {is_reaped}");
            db.apply_retention().unwrap();
        }
        letters.put("a", "2").unwrap();
        let last = db.snapshot().unwrap().read_ts();
        let absence = version(Some(moment(10)), Some(last), None);
        assert_eq!(versions(), [version(Some(last), None, value("2")), absence, life]);
    }
}

#[test]
fn a_feed_tells_values_as_they_were_put_and_their_removal() {
    for (db, clock) in fixtures() {
        let letters = db.expiring_keyspace("letters").unwrap();
        letters.set_feed(Feed::Images).unwrap();
        let start = letters.feed_start().unwrap().unwrap();
        letters.put_expiring("a", "1", seconds(10)).unwrap();
        letters.put_expiring("a", "2", seconds(20)).unwrap();
        clock.advance_ms(15 * SECOND_MS);
        db.apply_retention().unwrap();
        clock.advance_ms(15 * SECOND_MS);
        db.apply_retention().unwrap();
        let changes: Vec<_> = letters.changes(start).unwrap().flat_map(|set| set.unwrap().changes).collect();
        let value = |text: &str| Some(text.as_bytes().to_vec());
        let key = b"a".to_vec();
        let expected = [
            Change::Put { key: key.clone(), before: None, after: value("1") },
            Change::Put { key: key.clone(), before: value("1"), after: value("2") },
            Change::Removed { key, before: value("2") },
        ];
        assert_eq!(changes, expected);
    }
}
