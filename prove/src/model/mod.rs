//! What a lane of documents has after so many transactions: a function of the seed and of that number alone.

mod values;

use std::collections::BTreeMap;

use blaze::{Document, Durability, Value};

use crate::random::Random;
pub use values::{CITIES, DIMENSION, TAGS, WORDS};
use values::{tags, vector, words};

/// People, pairs and notes that a lane has at most.
const PEOPLE: u64 = 40;
const NOTES: u64 = 30;
const PAIRS: u64 = 25;
const REPLIES_PER_NOTE: u64 = 3;
const BLOBS: u64 = 4;

/// The collections of a lane's documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shelf {
    /// Documents with secondary indexes, history and feed.
    People,
    /// Documents with a text index, a vector index and a feed.
    Notes,
    /// Documents below notes, whether these are there or not, with an index and a feed.
    Replies,
}

impl Shelf {
    /// All of them.
    pub const ALL: [Shelf; 3] = [Shelf::People, Shelf::Notes, Shelf::Replies];
}

/// One thing that a transaction does.
#[derive(Clone, Debug)]
pub enum Operation {
    /// Puts a document.
    Put(Shelf, String, Document),
    /// Sets a field of a document that is there.
    Set(Shelf, String, &'static str, Value),
    /// Deletes a document that is there.
    Delete(Shelf, String),
    /// Deletes a note that is there, with all below it.
    DeleteWithReplies(String),
    /// Exchanges the values of two people in the unique index.
    SwapEmails(String, String),
    /// Puts a value under a key.
    PutPair(Vec<u8>, Vec<u8>),
    /// Deletes a key.
    DeletePair(Vec<u8>),
    /// Deletes all keys of the lane at once.
    ClearPairs,
    /// Adds to the counter that all lanes share.
    Add(i64),
    /// Reads and rewrites the document that all lanes share.
    Visit,
    /// Puts an object of several chunks or of one.
    PutBlob(String, Vec<u8>),
    /// Deletes an object.
    DeleteBlob(String),
}

/// One transaction.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its number in its lane, from 1.
    pub position: u64,
    /// What it does.
    pub operations: Vec<Operation>,
    /// How durable it is.
    pub durability: Durability,
    /// True if transactions that must leave nothing behind are tried before it.
    pub tries_refused: bool,
    /// The documents that it touches, as they were before it.
    pub before: BTreeMap<(Shelf, String), Option<Document>>,
}

/// All that a lane has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lane {
    /// Its number.
    pub number: u64,
    seed: u64,
    /// How many transactions it has committed.
    pub position: u64,
    /// Its people, by id.
    pub people: BTreeMap<String, Document>,
    /// Its notes, by id.
    pub notes: BTreeMap<String, Document>,
    /// What is below its notes, by the ids of both.
    pub replies: BTreeMap<String, Document>,
    /// Its pairs of key and value.
    pub pairs: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Its objects.
    pub blobs: BTreeMap<String, Vec<u8>>,
    /// What it has added to the shared counter.
    pub total: i64,
    /// How often it has rewritten the shared document.
    pub visits: i64,
}

impl Lane {
    /// A lane that has committed nothing.
    #[must_use]
    pub fn new(seed: u64, number: u64) -> Lane {
        Lane { number, seed, ..Lane::default() }
    }

    /// The lane after so many transactions.
    #[must_use]
    pub fn at(seed: u64, number: u64, position: u64) -> Lane {
        let mut lane = Lane::new(seed, number);
        (0..position).for_each(|_| drop(lane.advance()));
        lane
    }

    /// The documents of a shelf.
    #[must_use]
    pub fn shelf(&self, shelf: Shelf) -> &BTreeMap<String, Document> {
        match shelf {
            Shelf::People => &self.people,
            Shelf::Notes => &self.notes,
            Shelf::Replies => &self.replies,
        }
    }

    /// What all keys and ids of the lane begin with.
    #[must_use]
    pub fn prefix(&self) -> String {
        format!("{}/", self.number)
    }

