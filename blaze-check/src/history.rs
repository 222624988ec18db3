//! What was recorded of a run.

use blaze_core::Isolation;
use serde::{Deserialize, Serialize};

/// What an object is named by. Whoever records several tables gives each a range of its own.
pub type Key = u64;

/// What is appended to the list of a key: each once in a history, so that it names the transaction that wrote it.
pub type Element = u64;

/// The transactions of a run, in any order; those of one session in the order in which it ran them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The transactions.
    pub transactions: Vec<Transaction>,
}

/// One transaction: when it read, how it ended, what it did and what it was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transaction {
    /// What it is called in reports; each once in a history.
    pub id: u64,
    /// Who ran it, if that is known: one after another, each after the end of the one before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<u64>,
    /// A number drawn before it began, of one counter for all transactions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began: Option<u64>,
    /// A number drawn after its outcome was known, of the same counter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<u64>,
    /// What it asked to be protected from.
    #[serde(with = "crate::isolation")]
    pub isolation: Isolation,
    /// Its snapshot: it sees what was committed at this timestamp and before.
    pub read_ts: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// What it did, in order.
    pub operations: Vec<Operation>,
}

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Committed, with this timestamp; of one that wrote nothing, the timestamp does not matter.
    Committed(u64),
    /// Refused or rolled back.
    Aborted,
    /// Nobody knows, as after a crash: with the timestamp that it would have. It counts as committed if anybody has seen one of its
    /// elements.
    Unknown(Option<u64>),
}

/// One operation of a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Operation {
    /// An element was put at the end of the list of a key, which is made if it is not there.
    Append {
        /// Whose list.
        key: Key,
        /// What was appended.
        element: Element,
        /// All attributes that the object has from now on.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        attributes: Vec<Attribute>,
    },
    /// A key was removed with its list, or was not there.
    Delete {
        /// Which key.
        key: Key,
    },
    /// The list of a key was read.
    Read {
        /// Whose list.
        key: Key,
        /// What was seen; nothing if the key was not there.
        seen: Vec<Element>,
    },
    /// All objects were looked for that match.
    Find {
        /// What they have to match.
        predicate: Predicate,
        /// What was found, in any order: each key with the last element of its list.
        found: Vec<(Key, Element)>,
    },
}

/// A value by which an object can be found: of an indexed field, or a term of its text. There may be several of one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "(u32, u64)", into = "(u32, u64)")]
pub struct Attribute {
    /// Which index.
    pub name: u32,
    /// The value, or the number of the term.
    pub value: u64,
}

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Predicate {
    /// Objects with keys in this range.
    Keys {
        /// The first key.
        from: Key,
        /// The last key.
        to: Key,
    },
    /// Objects with an attribute in this range: one value of an index, many, or a term.
    Attribute {
        /// Which index.
        name: u32,
        /// The first value.
        from: u64,
        /// The last value.
        to: u64,
    },
}

impl History {
    /// A history of these transactions.
    #[must_use]
    pub fn new(transactions: Vec<Transaction>) -> History {
        History { transactions }
    }

    /// The same history, had every transaction asked for this isolation.
    #[must_use]
    pub fn under(mut self, isolation: Isolation) -> History {
        self.transactions.iter_mut().for_each(|transaction| transaction.isolation = isolation);
        self
    }
}

impl Transaction {
    /// A transaction that has done nothing so far, and was rolled back unless it is said that it committed.
    #[must_use]
    pub fn new(id: u64, isolation: Isolation, read_ts: u64) -> Transaction {
        Transaction {
            id,
            session: None,
            began: None,
            ended: None,
            isolation,
            read_ts,
            outcome: Outcome::Aborted,
            operations: Vec::new(),
        }
    }

    /// Appends an element to the list of a key; the object has no attributes.
    #[must_use]
    pub fn append(self, key: Key, element: Element) -> Transaction {
        self.append_with(key, element, [])
    }

