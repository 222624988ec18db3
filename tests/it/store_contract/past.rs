//! History and change feed: both stores must answer alike, and as the commits themselves say.

use std::collections::BTreeMap;
use std::time::Duration;

use blaze_core::{Change, ChangeKind, Expiry, Feed, Prefix, Tracking, Version};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const WITH_HISTORY: Prefix = *b"hist";
const PLAIN: Prefix = *b"none";

contracts! {
    a_key_is_what_it_was_at_any_commit,
    a_range_is_what_it_was_in_both_directions,
    the_past_is_read_of_keys_with_a_history_only,
    the_versions_of_a_key_meet_end_to_end,
    a_history_that_expired_is_refused_but_to_those_who_read_it_already,
    dropping_ends_a_history,
    the_feed_tells_each_write_with_its_images,
    a_feed_of_keys_reads_nothing,
    a_truncated_feed_is_refused,
    one_who_waits_for_changes_gets_the_next,
    the_families_of_the_store_are_refused,
}

fn tracking(prefix: Prefix, history: bool, feed: Feed) -> Tracking {
    Tracking { prefix, history, feed, dropped: false }
}

impl Fixture {
    fn track(&self, tracked: &[Tracking], writes: Vec<Write>) -> Timestamp {
        let tracked = tracked.to_vec();
        self.store
            .commit(CommitRequest { writes, tracked, durability: Durability::Buffered, ..CommitRequest::default() })
            .unwrap()
    }

    /// Commits to the prefix with a history.
    fn remember(&self, writes: Vec<Write>) -> Timestamp {
        self.track(&[tracking(WITH_HISTORY, true, Feed::Off)], writes)
    }

    fn expire(&self, expiry: Expiry) -> Timestamp {
        self.store.commit(CommitRequest { expiry, ..CommitRequest::default() }).unwrap()
    }

    fn at(&self, ts: Timestamp) -> Arc<dyn ReadPoint> {
        self.store.read_point_at(ts).unwrap()
    }

    fn versions(&self, key: &str) -> Vec<Version> {
        self.store.versions(&self.view(), key.as_bytes()).unwrap().collect::<Result<_>>().unwrap()
    }

    fn changes(&self, after: Timestamp) -> Vec<Change> {
        self.store.changes(&self.view(), after).unwrap().collect::<Result<_>>().unwrap()
    }
}

