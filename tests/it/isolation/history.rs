//! Random transactions of several threads, replayed one after another: in the order of their commits, each must have
//! read what it would have read alone.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread;

use blaze::{Entropy, SeededEntropy, SystemEntropy};

use super::*;

const THREADS: u64 = 4;
const TRANSACTIONS_PER_THREAD: u64 = 250;
/// Few, so that transactions meet.
const KEYS: u64 = 12;

type Key = u8;
/// Each value is written once only.
type Pair = (Key, u64);

/// What a transaction did, and what it was answered.
#[derive(Debug)]
enum Operation {
    Put(Key, u64),
    Delete(Key),
    DeleteRange(Key, Key),
    Get(Key, Option<u64>),
    /// The first rows of a range, by their order or against it.
    Range {
        from: Key,
        to: Key,
        reverse: bool,
        limit: usize,
        found: Vec<Pair>,
    },
    Count(u64),
}

/// A transaction that was committed, or that saw one moment.
#[derive(Debug)]
struct Entry {
    ts: Timestamp,
    /// True if its writes came into being at `ts`; else it read at `ts` and wrote nothing.
    committed: bool,
    operations: Vec<Operation>,
}

#[test]
fn transactions_in_the_order_of_their_commits_read_what_they_would_have_read_alone() {
    let seed = SystemEntropy.next_u64();
    println!("seed {seed}");
    let on_disk = Database::builder().durability(Durability::Buffered).temporary().unwrap();
    for db in [Database::in_memory().unwrap(), on_disk] {
        rows(&db);
        let history = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for number in 0..THREADS {
                let (db, history) = (&db, &history);
                scope.spawn(move || {
                    let random = SeededEntropy::new(seed.wrapping_add(number));
                    for transaction in 0..TRANSACTIONS_PER_THREAD {
                        let first_value = (number * TRANSACTIONS_PER_THREAD + transaction) * 100;
                        let entry = run(db, &random, first_value);
                        history.lock().unwrap().push(entry);
                    }
                });
            }
        });
        let history = history.into_inner().unwrap();
        let last = replay(history, seed);
        let found = rows(&db).iter().unwrap().map(|entry| pair(&entry.unwrap())).collect::<BTreeMap<_, _>>();
        assert_eq!(found, last, "seed {seed}");
    }
}

fn pair((key, value): &(Vec<u8>, Vec<u8>)) -> Pair {
    (key[0], u64::from_be_bytes(value.as_slice().try_into().unwrap()))
}

/// One transaction. One that is refused is kept as well, as a reader.
fn run(db: &Database, random: &SeededEntropy, first_value: u64) -> Entry {
    let below = |limit: u64| random.next_u64() % limit;
    let key = || b'a' + below(KEYS) as u8;
    let tx = db.begin().unwrap();
    let rows = tx.keyspace("rows").unwrap();
    let only_reads = below(5) == 0;
    let mut operations = Vec::new();
    for value in first_value..first_value + 1 + below(6) {
        operations.push(match below(12) {
            0..4 if !only_reads => {
                let key = key();
                rows.put([key], value.to_be_bytes()).unwrap();
                Operation::Put(key, value)
            }
            4 if !only_reads => {
                let key = key();
                rows.delete([key]).unwrap();
                Operation::Delete(key)
            }
            5 if !only_reads && below(3) == 0 => {
                let (from, to) = (key(), key());
                rows.delete_range([from].as_slice()..[to].as_slice()).unwrap();
                Operation::DeleteRange(from, to)
            }
            0..8 => {
                let key = key();
                let value = rows.get([key]).unwrap();
                Operation::Get(key, value.map(|value| pair(&(vec![key], value)).1))
            }
            8 => Operation::Count(rows.count().unwrap()),
            _ => {
                let (from, to, reverse, limit) = (key(), key(), below(2) == 0, below(4) as usize);
                let bounds = [from].as_slice().to_vec()..[to].as_slice().to_vec();
                let found = match reverse {
                    true => rows.range_reverse(bounds).unwrap(),
                    false => rows.range(bounds).unwrap(),
                };
                let found = found.take(limit).map(|entry| pair(&entry.unwrap())).collect();
                Operation::Range { from, to, reverse, limit, found }
            }
        });
        thread::yield_now();
    }
    let read_ts = tx.read_ts();
    let writes = |operation: &Operation| {
        matches!(operation, Operation::Put(..) | Operation::Delete(_) | Operation::DeleteRange(..))
    };
    match tx.commit() {
        Ok(ts) if operations.iter().any(writes) && ts > read_ts => Entry { ts, committed: true, operations },
        Ok(ts) => {
            assert_eq!(ts, read_ts, "nothing was written");
            Entry { ts, committed: false, operations }
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
            Entry { ts: read_ts, committed: false, operations }
        }
    }
}

/// Checks every answer and returns what is there at the end.
fn replay(mut history: Vec<Entry>, seed: u64) -> BTreeMap<Key, u64> {
    history.sort_by_key(|entry| (entry.ts, !entry.committed)); // who reads at a commit sees it
    let commits = history.iter().filter(|entry| entry.committed).count() as u64;
    assert!(commits > THREADS * TRANSACTIONS_PER_THREAD / 10, "seed {seed}: only {commits} commits");
    let mut state = BTreeMap::new();
    for entry in &history {
        let mut view = state.clone();
        for operation in &entry.operations {
            apply(operation, &mut view, &format!("seed {seed}: {operation:?} in {entry:?}"));
        }
        if entry.committed {
            state = view;
        }
    }
    state
}

fn apply(operation: &Operation, view: &mut BTreeMap<Key, u64>, about: &str) {
    match operation {
        Operation::Put(key, value) => drop(view.insert(*key, *value)),
        Operation::Delete(key) => drop(view.remove(key)),
        Operation::DeleteRange(from, to) => view.retain(|key, _| key < from || key >= to),
        Operation::Get(key, found) => assert_eq!(view.get(key), found.as_ref(), "{about}"),
        Operation::Count(found) => assert_eq!(view.len() as u64, *found, "{about}"),
        Operation::Range { from, to, reverse, limit, found } => {
            let mut inside: Vec<Pair> =
                view.iter().filter(|(key, _)| *key >= from && *key < to).map(|(key, value)| (*key, *value)).collect();
            if *reverse {
                inside.reverse();
            }
            inside.truncate(*limit);
            assert_eq!(inside, *found, "{about}");
        }
    }
}
