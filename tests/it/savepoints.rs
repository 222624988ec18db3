//! Taking back a part of a transaction, and what cursors see meanwhile.

#![expect(clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

use std::collections::BTreeMap;

use blaze::{
    Collection, Database, Document, ErrorKind, Index, Isolation, KeyValues, Keyspace, Savepoint, Transaction,
    TransactionOptions, Value,
};
use proptest::collection::vec;
use proptest::prelude::*;

fn databases() -> [Database; 2] {
    [Database::in_memory().unwrap(), Database::temporary().unwrap()]
}

fn keys(rows: &Keyspace) -> String {
    rows.iter().unwrap().map(|entry| String::from_utf8(entry.unwrap().0).unwrap()).collect()
}

#[test]
fn savepoints_nest_and_can_be_used_again() {
    for db in databases() {
        let tx = db.begin().unwrap();
        let rows = tx.keyspace("rows").unwrap();
        rows.put("a", "1").unwrap();
        let outer = tx.savepoint().unwrap();
        rows.put("b", "1").unwrap();
        let inner = tx.savepoint().unwrap();
        rows.put("c", "1").unwrap();
        rows.delete("a").unwrap();
        tx.rollback_to(&inner).unwrap();
        assert_eq!(keys(&rows), "ab");
        rows.put("d", "1").unwrap();
        tx.rollback_to(&inner).unwrap();
        assert_eq!(keys(&rows), "ab");
        rows.delete_range::<&str>(..).unwrap();
        assert_eq!(keys(&rows), "");
        tx.rollback_to(&outer).unwrap();
        assert_eq!(keys(&rows), "a");
        rows.put("e", "1").unwrap();
        tx.commit().unwrap();
        assert_eq!(keys(&db.keyspace("rows").unwrap()), "ae");
    }
}

#[test]
fn a_savepoint_that_was_taken_back_or_is_anothers_is_refused() {
    for db in databases() {
        let (tx, other) = (db.begin().unwrap(), db.begin().unwrap());
        let rows = tx.keyspace("rows").unwrap();
        let outer = tx.savepoint().unwrap();
        rows.put("a", "1").unwrap();
        let inner = tx.savepoint().unwrap();
        tx.rollback_to(&outer).unwrap();
        rows.put("b", "1").unwrap();
        let gone = tx.rollback_to(&inner).unwrap_err();
        let anothers = other.rollback_to(&outer).unwrap_err();
        assert_eq!((gone.kind(), anothers.kind()), (ErrorKind::Invalid, ErrorKind::Invalid));
        assert!(gone.to_string().contains("gone") && anothers.to_string().contains("another"), "{gone}; {anothers}");
        assert_eq!(keys(&rows), "b", "nothing was taken back");
        drop(outer);
        let later = tx.savepoint().unwrap();
        rows.put("c", "1").unwrap();
        tx.rollback_to(&later).unwrap();
        tx.commit().unwrap();
        assert_eq!(keys(&db.keyspace("rows").unwrap()), "b");
    }
}

#[test]
fn documents_and_their_entries_are_taken_back_together() {
    for db in databases() {
        let documents = db.collection::<Document>("documents").unwrap();
        documents.ensure_index(Index::on("n")).unwrap();
        documents.insert_with_id(1, &Document::new().with("n", 1)).unwrap();
        db.transaction(|tx| {
            let own = tx.collection::<Document>("documents")?;
            own.insert_with_id(2, &Document::new().with("n", 2))?;
            let savepoint = tx.savepoint()?;
            own.update(1, blaze::inc("n", 10))?;
            own.delete(2)?;
            own.insert_with_id(3, &Document::new().with("n", 3))?;
            tx.rollback_to(&savepoint)
        })
        .unwrap();
        let by_index = documents.find(blaze::field("n").ge(0)).run().unwrap();
        let found: Vec<_> = by_index.iter().map(|found| found.get("n").and_then(Value::as_i64).unwrap()).collect();
        assert_eq!((found, documents.count().unwrap()), (vec![1, 2], 2));
    }
}