fn kind<T>(result: Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

fn a_key_is_what_it_was_at_any_commit(fixture: &Fixture) {
    let began = fixture.remember(vec![put("hist a", "1"), put("hist a\0", "zero")]);
    let replaced = fixture.remember(vec![put("hist a", "lost"), delete("hist a"), put("hist a", "2")]);
    let removed = fixture.remember(vec![delete("hist a")]);
    fixture.remember(vec![delete("hist a"), put("hist b", "1")]);
    let again = fixture.remember(vec![put("hist a", "3")]);
    let of_a: Vec<_> = [began, replaced, removed, again].map(|ts| get(&*fixture.at(ts), "hist a")).into();
    assert_eq!(of_a, [Some("1".into()), Some("2".into()), None, Some("3".into())]);
    assert_eq!(get(&*fixture.at(replaced), "hist b"), None);
    assert_eq!(get(&*fixture.at(replaced), "hist a\0"), Some("zero".into()));
    assert_eq!(get(&*fixture.at(Timestamp::MAX), "hist a"), Some("3".into()));
    assert_eq!(fixture.at(replaced).ts(), replaced);
    assert_eq!(fixture.at(Timestamp::MAX).ts(), again);
}

fn a_range_is_what_it_was_in_both_directions(fixture: &Fixture) {
    let all = KeyRange::prefix(&WITH_HISTORY);
    let began = fixture.remember(["hist a", "hist b", "hist c", "hist d"].map(|key| put(key, "1")).into());
    for round in 0..5 {
        fixture.remember(vec![put("hist b", &round.to_string()), delete("hist c"), put("hist e", "1")]);
        fixture.remember(vec![put("hist c", "2"), delete("hist e"), put("hist bb", "1")]);
    }
    let cleared = fixture.remember(vec![delete_range("hist b", Some("hist d"))]);
    fixture.remember(vec![put("hist b", "9"), delete_range("hist", Some("hist c")), put("hist bc", "9")]);
    let view = fixture.at(began);
    assert_eq!(keys(&*view, &all, Direction::Forward), "hist a hist b hist c hist d");
    assert_eq!(keys(&*view, &all, Direction::Reverse), "hist d hist c hist b hist a");
    assert_eq!(keys(&*view, &range("hist b", Some("hist d")), Direction::Reverse), "hist c hist b");
    assert_eq!(keys(&*fixture.at(cleared), &all, Direction::Forward), "hist a hist d");
    assert_eq!(keys(&*fixture.view(), &all, Direction::Forward), "hist bc hist d");

    let mut cursor = view.cursor(Family::Data, &all, Direction::Forward).unwrap();
    cursor.seek(b"hist bb").unwrap();
    assert_eq!(rest(&mut *cursor), "hist c hist d");
    cursor.seek(b"a").unwrap();
    assert_eq!(rest(&mut *cursor), "hist a hist b hist c hist d");
    cursor.seek(b"z").unwrap();
    assert_eq!(rest(&mut *cursor), "");
    let mut cursor = view.cursor(Family::Data, &all, Direction::Reverse).unwrap();
    cursor.seek(b"hist bb").unwrap();
    assert_eq!(rest(&mut *cursor), "hist b hist a");
}

fn the_past_is_read_of_keys_with_a_history_only(fixture: &Fixture) {
    fixture.fill(&["none a"]);
    let before = fixture.write(vec![put("hist a", "0"), put("none a", "0")]);
    let began = fixture.remember(vec![put("hist a", "1"), put("none a", "1")]);
    assert_eq!(kind(fixture.at(began).get(Family::Data, b"none a")), Some(ErrorKind::Unsupported));
    assert_eq!(kind(fixture.at(began).get(Family::Data, b"n")), Some(ErrorKind::Unsupported));
    assert_eq!(kind(fixture.at(began).get(Family::Index, b"hist a")), Some(ErrorKind::Unsupported));
    assert_eq!(kind(fixture.at(before).get(Family::Data, b"hist a")), Some(ErrorKind::HistoryExpired));
    let cursor = |ts, range: &KeyRange| fixture.at(ts).cursor(Family::Data, range, Direction::Forward).map(drop);
    assert_eq!(kind(cursor(began, &KeyRange::all())), Some(ErrorKind::Unsupported));
    assert_eq!(kind(cursor(began, &KeyRange::prefix(&PLAIN))), Some(ErrorKind::Unsupported));
    assert_eq!(kind(cursor(before, &KeyRange::prefix(&WITH_HISTORY))), Some(ErrorKind::HistoryExpired));
    assert_eq!(kind(fixture.store.versions(&fixture.view(), b"none a").map(drop)), Some(ErrorKind::Unsupported));
    let of_now = fixture.at(began);
    fixture.write(vec![Write::put(Family::Catalog, "row", "value")]);
    assert_eq!(of_now.get(Family::Catalog, b"row").unwrap(), None, "the catalog is that of when the view was taken");
    assert!(fixture.at(began).get(Family::Catalog, b"row").unwrap().is_some());
}

fn the_versions_of_a_key_meet_end_to_end(fixture: &Fixture) {
    fixture.write(vec![put("hist a", "0")]);
    fixture.remember(vec![put("hist other", "1")]);
    let first = fixture.remember(vec![put("hist a", "1"), put("hist b", "1")]);
    let removed = fixture.remember(vec![delete("hist a")]);
    fixture.remember(vec![delete("hist a")]);
    let again = fixture.remember(vec![put("hist a", "2")]);
    let version = |from, until, value: Option<&str>| Version { from, until, value: value.map(Into::into) };
    assert_eq!(
        fixture.versions("hist a"),
        [
            version(Some(again), None, Some("2")),
            version(Some(removed), Some(again), None),
            version(Some(first), Some(removed), Some("1")),
            version(None, Some(first), Some("0")),
        ]
    );
    assert_eq!(fixture.versions("hist b"), [version(Some(first), None, Some("1"))]);
    assert_eq!(fixture.versions("hist c"), []);
    assert_eq!(fixture.versions("hist other"), [version(None, None, Some("1"))]);
    let then = fixture.store.versions(&fixture.at(first), b"hist a").unwrap();
    assert_eq!(
        then.collect::<Result<Vec<_>>>().unwrap(),
        [version(Some(first), None, Some("1")), version(None, Some(first), Some("0"))]
    );
}

fn a_history_that_expired_is_refused_but_to_those_who_read_it_already(fixture: &Fixture) {
    let began = fixture.remember(vec![put("hist a", "1")]);
    let second = fixture.remember(vec![put("hist a", "2")]);
    let third = fixture.remember(vec![put("hist a", "3")]);
    let reader = fixture.at(began);
    let versions = fixture.store.versions(&fixture.view(), b"hist a").unwrap();
    fixture.expire(Expiry { history: vec![(WITH_HISTORY, second), (PLAIN, third)], feed: None });
    fixture.expire(Expiry { history: vec![(WITH_HISTORY, began)], feed: None });
    assert_eq!(fixture.store.marks().unwrap().history_from(WITH_HISTORY), Some(second));
    assert_eq!(fixture.store.marks().unwrap().history_from(PLAIN), None);
    assert_eq!(get(&*reader, "hist a"), Some("1".into()));
    assert_eq!(versions.count(), 3);
    assert_eq!(kind(fixture.at(began).get(Family::Data, b"hist a")), Some(ErrorKind::HistoryExpired));
    assert_eq!(get(&*fixture.at(second), "hist a"), Some("2".into()));
    assert_eq!(fixture.versions("hist a").len(), 2);
}

fn dropping_ends_a_history(fixture: &Fixture) {
    let began = fixture.remember(vec![put("hist a", "1")]);
    fixture.remember(vec![put("hist a", "2")]);
    let reader = fixture.at(began);
    let drop = Tracking { dropped: true, ..tracking(WITH_HISTORY, true, Feed::Keys) };
    let writes = vec![Write::DeleteRange { family: Family::Data, range: KeyRange::prefix(&WITH_HISTORY) }];
    let dropped = fixture.track(&[drop], writes);
    assert_eq!(get(&*reader, "hist a"), Some("1".into()));
    assert_eq!(kind(fixture.at(began).get(Family::Data, b"hist a")), Some(ErrorKind::Unsupported));
    let rows = fixture.changes(Timestamp::ZERO);
    let end = KeyRange::prefix(&WITH_HISTORY).end().map(<[u8]>::to_vec);
    assert_eq!(
        rows.iter().map(|row| (row.ts, &row.kind)).collect::<Vec<_>>(),
        [(dropped, &ChangeKind::DeleteRange(end))]
    );
    assert_eq!(fixture.store.marks().unwrap().feed_from(WITH_HISTORY), None);
    // What comes under the same prefix knows nothing of before.
    let anew = fixture.remember(vec![put("hist a", "3")]);
    fixture.remember(vec![put("hist a", "4")]);
    assert_eq!(kind(fixture.at(dropped).get(Family::Data, b"hist a")), Some(ErrorKind::HistoryExpired));
    assert_eq!(get(&*fixture.at(anew), "hist a"), Some("3".into()));
    assert_eq!(fixture.versions("hist a").len(), 2);
}

fn the_feed_tells_each_write_with_its_images(fixture: &Fixture) {
    fixture.write(vec![put("feed a", "0")]);
    let with_images = [tracking(*b"feed", false, Feed::Images)];
    let stamped = Write::Put { family: Family::Data, key: "feed s".into(), value: vec![9; 8], stamp_at: Some(0) };
    let range = Write::DeleteRange { family: Family::Data, range: KeyRange::new("a", Some(b"feed b".to_vec())) };
    let ts = fixture.track(
        &with_images,
        vec![
            put("feed a", "1"),
            put("feed a", "2"),
            delete("feed gone"),
            range,
            put("feed a", "3"),
            stamped,
            put("other", ""),
        ],
    );
    let row = |ordinal, kind, key: &str, before: Option<&str>, after: Option<&[u8]>| Change {
        ts,
        ordinal,
        kind,
        key: key.into(),
        before: before.map(Into::into),
        after: after.map(Into::into),
    };
    assert_eq!(
        fixture.changes(Timestamp::ZERO),
        [
            row(0, ChangeKind::Put, "feed a", Some("0"), Some(b"1")),
            row(1, ChangeKind::Put, "feed a", Some("1"), Some(b"2")),
            row(2, ChangeKind::DeleteRange(Some("feed b".into())), "feed", None, None),
            row(3, ChangeKind::Put, "feed a", None, Some(b"3")),
            row(4, ChangeKind::Put, "feed s", None, Some(&ts.to_bits().to_be_bytes())),
        ]
    );
    assert_eq!(fixture.changes(ts), []);
    assert_eq!(kind(fixture.store.changes(&fixture.at(ts), Timestamp::ZERO).map(drop)), Some(ErrorKind::Unsupported));
}

fn a_feed_of_keys_reads_nothing(fixture: &Fixture) {
    let ts = fixture.track(&[tracking(*b"feed", true, Feed::Keys)], vec![put("feed a", "1"), delete("feed gone")]);
    let rows = fixture.changes(Timestamp::ZERO);
    let kinds: Vec<_> = rows.iter().map(|row| (row.ts, row.kind.clone(), row.after.is_some())).collect();
    assert_eq!(kinds, [(ts, ChangeKind::Put, false), (ts, ChangeKind::Delete, false)]);
    let view = fixture.view();
    fixture.track(&[tracking(*b"feed", true, Feed::Keys)], vec![put("feed b", "1")]);
    let seen = fixture.store.changes(&view, Timestamp::ZERO).unwrap().count();
    assert_eq!(seen, 2, "a read point sees the feed of its moment");
}

fn a_truncated_feed_is_refused(fixture: &Fixture) {
    let tracked = [tracking(*b"feed", false, Feed::Keys)];
    let commits: Vec<_> =
        (0..4).map(|number| fixture.track(&tracked, vec![put(&format!("feed {number}"), "")])).collect();
    let view = fixture.view();
    fixture.expire(Expiry { history: Vec::new(), feed: Some(commits[1]) });
    let error = fixture.store.changes(&fixture.view(), commits[0]).map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FeedTruncated);
    assert!(error.to_string().contains(&commits[1].to_string()), "{error}");
    let marks = fixture.store.marks().unwrap();
    assert_eq!((marks.feed_floor(), marks.feed_from(*b"feed")), (commits[1], Some(commits[1])));
    let rest: Vec<_> = fixture.changes(commits[1]).iter().map(|row| row.ts).collect();
    assert_eq!(rest, commits[2..]);
    assert_eq!(fixture.store.changes(&view, commits[2]).unwrap().count(), 1);
}

