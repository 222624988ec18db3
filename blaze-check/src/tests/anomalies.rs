//! Each anomaly of the graph by its smallest history, and what comes nearest to it and is sound.

use blaze_core::Isolation::{self, Serializable, Snapshot};

use crate::{History, Kind, Predicate, Transaction, check};

const BOTH: [Isolation; 2] = [Serializable, Snapshot];

/// What is wrong with these transactions, had all asked for this isolation.
pub(super) fn kinds_under(isolation: Isolation, transactions: &[Transaction]) -> Vec<Kind> {
    let report = check(&History::new(transactions.to_vec()).under(isolation)).unwrap();
    println!("{isolation:?}: {report}");
    report.kinds().collect()
}

#[track_caller]
pub(super) fn found(transactions: &[Transaction], kinds: &[Kind]) {
    for isolation in BOTH {
        assert_eq!(kinds_under(isolation, transactions), kinds, "{isolation:?}");
    }
}

#[track_caller]
fn found_if_serializable(transactions: &[Transaction], kinds: &[Kind]) {
    assert_eq!(kinds_under(Serializable, transactions), kinds);
    assert_eq!(kinds_under(Snapshot, transactions), []);
}

#[track_caller]
pub(super) fn sound(transactions: &[Transaction]) {
    found(transactions, &[]);
}

pub(super) fn at(id: u64, read_ts: u64) -> Transaction {
    Transaction::new(id, Serializable, read_ts)
}

#[test]
fn a_history_of_nothing_is_sound() {
    sound(&[]);
    sound(&[at(1, 0).committed(1), at(2, 5).read(1, []).aborted()]);
}

#[test]
fn g0_writes_of_two_transactions_in_two_orders() {
    let both = |second: [u64; 2]| {
        [
            at(1, 0).append(1, 11).append(2, 21).committed(1),
            at(2, 1).append(1, 12).append(2, 22).committed(2),
            at(3, 2).read(1, [11, 12]).read(2, second).committed(2),
        ]
    };
    sound(&both([21, 22]));
    found(&both([22, 21]), &[Kind::G0, Kind::VersionOrder]);
}

#[test]
fn g1a_an_aborted_write_is_read() {
    let read = |seen: Vec<u64>| [at(1, 0).append(1, 11).aborted(), at(2, 0).read(1, seen).committed(0)];
    sound(&read(vec![]));
    found(&read(vec![11]), &[Kind::G1a]);
    let find =
        |seen: Vec<(u64, u64)>| [at(1, 0).append(1, 11).aborted(), at(2, 0).find(Predicate::key(1), seen).committed(0)];
    sound(&find(vec![]));
    found(&find(vec![(1, 11)]), &[Kind::G1a]);
}

#[test]
fn g1b_a_part_of_the_writes_to_a_key_is_read() {
    let read =
        |seen: Vec<u64>| [at(1, 0).append(1, 11).append(1, 12).committed(1), at(2, 1).read(1, seen).committed(1)];
    sound(&read(vec![11, 12]));
    found(&read(vec![11]), &[Kind::G1b]);
    let removed = |seen: Vec<u64>| {
        [at(1, 0).append(1, 11).delete(1).append(1, 12).committed(1), at(2, 1).read(1, seen).committed(1)]
    };
    sound(&removed(vec![12]));
    assert!(kinds_under(Snapshot, &removed(vec![11])).contains(&Kind::G1b));
    let find = |last| {
        let find = at(2, 1).find(Predicate::key(1), [(1, last)]);
        [at(1, 0).append(1, 11).append(1, 12).committed(1), find.committed(1)]
    };
    sound(&find(12));
    assert!(kinds_under(Snapshot, &find(11)).contains(&Kind::G1b));
}

#[test]
fn g1c_two_transactions_read_from_each_other() {
    let crossing = |first: Vec<u64>, second: Vec<u64>| {
        [at(1, 0).append(1, 11).read(2, first).committed(1), at(2, 0).append(2, 22).read(1, second).committed(2)]
    };
    found(&crossing(vec![22], vec![11]), &[Kind::G1c, Kind::FutureRead]);
    found_if_serializable(&crossing(vec![], vec![]), &[Kind::G2Item]);
}

#[test]
fn g1c_in_a_circle_of_three() {
    let circle = |seen: Vec<u64>| {
        [
            at(1, 0).append(1, 11).read(3, seen).committed(1),
            at(2, 1).append(2, 22).read(1, [11]).committed(2),
            at(3, 2).append(3, 33).read(2, [22]).committed(3),
        ]
    };
    sound(&circle(vec![]));
    found(&circle(vec![33]), &[Kind::G1c, Kind::FutureRead]);
}

