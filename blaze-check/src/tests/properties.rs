//! Random histories: right ones are sound, and what is wrong with the others is what brute force says.

use std::collections::{BTreeMap, BTreeSet};

use blaze_core::Isolation::{self, Serializable, Snapshot};
use proptest::prelude::*;

use super::executor::{Commits, Mistake, Plan, run};
use crate::{Attribute, Element, History, Key, Kind, Operation, Outcome, Transaction, check};

const CYCLES: [Kind; 7] =
    [Kind::G0, Kind::G1c, Kind::LostUpdate, Kind::GSingle, Kind::GNonadjacent, Kind::G2Item, Kind::G2];

fn plan(seed: u64) -> Plan {
    let commits = Commits::AsAsked;
    Plan { seed, transactions: 300, actors: 6, keys: 6, isolation: None, commits, mistake: None }
}

/// A plan of a few transactions that meet.
fn small(seed: u64, isolation: Option<Isolation>) -> Plan {
    Plan { transactions: 9, actors: 4, keys: 3, isolation, commits: Commits::ByWrites, ..plan(seed) }
}

#[track_caller]
fn assert_sound(history: &History) {
    let report = check(history).unwrap();
    assert!(report.is_sound(), "{report}");
}

proptest! {
    #[test]
    fn what_runs_one_after_another_is_sound_in_any_isolation(seed: u64) {
        let (history, _) = run(&Plan { actors: 1, ..plan(seed) });
        assert_sound(&history.clone().under(Serializable));
        assert_sound(&history.under(Snapshot));
    }

    #[test]
    fn what_is_checked_as_it_asks_is_sound(seed: u64) {
        let (history, _) = run(&plan(seed));
        assert_sound(&history);
    }

    #[test]
    fn snapshots_whose_first_committer_wins_are_sound_as_snapshots(seed: u64) {
        let (history, _) = run(&Plan { commits: Commits::ByWrites, ..plan(seed) });
        assert_sound(&history.under(Snapshot));
    }

    #[test]
    fn exactly_those_histories_have_a_cycle_in_which_brute_force_finds_one(seed: u64) {
        for isolation in [None, Some(Serializable), Some(Snapshot)] {
            let (history, _) = run(&small(seed, isolation));
            let report = check(&history).unwrap();
            let expected = BruteForce::of(&history).has_forbidden_cycle();
            prop_assert_eq!(report.kinds().any(|kind| CYCLES.contains(&kind)), expected, "{} {:?}", report, history);
        }
    }

    #[test]
    fn lines_are_read_as_they_were_written(seed: u64) {
        let (history, _) = run(&plan(seed));
        let mut lines = Vec::new();
        history.write_lines(&mut lines).unwrap();
        prop_assert_eq!(History::read_lines(lines.as_slice()).unwrap(), history);
    }

    #[test]
    fn no_history_is_too_strange(seed: u64, mistake in 0..8_usize, outcomes: Vec<(u16, Option<u64>, u64)>) {
        let (mut history, _) = run(&Plan { transactions: 40, mistake: Some(MISTAKES[mistake].0), ..plan(seed) });
        for (at, ts, read_ts) in outcomes {
            let at = usize::from(at) % history.transactions.len();
            history.transactions[at].outcome = ts.map_or(Outcome::Unknown(None), Outcome::Committed);
            history.transactions[at].read_ts = read_ts;
        }
        let _ = check(&history);
    }
}

/// Each mistake with what it may be reported as; by one of these at least.
const MISTAKES: [(Mistake, &[Kind]); 8] = [
    (Mistake::LaterRead, &[Kind::FutureRead]),
    (Mistake::EarlierRead, &[Kind::StaleRead]),
    (Mistake::DroppedWrite, &[Kind::TornCommit, Kind::LostCommit]),
    (Mistake::SkippedCheck, &[Kind::G2, Kind::G2Item, Kind::GSingle, Kind::LostUpdate, Kind::WriteConflict]),
    (Mistake::KeptRollback, &[Kind::G1a]),
    (Mistake::TornCommit, &[Kind::TornCommit, Kind::StaleRead]),
    (Mistake::MissedFind, &[Kind::StaleRead, Kind::TornCommit, Kind::OwnWrites]),
    (Mistake::BlindFind, &[Kind::OwnWrites]),
];

#[test]
fn planted_mistakes_are_found_and_named() {
    for (mistake, kinds) in MISTAKES {
        for isolation in [Serializable, Snapshot] {
            for seed in 0..8 {
                let (history, mistakes) =
                    run(&Plan { mistake: Some(mistake), isolation: Some(isolation), ..plan(seed) });
                assert!(mistakes > 0, "{mistake:?} {seed}");
                let report = check(&history).unwrap();
                let named = report.kinds().any(|kind| kinds.contains(&kind));
                assert!(named, "{mistake:?}, {isolation:?}, seed {seed}, made {mistakes} times: {report}");
            }
        }
    }
}

#[test]
fn write_skew_happens_in_random_histories_and_is_named() {
    let mut kinds = BTreeSet::new();
    for seed in 0..40 {
        let (history, _) = run(&Plan { commits: Commits::ByWrites, ..plan(seed) });
        kinds.extend(check(&history.under(Serializable)).unwrap().kinds());
    }
    assert_eq!(kinds, BTreeSet::from([Kind::G2Item, Kind::G2]));
}

/// What a key has after a commit.
type State = (Vec<Element>, Option<Vec<Attribute>>);

