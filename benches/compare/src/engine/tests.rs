//! What every engine promises, by way of [`KeyValue`].

use std::collections::BTreeMap;
use std::thread;

use blaze_bench::dataset::orders::{Order, STATUSES};
use blaze_bench::engine::{Durability, Engine, EngineOptions, Faculty, KeyValue, Pairs, Reader, Write};

use super::linked;

/// Pairs from a vector.
struct Given<'a>(std::slice::Iter<'a, (Vec<u8>, Vec<u8>)>);

impl Pairs for Given<'_> {
    fn next(&mut self) -> Option<(&[u8], &[u8])> {
        self.0.next().map(|(key, value)| (key.as_slice(), value.as_slice()))
    }
}

/// Runs a check on each engine that stores pairs, in an empty directory; on failure the last line of output names the engine.
fn on_each(check: impl Fn(&dyn Engine, &EngineOptions)) {
    on_each_with(Faculty::KeyValue, check);
}

fn on_each_with(faculty: Faculty, check: impl Fn(&dyn Engine, &EngineOptions)) {
    for engine in linked().into_iter().filter(|engine| engine.faculties().contains(&faculty)) {
        println!("{} {}", engine.name(), engine.version());
        let directory = tempfile::tempdir().unwrap();
        check(engine, &EngineOptions { directory: directory.path().to_owned(), cache_bytes: 8 << 20 });
    }
}

fn on_each_store(check: impl Fn(&dyn KeyValue)) {
    on_each(|engine, options| check(&*engine.open_key_value(options).unwrap()));
}

fn get(store: &dyn KeyValue, key: &str) -> Option<String> {
    let mut found = None;
    let there = store.get(key.as_bytes(), &mut |value| found = Some(text(value))).unwrap();
    assert_eq!(there, found.is_some());
    found
}

fn get_from(reader: &mut dyn Reader, key: &str) -> Option<String> {
    let mut found = None;
    let there = reader.get(key.as_bytes(), &mut |value| found = Some(text(value))).unwrap();
    assert_eq!(there, found.is_some());
    found
}

fn scan(store: &dyn KeyValue, start: &str, limit: usize) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let visited = store.scan(start.as_bytes(), limit, &mut |key, value| pairs.push((text(key), text(value)))).unwrap();
    assert_eq!(visited, pairs.len());
    pairs
}

fn scan_from(reader: &mut dyn Reader, start: &str, limit: usize) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let visited = reader.scan(start.as_bytes(), limit, &mut |key, value| pairs.push((text(key), text(value)))).unwrap();
    assert_eq!(visited, pairs.len());
    pairs
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec()
}

fn put(store: &dyn KeyValue, key: &str, value: &str, durability: Durability) {
    store.commit(&[Write::Put(key.as_bytes(), value.as_bytes())], durability).unwrap();
}

/// Four pairs with keys that are not neighbours.
fn put_four(store: &dyn KeyValue) {
    let writes =
        [("d", "4"), ("b", "2"), ("h", "8"), ("f", "6")].map(|(key, value)| (key.as_bytes(), value.as_bytes()));
    store.commit(&writes.map(|(key, value)| Write::Put(key, value)), Durability::Buffered).unwrap();
}

#[test]
fn every_engine_tells_its_name_its_version_and_its_configuration() {
    let mut names = Vec::new();
    on_each(|engine, options| {
        assert!(engine.version().starts_with(|first: char| first.is_ascii_digit()), "{}", engine.version());
        assert!(!engine.configuration(options).is_empty());
    });
    names.extend(linked().iter().map(|engine| engine.name()));
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), linked().len());
}

#[test]
fn pairs_loaded_in_no_order_are_found_counted_and_scanned_in_order() {
    let given: Vec<(Vec<u8>, Vec<u8>)> = (0..25_000_u32)
        .map(|number| {
            (number.wrapping_mul(2_654_435_761).to_be_bytes().to_vec(), format!("value {number}").into_bytes())
        })
        .collect();
    let ordered: BTreeMap<&[u8], &[u8]> = given.iter().map(|(key, value)| (key.as_slice(), value.as_slice())).collect();
    on_each_store(|store| {
        store.load(&mut Given(given.iter())).unwrap();
        assert_eq!(store.count().unwrap(), 25_000);
        for (key, value) in &given {
            let mut right = false;
            assert!(store.get(key, &mut |found| right = found == value).unwrap());
            assert!(right);
        }
        let mut expected = ordered.iter();
        let visited = store.scan(&[0], 30_000, &mut |key, value| assert_eq!((&key, &value), expected.next().unwrap()));
        assert_eq!((visited.unwrap(), expected.next()), (25_000, None));
    });
}

#[test]
fn a_missing_key_is_not_found() {
    on_each_store(|store| {
        assert_eq!(get(store, "a"), None);
        put_four(store);
        assert_eq!(get(store, "a"), None);
        assert_eq!(get(store, "c"), None);
        assert_eq!(get(store, "bb"), None);
        assert_eq!(get(store, "b").as_deref(), Some("2"));
    });
}

