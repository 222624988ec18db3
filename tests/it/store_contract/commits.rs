//! Order, timestamps, stamps, threads and the end.

use std::sync::Mutex;

use blaze_core::CommitHook;

use super::*;

contracts! {
    writes_of_a_request_apply_in_their_order,
    a_commit_is_visible_when_it_returns,
    timestamps_grow_although_the_clock_jumps_back,
    timestamps_follow_the_clock,
    a_stamp_is_the_commit_timestamp,
    a_stamp_outside_the_value_is_refused,
    concurrent_increments_lose_nothing,
    additions_never_conflict_and_lose_nothing,
    an_addition_sees_the_writes_before_it_in_its_commit,
    an_addition_to_what_is_no_counter_or_beyond_64_bits_is_refused_whole,
    whoever_has_read_a_counter_conflicts_with_an_addition,
    a_store_says_how_much_it_uses,
    after_close_everything_answers_closed,
    closing_waits_for_nobody_who_only_holds_a_handle,
    a_hook_is_told_of_each_commit_that_succeeds_and_of_no_other,
    hooks_are_told_in_the_order_of_commits_whoever_brings_them,
    the_oldest_view_is_that_of_the_oldest_reader,
}

fn writes_of_a_request_apply_in_their_order(fixture: &Fixture) {
    fixture.fill(&["b", "m"]);
    fixture.write(vec![
        put("a", "1"),
        put("a", "2"),
        put("c", "deleted below"),
        delete_range("b", Some("d")),
        put("b", "after the range"),
        delete("m"),
        put("m", "after the delete"),
        put("z", "deleted below"),
        delete_range("y", None),
        put("zz", "after the open range"),
    ]);
    let view = fixture.view();
    assert_eq!(keys(&*view, &KeyRange::all(), Direction::Forward), "a b m zz");
    assert_eq!((get(&*view, "a"), get(&*view, "b")), (Some("2".into()), Some("after the range".into())));
}

fn a_commit_is_visible_when_it_returns(fixture: &Fixture) {
    let soon = Durability::Interval(std::time::Duration::from_millis(1));
    for durability in [Durability::Sync, Durability::Buffered, soon] {
        let writes = vec![put("a", &format!("{durability:?}"))];
        let ts = fixture.store.commit(CommitRequest { writes, durability, ..CommitRequest::default() }).unwrap();
        assert_eq!(fixture.view().ts(), ts);
        assert_eq!(fixture.get("a"), Some(format!("{durability:?}")));
    }
    fixture.store.sync().unwrap();
}

fn timestamps_grow_although_the_clock_jumps_back(fixture: &Fixture) {
    let first = fixture.write(vec![put("a", "1")]);
    fixture.clock.set_ms(5);
    let second = fixture.write(vec![put("a", "2")]);
    let third = fixture.write(vec![put("a", "3")]);
    assert!(first < second && second < third, "{first} {second} {third}");
    assert_conflict({
        let transaction = fixture.begin(Isolation::Serializable).read("a").write(put("a", "4"));
        fixture.write(vec![put("a", "5")]);
        transaction.commit()
    });
}

fn timestamps_follow_the_clock(fixture: &Fixture) {
    fixture.clock.set_ms(2_000_000);
    assert_eq!(fixture.write(vec![put("a", "1")]), Timestamp::from_ms(2_000_000));
    fixture.clock.advance_ms(100_000);
    assert_eq!(fixture.write(vec![put("a", "1")]), Timestamp::from_ms(2_100_000));
}

fn a_stamp_is_the_commit_timestamp(fixture: &Fixture) {
    let stamped = |key: &str, value: &str, at| Write::Put {
        family: Family::Data,
        key: key.into(),
        value: value.into(),
        stamp_at: Some(at),
    };
    let ts = fixture.write(vec![stamped("a", "________", 0), stamped("b", "before________after", 6)]);
    let view = fixture.view();
    let stamp = ts.to_bits().to_be_bytes();
    assert_eq!(view.get(Family::Data, b"a").unwrap().unwrap(), stamp);
    assert_eq!(view.get(Family::Data, b"b").unwrap().unwrap(), [b"before", stamp.as_slice(), b"after"].concat());
}

