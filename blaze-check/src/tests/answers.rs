//! Answers that are not of their snapshots, timestamps that cannot be, and what comes nearest to them and is sound.

use blaze_core::Isolation::{Serializable, Snapshot};

use super::anomalies::{at, found, kinds_under, sound};
use crate::{History, Kind, Predicate, Transaction, check};

#[test]
fn a_read_is_of_its_snapshot() {
    let read = |ts, seen: Vec<u64>| {
        [
            at(1, 0).append(1, 11).committed(1),
            at(2, 1).append(1, 12).committed(2),
            at(3, 2).read(1, [11, 12]).committed(2),
            at(4, ts).read(1, seen).committed(2),
        ]
    };
    sound(&read(1, vec![11]));
    found(&read(1, vec![11, 12]), &[Kind::FutureRead]);
    found(&read(2, vec![11]), &[Kind::StaleRead]);
    found(&read(2, vec![]), &[Kind::StaleRead]);
}

#[test]
fn what_was_removed_is_not_read() {
    let read = |seen: Vec<u64>| {
        let writes = [at(1, 0).append(1, 11).committed(1), at(2, 1).delete(1).committed(2)];
        [writes[0].clone(), writes[1].clone(), at(3, 2).read(1, seen).committed(2)]
    };
    sound(&read(vec![]));
    found(&read(vec![11]), &[Kind::StaleRead]);
}

#[test]
fn a_commit_is_seen_whole() {
    let read = |second: Vec<u64>| {
        [at(1, 0).append(1, 11).append(2, 21).committed(1), at(2, 1).read(1, [11]).read(2, second).committed(1)]
    };
    sound(&read(vec![21]));
    found(&read(vec![]), &[Kind::GSingle, Kind::TornCommit]);
}

#[test]
fn a_commit_is_not_lost() {
    let hole = |seen: Vec<u64>| {
        [
            at(1, 0).append(1, 11).committed(1),
            at(2, 1).append(1, 12).committed(2),
            at(3, 2).append(1, 13).committed(3),
            at(4, 3).read(1, seen).committed(3),
        ]
    };
    sound(&hole(vec![11, 12, 13]));
    found(&hole(vec![11, 13]), &[Kind::LostCommit]);
    let end =
        [at(1, 0).append(1, 11).committed(1), at(2, 1).read(1, []).committed(1), at(3, 1).read(1, []).committed(1)];
    found(&end, &[Kind::LostCommit]);
}

#[test]
fn own_writes_are_seen() {
    let own = |seen: Vec<u64>| [at(1, 0).append(1, 11).read(1, seen).committed(1)];
    sound(&own(vec![11]));
    found(&own(vec![]), &[Kind::OwnWrites]);
    let deleted = |seen: Vec<u64>| {
        [at(1, 0).append(1, 11).committed(1), at(2, 1).delete(1).read(1, seen).append(1, 12).read(1, [12]).committed(2)]
    };
    sound(&deleted(vec![]));
    found(&deleted(vec![11]), &[Kind::OwnWrites]);
    found(&[at(1, 0).read(1, [11]).append(1, 11).committed(1)], &[Kind::OwnWrites]);
}

#[test]
fn own_writes_are_found() {
    let find = |found: Vec<(u64, u64)>| {
        let first = at(1, 0).append_with(1, 11, [(0, 5)]).append_with(2, 21, [(0, 6)]).committed(1);
        let second = at(2, 1).append_with(1, 12, [(0, 6)]).append_with(2, 22, [(0, 5)]);
        [first, second.find(Predicate::equal(0, 5), found).committed(2)]
    };
    sound(&find(vec![(2, 22)]));
    found(&find(vec![]), &[Kind::OwnWrites]);
    assert!(kinds_under(Snapshot, &find(vec![(1, 11), (2, 22)])).contains(&Kind::StaleRead));
    found(&find(vec![(1, 12), (2, 22)]), &[Kind::OwnWrites]);
}

#[test]
fn what_is_read_twice_is_the_same() {
    let twice =
        |second: Vec<u64>| [at(1, 0).append(1, 11).committed(1), at(2, 1).read(1, [11]).read(1, second).committed(1)];
    sound(&twice(vec![11]));
    assert!(kinds_under(Snapshot, &twice(vec![])).contains(&Kind::Internal));
}

#[test]
fn only_what_was_written_is_read() {
    found(&[at(1, 0).read(1, [99]).committed(0)], &[Kind::Garbage]);
    found(&[at(1, 0).append(1, 11).committed(1), at(2, 1).read(1, [11, 11]).committed(1)], &[Kind::Garbage]);
    let elsewhere = at(2, 1).find(Predicate::key(2), [(2, 11)]).committed(1);
    found(&[at(1, 0).append(1, 11).committed(1), elsewhere], &[Kind::Garbage]);
}

