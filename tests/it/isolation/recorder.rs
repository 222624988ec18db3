//! Random transactions of several threads over a keyspace, an index and a text index, as `blaze-check` wants them recorded.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use blaze::{
    Collection, Database, Entropy, ErrorKind, Index, Isolation, Keyspace, SeededEntropy, Transaction,
    TransactionOptions, field,
};
use blaze_check::{Attribute, History, Operation, Outcome, Predicate, Transaction as Recorded};
use serde::{Deserialize, Serialize};

pub(crate) const THREADS: u64 = 4;
pub(crate) const TRANSACTIONS_PER_THREAD: u64 = 400;
/// Few of each, so that transactions meet.
const KEYS: u64 = 8;
/// Documents are other objects than rows.
const DOCUMENTS_FROM: u64 = 100;
const NUMBERS: u64 = 6;
const WORDS: [&str; 4] = ["whale", "ocean", "star", "opera"];
/// What documents are found by.
const NUMBER: u32 = 0;
const WORD: u32 = 1;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Entry {
    number: u64,
    text: String,
    list: Vec<u64>,
}

/// One transaction under way, and what is recorded of it.
struct Run<'a> {
    transaction: Transaction,
    rows: Keyspace,
    entries: Collection<Entry>,
    recorded: Recorded,
    random: &'a SeededEntropy,
    /// Each element is appended once only.
    next_element: &'a mut u64,
}

/// Runs transactions, of the isolation that is chosen for each, and answers what they did and saw.
pub(crate) fn record(db: &Database, seed: u64, isolation: &(dyn Fn(&SeededEntropy) -> Isolation + Sync)) -> History {
    db.keyspace("rows").unwrap();
    let entries = db.collection::<Entry>("entries").unwrap();
    entries.ensure_index(Index::on("number")).unwrap();
    entries.ensure_index(Index::text(["text"])).unwrap();
    let (clock, history) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (clock, history) = (&clock, &history);
            scope.spawn(move || {
                let random = SeededEntropy::new(seed.wrapping_add(thread));
                let mut next_element = thread << 32;
                for number in 0..TRANSACTIONS_PER_THREAD {
                    let id = thread * TRANSACTIONS_PER_THREAD + number;
                    let began = clock.fetch_add(1, Ordering::SeqCst);
                    let run = Run::begin(db, id, isolation(&random), &random, &mut next_element);
                    let recorded = run.finish();
                    let ended = clock.fetch_add(1, Ordering::SeqCst);
                    history.lock().unwrap().push(recorded.in_session(thread).between(began, ended));
                }
            });
        }
    });
    History::new(history.into_inner().unwrap())
}