fn a_stamp_outside_the_value_is_refused(fixture: &Fixture) {
    for (value, at) in [("", 0), ("_______", 0), ("________", 1), ("________", usize::MAX)] {
        let write = Write::Put { family: Family::Data, key: b"a".to_vec(), value: value.into(), stamp_at: Some(at) };
        let writes = vec![put("b", "1"), write];
        let result = fixture.store.commit(CommitRequest { writes, ..CommitRequest::default() });
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Invalid, "{value:?} at {at}");
    }
    assert_eq!(fixture.get("b"), None);
}

fn concurrent_increments_lose_nothing(fixture: &Fixture) {
    const THREADS: u64 = 4;
    const INCREMENTS: u64 = 100;
    let increment = |isolation| {
        loop {
            let transaction = fixture.begin(isolation).read("n");
            let value: u64 = get(&*transaction.view, "n").map_or(0, |value| value.parse().unwrap());
            match transaction.write(put("n", &(value + 1).to_string())).commit() {
                Ok(_) => return,
                Err(error) => assert!(error.kind().is_retryable(), "{error}"),
            }
        }
    };
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let isolation = if thread % 2 == 0 { Isolation::Serializable } else { Isolation::Snapshot };
            scope.spawn(move || (0..INCREMENTS).for_each(|_| increment(isolation)));
        }
    });
    assert_eq!(fixture.get("n"), Some((THREADS * INCREMENTS).to_string()));
}

fn a_store_says_how_much_it_uses(fixture: &Fixture) {
    let before = fixture.store.bytes_used().unwrap();
    fixture.write(vec![put("a", &"v".repeat(10_000))]);
    assert!(fixture.store.bytes_used().unwrap() >= before + 10_000);
}

fn after_close_everything_answers_closed(fixture: &Fixture) {
    fixture.fill(&["a", "b"]);
    let (store, view) = (&fixture.store, fixture.view());
    let mut cursor = view.cursor(Family::Data, &KeyRange::all(), Direction::Forward).unwrap();
    cursor.next().unwrap();
    store.close().unwrap();
    store.close().unwrap();
    let refusals = [
        store.read_point().map(drop),
        store.commit(CommitRequest { writes: vec![put("a", "1")], ..CommitRequest::default() }).map(drop),
        store.commit(CommitRequest::default()).map(drop),
        store.sync(),
        store.bytes_used().map(drop),
        view.get(Family::Data, b"a").map(drop),
        view.get(Family::Data, b"absent").map(drop),
        view.visit_many(Family::Data, &[b"a"], &mut |_, _| Ok(())),
        view.cursor(Family::Data, &KeyRange::all(), Direction::Forward).map(drop),
        cursor.next().map(drop),
        cursor.seek(b"a"),
    ];
    for (position, refusal) in refusals.into_iter().enumerate() {
        assert_eq!(refusal.map_err(|error| error.kind()), Err(ErrorKind::Closed), "call {position}");
    }
}

fn closing_waits_for_nobody_who_only_holds_a_handle(fixture: &Fixture) {
    fixture.write((0..2_000).map(|key| put(&format!("{key:05}"), "value")).collect());
    let closed = |error: blaze_core::Error| assert_eq!(error.kind(), ErrorKind::Closed);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                loop {
                    let Ok(view) = fixture.store.read_point().map_err(closed) else { return };
                    let all = view.cursor(Family::Data, &KeyRange::all(), Direction::Reverse).map_err(closed);
                    let Ok(mut cursor) = all else { return };
                    let mut entries = 0;
                    while let Ok(Some(_)) = cursor.next().map_err(closed) {
                        entries += 1;
                    }
                    assert!(entries <= 2_000);
                    if view.get(Family::Data, b"00001").map_err(closed).is_err() {
                        return;
                    }
                }
            });
        }
        scope.spawn(|| {
            let write = || CommitRequest { writes: vec![put("00001", "new")], ..CommitRequest::default() };
            while fixture.store.commit(write()).map_err(closed).is_ok() {}
        });
        scope.spawn(|| {
            for _ in 0..200 {
                let _ = fixture.view().get(Family::Data, b"00001");
            }
            fixture.store.close().unwrap();
        });
    });
}

