//! Checks what timestamps, sessions and the order of beginnings and ends say by themselves.

use std::collections::HashMap;

use crate::anomaly::Kind;
use crate::history::{Outcome, Transaction};
use crate::ledger::Ledger;
use crate::order::Fate;
use crate::report::Report;

/// Whoever comes later sees at least this.
#[derive(Clone, Copy)]
struct Known {
    ts: u64,
    is_commit: bool,
    by: u64,
}

pub(crate) fn check(ledger: &Ledger<'_>, report: &mut Report) {
    check_timestamps(ledger, report);
    check_sessions(ledger, report);
    check_real_time(ledger, report);
}

fn check_timestamps(ledger: &Ledger<'_>, report: &mut Report) {
    for (first, second, ts) in ledger.order.ties() {
        let (first, second) = (ledger.id(first), ledger.id(second));
        report.add(Kind::Timestamps, vec![first, second], || {
            format!("transactions {first} and {second} both committed at {ts}")
        });
    }
    for index in 0..ledger.history.transactions.len() as u32 {
        let Fate::Writer(commit) = ledger.fate(index) else { continue };
        if commit <= ledger.snapshot(index) {
            let Transaction { id, read_ts, .. } = ledger.transaction(index);
            let ts = ledger.order.timestamp(commit);
            let words =
                || format!("transaction {id} committed at {ts}, which its own snapshot at {read_ts} is not before");
            report.add(Kind::Timestamps, vec![*id], words);
        }
    }
}

/// What a transaction is known to have seen or done once it has ended.
fn known_after(ledger: &Ledger<'_>, index: u32) -> Known {
    let transaction = ledger.transaction(index);
    match (transaction.outcome, ledger.fate(index)) {
        (Outcome::Committed(ts), Fate::Writer(_)) if ts > transaction.read_ts => {
            Known { ts, is_commit: true, by: transaction.id }
        }
        _ => Known { ts: transaction.read_ts, is_commit: false, by: transaction.id },
    }
}

fn is_before(transaction: &Transaction, known: Known, how: &str) -> String {
    let Known { ts, by, .. } = known;
    let what = if known.is_commit { "commit" } else { "snapshot" };
    format!(
        "transaction {} has the snapshot {}, before the {what} {ts} of transaction {by}, {how}",
        transaction.id, transaction.read_ts
    )
}

fn check_sessions(ledger: &Ledger<'_>, report: &mut Report) {
    let mut sessions: HashMap<u64, Known> = HashMap::new();
    for index in 0..ledger.history.transactions.len() as u32 {
        let transaction = ledger.transaction(index);
        let Some(session) = transaction.session else { continue };
        let after = known_after(ledger, index);
        let known = sessions.entry(session).or_insert(after);
        if transaction.read_ts < known.ts && known.by != transaction.id {
            let words = || is_before(transaction, *known, "which its own session ran before it");
            report.add(Kind::NonMonotonic, vec![transaction.id, known.by], words);
        }
        if after.ts > known.ts {
            *known = after;
        }
    }
}

/// Who begins after another one has ended sees what that one has seen or done.
fn check_real_time(ledger: &Ledger<'_>, report: &mut Report) {
    let transactions = &ledger.history.transactions;
    let sorted_by = |number: fn(&Transaction) -> Option<u64>| {
        let numbered = transactions.iter().enumerate();
        let mut sorted: Vec<(u64, u32)> =
            numbered.filter_map(|(index, transaction)| Some((number(transaction)?, index as u32))).collect();
        sorted.sort_unstable();
        sorted
    };
    let mut ended = sorted_by(|transaction| transaction.ended).into_iter().peekable();
    let mut newest: Option<Known> = None;
    for (began, index) in sorted_by(|transaction| transaction.began) {
        while let Some((_, other)) = ended.next_if(|(end, _)| *end < began) {
            let after = known_after(ledger, other);
            if newest.is_none_or(|newest| newest.ts < after.ts) {
                newest = Some(after);
            }
        }
        let transaction = ledger.transaction(index);
        if let Some(newest) = newest.filter(|newest| transaction.read_ts < newest.ts) {
            let words = || is_before(transaction, newest, "which had ended when it began");
            report.add(Kind::StaleSnapshot, vec![transaction.id, newest.by], words);
        }
    }
}