    /// Chooses the next transaction and takes in what it does.
    pub fn advance(&mut self) -> Step {
        self.position += 1;
        let random = Random::of(&[self.seed, self.number, self.position]);
        let mut before = BTreeMap::new();
        let mut operations = Vec::new();
        for _ in 0..=random.below(6) {
            let Some(operation) = self.choose(&random) else { continue };
            self.take_in(&operation, &mut before);
            operations.push(operation);
        }
        let durability = match random.below(10) {
            0 => Durability::Sync,
            _ => Durability::Buffered,
        };
        let tries_refused = random.percent(6);
        Step { position: self.position, operations, durability, tries_refused, before }
    }

    fn choose(&self, random: &Random) -> Option<Operation> {
        let person = format!("{}p{:02}", self.prefix(), random.below(PEOPLE));
        let note = format!("{}n{:02}", self.prefix(), random.below(NOTES));
        let pair = format!("{}k{:02}", self.prefix(), random.below(PAIRS)).into_bytes();
        let blob = format!("{}b{}", self.prefix(), random.below(BLOBS));
        let reply = format!("{note}/r{}", random.below(REPLIES_PER_NOTE));
        Some(match random.below(112) {
            0..20 => Operation::Put(Shelf::People, person.clone(), self.person(&person, random)),
            20..30 if self.people.contains_key(&person) => {
                let (field, value) = match random.below(3) {
                    0 => ("city", Value::from(*random.pick(&CITIES)?)),
                    1 => ("tags", tags(random)),
                    _ => ("age", Value::from(random.below(90) as i64)),
                };
                Operation::Set(Shelf::People, person, field, value)
            }
            30..38 if self.people.contains_key(&person) => Operation::Delete(Shelf::People, person),
            38..42 => {
                let ids: Vec<&String> = self.people.keys().collect();
                let (one, other) = (*random.pick(&ids)?, *random.pick(&ids)?);
                (one != other).then(|| Operation::SwapEmails(one.clone(), other.clone()))?
            }
            42..58 => Operation::Put(Shelf::Notes, note, self.note(random)),
            58..66 if self.notes.contains_key(&note) => {
                let (field, value) = match random.below(3) {
                    0 => ("embedding", vector(random)),
                    1 => ("title", Value::from(words(random, 3))),
                    _ => ("body", Value::from(words(random, 25))),
                };
                Operation::Set(Shelf::Notes, note, field, value)
            }
            66..72 if self.notes.contains_key(&note) => Operation::Delete(Shelf::Notes, note),
            72..84 => Operation::PutPair(pair, self.bytes(random, 1_500)),
            84..88 => Operation::DeletePair(pair),
            88 => Operation::ClearPairs,
            89..92 => Operation::Add(random.below(1_000) as i64 - 400),
            92..95 => Operation::Visit,
            95..97 => {
                let bytes = match random.below(12) {
                    0 => self.bytes(random, 300_000),
                    _ => self.bytes(random, 3_000),
                };
                Operation::PutBlob(blob, bytes)
            }
            97 if self.blobs.contains_key(&blob) => Operation::DeleteBlob(blob),
            98..106 => {
                let document = Document::new().with("lane", self.number as i64).with("n", random.below(9) as i64);
                Operation::Put(Shelf::Replies, reply, document.with("written", self.position as i64))
            }
            106..108 if self.replies.contains_key(&reply) => Operation::Delete(Shelf::Replies, reply),
            108..110 if self.notes.contains_key(&note) => Operation::DeleteWithReplies(note),
            _ => return None,
        })
    }

    fn person(&self, id: &str, random: &Random) -> Document {
        // Of two that one transaction puts under the same id, too, after their emails were exchanged with others'.
        let email = format!("{id}-{}-{}@example.org", self.position, random.below(1 << 40));
        let person = Document::new()
            .with("lane", self.number as i64)
            .with("email", email)
            .with("city", CITIES[random.below(CITIES.len() as u64) as usize])
            .with("age", random.below(90) as i64)
            .with("tags", tags(random))
            .with("written", self.position as i64);
        match random.below(6) {
            // A field that hardly any other document has, so that the dictionary grows.
            0 => person.with(format!("rare{}", random.below(60)), "x".repeat(random.below(300) as usize)),
            1 => person.with("home", Document::new().with("street", words(random, 2)).with("floor", 3)),
            _ => person,
        }
    }

