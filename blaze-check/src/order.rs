//! The order of commits.

use std::cmp::Reverse;
use std::collections::HashMap;

use blaze_core::{Error, Result};

use crate::elements::Elements;
use crate::history::{Element, History, Operation, Outcome};

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It changed nothing: it was rolled back, or nobody knows and nobody has seen it.
    Aborted,
    /// It committed and wrote nothing.
    Reader,
    /// It committed; the first commit is number 1.
    Writer(u32),
}

/// All commits in their order, and what each transaction sees of them.
#[derive(Debug)]
pub(crate) struct CommitOrder {
    /// By transaction.
    pub(crate) fates: Vec<Fate>,
    /// By transaction: how many commits its snapshot has.
    pub(crate) snapshots: Vec<u32>,
    /// The transactions that wrote, by number of commit, from 1 on.
    pub(crate) commits: Vec<u32>,
    /// By number of commit.
    timestamps: Vec<Place>,
}

/// Where a commit is: of those with one timestamp, the deepest is the first. Only commits whose timestamp is not known are deeper
/// than 0, just before the first commit that is known to be after them.
type Place = (u64, Reverse<u32>);

impl CommitOrder {
    pub(crate) fn of(history: &History, elements: &Elements) -> Result<CommitOrder> {
        let transactions = &history.transactions;
        let unknown = Unknown::of(history, elements)?;
        let place = |index: usize| match transactions[index].outcome {
            Outcome::Committed(ts) => Some((ts, Reverse(0))),
            Outcome::Aborted => None,
            Outcome::Unknown(_) => unknown.places.get(&(index as u32)).copied().flatten(),
        };
        let mut commits: Vec<(Place, u32)> = Vec::new();
        let mut fates = vec![Fate::Aborted; transactions.len()];
        for (index, transaction) in transactions.iter().enumerate() {
            match place(index) {
                Some(place) if transaction.writes() => commits.push((place, index as u32)),
                Some(_) => fates[index] = Fate::Reader,
                None => {}
            }
        }
        commits.sort_unstable();
        for (number, (_, index)) in commits.iter().enumerate() {
            fates[*index as usize] = Fate::Writer(number as u32 + 1);
        }
        let (timestamps, commits): (Vec<Place>, Vec<u32>) = commits.into_iter().unzip();
        let seen_at = |ts: u64| timestamps.partition_point(|place| place.0 <= ts) as u32;
        let snapshots = transactions.iter().map(|transaction| seen_at(transaction.read_ts)).collect();
        Ok(CommitOrder { fates, snapshots, commits, timestamps })
    }

    /// The timestamp of a commit by its number, as far as it is known.
    pub(crate) fn timestamp(&self, commit: u32) -> u64 {
        self.timestamps[commit as usize - 1].0
    }

    /// Pairs of transactions whose commits have one timestamp, and that.
    pub(crate) fn ties(&self) -> impl Iterator<Item = (u32, u32, u64)> {
        let commits = self.timestamps.iter().zip(&self.commits);
        let pairs = commits.clone().zip(commits.skip(1));
        let ties = pairs.filter(|((first, _), (second, _))| first == second && first.1.0 == 0);
        ties.map(|((place, first), (_, second))| (*first, *second, place.0))
    }
}

/// Transactions of which nobody knows how they ended, with their place if somebody has seen what they wrote.
struct Unknown {
    places: HashMap<u32, Option<Place>>,
    /// Of two of them without a timestamp, the first is before the second.
    before: Vec<(u32, u32)>,
}

impl Unknown {
    fn of(history: &History, elements: &Elements) -> Result<Unknown> {
        let mut unknown = Unknown { places: HashMap::new(), before: Vec::new() };
        for (index, transaction) in history.transactions.iter().enumerate() {
            if !matches!(transaction.outcome, Outcome::Unknown(_)) {
                continue;
            }
            unknown.places.insert(index as u32, None);
            let appends = |operation: &Operation| matches!(operation, Operation::Append { .. });
            if transaction.writes() && !transaction.operations.iter().any(appends) {
                let id = transaction.id;
                let message =
                    format!("nobody knows whether transaction {id} committed, and it wrote nothing to be seen by");
                return Err(Error::invalid(message));
            }
        }
        if !unknown.places.is_empty() {
            for (index, transaction) in history.transactions.iter().enumerate() {
                let reader = index as u32;
                for operation in &transaction.operations {
                    unknown.look(history, elements, (reader, transaction.read_ts), operation);
                }
            }
            unknown.settle();
        }
        Ok(unknown)
    }

    /// Who sees an element was later than its commit, and so is who wrote the next element of the list.
    fn look(&mut self, history: &History, elements: &Elements, (reader, read_ts): (u32, u64), operation: &Operation) {
        let mut next: Option<Element> = None;
        let shown: Vec<Element> = operation.shown().collect();
        let is_list = matches!(operation, Operation::Read { .. });
        for element in shown.into_iter().rev() {
            let after = next.filter(|_| is_list);
            next = Some(element);
            let Some(writer) = elements.writer(element).map(|writer| writer.transaction) else { continue };
            if writer == reader || !self.places.contains_key(&writer) {
                continue;
            }
            if let Outcome::Unknown(Some(ts)) = history.transactions[writer as usize].outcome {
                self.places.insert(writer, Some((ts, Reverse(0))));
                continue;
            }
            self.bound(writer, (read_ts, Reverse(1)));
            let after = after.and_then(|element| elements.writer(element)).map(|writer| writer.transaction);
            match after.map(|after| (after, history.transactions[after as usize].outcome)) {
                Some((_, Outcome::Committed(ts) | Outcome::Unknown(Some(ts)))) => self.bound(writer, (ts, Reverse(1))),
                Some((after, Outcome::Unknown(None))) if after != writer => self.before.push((writer, after)),
                _ => {}
            }
        }
    }

    fn bound(&mut self, writer: u32, place: Place) {
        let known = self.places.entry(writer).or_default();
        *known = Some(known.map_or(place, |known| known.min(place)));
    }

    /// Puts each before those that are after it.
    fn settle(&mut self) {
        self.before.sort_unstable();
        self.before.dedup();
        let before = std::mem::take(&mut self.before);
        for _ in 0..self.places.len() {
            let old = self.places.clone();
            for (first, second) in &before {
                if let Some((ts, Reverse(depth))) = self.places.get(second).copied().flatten() {
                    self.bound(*first, (ts, Reverse(depth + 1)));
                }
            }
            if old == self.places {
                break;
            }
        }
    }
}
