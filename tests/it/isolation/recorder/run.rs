//! One transaction.

use std::thread;

use blaze::{
    Collection, Database, Durability, ErrorKind, Isolation, Keyspace, Result, Transaction, TransactionOptions, field,
};
use blaze_check::{Attribute, Operation, Predicate, Transaction as Recorded};
use serde::{Deserialize, Serialize};

use super::{Session, THREADS};

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
pub(super) struct Entry {
    number: u64,
    text: String,
    list: Vec<u64>,
}

/// One transaction under way, and what is recorded of it.
pub(super) struct Run<'a> {
    transaction: Transaction,
    rows: Keyspace,
    entries: Collection<Entry>,
    recorded: Recorded,
    session: &'a mut Session,
}

impl<'a> Run<'a> {
    pub(super) fn begin(
        db: &Database,
        isolation: Isolation,
        durability: Durability,
        session: &'a mut Session,
    ) -> Result<Run<'a>> {
        let options = TransactionOptions::new().isolation(isolation).durability(durability);
        let transaction = db.begin_with(options)?;
        let (rows, entries) = (transaction.keyspace("rows")?, transaction.collection("entries")?);
        session.transactions += 1;
        let id = session.number << 32 | session.transactions;
        let recorded = Recorded::new(id, isolation, transaction.read_ts().to_bits());
        Ok(Run { transaction, rows, entries, recorded, session })
    }

    /// Reads and writes at random; true if that is to be committed.
    pub(super) fn act(&mut self) -> Result<bool> {
        let only_reads = self.below(5) == 0;
        for _ in 0..=self.below(5) {
            match only_reads || self.below(2) == 0 {
                true => self.read()?,
                false if self.below(8) == 0 => self.take_back()?,
                false => self.write()?,
            }
            thread::yield_now();
        }
        if self.recorded.writes() {
            // Whether it is there can be seen ever after.
            self.append_blindly(KEYS + self.session.number)?;
        }
        Ok(self.below(16) > 0)
    }

    /// Reads everything.
    pub(super) fn look(&mut self) -> Result<bool> {
        for key in 0..KEYS + THREADS {
            self.read_row(key)?;
        }
        for id in 0..KEYS {
            self.read_entry(id)?;
        }
        self.find_numbers(0, NUMBERS)?;
        for word in 0..WORDS.len() {
            self.search(word)?;
        }
        Ok(true)
    }

    /// Commits if that is wanted; answers what is recorded, and the error unless it is a conflict.
    pub(super) fn end(self, commits: Result<bool>) -> (Recorded, Result<()>) {
        let Run { transaction, recorded, .. } = self;
        match commits {
            Ok(true) => {}
            other => {
                transaction.rollback();
                return (recorded, other.map(drop));
            }
        }
        match transaction.commit() {
            Ok(ts) => (recorded.committed(ts.to_bits()), Ok(())),
            Err(error) => match error.kind() {
                ErrorKind::Conflict => (recorded, Ok(())),
                ErrorKind::CommitOutcomeUnknown(ts) => (recorded.unknown(Some(ts.to_bits())), Err(error)),
                _ => (recorded, Err(error)),
            },
        }
    }

    fn below(&self, limit: u64) -> u64 {
        self.session.below(limit)
    }

    fn write(&mut self) -> Result<()> {
        let key = self.below(KEYS);
        match self.below(10) {
            0..4 => self.append_to_row(key),
            4 => self.delete_row(key),
            5..9 => self.append_to_entry(key),
            _ => self.delete_entry(key),
        }
    }

    /// Writes and reads, and goes back to where it was: as if nothing of that had been.
    fn take_back(&mut self) -> Result<()> {
        let (savepoint, kept) = (self.transaction.savepoint()?, self.recorded.operations.len());
        for _ in 0..=self.below(2) {
            self.write()?;
            self.read()?;
        }
        self.transaction.rollback_to(&savepoint)?;
        self.recorded.operations.truncate(kept);
        Ok(())
    }

    fn read(&mut self) -> Result<()> {
        let key = self.below(KEYS);
        match self.below(6) {
            0 => self.read_row(key),
            1 => self.read_rows(),
            2 => self.read_entry(key).map(drop),
            3 => {
                let from = self.below(NUMBERS);
                self.find_numbers(from, from + self.below(3))
            }
            _ => self.search(self.below(WORDS.len() as u64) as usize),
        }
    }

    fn record(&mut self, operation: Operation) {
        self.recorded.operations.push(operation);
    }

    fn append_to_row(&mut self, key: u64) -> Result<()> {
        self.read_row(key)?;
        self.append_blindly(key)
    }

    /// Appends without it being recorded that it was read.
    fn append_blindly(&mut self, key: u64) -> Result<()> {
        let element = self.session.element();
        let mut list = self.rows.get(key.to_be_bytes())?.unwrap_or_default();
        list.extend(element.to_be_bytes());
        self.put_row(key, list, element)
    }

    fn put_row(&mut self, key: u64, list: impl Into<Vec<u8>>, element: u64) -> Result<()> {
        self.rows.put(key.to_be_bytes(), list.into())?;
        self.record(Operation::Append { key, element, attributes: Vec::new() });
        Ok(())
    }

    /// Removes it and sometimes writes it anew, without a look at what it was.
    fn delete_row(&mut self, key: u64) -> Result<()> {
        self.rows.delete(key.to_be_bytes())?;
        self.record(Operation::Delete { key });
        if self.below(2) == 0 {
            let element = self.session.element();
            self.put_row(key, element.to_be_bytes(), element)?;
        }
        Ok(())
    }

    fn read_row(&mut self, key: u64) -> Result<()> {
        let list = self.rows.get(key.to_be_bytes())?.unwrap_or_default();
        self.record(Operation::Read { key, seen: elements(&list) });
        Ok(())
    }

    fn read_rows(&mut self) -> Result<()> {
        let from = self.below(KEYS);
        let to = from + self.below(KEYS - from);
        let bounds = from.to_be_bytes()..=to.to_be_bytes();
        let rows = match self.below(2) {
            0 => self.rows.range(bounds)?,
            _ => self.rows.range_reverse(bounds)?,
        };
        let mut found = Vec::new();
        for row in rows {
            let (key, list) = row?;
            found.push((elements(&key).into_iter().sum(), last(&elements(&list))));
        }
        self.record(Operation::Find { predicate: Predicate::Keys { from, to }, found });
        Ok(())
    }

    fn read_entry(&mut self, id: u64) -> Result<Option<Entry>> {
        let entry = self.entries.get(id)?.map(|found| found.value);
        let seen = entry.as_ref().map(|entry| entry.list.clone()).unwrap_or_default();
        self.record(Operation::Read { key: DOCUMENTS_FROM + id, seen });
        Ok(entry)
    }

    fn append_to_entry(&mut self, id: u64) -> Result<()> {
        let element = self.session.element();
        let mut entry = self.read_entry(id)?.unwrap_or_default();
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
        self.entries.put(id, &entry)?;
        self.record(Operation::Append { key: DOCUMENTS_FROM + id, element, attributes });
        Ok(())
    }

    fn delete_entry(&mut self, id: u64) -> Result<()> {
        let key = DOCUMENTS_FROM + id;
        let operation = match self.entries.delete(id)? {
            true => Operation::Delete { key },
            false => Operation::Read { key, seen: Vec::new() },
        };
        self.record(operation);
        Ok(())
    }

    fn find_numbers(&mut self, from: u64, to: u64) -> Result<()> {
        let filter = match from == to {
            true => field("number").eq(from),
            false => field("number").between(from, to),
        };
        let found = self.entries.find(filter).run()?.into_iter();
        let found = found.map(|found| (key_of(&found.id.to_string()), last(&found.value.list))).collect();
        self.record(Operation::Find { predicate: Predicate::Attribute { name: NUMBER, from, to }, found });
        Ok(())
    }

    fn search(&mut self, word: usize) -> Result<()> {
        let hits = self.entries.search().text(WORDS[word]).limit(2 * KEYS as usize).run()?.into_iter();
        let found = hits.map(|hit| (key_of(&hit.id.to_string()), last(&hit.value.list))).collect();
        self.record(Operation::Find { predicate: Predicate::equal(WORD, word as u64), found });
        Ok(())
    }
}

fn elements(list: &[u8]) -> Vec<u64> {
    list.as_chunks().0.iter().map(|element| u64::from_be_bytes(*element)).collect()
}

/// The last element; nobody has appended the greatest number, which stands for none.
fn last(list: &[u64]) -> u64 {
    list.last().copied().unwrap_or(u64::MAX)
}

/// The object of a document; one that nobody has written where its id is no number.
fn key_of(id: &str) -> u64 {
    DOCUMENTS_FROM + id.parse::<u64>().unwrap_or(u64::from(u32::MAX))
}
