//! A naive executor of transactions, right or with a planted mistake, that records what it does.

use std::collections::BTreeMap;

use blaze_core::{Entropy, Isolation, SeededEntropy};

use crate::{Attribute, Element, History, Key, Operation, Outcome, Predicate, Transaction};

/// How transactions are checked before they commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Commits {
    /// As each transaction asked.
    AsAsked,
    /// The first committer wins, whatever was asked for.
    ByWrites,
}

/// A mistake that is made now and then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mistake {
    /// A read sees the last commit instead of its snapshot.
    LaterRead,
    /// A read sees an older snapshot.
    EarlierRead,
    /// One of the keys that a commit wrote is not kept.
    DroppedWrite,
    /// A commit is not checked.
    SkippedCheck,
    /// What is rolled back is kept nevertheless.
    KeptRollback,
    /// The second half of a commit is seen a commit later.
    TornCommit,
    /// A find misses something.
    MissedFind,
    /// A find does not see the transaction's own writes.
    BlindFind,
}

#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) transactions: u64,
    /// Transactions that run at once.
    pub(super) actors: u64,
    pub(super) keys: u64,
    /// One for all; random without.
    pub(super) isolation: Option<Isolation>,
    pub(super) commits: Commits,
    pub(super) mistake: Option<Mistake>,
}

/// What a key has; nothing if it is not there.
type State = Option<(Vec<Element>, Vec<Attribute>)>;

#[derive(Debug)]
struct Open {
    transaction: Transaction,
    own: BTreeMap<Key, State>,
    left: u64,
}

#[derive(Debug)]
struct Executor {
    plan: Plan,
    random: SeededEntropy,
    now: u64,
    clock: u64,
    next_element: Element,
    /// By key: what was committed when.
    versions: BTreeMap<Key, Vec<(u64, State)>>,
    mistakes: u64,
}

/// Runs a plan; what was recorded, and how many mistakes were made.
pub(super) fn run(plan: &Plan) -> (History, u64) {
    let random = SeededEntropy::new(plan.seed);
    let (versions, plan) = (BTreeMap::new(), plan.clone());
    let mut executor = Executor { plan, random, now: 0, clock: 0, next_element: 1, versions, mistakes: 0 };
    let transactions = executor.run();
    (History::new(transactions), executor.mistakes)
}

impl Executor {
    fn below(&self, limit: u64) -> u64 {
        self.random.next_u64() % limit
    }

    /// True now and then, if this is the mistake of the plan.
    fn slips(&self, mistake: Mistake) -> bool {
        self.plan.mistake == Some(mistake) && self.below(4) == 0
    }

    fn run(&mut self) -> Vec<Transaction> {
        let mut done = Vec::new();
        let mut open: Vec<Option<Open>> = (0..self.plan.actors).map(|_| None).collect();
        let mut begun = 0;
        while begun < self.plan.transactions || open.iter().any(Option::is_some) {
            let actor = self.below(self.plan.actors) as usize;
            match open[actor].take() {
                Some(mut running) if running.left > 0 => {
                    running.left -= 1;
                    self.step(&mut running);
                    open[actor] = Some(running);
                }
                Some(running) => done.push(self.end(running)),
                None if begun < self.plan.transactions => {
                    begun += 1;
                    open[actor] = Some(self.begin(begun, actor as u64));
                }
                None => {}
            }
        }
        done
    }

    fn begin(&mut self, id: u64, actor: u64) -> Open {
        let isolation = match (self.plan.isolation, self.below(2)) {
            (Some(isolation), _) => isolation,
            (None, 0) => Isolation::Serializable,
            (None, _) => Isolation::Snapshot,
        };
        self.clock += 1;
        let mut transaction = Transaction::new(id, isolation, self.now).in_session(actor);
        transaction.began = Some(self.clock);
        Open { transaction, own: BTreeMap::new(), left: 1 + self.below(5) }
    }

    fn committed(&self, key: Key, ts: u64) -> State {
        let versions = self.versions.get(&key).into_iter().flatten();
        versions.rev().find(|(commit, _)| *commit <= ts).and_then(|(_, state)| state.clone())
    }

    fn view(&self, open: &Open, key: Key, ts: u64) -> State {
        open.own.get(&key).cloned().unwrap_or_else(|| self.committed(key, ts))
    }

    fn step(&mut self, open: &mut Open) {
        let key = self.below(self.plan.keys);
        let read_ts = open.transaction.read_ts;
        let mut ts = read_ts;
        if self.slips(Mistake::LaterRead) {
            ts = self.now;
        } else if self.slips(Mistake::EarlierRead) {
            ts = ts.saturating_sub(3);
        }
        match self.below(12) {
            0..4 => self.append(open, key),
            4 if self.below(3) == 0 => {
                open.own.insert(key, None);
                open.transaction.operations.push(Operation::Delete { key });
            }
            4..8 => {
                let seen = self.view(open, key, ts).map(|(list, _)| list).unwrap_or_default();
                let right = self.view(open, key, read_ts).map(|(list, _)| list).unwrap_or_default();
                self.mistakes += u64::from(seen != right);
                open.transaction.operations.push(Operation::Read { key, seen });
            }
            _ => {
                let predicate = self.predicate();
                let mut found = self.find(open, &predicate, ts);
                let right = self.find(open, &predicate, read_ts);
                if self.slips(Mistake::MissedFind) {
                    found.pop();
                }
                if self.slips(Mistake::BlindFind) {
                    let blind = Open { transaction: open.transaction.clone(), own: BTreeMap::new(), left: 0 };
                    found = self.find(&blind, &predicate, ts);
                }
                self.mistakes += u64::from(found != right);
                open.transaction.operations.push(Operation::Find { predicate, found });
            }
        }
    }