#[test]
fn otv_an_observed_transaction_vanishes() {
    let third = |seen: Vec<u64>| {
        [
            at(1, 0).append(1, 11).append(2, 21).committed(1),
            at(2, 1).append(1, 12).append(2, 22).committed(2),
            at(3, 2).read(1, [11, 12]).read(2, seen).committed(2),
        ]
    };
    sound(&third(vec![21, 22]));
    found(&third(vec![21]), &[Kind::GSingle, Kind::TornCommit]);
}

#[test]
fn pmp_a_predicate_finds_other_rows_the_second_time() {
    let twice = |first: Vec<(u64, u64)>, second: Vec<(u64, u64)>| {
        let find = at(2, 1).find(Predicate::equal(0, 30), first).find(Predicate::equal(0, 30), second);
        [at(1, 1).append_with(3, 31, [(0, 30)]).committed(2), find.committed(1)]
    };
    sound(&twice(vec![], vec![]));
    found(&twice(vec![], vec![(3, 31)]), &[Kind::GSingle, Kind::FutureRead]);
}

#[test]
fn p4_an_update_is_lost() {
    let second = |read_ts, seen: Vec<u64>| {
        [
            at(1, 0).append(1, 10).committed(1),
            at(2, 1).read(1, [10]).append(1, 11).committed(2),
            at(3, read_ts).read(1, seen).append(1, 12).committed(3),
        ]
    };
    sound(&second(2, vec![10, 11]));
    found(&second(1, vec![10]), &[Kind::LostUpdate]);
}

#[test]
fn the_first_committer_wins_under_snapshot_isolation() {
    let second = |read_ts| [at(1, 0).append(1, 11).committed(1), at(2, read_ts).append(1, 12).committed(2)];
    sound(&second(1));
    assert_eq!(kinds_under(Snapshot, &second(0)), [Kind::WriteConflict]);
    assert_eq!(kinds_under(Serializable, &second(0)), [], "who reads nothing conflicts with nobody");
}

#[test]
fn g_single_a_part_of_a_commit_is_read() {
    let skew = |seen: Vec<u64>| {
        [
            at(1, 0).append(1, 10).append(2, 20).committed(1),
            at(2, 1).append(1, 12).append(2, 22).committed(2),
            at(3, 1).read(1, [10]).read(2, seen).committed(1),
        ]
    };
    sound(&skew(vec![20]));
    found(&skew(vec![20, 22]), &[Kind::GSingle, Kind::FutureRead]);
}

#[test]
fn g_single_by_a_predicate() {
    let skew = |ts, seen: Vec<u64>| {
        [
            at(1, 0).append(1, 10).committed(1),
            at(2, 1).append(1, 11).append_with(7, 70, [(0, 5)]).committed(2),
            at(3, ts).find(Predicate::equal(0, 5), []).read(1, seen).committed(2),
        ]
    };
    sound(&skew(1, vec![10]));
    found(&skew(1, vec![10, 11]), &[Kind::GSingle, Kind::FutureRead]);
    found(&skew(2, vec![10, 11]), &[Kind::GSingle, Kind::TornCommit]);
}

#[test]
fn g_nonadjacent_a_long_fork() {
    let fork = |third: Vec<u64>, fourth: Vec<u64>| {
        [
            at(1, 0).append(1, 11).committed(1),
            at(2, 0).append(2, 22).committed(2),
            at(3, 1).read(1, third).read(2, []).committed(1),
            at(4, 1).read(1, fourth).read(2, [22]).committed(2),
        ]
    };
    found(&fork(vec![11], vec![]), &[Kind::GNonadjacent, Kind::FutureRead, Kind::StaleRead]);
    sound(&[
        at(1, 0).append(1, 11).committed(1),
        at(2, 0).append(2, 22).committed(2),
        at(3, 1).read(1, [11]).read(2, []).committed(1),
        at(4, 2).read(1, [11]).read(2, [22]).committed(2),
    ]);
}

#[test]
fn g2_item_write_skew_is_one_under_serializable_only() {
    let skew = |read_ts, seen: Vec<u64>| {
        [
            at(1, 0).append(1, 10).append(2, 20).committed(1),
            at(2, 1).read(1, [10]).read(2, [20]).append(1, 11).committed(2),
            at(3, read_ts).read(1, seen).read(2, [20]).append(2, 21).committed(3),
        ]
    };
    sound(&skew(2, vec![10, 11]));
    found_if_serializable(&skew(1, vec![10]), &[Kind::G2Item]);
}

