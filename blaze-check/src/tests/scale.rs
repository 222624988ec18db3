//! Large histories.

use blaze_core::Isolation::{self, Serializable, Snapshot};
use blaze_core::{Entropy, SeededEntropy};

use super::executor::{Commits, Plan, run};
use crate::{History, Predicate, Transaction, check};

/// Transactions that run at once.
const ACTORS: usize = 16;

/// Elements that a list has at most before its key is given up for a new one.
const LENGTH_MAX: usize = 16;

/// A history of this many transactions by a store that checks nothing, in which nobody reads what others change meanwhile: each reads
/// and appends to lists of its own actor, and looks for what other actors have finished.
fn long(transactions: u64, isolation: Isolation) -> History {
    let random = SeededEntropy::new(7);
    let mut lists: Vec<(u64, Vec<u64>)> = (0..ACTORS as u64).map(|actor| (actor, Vec::new())).collect();
    // Finished lists, with the commit that finished them.
    let mut finished: Vec<(u64, u64, u64)> = Vec::new();
    let mut next_key = ACTORS as u64;
    let mut history = Vec::new();
    for ts in 1..=transactions {
        let actor = (random.next_u64() % ACTORS as u64) as usize;
        let (key, list) = &mut lists[actor];
        let read_ts = ts - 1;
        let mut transaction =
            Transaction::new(ts, isolation, read_ts).in_session(actor as u64).between(3 * ts, 3 * ts + 1);
        transaction = transaction.read(*key, list.clone());
        let is_last = list.len() == LENGTH_MAX;
        list.push(ts * 2);
        transaction =
            transaction.append_with(*key, ts * 2, if is_last { vec![(0, *key)] } else { vec![(1, ts % 997)] });
        list.push(ts * 2 + 1);
        transaction =
            transaction.append_with(*key, ts * 2 + 1, if is_last { vec![(0, *key)] } else { vec![(1, ts % 997)] });
        if let Some((key, last, _)) = finished.get((random.next_u64() % (finished.len() as u64 + 1)) as usize) {
            transaction = transaction.find(Predicate::equal(0, *key), [(*key, *last)]);
            transaction = transaction.find(Predicate::key(*key), [(*key, *last)]);
        }
        if is_last {
            finished.push((*key, ts * 2 + 1, ts));
            (*key, *list) = (next_key, Vec::new());
            next_key += 1;
        }
        history.push(transaction.committed(ts));
    }
    History::new(history)
}

#[test]
fn a_long_history_is_sound() {
    for isolation in [Serializable, Snapshot] {
        let report = check(&long(50_000, isolation)).unwrap();
        assert!(report.is_sound(), "{report}");
    }
}

#[test]
#[ignore = "it takes a gigabyte: run it after changes of the checker"]
fn a_million_transactions_are_checked() {
    let history = long(1_000_000, Serializable);
    let report = check(&history).unwrap();
    assert!(report.is_sound(), "{report}");
}

#[test]
fn a_long_history_that_is_wrong_all_over_is_checked_as_well() {
    let plan = Plan {
        seed: 3,
        transactions: 20_000,
        actors: 12,
        keys: 200,
        isolation: Some(Serializable),
        commits: Commits::ByWrites,
        mistake: None,
    };
    let (history, _) = run(&plan);
    assert!(!check(&history).unwrap().is_sound());
}