#[test]
fn only_what_matches_is_found_and_once() {
    let find = |found: Vec<(u64, u64)>| {
        let first = at(1, 0).append_with(1, 11, [(0, 5), (0, 6)]).append_with(2, 21, [(1, 5)]).committed(1);
        [first, at(2, 1).find(Predicate::Attribute { name: 0, from: 5, to: 6 }, found).committed(1)]
    };
    sound(&find(vec![(1, 11)]));
    found(&find(vec![(1, 11), (2, 21)]), &[Kind::WrongMatch]);
    found(&find(vec![(1, 11), (1, 11)]), &[Kind::WrongMatch]);
    let stale = [
        at(1, 0).append_with(1, 11, [(0, 5)]).committed(1),
        at(2, 1).append_with(1, 12, [(0, 6)]).committed(2),
        at(3, 2).find(Predicate::equal(0, 5), [(1, 11)]).committed(2),
    ];
    found(&stale, &[Kind::StaleRead]);
}

#[test]
fn who_begins_after_an_end_sees_what_was_committed() {
    let second = |read_ts| {
        [at(1, 0).append(1, 11).committed(1).between(1, 4), at(2, read_ts).append(2, 21).committed(2).between(5, 6)]
    };
    sound(&second(1));
    found(&second(0), &[Kind::StaleSnapshot]);
    let meanwhile =
        [at(1, 0).append(1, 11).committed(1).between(1, 4), at(2, 0).append(2, 21).committed(2).between(3, 6)];
    sound(&meanwhile);
}

#[test]
fn a_session_never_goes_back() {
    let session = |read_ts| {
        [
            at(1, 0).append(1, 11).committed(1).in_session(7),
            at(2, read_ts).committed(0).in_session(7),
            at(3, 0).in_session(8),
        ]
    };
    sound(&session(1));
    found(&session(0), &[Kind::NonMonotonic]);
}

#[test]
fn timestamps_are_of_one_commit_each_and_after_their_snapshots() {
    let commits = |first, second| [at(1, 0).append(1, 11).committed(first), at(2, 1).append(2, 21).committed(second)];
    sound(&commits(1, 2));
    found(&commits(2, 2), &[Kind::Timestamps]);
    found(&commits(2, 1), &[Kind::Timestamps]);
}

#[test]
fn an_unknown_outcome_is_told_by_who_sees_it() {
    let crash = |ts, seen: Vec<u64>| {
        [
            at(1, 0).append(1, 11).append(2, 21).committed(1),
            at(2, 1).append(1, 12).append(2, 22).unknown(ts),
            at(3, 5).read(1, [&[11], &seen[..]].concat()).committed(5),
            at(4, 5).append(1, 14).read(2, if seen.is_empty() { vec![21] } else { vec![21, 22] }).committed(6),
        ]
    };
    for ts in [None, Some(3)] {
        sound(&crash(ts, vec![]));
        sound(&crash(ts, vec![12]));
        let mut torn = crash(ts, vec![12]).to_vec();
        torn.push(at(5, 6).read(1, [11, 12, 14]).read(2, [21]).committed(6));
        assert!(kinds_under(Snapshot, &torn).contains(&Kind::TornCommit));
    }
}

#[test]
fn commits_of_unknown_times_are_in_the_order_of_lists() {
    let history = |last: Vec<u64>| {
        [
            at(1, 0).append(1, 11).committed(1),
            at(2, 1).append(1, 12).unknown(None),
            at(3, 1).append(1, 13).unknown(None),
            at(4, 2).append(1, 14).committed(9),
            at(5, 9).read(1, last).committed(9),
        ]
        .map(|transaction| Transaction { isolation: Serializable, ..transaction })
    };
    assert_eq!(check(&History::new(history(vec![11, 13, 12, 14]).to_vec())).unwrap().kinds().collect::<Vec<_>>(), []);
    assert_eq!(check(&History::new(history(vec![11, 12, 13, 14]).to_vec())).unwrap().kinds().collect::<Vec<_>>(), []);
    assert_eq!(check(&History::new(history(vec![11, 12, 14]).to_vec())).unwrap().kinds().collect::<Vec<_>>(), []);
}

#[test]
fn what_is_no_history_is_refused() {
    let refused = |transactions: Vec<Transaction>, message: &str| {
        let error = check(&History::new(transactions)).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
    };
    refused(vec![at(1, 0), at(1, 0)], "two transactions are called 1");
    refused(vec![at(1, 0).append(1, 5), at(2, 0).append(2, 5)], "element 5 was appended by transaction 1 and by 2");
    refused(vec![at(1, 0).delete(1).unknown(Some(1))], "transaction 1 committed");
}