    fn note(&self, random: &Random) -> Document {
        let note = Document::new()
            .with("lane", self.number as i64)
            .with("title", words(random, 4))
            .with("body", words(random, 40))
            .with("written", self.position as i64);
        if random.percent(80) { note.with("embedding", vector(random)) } else { note }
    }

    /// Bytes that nobody else has, up to a length.
    fn bytes(&self, random: &Random, most: u64) -> Vec<u8> {
        let (length, start) = (random.below(most), random.below(251));
        let mut bytes = format!("{}/{}:", self.number, self.position).into_bytes();
        bytes.extend((0..length).map(|at| ((start + at * 7 + at / 250) % 251) as u8));
        bytes
    }

    fn take_in(&mut self, operation: &Operation, before: &mut BTreeMap<(Shelf, String), Option<Document>>) {
        match operation {
            Operation::Put(shelf, id, document) => {
                let old = self.shelf_mut(*shelf).insert(id.clone(), document.clone());
                before.entry((*shelf, id.clone())).or_insert(old);
            }
            Operation::Set(shelf, id, field, value) => {
                if let Some(document) = self.shelf_mut(*shelf).get_mut(id) {
                    before.entry((*shelf, id.clone())).or_insert_with(|| Some(document.clone()));
                    document.insert(*field, value.clone());
                }
            }
            Operation::Delete(shelf, id) => {
                let old = self.shelf_mut(*shelf).remove(id);
                before.entry((*shelf, id.clone())).or_insert(old);
            }
            Operation::DeleteWithReplies(note) => {
                let below = format!("{note}/");
                let replies = self.replies.keys().filter(|id| id.starts_with(&below));
                let gone = replies.map(|id| (Shelf::Replies, id.clone())).chain([(Shelf::Notes, note.clone())]);
                for (shelf, id) in gone.collect::<Vec<_>>() {
                    let old = self.shelf_mut(shelf).remove(&id);
                    before.entry((shelf, id)).or_insert(old);
                }
            }
            Operation::SwapEmails(one, other) => {
                let email = |lane: &Lane, id| lane.people.get(id).and_then(|person| person.get("email")).cloned();
                let (first, second) = (email(self, one), email(self, other));
                for (id, email) in [(one, second), (other, first)] {
                    if let (Some(person), Some(email)) = (self.people.get_mut(id), email) {
                        before.entry((Shelf::People, id.clone())).or_insert_with(|| Some(person.clone()));
                        person.insert("email", email);
                    }
                }
            }
            Operation::PutPair(key, value) => drop(self.pairs.insert(key.clone(), value.clone())),
            Operation::DeletePair(key) => drop(self.pairs.remove(key)),
            Operation::ClearPairs => self.pairs.clear(),
            Operation::Add(delta) => self.total += delta,
            Operation::Visit => self.visits += 1,
            Operation::PutBlob(key, bytes) => drop(self.blobs.insert(key.clone(), bytes.clone())),
            Operation::DeleteBlob(key) => drop(self.blobs.remove(key)),
        }
    }

    fn shelf_mut(&mut self, shelf: Shelf) -> &mut BTreeMap<String, Document> {
        match shelf {
            Shelf::People => &mut self.people,
            Shelf::Notes => &mut self.notes,
            Shelf::Replies => &mut self.replies,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Lane;

    #[test]
    fn a_lane_is_a_function_of_its_seed_and_position() {
        let lane = Lane::at(3, 1, 200);
        assert_eq!(lane, Lane::at(3, 1, 200));
        assert_ne!(lane.people, Lane::at(4, 1, 200).people);
        let mut earlier = Lane::at(3, 1, 150);
        (0..50).for_each(|_| drop(earlier.advance()));
        assert_eq!(lane, earlier);
        assert!(lane.people.len() > 10 && lane.notes.len() > 5 && !lane.pairs.is_empty() && !lane.blobs.is_empty());
    }
}