fn one_who_waits_for_changes_gets_the_next(fixture: &Fixture) {
    let fed = |key: &str| fixture.track(&[tracking(*b"feed", false, Feed::Keys)], vec![put(key, "")]);
    let first = fed("feed a");
    let wait = |after, prefix, timeout| fixture.store.wait_for_changes(after, prefix, timeout);
    assert!(!wait(first, None, Duration::ZERO).unwrap());
    std::thread::scope(|scope| {
        let any = scope.spawn(|| wait(first, None, Duration::from_secs(600)));
        let one = scope.spawn(|| wait(first, Some(*b"feed"), Duration::from_secs(600)));
        fixture.write(vec![put("none a", "")]);
        fed("feed b");
        assert!(any.join().unwrap().unwrap() && one.join().unwrap().unwrap());
        assert!(!wait(first, Some(PLAIN), Duration::ZERO).unwrap());
        let last = scope.spawn(|| wait(Timestamp::MAX, None, Duration::from_secs(600)));
        fixture.store.close().unwrap();
        assert_eq!(kind(last.join().unwrap()), Some(ErrorKind::Closed));
    });
}

fn the_families_of_the_store_are_refused(fixture: &Fixture) {
    for family in [Family::History, Family::Feed] {
        let request = CommitRequest { writes: vec![Write::put(family, "key", "")], ..CommitRequest::default() };
        assert_eq!(kind(fixture.store.commit(request)), Some(ErrorKind::Invalid));
    }
}