/// All dependencies by their definitions, and all simple cycles.
struct BruteForce<'a> {
    committed: Vec<&'a Transaction>,
    /// By key: commit timestamp, place of the writer, what is there.
    versions: BTreeMap<Key, Vec<(u64, usize, State)>>,
    /// From, to, and whether it is an rw dependency.
    edges: BTreeSet<(usize, usize, bool)>,
}

impl<'a> BruteForce<'a> {
    fn of(history: &'a History) -> BruteForce<'a> {
        let is_committed = |transaction: &&Transaction| matches!(transaction.outcome, Outcome::Committed(_));
        let mut committed: Vec<&Transaction> = history.transactions.iter().filter(is_committed).collect();
        committed.sort_by_key(|transaction| (commit_ts(transaction), !transaction.writes()));
        let mut all = BruteForce { committed, versions: BTreeMap::new(), edges: BTreeSet::new() };
        all.write();
        for versions in all.versions.values() {
            all.edges.extend(versions.windows(2).map(|pair| (pair[0].1, pair[1].1, false)));
        }
        for at in 0..all.committed.len() {
            all.read(at);
        }
        all.edges.retain(|(from, to, _)| from != to);
        all
    }

    fn write(&mut self) {
        for (at, transaction) in self.committed.iter().enumerate() {
            let keys: BTreeSet<Key> = transaction.operations.iter().filter_map(Operation::written).collect();
            for key in keys {
                let versions = self.versions.entry(key).or_default();
                let mut state = versions.last().map(|(_, _, state)| state.clone()).unwrap_or_default();
                for operation in &transaction.operations {
                    match operation {
                        Operation::Append { key: own, element, attributes } if *own == key => {
                            state.0.push(*element);
                            state.1 = Some(attributes.clone());
                        }
                        Operation::Delete { key: own } if *own == key => state = State::default(),
                        _ => {}
                    }
                }
                versions.push((commit_ts(transaction), at, state));
            }
        }
    }

    fn read(&mut self, at: usize) {
        let transaction = self.committed[at];
        let mut own = BTreeSet::new();
        let mut cleared = BTreeSet::new();
        for operation in &transaction.operations {
            match operation {
                Operation::Append { key, .. } => drop(own.insert(*key)),
                Operation::Delete { key } => {
                    own.insert(*key);
                    cleared.insert(*key);
                }
                Operation::Read { key, .. } if !cleared.contains(key) => self.read_key(at, *key),
                Operation::Read { .. } => {}
                Operation::Find { predicate, .. } => {
                    for key in self.versions.keys().copied().collect::<Vec<_>>() {
                        if own.contains(&key) {
                            continue;
                        }
                        let matches = |state: &State| {
                            state.1.as_ref().is_some_and(|attributes| predicate.matches(key, attributes))
                        };
                        let mut before = false;
                        for (ts, writer, state) in &self.versions[&key] {
                            if matches(state) != before {
                                self.edges.insert(match *ts <= transaction.read_ts {
                                    true => (*writer, at, false),
                                    false => (at, *writer, true),
                                });
                            }
                            before = matches(state);
                        }
                        let seen = self.versions[&key].iter().rfind(|(ts, _, _)| *ts <= transaction.read_ts);
                        if seen.is_some_and(|(_, _, state)| matches(state)) {
                            self.read_key(at, key);
                        }
                    }
                }
            }
        }
    }

    fn read_key(&mut self, at: usize, key: Key) {
        let versions = self.versions.get(&key).map_or(&[][..], Vec::as_slice);
        let next = versions.partition_point(|(ts, _, _)| *ts <= self.committed[at].read_ts);
        let written = next.checked_sub(1).map(|last| (versions[last].1, at, false));
        let overwritten = versions.get(next).map(|(_, writer, _)| (at, *writer, true));
        self.edges.extend(written.into_iter().chain(overwritten));
    }

    fn has_forbidden_cycle(&self) -> bool {
        (0..self.committed.len()).any(|first| self.goes_back(first, &mut Vec::new(), first))
    }

    /// Tries all ways on from a node, through nodes after the first, back to the first.
    fn goes_back(&self, first: usize, path: &mut Vec<(usize, bool)>, node: usize) -> bool {
        for (_, to, is_rw) in self.edges.range((node, 0, false)..=(node, usize::MAX, true)) {
            path.push((node, *is_rw));
            let is_on_path = path.iter().any(|(other, _)| other == to);
            let goes_back = match *to == first {
                true => self.is_forbidden(path),
                false => *to > first && !is_on_path && self.goes_back(first, path, *to),
            };
            path.pop();
            if goes_back {
                return true;
            }
        }
        false
    }

    /// A cycle of nodes, each with the kind of the dependency that leaves it.
    fn is_forbidden(&self, cycle: &[(usize, bool)]) -> bool {
        let comes_in = cycle.iter().cycle().skip(cycle.len() - 1).map(|(_, is_rw)| *is_rw);
        let mut pivots = cycle.iter().zip(comes_in).filter(|((_, goes_out), comes_in)| *goes_out && *comes_in);
        !pivots.any(|((node, _), _)| self.committed[*node].isolation == Snapshot)
    }
}

fn commit_ts(transaction: &Transaction) -> u64 {
    match transaction.outcome {
        Outcome::Committed(ts) => ts,
        Outcome::Aborted | Outcome::Unknown(_) => 0,
    }
}
