//! The change feed: every commit once, in order, from any cursor on.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use blaze::{
    Change, ChangeSet, Database, DatabaseBuilder, Document, Durability, Entropy, ErrorKind, Feed, History, Keyspace,
    ManualClock, Result, SeededEntropy, Timestamp, inc,
};

/// Tells the child which directory to write to.
const DIRECTORY: &str = "BLAZE_TEST_FEED_DIRECTORY";
const LONG: Duration = Duration::from_secs(600);
const SECOND_MS: u64 = 1_000;

type KeySet = ChangeSet<Vec<u8>, Vec<u8>>;
type State = BTreeMap<Vec<u8>, Vec<u8>>;

fn builder(clock: &Arc<ManualClock>) -> DatabaseBuilder {
    let retention = Duration::from_millis(60 * SECOND_MS);
    Database::builder().clock(clock.clone()).durability(Durability::Buffered).feed_retention(retention)
}

/// The same database in memory and on disk, each with its clock.
fn fixtures() -> [(Database, Arc<ManualClock>); 2] {
    [false, true].map(|in_memory| {
        let clock = Arc::new(ManualClock::at_ms(1_000_000 * SECOND_MS));
        let db = if in_memory { builder(&clock).in_memory() } else { builder(&clock).temporary() };
        (db.unwrap(), clock)
    })
}