fn add(key: &str, delta: i64) -> Write {
    Write::Add { family: Family::Data, key: key.into(), delta }
}

fn count(fixture: &Fixture, key: &str) -> Option<i64> {
    let value = fixture.view().get(Family::Data, key.as_bytes()).unwrap();
    value.map(|value| counter::decode(&value).unwrap())
}

fn additions_never_conflict_and_lose_nothing(fixture: &Fixture) {
    const THREADS: i64 = 4;
    const ADDITIONS: i64 = 200;
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                for n in 0..ADDITIONS {
                    let isolation = if n % 2 == 0 { Isolation::Serializable } else { Isolation::Snapshot };
                    let view = fixture.view(); // lives until the commit returns, as a request's read point must
                    let request = CommitRequest { read_ts: view.ts(), isolation, ..CommitRequest::default() };
                    let writes = vec![add("count", thread + 1), put(&format!("{thread} {n}"), "")];
                    let durability = Durability::Buffered;
                    fixture.store.commit(CommitRequest { writes, durability, ..request }).unwrap();
                }
            });
        }
    });
    assert_eq!(count(fixture, "count"), Some(ADDITIONS * THREADS * (THREADS + 1) / 2));
}

fn an_addition_sees_the_writes_before_it_in_its_commit(fixture: &Fixture) {
    fixture.write(vec![add("a", 5), add("b", 7), add("c", 9)]);
    let three = Write::put(Family::Data, "d", counter::encode(3));
    let removed = delete_range("b", Some("c"));
    fixture.write(vec![add("a", -6), add("a", 1), removed, add("b", 1), delete("c"), add("c", 2), three, add("d", 1)]);
    let counts = ["a", "b", "c", "d"].map(|key| count(fixture, key));
    assert_eq!(counts, [Some(0), Some(1), Some(2), Some(4)]);
    fixture.write(vec![add("a", 1), delete_range("a", Some("b"))]);
    assert_eq!(count(fixture, "a"), None);
}

fn an_addition_to_what_is_no_counter_or_beyond_64_bits_is_refused_whole(fixture: &Fixture) {
    fixture.write(vec![put("text", "seven b"), add("full", i64::MAX)]);
    for (write, kind) in [(add("text", 1), ErrorKind::Invalid), (add("full", 1), ErrorKind::LimitExceeded)] {
        let writes = vec![put("other", ""), write];
        let result = fixture.store.commit(CommitRequest { writes, ..CommitRequest::default() });
        assert_eq!(result.map_err(|error| error.kind()), Err(kind));
    }
    assert_eq!((fixture.get("other"), count(fixture, "full")), (None, Some(i64::MAX)));
}

fn whoever_has_read_a_counter_conflicts_with_an_addition(fixture: &Fixture) {
    let transaction = fixture.begin(Isolation::Serializable).read("count").write(put("seen", "none"));
    fixture.write(vec![add("count", 1)]);
    assert_conflict(transaction.commit());
}

/// Writes down which commits it was told of.
#[derive(Debug, Default)]
struct Told(Mutex<Vec<Timestamp>>);

impl CommitHook for Told {
    fn committed(&self, ts: Timestamp) {
        self.0.lock().unwrap().push(ts);
    }
}

impl Told {
    fn commits(&self) -> Vec<Timestamp> {
        self.0.lock().unwrap().clone()
    }
}