impl<'a> Run<'a> {
    fn begin(
        db: &Database,
        id: u64,
        isolation: Isolation,
        random: &'a SeededEntropy,
        next_element: &'a mut u64,
    ) -> Run<'a> {
        let transaction = db.begin_with(TransactionOptions::new().isolation(isolation)).unwrap();
        let (rows, entries) = (transaction.keyspace("rows").unwrap(), transaction.collection("entries").unwrap());
        let recorded = Recorded::new(id, isolation, transaction.read_ts().to_bits());
        Run { transaction, rows, entries, recorded, random, next_element }
    }

    fn below(&self, limit: u64) -> u64 {
        self.random.next_u64() % limit
    }

    fn finish(mut self) -> Recorded {
        let only_reads = self.below(5) == 0;
        for _ in 0..=self.below(5) {
            match only_reads || self.below(2) == 0 {
                true => self.read(),
                false if self.below(8) == 0 => self.take_back(),
                false => self.write(),
            }
            thread::yield_now();
        }
        let Run { transaction, mut recorded, .. } = self;
        if self.random.next_u64().is_multiple_of(16) {
            transaction.rollback();
            return recorded;
        }
        recorded.outcome = match transaction.commit() {
            Ok(ts) => Outcome::Committed(ts.to_bits()),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
                Outcome::Aborted
            }
        };
        recorded
    }

    fn write(&mut self) {
        let key = self.below(KEYS);
        match self.below(10) {
            0..4 => self.append_to_row(key),
            4 => self.delete_row(key),
            5..9 => self.append_to_entry(key),
            _ => self.delete_entry(key),
        }
    }

    /// Writes and reads, and goes back to where it was: as if nothing of that had been.
    fn take_back(&mut self) {
        let (savepoint, kept) = (self.transaction.savepoint().unwrap(), self.recorded.operations.len());
        for _ in 0..=self.below(2) {
            self.write();
            self.read();
        }
        self.transaction.rollback_to(&savepoint).unwrap();
        self.recorded.operations.truncate(kept);
    }

    fn read(&mut self) {
        let key = self.below(KEYS);
        match self.below(6) {
            0 => self.read_row(key),
            1 => self.read_rows(),
            2 => drop(self.read_entry(key)),
            3 => self.find_numbers(),
            _ => self.search(),
        }
    }

    fn element(&mut self) -> u64 {
        *self.next_element += 1;
        *self.next_element
    }

    fn record(&mut self, operation: Operation) {
        self.recorded.operations.push(operation);
    }

    fn append_to_row(&mut self, key: u64) {
        let element = self.element();
        let mut list = self.rows.get(key.to_be_bytes()).unwrap().unwrap_or_default();
        self.record(Operation::Read { key, seen: elements(&list) });
        list.extend(element.to_be_bytes());
        self.rows.put(key.to_be_bytes(), list).unwrap();
        self.record(Operation::Append { key, element, attributes: Vec::new() });
    }

    /// Removes it and sometimes writes it anew, without a look at what it was.
    fn delete_row(&mut self, key: u64) {
        self.rows.delete(key.to_be_bytes()).unwrap();
        self.record(Operation::Delete { key });
        if self.below(2) == 0 {
            let element = self.element();
            self.rows.put(key.to_be_bytes(), element.to_be_bytes()).unwrap();
            self.record(Operation::Append { key, element, attributes: Vec::new() });
        }
    }

    fn read_row(&mut self, key: u64) {
        let list = self.rows.get(key.to_be_bytes()).unwrap().unwrap_or_default();
        self.record(Operation::Read { key, seen: elements(&list) });
    }

    fn read_rows(&mut self) {
        let from = self.below(KEYS);
        let to = from + self.below(KEYS - from);
        let bounds = from.to_be_bytes()..=to.to_be_bytes();
        let found = match self.below(2) {
            0 => self.rows.range(bounds).unwrap(),
            _ => self.rows.range_reverse(bounds).unwrap(),
        };
        let last = |(key, list): (Vec<u8>, Vec<u8>)| {
            (u64::from_be_bytes(key.try_into().unwrap()), *elements(&list).last().unwrap())
        };
        let found = found.map(Result::unwrap).map(last).collect();
        self.record(Operation::Find { predicate: Predicate::Keys { from, to }, found });
    }

    fn read_entry(&mut self, id: u64) -> Option<Entry> {
        let entry = self.entries.get(id).unwrap().map(|found| found.value);
        let seen = entry.as_ref().map(|entry| entry.list.clone()).unwrap_or_default();
        self.record(Operation::Read { key: DOCUMENTS_FROM + id, seen });
        entry
    }

    fn append_to_entry(&mut self, id: u64) {
        let element = self.element();
        let mut entry = self.read_entry(id).unwrap_or_default();
        entry.list.push(element);
        entry.number = self.below(NUMBERS);
        let mut attributes = vec![Attribute { name: NUMBER, value: entry.number }];
        entry.text.clear();
        for _ in 0..self.below(3) {
            let word = self.below(WORDS.len() as u64);
            attributes.push(Attribute { name: WORD, value: word });
            entry.text += WORDS[word as usize];
            entry.text.push(' ');
        }
        self.entries.put(id, &entry).unwrap();
        self.record(Operation::Append { key: DOCUMENTS_FROM + id, element, attributes });
    }

    fn delete_entry(&mut self, id: u64) {
        let key = DOCUMENTS_FROM + id;
        let operation = match self.entries.delete(id).unwrap() {
            true => Operation::Delete { key },
            false => Operation::Read { key, seen: Vec::new() },
        };
        self.record(operation);
    }

    fn find_numbers(&mut self) {
        let from = self.below(NUMBERS);
        let to = from + self.below(3);
        let filter = match from == to {
            true => field("number").eq(from),
            false => field("number").between(from, to),
        };
        let found = self.entries.find(filter).run().unwrap().into_iter();
        let found = found.map(|found| (key_of(&found.id.to_string()), *found.value.list.last().unwrap())).collect();
        self.record(Operation::Find { predicate: Predicate::Attribute { name: NUMBER, from, to }, found });
    }

    fn search(&mut self) {
        let word = self.below(WORDS.len() as u64);
        let hits = self.entries.search().text(WORDS[word as usize]).limit(2 * KEYS as usize).run().unwrap().into_iter();
        let found = hits.map(|hit| (key_of(&hit.id.to_string()), *hit.value.list.last().unwrap())).collect();
        self.record(Operation::Find { predicate: Predicate::equal(WORD, word), found });
    }
}

fn elements(list: &[u8]) -> Vec<u64> {
    list.as_chunks().0.iter().map(|element| u64::from_be_bytes(*element)).collect()
}

fn key_of(id: &str) -> u64 {
    DOCUMENTS_FROM + id.parse::<u64>().unwrap()
}