#[test]
fn a_transaction_that_writes_one_key_again_and_again_takes_no_more_memory() {
    let db = Database::in_memory().unwrap();
    let value = vec![0; 1 << 20];
    db.transaction(|tx| {
        let rows = tx.keyspace("rows")?;
        for _ in 0..300 {
            rows.put("a", &value)?; // 300 MiB, where 256 MiB are the limit
        }
        rows.put("b", &value)
    })
    .unwrap();
    assert_eq!(db.keyspace("rows").unwrap().count().unwrap(), 2);
}

#[derive(Clone, Debug)]
enum Step {
    Put(u8, u8),
    Delete(u8),
    DeleteRange(u8, u8),
    /// Reads every key.
    Get,
    /// Documents that are inserted at once; the last one may not fit, and then none is.
    Insert {
        count: usize,
        fails: bool,
    },
    Open {
        from: u8,
        to: u8,
        reverse: bool,
    },
    /// Moves one of the cursors that are open.
    Advance(usize),
    /// Lets go of one.
    Close(usize),
    Savepoint,
    RollBack(usize),
    Release(usize),
}

const KEYS: u8 = 10;

fn step() -> impl Strategy<Value = Step> {
    let key = || 0..KEYS;
    prop_oneof![
        8 => (key(), any::<u8>()).prop_map(|(key, value)| Step::Put(key, value)),
        4 => key().prop_map(Step::Delete),
        2 => (key(), key()).prop_map(|(from, to)| Step::DeleteRange(from, to)),
        2 => Just(Step::Get),
        2 => (1_usize..4, any::<bool>()).prop_map(|(count, fails)| Step::Insert { count, fails }),
        4 => (key(), key(), any::<bool>()).prop_map(|(from, to, reverse)| Step::Open { from, to, reverse }),
        8 => any::<usize>().prop_map(Step::Advance),
        1 => any::<usize>().prop_map(Step::Close),
        3 => Just(Step::Savepoint),
        3 => any::<usize>().prop_map(Step::RollBack),
        1 => any::<usize>().prop_map(Step::Release),
    ]
}

/// What a transaction has made of everything.
#[derive(Clone, Debug, Default, PartialEq)]
struct State {
    rows: BTreeMap<u8, u8>,
    documents: usize,
}

/// A transaction beside its naive model: savepoints are copies, cursors are lists.
struct Sides<'a> {
    tx: &'a Transaction,
    rows: Keyspace,
    documents: Collection<Document>,
    state: State,
    savepoints: Vec<(Savepoint, State)>,
    cursors: Vec<(KeyValues, Vec<(u8, u8)>)>,
}