    /// Appends an element to the list of a key; the object then has these attributes, by name and value.
    #[must_use]
    pub fn append_with(
        mut self,
        key: Key,
        element: Element,
        attributes: impl IntoIterator<Item = (u32, u64)>,
    ) -> Transaction {
        let attributes = attributes.into_iter().map(Attribute::from).collect();
        self.operations.push(Operation::Append { key, element, attributes });
        self
    }

    /// Removes a key.
    #[must_use]
    pub fn delete(mut self, key: Key) -> Transaction {
        self.operations.push(Operation::Delete { key });
        self
    }

    /// Reads a list.
    #[must_use]
    pub fn read(mut self, key: Key, seen: impl Into<Vec<Element>>) -> Transaction {
        self.operations.push(Operation::Read { key, seen: seen.into() });
        self
    }

    /// Finds keys with their last elements.
    #[must_use]
    pub fn find(mut self, predicate: Predicate, found: impl Into<Vec<(Key, Element)>>) -> Transaction {
        self.operations.push(Operation::Find { predicate, found: found.into() });
        self
    }

    /// It ran in this session.
    #[must_use]
    pub fn in_session(mut self, session: u64) -> Transaction {
        self.session = Some(session);
        self
    }

    /// Its beginning and its end, as a counter told that is drawn from by all.
    #[must_use]
    pub fn between(mut self, began: u64, ended: u64) -> Transaction {
        (self.began, self.ended) = (Some(began), Some(ended));
        self
    }

    /// It committed with this timestamp.
    #[must_use]
    pub fn committed(mut self, ts: u64) -> Transaction {
        self.outcome = Outcome::Committed(ts);
        self
    }

    /// It was rolled back.
    #[must_use]
    pub fn aborted(mut self) -> Transaction {
        self.outcome = Outcome::Aborted;
        self
    }

    /// Nobody knows how it ended; if it committed, then with this timestamp, if that is known.
    #[must_use]
    pub fn unknown(mut self, ts: Option<u64>) -> Transaction {
        self.outcome = Outcome::Unknown(ts);
        self
    }

    /// True if it writes anything.
    #[must_use]
    pub fn writes(&self) -> bool {
        self.operations.iter().any(|operation| operation.written().is_some())
    }
}

impl Operation {
    /// The key that it changes.
    pub(crate) fn written(&self) -> Option<Key> {
        match self {
            Operation::Append { key, .. } | Operation::Delete { key } => Some(*key),
            Operation::Read { .. } | Operation::Find { .. } => None,
        }
    }

    /// What it was shown: elements of lists, or last elements.
    pub(crate) fn shown(&self) -> impl Iterator<Item = Element> {
        let (seen, found): (&[Element], &[(Key, Element)]) = match self {
            Operation::Read { seen, .. } => (seen, &[]),
            Operation::Find { found, .. } => (&[], found),
            Operation::Append { .. } | Operation::Delete { .. } => (&[], &[]),
        };
        seen.iter().copied().chain(found.iter().map(|(_, element)| *element))
    }
}

impl Predicate {
    /// The object with this key, whatever it is.
    #[must_use]
    pub fn key(key: Key) -> Predicate {
        Predicate::Keys { from: key, to: key }
    }

    /// Objects with exactly this attribute.
    #[must_use]
    pub fn equal(name: u32, value: u64) -> Predicate {
        Predicate::Attribute { name, from: value, to: value }
    }

    /// True if an object with this key and these attributes is to be found.
    #[must_use]
    pub fn matches(&self, key: Key, attributes: &[Attribute]) -> bool {
        match *self {
            Predicate::Keys { from, to } => (from..=to).contains(&key),
            Predicate::Attribute { name, from, to } => {
                attributes.iter().any(|own| own.name == name && (from..=to).contains(&own.value))
            }
        }
    }
}

impl From<(u32, u64)> for Attribute {
    fn from((name, value): (u32, u64)) -> Attribute {
        Attribute { name, value }
    }
}

impl From<Attribute> for (u32, u64) {
    fn from(attribute: Attribute) -> (u32, u64) {
        (attribute.name, attribute.value)
    }
}