#[test]
fn a_scan_begins_at_the_first_key_not_below_its_start_and_ends_at_its_limit() {
    on_each_store(|store| {
        put_four(store);
        assert_eq!(scan(store, "c", 2), pairs([("d", "4"), ("f", "6")]));
        assert_eq!(scan(store, "d", 1), pairs([("d", "4")]));
        assert_eq!(scan(store, "e", 10), pairs([("f", "6"), ("h", "8")]));
        assert_eq!(scan(store, "a", 0), []);
        assert_eq!(scan(store, "i", 10), []);

        let mut reader = store.reader().unwrap();
        assert_eq!(scan_from(&mut *reader, "c", 2), pairs([("d", "4"), ("f", "6")]));
        assert_eq!(scan_from(&mut *reader, "a", 1), pairs([("b", "2")]));
        assert_eq!(scan_from(&mut *reader, "i", 10), []);
        assert_eq!(scan_from(&mut *reader, "g", 10), pairs([("h", "8")]));
    });
}

#[test]
fn a_reader_sees_one_moment_while_commits_go_on() {
    on_each_store(|store| {
        put_four(store);
        let mut reader = store.reader().unwrap();
        store
            .commit(&[Write::Put(b"b", b"new"), Write::Delete(b"d"), Write::Put(b"a", b"1")], Durability::Buffered)
            .unwrap();
        store.modify(b"f", &mut |value| value.extend_from_slice(b" and more"), Durability::Buffered).unwrap();
        assert_eq!(get_from(&mut *reader, "b").as_deref(), Some("2"));
        assert_eq!(get_from(&mut *reader, "a"), None);
        put(store, "c", "3", Durability::Sync);
        assert_eq!(scan_from(&mut *reader, "a", 10), pairs([("b", "2"), ("d", "4"), ("f", "6"), ("h", "8")]));
        drop(reader);
        let now = pairs([("a", "1"), ("b", "new"), ("c", "3"), ("f", "6 and more"), ("h", "8")]);
        assert_eq!(scan(store, "a", 10), now);
        assert_eq!(scan_from(&mut *store.reader().unwrap(), "a", 10), now);
    });
}

#[test]
fn no_reader_sees_a_part_of_a_commit() {
    on_each_store(|store| {
        put(store, "left", "0", Durability::Buffered);
        put(store, "right", "0", Durability::Buffered);
        thread::scope(|scope| {
            let writer = scope.spawn(|| {
                for number in 1..500 {
                    let number = number.to_string();
                    let writes = [Write::Put(b"left", number.as_bytes()), Write::Put(b"right", number.as_bytes())];
                    store.commit(&writes, Durability::Buffered).unwrap();
                }
            });
            while !writer.is_finished() {
                let both = scan_from(&mut *store.reader().unwrap(), "left", 2);
                assert_eq!(both[0].1, both[1].1);
            }
        });
        assert_eq!(get(store, "right").as_deref(), Some("499"));
    });
}

#[test]
fn a_commit_writes_all_that_it_puts_and_removes_all_that_it_deletes() {
    on_each_store(|store| {
        put_four(store);
        let writes = [Write::Put(b"a", b"1"), Write::Delete(b"d"), Write::Put(b"f", b"new"), Write::Delete(b"missing")];
        store.commit(&writes, Durability::Sync).unwrap();
        assert_eq!(scan(store, "a", 10), pairs([("a", "1"), ("b", "2"), ("f", "new"), ("h", "8")]));
        assert_eq!(store.count().unwrap(), 4);
        store.commit(&[], Durability::Sync).unwrap();
        assert_eq!(store.count().unwrap(), 4);
    });
}

#[test]
fn four_threads_that_modify_one_key_lose_no_change() {
    on_each_store(|store| {
        put(store, "counter", "0", Durability::Buffered);
        let increment =
            |value: &mut Vec<u8>| *value = (text(value).parse::<u32>().unwrap() + 1).to_string().into_bytes();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..250 {
                        assert!(store.modify(b"counter", &mut { increment }, Durability::Buffered).unwrap());
                    }
                });
            }
        });
        assert_eq!(get(store, "counter").as_deref(), Some("1000"));
    });
}

#[test]
fn a_missing_key_is_not_modified_and_does_not_come_to_be() {
    on_each_store(|store| {
        put_four(store);
        assert!(!store.modify(b"missing", &mut |value| value.push(1), Durability::Sync).unwrap());
        assert_eq!(get(store, "missing"), None);
        assert!(store.modify(b"b", &mut |value| value.push(b'!'), Durability::Sync).unwrap());
        assert_eq!(get(store, "b").as_deref(), Some("2!"));
    });
}