impl Sides<'_> {
    fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Put(key, value) => {
                self.rows.put([*key], [*value]).unwrap();
                self.state.rows.insert(*key, *value);
            }
            Step::Delete(key) => {
                self.rows.delete([*key]).unwrap();
                self.state.rows.remove(key);
            }
            Step::DeleteRange(from, to) => {
                self.rows.delete_range([*from].as_slice()..[*to].as_slice()).unwrap();
                self.state.rows.retain(|key, _| key < from || key >= to);
            }
            Step::Get => {
                let found = self.rows.get_many((0..KEYS).map(|key| [key])).unwrap();
                for (key, found) in (0..KEYS).zip(found) {
                    let expected = self.state.rows.get(&key).map(|value| vec![*value]);
                    prop_assert_eq!(&found, &expected);
                    prop_assert_eq!(self.rows.get([key]).unwrap(), expected);
                }
                prop_assert_eq!(self.documents.count().unwrap(), self.state.documents as u64);
            }
            Step::Insert { count, fails } => {
                let bad = fails.then(|| Document::new().with("v", vec![1.0_f32]));
                let good = (0..*count).map(|n| Document::new().with("n", vec![n as i64, 2, 3]));
                let inserted = self.documents.insert_many(good.chain(bad));
                prop_assert_eq!(inserted.is_err(), *fails);
                self.state.documents += if *fails { 0 } else { *count };
            }
            Step::Open { from, to, reverse } => self.open(*from, *to, *reverse),
            Step::Advance(which) => self.advance(*which)?,
            Step::Close(which) if !self.cursors.is_empty() => {
                self.cursors.swap_remove(which % self.cursors.len());
            }
            Step::Savepoint => self.savepoints.push((self.tx.savepoint().unwrap(), self.state.clone())),
            Step::RollBack(which) if !self.savepoints.is_empty() => {
                let which = which % self.savepoints.len();
                let (savepoint, state) = &self.savepoints[which];
                self.tx.rollback_to(savepoint).unwrap();
                self.state = state.clone();
                for (gone, _) in self.savepoints.drain(which + 1..) {
                    prop_assert_eq!(self.tx.rollback_to(&gone).unwrap_err().kind(), ErrorKind::Invalid);
                }
            }
            Step::Release(which) if !self.savepoints.is_empty() => {
                self.savepoints.remove(which % self.savepoints.len());
            }
            Step::Close(_) | Step::RollBack(_) | Step::Release(_) => {}
        }
        Ok(())
    }

    fn open(&mut self, from: u8, to: u8, reverse: bool) {
        let bounds = [from].to_vec()..[to].to_vec();
        let cursor = match reverse {
            true => self.rows.range_reverse(bounds).unwrap(),
            false => self.rows.range(bounds).unwrap(),
        };
        let inside = self.state.rows.iter().filter(|(key, _)| **key >= from && **key < to);
        let mut ahead: Vec<_> = inside.map(|(key, value)| (*key, *value)).collect();
        if !reverse {
            ahead.reverse(); // the next one is the last
        }
        self.cursors.push((cursor, ahead));
    }

    fn advance(&mut self, which: usize) -> Result<(), TestCaseError> {
        if !self.cursors.is_empty() {
            let which = which % self.cursors.len();
            let (cursor, ahead) = &mut self.cursors[which];
            let found = cursor.next_entry().unwrap().map(|(key, value)| (key[0], value[0]));
            prop_assert_eq!(found, ahead.pop());
        }
        Ok(())
    }
}

#[test]
fn a_transaction_agrees_with_a_map_through_savepoints_failures_and_open_cursors() {
    for db in databases() {
        let rows = db.keyspace("rows").unwrap();
        let strategy = (vec((0..KEYS, any::<u8>()), 0..8), vec(step(), 0..60), any::<bool>());
        proptest!(ProptestConfig::with_cases(200), |((before, steps, serializable) in strategy)| {
            rows.clear().unwrap();
            db.drop_collection("documents").unwrap();
            let documents = db.collection::<Document>("documents").unwrap();
            documents.ensure_index(Index::vector("v", 2)).unwrap();
            documents.ensure_index(Index::on("n")).unwrap();
            for (key, value) in &before {
                rows.put([*key], [*value]).unwrap();
            }
            let isolation = if serializable { Isolation::Serializable } else { Isolation::Snapshot };
            let tx = db.begin_with(TransactionOptions::new().isolation(isolation)).unwrap();
            let mut sides = Sides {
                tx: &tx,
                rows: tx.keyspace("rows").unwrap(),
                documents: tx.collection("documents").unwrap(),
                state: State { rows: before.into_iter().collect(), documents: 0 },
                savepoints: Vec::new(),
                cursors: Vec::new(),
            };
            for step in &steps {
                sides.take(step)?;
            }
            for cursor in 0..sides.cursors.len() {
                while !sides.cursors[cursor].1.is_empty() {
                    sides.advance(cursor)?;
                }
                sides.advance(cursor)?;
            }
            let (expected, _open) = (sides.state, sides.cursors);
            tx.commit().unwrap();
            let stored = rows.iter().unwrap().map(|entry| entry.unwrap()).map(|(key, value)| (key[0], value[0]));
            prop_assert_eq!(stored.collect::<BTreeMap<_, _>>(), expected.rows);
            prop_assert_eq!(documents.count().unwrap(), expected.documents as u64);
        });
    }
}