/// What a property test does to both stores.
#[derive(Clone, Debug)]
enum Step {
    Commit(Vec<Edit>),
    /// Raises floors to the commit of this position.
    Expire(usize),
    /// Ends both and begins them with the next commit.
    Drop,
    Compact,
    Reopen,
    Look(usize),
}

/// A change of one of a few keys.
#[derive(Clone, Debug)]
enum Edit {
    Put(u8, u8),
    Delete(u8),
    DeleteRange(u8, u8),
    Touch(u8),
}

fn key(number: u8) -> Vec<u8> {
    let rest = [b"\0".as_slice(), b"", b"\0\0", b"a", b"a\0", b"b", b"\xFF", b"\xFF\xFF"];
    let prefix = if number < 12 { WITH_HISTORY } else { PLAIN };
    [prefix.as_slice(), rest[usize::from(number % 8)]].concat()
}

impl Edit {
    fn write(&self) -> Write {
        match *self {
            Edit::Put(number, value) => Write::put(Family::Data, key(number), vec![value; usize::from(value % 40)]),
            Edit::Delete(number) => Write::delete(Family::Data, key(number)),
            Edit::DeleteRange(start, end) => {
                Write::DeleteRange { family: Family::Data, range: KeyRange::new(key(start), Some(key(end))) }
            }
            Edit::Touch(number) => Write::Touch { family: Family::Data, key: key(number) },
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let number = || 0u8..16;
    let change = prop_oneof![
        6 => (number(), any::<u8>()).prop_map(|(key, value)| Edit::Put(key, value)),
        3 => number().prop_map(Edit::Delete),
        1 => (number(), number()).prop_map(|(start, end)| Edit::DeleteRange(start, end)),
        2 => number().prop_map(Edit::Touch),
    ];
    prop_oneof![
        10 => vec(change, 1..6).prop_map(Step::Commit),
        1 => any::<usize>().prop_map(Step::Expire),
        1 => Just(Step::Drop),
        1 => Just(Step::Compact),
        1 => Just(Step::Reopen),
        3 => any::<usize>().prop_map(Step::Look),
    ]
}

struct Pair {
    clock: Arc<ManualClock>,
    lsm: LsmStore,
    mem: MemStore,
    commits: Vec<Timestamp>,
    feed: Feed,
    directory: TempDir, // after the store
}

impl Pair {
    fn new(feed: Feed) -> Pair {
        let clock = Arc::new(ManualClock::at_ms(1_000_000));
        let directory = tempfile::tempdir().unwrap();
        let lsm = LsmStore::open(directory.path(), LsmOptions::new(clock.clone())).unwrap();
        let mem = MemStore::new(clock.clone());
        Pair { clock, lsm, mem, commits: vec![Timestamp::ZERO], feed, directory }
    }

    fn both(&mut self, request: CommitRequest) -> Result<(), TestCaseError> {
        let ts = self.lsm.commit(request.clone()).unwrap();
        prop_assert_eq!(ts, self.mem.commit(request).unwrap());
        self.commits.push(ts);
        Ok(())
    }

    fn run(&mut self, step: &Step) -> Result<(), TestCaseError> {
        let durability = Durability::Buffered;
        let tracking = tracking(WITH_HISTORY, true, self.feed);
        match step {
            Step::Commit(changes) => {
                let writes = changes.iter().map(Edit::write).collect();
                let read_ts = self.lsm.head().unwrap().ts; // that of a request which only touches
                let tracked = vec![tracking];
                self.both(CommitRequest { read_ts, writes, tracked, durability, ..CommitRequest::default() })?;
            }
            Step::Expire(position) => {
                let floor = self.commits[position % self.commits.len()];
                let expiry = Expiry { history: vec![(WITH_HISTORY, floor)], feed: Some(floor) };
                self.both(CommitRequest { expiry, ..CommitRequest::default() })?;
            }
            Step::Drop => {
                let range = KeyRange::prefix(&WITH_HISTORY);
                let writes = vec![Write::DeleteRange { family: Family::Data, range }];
                let tracked = vec![Tracking { dropped: true, ..tracking }];
                self.both(CommitRequest { writes, tracked, durability, ..CommitRequest::default() })?;
            }
            Step::Compact => {
                self.lsm.flush().unwrap();
                Family::ALL.into_iter().for_each(|family| self.lsm.compact(family, &KeyRange::all()).unwrap());
            }
            Step::Reopen => {
                self.lsm.close().unwrap();
                self.lsm = LsmStore::open(self.directory.path(), LsmOptions::new(self.clock.clone())).unwrap();
            }
            Step::Look(position) => self.look(self.commits[position % self.commits.len()])?,
        }
        Ok(())
    }

    /// Compares everything as of a commit, and the feed after it.
    fn look(&self, ts: Timestamp) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.lsm.marks().unwrap(), self.mem.marks().unwrap());
        let stores: [&dyn Store; 2] = [&self.lsm, &self.mem];
        for number in 0..16 {
            let [lsm, mem] = stores.map(|store| {
                let past = store.read_point_at(ts).unwrap().get(Family::Data, &key(number));
                let versions = store.versions(&store.read_point().unwrap(), &key(number));
                let versions = versions.and_then(|versions| versions.collect::<Result<Vec<_>>>());
                (past.map_err(|error| error.kind()), versions.map_err(|error| error.kind()))
            });
            prop_assert_eq!(lsm, mem, "key {} as of {}", number, ts);
        }
        for direction in [Direction::Forward, Direction::Reverse] {
            for range in
                [KeyRange::prefix(&WITH_HISTORY), KeyRange::new(key(0), Some(key(5))), KeyRange::prefix(&PLAIN)]
            {
                let [lsm, mem] = stores.map(|store| entries(&*store.read_point_at(ts).unwrap(), &range, direction));
                prop_assert_eq!(lsm, mem, "{:?} {:?} as of {}", range, direction, ts);
            }
        }
        let [lsm, mem] = stores.map(|store| {
            let rows = store.changes(&store.read_point().unwrap(), ts).map_err(|error| error.kind())?;
            Ok::<_, ErrorKind>(rows.collect::<Result<Vec<_>>>().unwrap())
        });
        prop_assert_eq!(lsm, mem, "changes after {}", ts);
        Ok(())
    }