    fn append(&mut self, open: &mut Open, key: Key) {
        let element = self.next_element;
        self.next_element += 1;
        let mut attributes = vec![Attribute { name: 0, value: self.below(6) }];
        attributes.extend((0..self.below(3)).map(|_| Attribute { name: 1, value: self.below(4) }));
        let (mut list, _) = self.view(open, key, open.transaction.read_ts).unwrap_or_default();
        // To be put at the end of whatever is there by then, unless it was removed before.
        list.push(element);
        open.own.insert(key, Some((list, attributes.clone())));
        open.transaction.operations.push(Operation::Append { key, element, attributes });
    }

    fn predicate(&self) -> Predicate {
        let (from, length) = (self.below(6), self.below(3));
        match self.below(3) {
            0 => Predicate::Keys { from: self.below(self.plan.keys), to: self.below(self.plan.keys) },
            1 => Predicate::Attribute { name: 0, from, to: from + length },
            _ => Predicate::equal(1, self.below(4)),
        }
    }

    fn find(&self, open: &Open, predicate: &Predicate, ts: u64) -> Vec<(Key, Element)> {
        let last = |key: Key| match self.view(open, key, ts) {
            Some((list, attributes)) if predicate.matches(key, &attributes) => Some((key, *list.last()?)),
            _ => None,
        };
        (0..self.plan.keys).filter_map(last).collect()
    }

    fn end(&mut self, mut open: Open) -> Transaction {
        let skips = self.slips(Mistake::SkippedCheck);
        let is_allowed = self.is_allowed(&open);
        let rolls_back = self.below(10) == 0;
        open.transaction.outcome = Outcome::Committed(open.transaction.read_ts);
        if rolls_back || !(is_allowed || skips) {
            open.transaction.outcome = Outcome::Aborted;
            if rolls_back && self.slips(Mistake::KeptRollback) && !open.own.is_empty() {
                self.mistakes += 1;
                self.keep(&open);
            }
        } else if !open.own.is_empty() {
            self.mistakes += u64::from(!is_allowed);
            self.keep(&open);
            open.transaction.outcome = Outcome::Committed(self.now);
        }
        self.clock += 1;
        open.transaction.ended = Some(self.clock);
        if self.plan.mistake == Some(Mistake::TornCommit) {
            open.transaction.ended = None; // a snapshot between both halves is none of the clock's business
            open.transaction.began = None;
            open.transaction.session = None;
        }
        open.transaction
    }

    fn keep(&mut self, open: &Open) {
        let mut kept: Vec<Key> = open.own.keys().copied().collect();
        if kept.len() > 1 && self.slips(Mistake::DroppedWrite) {
            kept.pop();
            self.mistakes += 1;
        }
        let second_half = match kept.len() > 1 && self.slips(Mistake::TornCommit) {
            true => kept.split_off(kept.len() / 2),
            false => Vec::new(),
        };
        self.now += 1;
        for (keys, ts) in [(kept, self.now), (second_half, self.now + 1)] {
            for key in keys {
                let state = self.over(open, key);
                self.versions.entry(key).or_default().push((ts, state));
                self.mistakes += u64::from(ts > self.now);
            }
        }
    }

    /// Own writes to a key over what is there by now: elements are put at the end of it, unless all was removed before.
    fn over(&self, open: &Open, key: Key) -> State {
        let mut state = self.committed(key, u64::MAX);
        for operation in &open.transaction.operations {
            match operation {
                Operation::Append { key: own, element, attributes } if *own == key => {
                    let (mut list, _) = state.unwrap_or_default();
                    list.push(*element);
                    state = Some((list, attributes.clone()));
                }
                Operation::Delete { key: own } if *own == key => state = None,
                _ => {}
            }
        }
        state
    }

    fn is_allowed(&self, open: &Open) -> bool {
        let transaction = &open.transaction;
        if open.own.is_empty() {
            return true;
        }
        let is_unchanged = |key: &Key| {
            self.versions.get(key).and_then(|versions| versions.last()).is_none_or(|(ts, _)| *ts <= transaction.read_ts)
        };
        if self.plan.commits == Commits::ByWrites || transaction.isolation == Isolation::Snapshot {
            return open.own.keys().all(is_unchanged);
        }
        transaction.operations.iter().all(|operation| match operation {
            Operation::Read { key, .. } => is_unchanged(key),
            Operation::Find { predicate, .. } => {
                // Even if it was taken back since: Adya's dependencies are of versions, not of what came of them.
                let touches = |(key, versions): (&Key, &Vec<(u64, State)>)| {
                    let matches = |state: &State| {
                        state.as_ref().is_some_and(|(_, attributes)| predicate.matches(*key, attributes))
                    };
                    let later = versions.partition_point(|(ts, _)| *ts <= transaction.read_ts);
                    let is_changed = later < versions.len();
                    is_changed && versions[later.saturating_sub(1)..].iter().any(|(_, state)| matches(state))
                };
                !self.versions.iter().any(touches)
            }
            Operation::Append { .. } | Operation::Delete { .. } => true,
        })
    }
}
