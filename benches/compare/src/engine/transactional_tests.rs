//! What every engine promises that takes part in the engine's own table, by way of [`Transactional`].

use blaze_bench::engine::{EngineOptions, Faculty, Isolation, Opening, Transactional, Write};

use super::linked;

/// Runs a check on each such engine, in an empty directory; on failure the last line of output names the engine.
fn on_each_store(opening: Opening, check: impl Fn(&dyn Transactional)) {
    for engine in linked() {
        if engine.faculties().contains(&Faculty::Transactions) {
            println!("{} {}", engine.name(), engine.version());
            let directory = tempfile::tempdir().unwrap();
            let options = EngineOptions { directory: directory.path().to_owned(), cache_bytes: 8 << 20 };
            check(&*engine.open_transactional(&options, opening).unwrap());
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn get(store: &dyn Transactional, key: &str) -> Option<String> {
    let mut found = None;
    store.get(key.as_bytes(), &mut |value| found = Some(text(value))).unwrap();
    found
}

#[test]
fn ranges_show_what_was_written_until_the_moment_they_are_read() {
    on_each_store(Opening::BUFFERED, |store| {
        let mut ranges = store.ranges().unwrap();
        let mut scan = |start: &[u8], limit| {
            let mut pairs = String::new();
            let mut visit = |key: &[u8], value: &[u8]| pairs += &format!("{}{} ", text(key), text(value));
            let visited = ranges.scan(start, limit, &mut visit).unwrap();
            (visited, pairs)
        };
        assert_eq!(scan(b"a", 10), (0, String::new()));
        for (key, value) in [("b", "2"), ("a", "1"), ("c", "3")] {
            store.put(key.as_bytes(), value.as_bytes()).unwrap();
        }
        assert_eq!(scan(b"a", 2), (2, "a1 b2 ".to_owned()));
        store.write(&[Write::Put(b"b", b"new"), Write::Delete(b"a"), Write::Put(b"d", b"4")]).unwrap();
        store.settle().unwrap(); // what was in memory is in files now
        assert_eq!(scan(b"a", 10), (3, "bnew c3 d4 ".to_owned()));
        store.put(b"c", b"5").unwrap();
        assert_eq!(scan(b"bb", 1), (1, "c5 ".to_owned()));
        assert_eq!(scan(b"e", 1), (0, String::new()));
    });
}

#[test]
fn a_transaction_reads_what_there_is_and_writes_all() {
    on_each_store(Opening::BUFFERED, |store| {
        store.put(b"a", b"1").unwrap();
        store.put(b"c", b"3").unwrap();
        for isolation in [Isolation::Strongest, Isolation::Snapshot] {
            let mut seen = Vec::new();
            let writes = [Write::Put(b"b", b"2"), Write::Delete(b"d"), Write::Put(b"e", b"5")];
            let mut visit = |key: &[u8], value: &[u8]| seen.push((text(key), text(value)));
            store.rewrite(&[b"c", b"d", b"a"], &mut visit, &writes, isolation).unwrap();
            assert_eq!(seen, [("c", "3"), ("a", "1")].map(|(key, value)| (key.to_owned(), value.to_owned())));
            assert_eq!(["a", "b", "c", "d", "e"].map(|key| get(store, key).is_some()), [true, true, true, false, true]);
            store.put(b"d", b"4").unwrap();
            store.write(&[Write::Delete(b"d"), Write::Delete(b"e"), Write::Delete(b"b")]).unwrap();
            assert_eq!(store.count().unwrap(), 2);
        }
    });
}

#[test]
fn a_view_that_is_dropped_leaves_nothing_behind() {
    on_each_store(Opening::BUFFERED, |store| {
        store.put(b"a", b"1").unwrap();
        for number in 0..1000 {
            store.begin_and_drop().unwrap();
            store.put(b"a", format!("{number}").as_bytes()).unwrap();
        }
        assert_eq!((get(store, "a").as_deref(), store.count().unwrap()), (Some("999"), 1));
    });
}

#[test]
fn syncs_are_counted_where_that_was_asked_for_and_can_be_told() {
    on_each_store(Opening { counts_syncs: true, ..Opening::DURABLE }, |store| {
        let Some(before) = store.syncs() else { return };
        for number in 0..10 {
            store.put(b"a", format!("{number}").as_bytes()).unwrap();
        }
        assert_eq!(store.syncs().unwrap() - before, 10, "one thread shares no sync");
    });
    on_each_store(Opening { counts_syncs: true, ..Opening::BUFFERED }, |store| {
        let Some(before) = store.syncs() else { return };
        store.put(b"a", b"1").unwrap();
        assert_eq!(store.syncs(), Some(before));
    });
}