fn kind<T>(result: Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

/// A keyspace with a feed, and where that begins.
fn fed(db: &Database, feed: Feed) -> (Keyspace, Timestamp) {
    let keys = db.keyspace("k").unwrap();
    keys.set_feed(feed).unwrap();
    let start = keys.feed_start().unwrap().unwrap();
    (keys, start)
}

fn sets(keys: &Keyspace, after: Timestamp) -> Vec<KeySet> {
    keys.changes(after).unwrap().collect::<Result<_>>().unwrap()
}

fn replay(state: &mut State, set: &KeySet) {
    for change in &set.changes {
        match change.clone() {
            Change::Put { key, before, after } => assert_eq!(state.insert(key, after.unwrap()), before),
            Change::Removed { key, before } => assert_eq!(state.remove(&key), before),
            Change::RangeRemoved { start, end } => {
                state.retain(|key, _| *key < start || end.as_ref().is_some_and(|end| key >= end));
            }
            other => panic!("{other:?}"),
        }
    }
}

fn entries(keys: &Keyspace) -> State {
    keys.iter().unwrap().collect::<Result<_>>().unwrap()
}

#[test]
fn documents_come_with_their_images_commit_by_commit() {
    for (db, _) in fixtures() {
        let (films, other) = (db.collection::<Document>("films").unwrap(), db.collection::<Document>("other").unwrap());
        let film = |views: i64| Document::new().with("views", views);
        films.insert_with_id(0, &film(0)).unwrap();
        films.set_feed(Feed::Images).unwrap();
        other.set_feed(Feed::Keys).unwrap();
        assert_eq!((films.feed().unwrap(), other.feed().unwrap()), (Feed::Images, Feed::Keys));
        let mut changes = films.changes(films.feed_start().unwrap().unwrap()).unwrap();
        let first = db
            .transaction(|tx| {
                tx.collection("films")?.insert_with_id(1, &film(1))?;
                tx.collection::<Document>("films")?.update(0, inc("views", 5))?;
                tx.collection("other")?.insert_with_id(1, &film(9))
            })
            .map(|()| db.snapshot().unwrap().read_ts())
            .unwrap();
        other.insert_with_id(2, &film(2)).unwrap();
        films.delete(1).unwrap();
        let second = db.snapshot().unwrap().read_ts();

        let put = |id: i64, before: Option<i64>, after| Change::Put {
            key: id.into(),
            before: before.map(film),
            after: Some(film(after)),
        };
        let set = changes.next().unwrap().unwrap();
        assert_eq!(set, ChangeSet { ts: first, changes: vec![put(1, None, 1), put(0, Some(0), 5)] });
        assert_eq!(changes.position(), first);
        let removed = Change::Removed { key: 1.into(), before: Some(film(1)) };
        assert_eq!(changes.next().unwrap().unwrap(), ChangeSet { ts: second, changes: vec![removed] });
        assert!(changes.next().is_none());
        films.put(1, &film(3)).unwrap();
        assert_eq!(changes.next().unwrap().unwrap().changes, [put(1, None, 3)], "it goes on with what has come since");
        let keys = other.changes(other.feed_start().unwrap().unwrap()).unwrap();
        let keys: Vec<_> = keys.flat_map(|set| set.unwrap().changes).collect();
        let bare = |id: i64| Change::Put { key: id.into(), before: None, after: None };
        assert_eq!(keys, [bare(1), bare(2)]);
    }
}

#[test]
fn any_cursor_goes_on_where_it_was() {
    for (db, _) in fixtures() {
        let (keys, start) = fed(&db, Feed::Images);
        for number in 0..20_u8 {
            keys.put([number % 5], [number]).unwrap();
            db.keyspace("other").unwrap().put("a", [number]).unwrap();
            if number % 6 == 5 {
                keys.delete_range([1_u8].as_slice()..&[3]).unwrap();
            }
        }
        let all = sets(&keys, start);
        assert_eq!(all.len(), 23);
        for (position, set) in all.iter().enumerate() {
            assert_eq!(sets(&keys, set.ts), all[position + 1..]);
            let between = Timestamp::from_bits(set.ts.to_bits() - 1);
            assert_eq!(sets(&keys, between), all[position..]);
        }
        let mut state = State::new();
        all.iter().for_each(|set| replay(&mut state, set));
        assert_eq!(state, entries(&keys));
    }
}

#[test]
fn the_feed_of_many_threads_leads_to_the_state_they_leave() {
    for (db, _) in fixtures() {
        let (keys, start) = fed(&db, Feed::Images);
        std::thread::scope(|scope| {
            let follower = scope.spawn(|| {
                let mut state = State::new();
                let mut changes = keys.changes(start).unwrap();
                let mut last = start;
                while let Some(set) = changes.wait(LONG).unwrap() {
                    assert!(set.ts > last, "{} after {last}", set.ts);
                    last = set.ts;
                    replay(&mut state, &set);
                    if state.contains_key(b"end".as_slice()) {
                        break;
                    }
                }
                state
            });
            let writers: Vec<_> = (0..4)
                .map(|thread| {
                    scope.spawn({
                        let keys = &keys;
                        move || write_at_random(keys, thread)
                    })
                })
                .collect();
            writers.into_iter().for_each(|writer| writer.join().unwrap());
            keys.put("end", "").unwrap();
            assert_eq!(follower.join().unwrap(), entries(&keys));
        });
        let mut state = State::new();
        sets(&keys, start).iter().for_each(|set| replay(&mut state, set));
        assert_eq!(state, entries(&keys));
    }
}

fn write_at_random(keys: &Keyspace, thread: u64) {
    let random = SeededEntropy::new(thread);
    for round in 0..60_u8 {
        let key = [(random.next_u64() % 10) as u8];
        match random.next_u64() % 8 {
            0 => keys.delete_range(key.as_slice()..&[key[0] + 2]).unwrap(),
            1 | 2 => keys.delete(key).unwrap(),
            _ => keys.put(key, [round]).unwrap(),
        }
    }
}

#[test]
fn one_who_falls_behind_is_told_how_far() {
    for (db, clock) in fixtures() {
        let (keys, start) = fed(&db, Feed::Keys);
        let idle = db.keyspace("idle").unwrap();
        idle.set_feed(Feed::Keys).unwrap();
        let mut idle = idle.changes(idle.feed_start().unwrap().unwrap()).unwrap();
        keys.put("a", "1").unwrap();
        clock.advance_ms(30 * SECOND_MS);
        keys.put("a", "2").unwrap();
        let second = db.snapshot().unwrap().read_ts();
        assert!(idle.next().is_none());
        let mut slow = keys.changes(start).unwrap();
        clock.advance_ms(40 * SECOND_MS);
        db.apply_retention().unwrap();

        let floor = keys.feed_start().unwrap().unwrap();
        assert!(floor > start && floor < second, "{start} {floor} {second}");
        let error = keys.changes(start).map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FeedTruncated);
        assert!(error.to_string().contains("\"k\"") && error.to_string().contains(&floor.to_string()), "{error}");
        assert_eq!(kind(slow.next().unwrap()), Some(ErrorKind::FeedTruncated));
        assert!(slow.next().is_none());
        assert_eq!(sets(&keys, floor).len(), 1);
        assert!(idle.next().is_none(), "one who has nothing to read does not fall behind");
        assert_eq!(idle.position(), db.snapshot().unwrap().read_ts());
    }
}

#[test]
fn one_who_waits_gets_the_next_commit_or_the_end() {
    for (db, _) in fixtures() {
        let (keys, start) = fed(&db, Feed::Keys);
        let mut changes = keys.changes(start).unwrap();
        assert!(changes.wait(Duration::from_millis(1)).unwrap().is_none());
        std::thread::scope(|scope| {
            let (arrived, arrival) = mpsc::channel();
            let waits = scope.spawn(move || {
                arrived.send(changes.wait(LONG).unwrap().unwrap().changes.len()).unwrap();
                kind(changes.wait(LONG))
            });
            db.keyspace("other").unwrap().put("a", "").unwrap();
            keys.put("a", "").unwrap();
            let mut again = keys.changes(start).unwrap();
            assert!(again.wait(LONG).unwrap().is_some(), "what is there needs no waiting");
            assert_eq!(arrival.recv().unwrap(), 1);
            db.close().unwrap();
            assert_eq!(waits.join().unwrap(), Some(ErrorKind::Closed));
        });
    }
}