#[test]
fn what_was_committed_is_there_when_the_directory_is_opened_again() {
    on_each(|engine, options| {
        let store = engine.open_key_value(options).unwrap();
        store.load(&mut Given([(b"loaded".to_vec(), b"yes".to_vec())].iter())).unwrap();
        drop(store);
        for round in 0..3 {
            let store = engine.open_key_value(options).unwrap();
            assert_eq!(store.count().unwrap(), 1 + 2 * round);
            let (durable, buffered) = (format!("durable {round}"), format!("buffered {round}"));
            put(&*store, &buffered, "1", Durability::Buffered);
            put(&*store, &durable, "2", Durability::Sync);
            drop(store);
            let store = engine.open_key_value(options).unwrap();
            assert_eq!(get(&*store, "loaded").as_deref(), Some("yes"));
            assert_eq!(get(&*store, &buffered).as_deref(), Some("1"));
            assert_eq!(get(&*store, &durable).as_deref(), Some("2"));
        }
    });
}

#[test]
fn a_store_settles_shrinks_and_goes_on() {
    let keys: Vec<Vec<u8>> = (0..20_000_u32).map(|number| number.to_be_bytes().to_vec()).collect();
    let value = [b'v'; 100];
    let puts: Vec<Write<'_>> = keys.iter().map(|key| Write::Put(key, &value)).collect();
    let deletes: Vec<Write<'_>> = keys.iter().skip(1).map(|key| Write::Delete(key)).collect();
    on_each_store(|store| {
        store.commit(&puts, Durability::Buffered).unwrap();
        store.settle().unwrap();
        assert_eq!(store.count().unwrap(), 20_000);
        store.commit(&deletes, Durability::Sync).unwrap();
        assert_eq!(store.count().unwrap(), 1);
        store.compact().unwrap();
        store.settle().unwrap();
        assert_eq!(store.count().unwrap(), 1);
        assert!(store.get(&keys[0], &mut |found| assert_eq!(found, value)).unwrap());
        store.commit(&puts[..100], Durability::Sync).unwrap();
        store.commit(&puts[100..200], Durability::Buffered).unwrap();
        assert_eq!(store.count().unwrap(), 200);
    });
}

#[test]
fn all_can_be_deleted_and_written_again() {
    on_each_store(|store| {
        put_four(store);
        let deletes = [Write::Delete(b"b"), Write::Delete(b"d"), Write::Delete(b"f"), Write::Delete(b"h")];
        store.commit(&deletes, Durability::Sync).unwrap();
        assert_eq!((store.count().unwrap(), scan(store, "a", 10)), (0, vec![]));
        put_four(store);
        assert_eq!(store.count().unwrap(), 4);
    });
}

#[test]
fn orders_are_found_by_id_by_their_time_by_their_status_and_in_groups() {
    on_each_with(Faculty::Orders, |engine, options| {
        let orders: Vec<(i64, Order)> = (0..300).map(|place| (Order::id(place), Order::at(5, place))).collect();
        let (loaded, later) = orders.split_at(250);
        let store = engine.open_orders(options).unwrap();
        store.load(&mut loaded.iter().map(|(id, order)| (*id, order))).unwrap();
        store.compact().unwrap();
        store.settle().unwrap();
        for (number, (id, order)) in later.iter().enumerate() {
            let durability = if number % 2 == 0 { Durability::Sync } else { Durability::Buffered };
            store.insert(*id, order, durability).unwrap();
        }
        assert!(store.insert(later[0].0, &later[0].1, Durability::Sync).is_err(), "the id is taken");
        assert!(store.insert(-1, &later[0].1, Durability::Sync).is_err(), "the number is taken");
        for (id, order) in &orders {
            assert_eq!(store.get(*id).unwrap().as_ref(), Some(order));
        }
        assert_eq!(store.get(-1).unwrap(), None);

        let mut times: Vec<i64> = orders.iter().map(|(_, order)| order.placed_ms).collect();
        times.sort_unstable();
        let mut found = Vec::new();
        store.placed_from(times[100], 20, &mut |order| found.push(order.placed_ms)).unwrap();
        assert_eq!(found, times[100..120]);

        let status = STATUSES[4];
        let matches = |order: &Order| order.status == status && order.total >= 200.0;
        let mut expected: Vec<u64> =
            orders.iter().map(|(_, order)| order).filter(|order| matches(order)).map(|order| order.number).collect();
        let mut numbers = Vec::new();
        store.with_status(status, 200.0, &mut |order| numbers.push(order.number)).unwrap();
        expected.sort_unstable();
        numbers.sort_unstable();
        assert_eq!(numbers, expected);

        let groups = store.by_status().unwrap();
        assert_eq!(groups.len(), STATUSES.len());
        for group in groups {
            let totals: Vec<f64> =
                orders.iter().filter(|(_, order)| order.status == group.status).map(|(_, order)| order.total).collect();
            assert_eq!(group.orders, totals.len() as u64);
            assert!((group.mean_total - totals.iter().sum::<f64>() / totals.len() as f64).abs() < 1e-6);
        }
    });
}