    /// The feed, replayed from where it begins, leads from the state then to that of now.
    fn replay(&self) -> Result<(), TestCaseError> {
        let marks = self.lsm.marks().unwrap();
        let (Some(from), Some(began)) = (marks.feed_from(WITH_HISTORY), marks.history_from(WITH_HISTORY)) else {
            return Ok(());
        };
        let range = KeyRange::prefix(&WITH_HISTORY);
        let from = from.max(began);
        let then = entries(&*self.lsm.read_point_at(from).unwrap(), &range, Direction::Forward).unwrap();
        let mut state: BTreeMap<_, _> = then.into_iter().collect();
        for row in self.lsm.changes(&self.lsm.read_point().unwrap(), from).unwrap() {
            let row = row.unwrap();
            match row.kind {
                ChangeKind::Put => drop(state.insert(row.key, row.after.unwrap_or_default())),
                ChangeKind::DeleteRange(end) => {
                    let removed = KeyRange::new(row.key, end);
                    state.retain(|key, _| !removed.contains(key));
                }
                _ => drop(state.remove(&row.key)),
            }
        }
        let now = entries(&*self.lsm.read_point().unwrap(), &range, Direction::Forward).unwrap();
        prop_assert_eq!(state.into_iter().collect::<Vec<_>>(), now);
        Ok(())
    }
}

type Entries = Vec<(Vec<u8>, Vec<u8>)>;

fn entries(view: &dyn ReadPoint, range: &KeyRange, direction: Direction) -> Result<Entries, ErrorKind> {
    let mut cursor = view.cursor(Family::Data, range, direction).map_err(|error| error.kind())?;
    let mut entries = Vec::new();
    while let Some((key, value)) = cursor.next().unwrap() {
        entries.push((key.to_vec(), value.to_vec()));
    }
    Ok(entries)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_remembers_what_the_model_does(
        steps in vec(step(), 1..60),
        feed in prop_oneof![Just(Feed::Off), Just(Feed::Keys), Just(Feed::Images)],
    ) {
        let mut pair = Pair::new(feed);
        for step in &steps {
            pair.run(step)?;
        }
        for ts in pair.commits.clone() {
            pair.look(ts)?;
        }
        if feed == Feed::Images {
            pair.replay()?;
        }
    }
}