#[test]
fn a_feed_that_was_off_for_a_while_is_not_gone_on_with() {
    for (db, _) in fixtures() {
        let (keys, start) = fed(&db, Feed::Keys);
        keys.put("a", "1").unwrap();
        let mut changes = keys.changes(start).unwrap();
        keys.set_feed(Feed::Off).unwrap();
        assert_eq!(kind(changes.next().unwrap()), Some(ErrorKind::Unsupported));
        assert_eq!(kind(keys.changes(start)), Some(ErrorKind::Unsupported));
        assert_eq!(keys.feed_start().unwrap(), None);
        keys.put("a", "2").unwrap();
        let (_, again) = fed(&db, Feed::Images);
        assert_eq!(kind(keys.changes(start)), Some(ErrorKind::FeedTruncated));
        keys.put("a", "3").unwrap();
        let change = Change::Put { key: b"a".to_vec(), before: Some(b"2".to_vec()), after: Some(b"3".to_vec()) };
        assert_eq!(sets(&keys, again)[0].changes, [change]);
        keys.clear().unwrap();
        let cleared = Change::RangeRemoved { start: Vec::new(), end: None };
        assert_eq!(sets(&keys, again)[1].changes, [cleared]);
        assert!(db.drop_keyspace("k").unwrap());
        assert_eq!(kind(keys.changes(again)), Some(ErrorKind::NotFound));
    }
}

#[test]
fn a_retention_below_a_second_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let builder = Database::builder().feed_retention(Duration::from_millis(999));
    assert_eq!(kind(builder.clone().in_memory()), Some(ErrorKind::Invalid));
    assert_eq!(kind(builder.open(directory.path().join("db"))), Some(ErrorKind::Invalid));
    assert!(!directory.path().join("db").exists());
}

/// The role of the child: it writes with history and feed, and acknowledges commits, until it is killed.
#[test]
fn child_changes_things_until_it_is_killed() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let db = Database::open(directory).unwrap();
    let keys = db.keyspace("k").unwrap();
    keys.set_history(History::Forever).unwrap();
    keys.set_feed(Feed::Images).unwrap();
    let random = SeededEntropy::new(db.snapshot().unwrap().read_ts().to_bits());
    let mut stdout = std::io::stdout();
    loop {
        let tx = db.begin().unwrap();
        let keys = tx.keyspace("k").unwrap();
        // Removals alone may change nothing, and are not in the feed then.
        keys.put([u8::MAX], random.next_u64().to_be_bytes()).unwrap();
        for _ in 0..=random.next_u64() % 3 {
            let key = [(random.next_u64() % 20) as u8];
            match random.next_u64() % 6 {
                0 => keys.delete_range(key.as_slice()..&[key[0] + 3]).unwrap(),
                1 => keys.delete(key).unwrap(),
                _ => keys.put(key, vec![key[0]; (random.next_u64() % 200) as usize]).unwrap(),
            }
        }
        let ts = tx.commit().unwrap();
        // Not println: the test harness captures that.
        writeln!(stdout, "\nacknowledged {}", ts.to_bits()).unwrap();
        stdout.flush().unwrap();
    }
}

fn spawn(directory: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "feed::child_changes_things_until_it_is_killed", "--nocapture", "--test-threads=1"])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn after_a_kill_feed_history_and_data_agree() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let mut start = None;
    for round in 1..4 {
        let mut child = spawn(&path);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let number = |line: String| line.strip_prefix("acknowledged ")?.parse().ok().map(Timestamp::from_bits);
        let last = lines.filter_map(|line| number(line.unwrap())).take(40 * round).last().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();

        let db = Database::open(&path).unwrap();
        let keys = db.keyspace("k").unwrap();
        let start = *start.get_or_insert(keys.feed_start().unwrap().unwrap());
        let all = sets(&keys, start);
        assert!(all.last().unwrap().ts >= last, "what was acknowledged is in the feed");
        let mut state = State::new();
        for (number, set) in all.iter().enumerate() {
            replay(&mut state, set);
            if number % 10 == 0 {
                let past = db.as_of(set.ts).unwrap().keyspace("k").unwrap();
                assert_eq!(entries(&past), state, "round {round}, as of {}", set.ts);
            }
        }
        assert_eq!(state, entries(&keys), "round {round}");
    }
}
