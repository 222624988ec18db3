//! An expiring keyspace beside its model, a map of values with the times at which they expire.

use std::collections::BTreeMap;

use blaze::{Snapshot, Timestamp};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

type Entries = Vec<(Vec<u8>, Vec<u8>)>;

/// What can be done to a keyspace. Keys are few, so that they meet.
#[derive(Clone, Debug)]
enum Operation {
    Change(Change),
    /// Changes in one transaction, which is committed or not.
    Transaction(Vec<Change>, bool),
    Step {
        ms: u64,
    },
    Reap,
    Reopen,
    Snapshot,
}

#[derive(Clone, Debug)]
enum Change {
    Put { key: u8, value: u8 },
    PutExpiring { key: u8, value: u8, expires: Life },
    PutCounter { key: u8, expires: Life },
    Add { key: u8, delta: i64 },
    SetExpiry { key: u8, expires: Life },
    Delete { key: u8 },
    DeleteRange { start: u8, end: u8 },
    Clear,
}

#[derive(Clone, Copy, Debug)]
enum Life {
    Never,
    After(u64),
    /// Milliseconds from the start.
    At(u64),
}

impl Life {
    fn expires(self) -> Expires {
        match self {
            Life::Never => Expires::Never,
            Life::After(ms) => Expires::After(Duration::from_millis(ms)),
            Life::At(ms) => Expires::At(at_ms(START_MS + ms)),
        }
    }

    fn at_ms(self, now_ms: u64) -> Option<u64> {
        match self {
            Life::Never => None,
            Life::After(ms) => Some(now_ms + ms),
            Life::At(ms) => Some(START_MS + ms),
        }
    }
}

fn life() -> impl Strategy<Value = Life> {
    prop_oneof![
        1 => Just(Life::Never),
        4 => (1..60_u64).prop_map(Life::After),
        2 => (0..200_u64).prop_map(Life::At),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    let key = || 0..6_u8;
    prop_oneof![
        2 => (key(), any::<u8>()).prop_map(|(key, value)| Change::Put { key, value }),
        6 => (key(), any::<u8>(), life()).prop_map(|(key, value, expires)| Change::PutExpiring { key, value, expires }),
        2 => (key(), life()).prop_map(|(key, expires)| Change::PutCounter { key, expires }),
        3 => (key(), -3..4_i64).prop_map(|(key, delta)| Change::Add { key, delta }),
        3 => (key(), life()).prop_map(|(key, expires)| Change::SetExpiry { key, expires }),
        2 => key().prop_map(|key| Change::Delete { key }),
        1 => (key(), key()).prop_map(|(start, end)| Change::DeleteRange { start, end }),
        1 => Just(Change::Clear),
    ]
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        8 => change().prop_map(Operation::Change),
        2 => (proptest::collection::vec(change(), 1..6), any::<bool>())
            .prop_map(|(changes, commits)| Operation::Transaction(changes, commits)),
        6 => (1..40_u64).prop_map(|ms| Operation::Step { ms }),
        3 => Just(Operation::Reap),
        1 => Just(Operation::Reopen),
        1 => Just(Operation::Snapshot),
    ]
}

/// The values that were put, and when they expire.
#[derive(Clone, Debug, Default)]
struct Naive(BTreeMap<Vec<u8>, (Vec<u8>, Option<u64>)>);

impl Naive {
    fn seen(&self, now_ms: u64) -> impl Iterator<Item = (&Vec<u8>, &Vec<u8>, Option<u64>)> {
        let all = self.0.iter().map(|(key, (value, expiry_ms))| (key, value, *expiry_ms));
        all.filter(move |(_, _, expiry_ms)| expiry_ms.is_none_or(|expiry_ms| expiry_ms > now_ms))
    }

    fn entries(&self, now_ms: u64) -> Entries {
        self.seen(now_ms).map(|(key, value, _)| (key.clone(), value.clone())).collect()
    }

    fn get(&self, key: u8, now_ms: u64) -> Option<(Vec<u8>, Option<u64>)> {
        self.seen(now_ms).find(|(of, ..)| **of == [key]).map(|(_, value, expiry_ms)| (value.clone(), expiry_ms))
    }

    /// Makes a change on both sides, which must agree on how it ends.
    fn change(&mut self, change: &Change, keyspace: &Keyspace, now_ms: u64) {
        match *change {
            Change::Put { key, value } => {
                keyspace.put([key], [value]).unwrap();
                self.0.insert(vec![key], (vec![value], None));
            }
            Change::PutExpiring { key, value, expires } => {
                let value = vec![value];
                keyspace.put_expiring([key], &value, expires.expires()).unwrap();
                self.0.insert(vec![key], (value, expires.at_ms(now_ms)));
            }
            Change::PutCounter { key, expires } => {
                let value = 7_i64.to_be_bytes().to_vec();
                keyspace.put_expiring([key], &value, expires.expires()).unwrap();
                self.0.insert(vec![key], (value, expires.at_ms(now_ms)));
            }
            Change::Add { key, delta } => {
                let result = keyspace.add([key], delta);
                let (value, expiry_ms) = self.get(key, now_ms).unwrap_or((vec![0; 8], None));
                let Ok(count) = value.try_into().map(i64::from_be_bytes) else {
                    assert_eq!(kind(result), Some(ErrorKind::Invalid), "{change:?}");
                    return;
                };
                result.unwrap();
                self.0.insert(vec![key], ((count + delta).to_be_bytes().to_vec(), expiry_ms));
            }
            Change::SetExpiry { key, expires } => {
                let found = self.get(key, now_ms);
                assert_eq!(keyspace.set_expiry([key], expires.expires()).unwrap(), found.is_some(), "{change:?}");
                if let Some((value, _)) = found {
                    self.0.insert(vec![key], (value, expires.at_ms(now_ms)));
                }
            }
            Change::Delete { key } => {
                keyspace.delete([key]).unwrap();
                self.0.remove(&vec![key]);
            }
            Change::DeleteRange { start, end } => {
                keyspace.delete_range([start]..[end]).unwrap();
                self.0.retain(|key, _| !(start <= key[0] && key[0] < end));
            }
            Change::Clear => {
                keyspace.clear().unwrap();
                self.0.clear();
            }
        }
    }