fn a_hook_is_told_of_each_commit_that_succeeds_and_of_no_other(fixture: &Fixture) {
    let told = Arc::new(Told::default());
    let hook = || Some(Arc::clone(&told) as Arc<dyn CommitHook>);
    let commit = |request: CommitRequest| {
        fixture.store.commit(CommitRequest { hook: hook(), durability: Durability::Buffered, ..request })
    };
    let view = fixture.view();
    let first = commit(CommitRequest { writes: vec![put("a", "1")], ..CommitRequest::default() }).unwrap();
    assert_eq!(told.commits(), [first]);
    let conflicting = CommitRequest {
        read_ts: view.ts(),
        reads: vec![PointRead { family: Family::Data, key: b"a".to_vec() }],
        writes: vec![put("b", "1")],
        ..CommitRequest::default()
    };
    assert_eq!(commit(conflicting).unwrap_err().kind(), ErrorKind::Conflict);
    let invalid = CommitRequest { writes: vec![put("", "1")], ..CommitRequest::default() };
    assert_eq!(commit(invalid).unwrap_err().kind(), ErrorKind::Invalid);
    commit(CommitRequest { read_ts: view.ts(), ..CommitRequest::default() }).unwrap();
    assert_eq!(told.commits(), [first], "refused requests and one that writes nothing");
    let synced = CommitRequest { writes: vec![put("c", "1")], hook: hook(), ..CommitRequest::default() };
    let second = fixture.store.commit(synced).unwrap();
    assert_eq!(told.commits(), [first, second]);
}

/// Notes, when it is told of a commit, what new readers see.
#[derive(Debug)]
struct Looking {
    store: std::sync::Weak<dyn Store>,
    published: Mutex<Vec<(Timestamp, Timestamp)>>,
}

impl CommitHook for Looking {
    fn committed(&self, ts: Timestamp) {
        let published = self.store.upgrade().unwrap().head().unwrap().ts;
        self.published.lock().unwrap().push((ts, published));
    }
}

#[test]
fn a_hook_is_told_before_anybody_can_see_the_commit() {
    let fixture = Fixture::lsm(); // the other store is locked meanwhile
    let hook = Arc::new(Looking { store: Arc::downgrade(&fixture.store), published: Mutex::default() });
    for durability in [Durability::Sync, Durability::Buffered] {
        let writes = vec![put("a", "1")];
        let hook = Some(Arc::clone(&hook) as Arc<dyn CommitHook>);
        fixture.store.commit(CommitRequest { writes, durability, hook, ..CommitRequest::default() }).unwrap();
    }
    for (ts, published) in hook.published.lock().unwrap().iter() {
        assert!(published < ts, "{published} was published before the hook was told of {ts}");
    }
}

fn hooks_are_told_in_the_order_of_commits_whoever_brings_them(fixture: &Fixture) {
    const THREADS: usize = 4;
    const COMMITS: usize = 100;
    let told = Arc::new(Told::default());
    let mut acknowledged: Vec<Timestamp> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..THREADS)
            .map(|thread| {
                let told = &told;
                scope.spawn(move || {
                    let commit = |n| {
                        let writes = vec![put(&format!("{thread} {n}"), "1")];
                        let durability = if n % 7 == 0 { Durability::Sync } else { Durability::Buffered };
                        let hook = Some(Arc::clone(told) as Arc<dyn CommitHook>);
                        let request = CommitRequest { writes, durability, hook, ..CommitRequest::default() };
                        let ts = fixture.store.commit(request).unwrap();
                        assert!(told.commits().contains(&ts), "a commit returned before its hook was told");
                        ts
                    };
                    (0..COMMITS).map(commit).collect::<Vec<_>>()
                })
            })
            .collect();
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });
    acknowledged.sort_unstable();
    assert_eq!(told.commits(), acknowledged, "each once, in order");
}

fn the_oldest_view_is_that_of_the_oldest_reader(fixture: &Fixture) {
    fixture.fill(&["a"]);
    let oldest = || fixture.store.oldest_view().unwrap().unwrap();
    let old = fixture.store.read_only_point().unwrap();
    let begun = fixture.view();
    fixture.fill(&["b"]);
    let newer = fixture.view();
    assert_eq!(oldest(), old.ts());
    drop(old);
    assert_eq!(oldest(), begun.ts());
    drop(begun);
    assert_eq!(oldest(), newer.ts());
    drop(newer);
    fixture.fill(&["c"]);
    assert_eq!(oldest(), fixture.view().ts());
}