#[test]
fn write_skew_needs_its_pivot_to_have_asked_for_snapshot_isolation() {
    let skew = |first, second| {
        let transactions = vec![
            Transaction::new(1, first, 0).read(2, []).append(1, 11).committed(1),
            Transaction::new(2, second, 0).read(1, []).append(2, 22).committed(2),
        ];
        check(&History::new(transactions)).unwrap().kinds().collect::<Vec<_>>()
    };
    assert_eq!(skew(Serializable, Snapshot), [], "the first one was right when it committed");
    assert_eq!(skew(Snapshot, Serializable), [], "a transaction that may skew has done so");
    assert_eq!(skew(Serializable, Serializable), [Kind::G2Item]);
}

#[test]
fn g2_write_skew_by_a_predicate_is_one_under_serializable_only() {
    let predicates = [Predicate::Keys { from: 3, to: 4 }, Predicate::Attribute { name: 0, from: 3, to: 9 }];
    for predicate in predicates {
        let skew = |read_ts, seen: Vec<(u64, u64)>| {
            [
                at(1, 1).find(predicate, []).append_with(3, 30, [(0, 3)]).committed(2),
                at(2, read_ts).find(predicate, seen).append_with(4, 40, [(0, 9)]).committed(3),
            ]
        };
        sound(&skew(2, vec![(3, 30)]));
        found_if_serializable(&skew(1, vec![]), &[Kind::G2]);
    }
}

#[test]
fn g2_by_what_ceases_to_match_and_by_what_is_removed() {
    let first = at(1, 0).append_with(1, 10, [(0, 5)]).append_with(2, 20, [(0, 5)]).committed(1);
    let both = vec![(1, 10), (2, 20)];
    let changes: [fn(Transaction, u64, u64) -> Transaction; 2] = [
        |transaction, key, element| transaction.append_with(key, element, [(0, 6)]),
        |transaction, key, _| transaction.delete(key),
    ];
    for change in changes {
        let leave = |id, key| change(at(id, 1).find(Predicate::equal(0, 5), both.clone()), key, id * 10 + 1);
        let report = kinds_under(Serializable, &[first.clone(), leave(2, 1).committed(2), leave(3, 2).committed(3)]);
        assert!(report.iter().all(|kind| [Kind::G2, Kind::G2Item].contains(kind)) && !report.is_empty(), "{report:?}");
    }
    // What neither looked for does not matter.
    let other = |id: u64, key| at(id, 1).find(Predicate::equal(0, 7), []).append_with(key, id * 10 + 1, [(0, 6)]);
    sound(&[first, other(2, 1).committed(2), other(3, 2).committed(3)]);
}

#[test]
fn the_anomaly_of_a_read_only_transaction_needs_the_reader() {
    // Fekete, O'Neil and O'Neil (2004): without the third transaction, the second is before the first.
    let withdraw = at(2, 1).read(1, [10]).read(2, [20]).append(1, 11).committed(3);
    let deposit = at(1, 1).read(2, [20]).append(2, 21).committed(2);
    let first = at(9, 0).append(1, 10).append(2, 20).committed(1);
    sound(&[first.clone(), withdraw.clone(), deposit.clone()]);
    let reader = at(3, 2).read(1, [10]).read(2, [20, 21]).committed(2);
    found_if_serializable(&[first, withdraw, deposit, reader], &[Kind::G2Item]);
}

#[test]
fn a_report_tells_the_cycle_in_words() {
    let skew = [
        at(4, 1).find(Predicate::equal(0, 7), []).append_with(3, 30, [(0, 7)]).committed(2),
        at(2, 1).find(Predicate::equal(0, 7), []).append_with(4, 40, [(0, 7)]).committed(3),
    ];
    let report = check(&History::new(skew.to_vec())).unwrap();
    assert_eq!(
        report.to_string(),
        "1 times G2 (write skew by a predicate)\n  each before the other; 2 looked for the value 7 of attribute 0 before 4 \
         changed key 3 (rw); 4 looked for the value 7 of attribute 0 before 2 changed key 4 (rw)\n"
    );
    assert_eq!(report.anomalies().next().unwrap().transactions, [2, 4]);
}

#[test]
fn a_damaged_line_is_refused_by_its_number() {
    let good = Transaction::new(1, Snapshot, 3)
        .append_with(1, 2, [(0, 9)])
        .delete(4)
        .unknown(None)
        .between(1, 2)
        .in_session(3);
    let mut lines = Vec::new();
    History::new(vec![good.clone(), Transaction { id: 2, ..good }]).write_lines(&mut lines).unwrap();
    let cut = lines.len() - 5;
    let error = History::read_lines(&lines[..cut]).unwrap_err();
    assert!(error.to_string().starts_with("line 2 is no transaction"), "{error}");
    assert_eq!(History::read_lines(lines.as_slice()).unwrap().transactions.len(), 2);
}