    /// Compares everything that can be read.
    fn compare(&self, keyspace: &Keyspace, now_ms: u64) {
        let mut expected = self.entries(now_ms);
        let read = |entries: blaze::KeyValues| entries.map(Result::unwrap).collect::<Entries>();
        assert_eq!(read(keyspace.iter().unwrap()), expected);
        assert_eq!(keyspace.count().unwrap(), expected.len() as u64);
        expected.reverse();
        assert_eq!(read(keyspace.range_reverse::<&[u8]>(..).unwrap()), expected);
        let many = keyspace.get_many((0..6_u8).map(|key| [key])).unwrap();
        for (key, of_many) in (0..6_u8).zip(many) {
            let found = self.get(key, now_ms);
            let value = found.as_ref().map(|(value, _)| value.clone());
            assert_eq!((&keyspace.get([key]).unwrap(), &of_many), (&value, &value), "key {key}");
            assert_eq!(keyspace.contains([key]).unwrap(), found.is_some(), "key {key}");
            let expires_at = found.and_then(|(_, expiry_ms)| expiry_ms).map(at_ms);
            assert_eq!(keyspace.expires_at([key]).unwrap(), expires_at, "key {key}");
        }
    }
}

/// Both sides.
struct Sides {
    db: Database,
    clock: Arc<ManualClock>,
    directory: Option<TempDir>,
    naive: Naive,
    now_ms: u64,
    snapshots: Vec<(Snapshot, Naive, u64)>,
    /// What was seen at the end of a millisecond.
    past: Vec<(Timestamp, Entries)>,
}

impl Sides {
    fn new(on_disk: bool) -> Sides {
        let clock = Arc::new(ManualClock::at_ms(START_MS));
        let directory = on_disk.then(|| tempfile::tempdir().unwrap());
        let db = open(&clock, directory.as_ref());
        db.expiring_keyspace("letters").unwrap().set_history(History::Forever).unwrap();
        let (snapshots, past) = (Vec::new(), Vec::new());
        Sides { db, clock, directory, naive: Naive::default(), now_ms: START_MS, snapshots, past }
    }

    fn keyspace(&self) -> Keyspace {
        self.db.keyspace("letters").unwrap()
    }

    fn apply(&mut self, operation: &Operation) {
        match operation {
            Operation::Change(change) => self.naive.change(change, &self.keyspace(), self.now_ms),
            Operation::Transaction(changes, commits) => {
                let transaction = self.db.begin().unwrap();
                let keyspace = transaction.keyspace("letters").unwrap();
                let mut naive = self.naive.clone();
                for change in changes {
                    naive.change(change, &keyspace, self.now_ms);
                    naive.compare(&keyspace, self.now_ms);
                }
                if *commits {
                    transaction.commit().unwrap();
                    self.naive = naive;
                }
            }
            Operation::Step { ms } => {
                let end = Timestamp::from_bits(Timestamp::from_ms(self.now_ms + 1).to_bits() - 1);
                self.past.push((end, self.naive.entries(self.now_ms)));
                self.clock.advance_ms(*ms);
                self.now_ms += ms;
            }
            Operation::Reap => self.db.apply_retention().unwrap(),
            Operation::Reopen => {
                if self.directory.is_some() {
                    self.snapshots.clear();
                    self.db.close().unwrap();
                    self.db = open(&self.clock, self.directory.as_ref());
                }
            }
            Operation::Snapshot => {
                self.snapshots.push((self.db.snapshot().unwrap(), self.naive.clone(), self.now_ms));
            }
        }
    }

    fn check(&self) {
        self.naive.compare(&self.keyspace(), self.now_ms);
        for (snapshot, naive, now_ms) in &self.snapshots {
            naive.compare(&snapshot.keyspace("letters").unwrap(), *now_ms);
        }
    }

    /// In the end the past is as it was, and of what has expired nothing is left.
    fn finish(mut self) {
        self.apply(&Operation::Step { ms: 1 });
        self.db.apply_retention().unwrap();
        self.check();
        for (ts, expected) in &self.past {
            let past = self.db.as_of(*ts).unwrap().keyspace("letters").unwrap();
            let entries: Entries = past.iter().unwrap().map(Result::unwrap).collect();
            assert_eq!(&entries, expected, "as of {ts}");
            for (key, value) in expected {
                assert_eq!(past.get(key).unwrap().as_ref(), Some(value), "as of {ts}");
            }
        }
        let report = self.db.verify().unwrap();
        assert_eq!(report.problems, []);
        assert_eq!(report.keys, self.naive.entries(self.now_ms).len() as u64, "values that have expired are left");
    }
}

fn open(clock: &Arc<ManualClock>, directory: Option<&TempDir>) -> Database {
    match directory {
        Some(directory) => builder(clock).open(directory.path()).unwrap(),
        None => builder(clock).in_memory().unwrap(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn an_expiring_keyspace_does_what_its_model_does(
        operations in proptest::collection::vec(operation(), 1..60),
        on_disk: bool,
    ) {
        let mut sides = Sides::new(on_disk);
        for operation in &operations {
            sides.apply(operation);
            sides.check();
        }
        sides.finish();
    }
}
