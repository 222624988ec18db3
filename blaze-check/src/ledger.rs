//! A history put in order.

use std::collections::HashMap;

use blaze_core::{Error, Isolation, Result};

use crate::elements::{Elements, Writer};
use crate::history::{Attribute, Element, History, Key, Operation, Transaction};
use crate::order::{CommitOrder, Fate};
use crate::timeline::{NONE, Timeline};

/// Each transaction is two nodes of the graph, and numbers are of 32 bits.
const TRANSACTIONS_MAX: usize = 1 << 28;

/// A history with the order of its commits and with what they made of each key.
#[derive(Debug)]
pub(crate) struct Ledger<'a> {
    pub(crate) history: &'a History,
    pub(crate) order: CommitOrder,
    elements: Elements,
    numbers: HashMap<Key, u32>,
    /// By number of the key.
    pub(crate) keys: Vec<Key>,
    /// By number of the key.
    pub(crate) timelines: Vec<Timeline>,
}

impl<'a> Ledger<'a> {
    /// # Errors
    /// `Invalid` for a history that contradicts itself in what was asked for; `LimitExceeded` for one that is too long.
    pub(crate) fn of(history: &'a History) -> Result<Ledger<'a>> {
        let transactions = history.transactions.len();
        if transactions > TRANSACTIONS_MAX {
            let message =
                format!("a history of {transactions} transactions is checked in parts of at most {TRANSACTIONS_MAX}");
            return Err(Error::limit_exceeded(message));
        }
        let mut ids: Vec<u64> = history.transactions.iter().map(|transaction| transaction.id).collect();
        ids.sort_unstable();
        if let Some(pair) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::invalid(format!("two transactions are called {}", pair[0])));
        }
        let elements = Elements::of(history)?;
        let order = CommitOrder::of(history, &elements)?;
        let (numbers, keys, timelines) = (HashMap::new(), Vec::new(), Vec::new());
        let mut ledger = Ledger { history, order, elements, numbers, keys, timelines };
        for at in 0..ledger.order.commits.len() {
            let transaction = ledger.order.commits[at];
            ledger.apply(transaction, at as u32 + 1);
        }
        Ok(ledger)
    }

    fn apply(&mut self, transaction: u32, commit: u32) {
        for (at, operation) in self.history.transactions[transaction as usize].operations.iter().enumerate() {
            let Some(key) = operation.written() else { continue };
            let (keys, timelines) = (&mut self.keys, &mut self.timelines);
            let number = *self.numbers.entry(key).or_insert_with(|| {
                keys.push(key);
                timelines.push(Timeline::new());
                keys.len() as u32 - 1
            });
            let timeline = &mut timelines[number as usize];
            match operation {
                Operation::Append { element, .. } => timeline.append(transaction, commit, at as u32, *element),
                _ => timeline.delete(transaction, commit),
            }
        }
    }

    pub(crate) fn transaction(&self, index: u32) -> &'a Transaction {
        &self.history.transactions[index as usize]
    }

    pub(crate) fn id(&self, index: u32) -> u64 {
        self.transaction(index).id
    }

    pub(crate) fn fate(&self, index: u32) -> Fate {
        self.order.fates[index as usize]
    }

    /// How many commits a transaction sees.
    pub(crate) fn snapshot(&self, index: u32) -> u32 {
        self.order.snapshots[index as usize]
    }

    pub(crate) fn is_serializable(&self, index: u32) -> bool {
        self.transaction(index).isolation == Isolation::Serializable
    }

    /// The number of a key, if anybody committed a write to it.
    pub(crate) fn number(&self, key: Key) -> Option<u32> {
        self.numbers.get(&key).copied()
    }

    pub(crate) fn timeline(&self, key: u32) -> &Timeline {
        &self.timelines[key as usize]
    }

    pub(crate) fn writer(&self, element: Element) -> Option<Writer> {
        self.elements.writer(element)
    }

    /// The attributes of a version of a key; none, if the key is not there, which is something else than to be there without.
    pub(crate) fn attributes(&self, key: u32, version: usize) -> Option<&'a [Attribute]> {
        let version = self.timeline(key).versions[version];
        if version.operation == NONE {
            return None;
        }
        match &self.transaction(version.transaction).operations[version.operation as usize] {
            Operation::Append { attributes, .. } => Some(attributes),
            _ => None,
        }
    }
}
