//! Checks a history: each answer, then the graph of dependencies.

use std::collections::HashSet;

use blaze_core::Result;

use crate::anomaly::Kind;
use crate::changes::Changes;
use crate::clocks;
use crate::dependencies::Dependencies;
use crate::graph::{Edge, Nodes, Why};
use crate::history::{History, Operation};
use crate::ledger::Ledger;
use crate::misfound::asked;
use crate::report::Report;
use crate::snapshots;

/// Says what is wrong with a history, each transaction judged by the isolation that it asked for.
///
/// Takes time in proportion to what was recorded and to its logarithm, and for each transaction that looks for something to what was
/// changed meanwhile; memory in proportion. Where something is wrong, the part of the graph around it is made, which takes the
/// logarithm more of both, and the search for smallest examples is bounded.
///
/// A history with [unknown outcomes](crate::Outcome::Unknown) should end with reads of all keys: what nobody has seen counts as
/// rolled back.
///
/// # Errors
/// [`Invalid`](blaze_core::ErrorKind::Invalid) for what is no history: two transactions of one id, an element that is appended twice,
/// an unknown outcome of a transaction that only deletes; [`LimitExceeded`](blaze_core::ErrorKind::LimitExceeded) for more than 2^28
/// transactions, and when the graph around what is wrong gets too large.
pub fn check(history: &History) -> Result<Report> {
    let mut report = Report::default();
    let ledger = Ledger::of(history)?;
    clocks::check(&ledger, &mut report);
    let changes = Changes::of(&ledger, &snapshots::asked_for(&ledger));
    let (seen, misreads) = snapshots::check(&ledger, &changes, &mut report);
    let dependencies = Dependencies::new(&ledger, &changes, seen, misreads.into_contradictions());
    let mut back = dependencies.back();
    if back.is_empty() {
        return Ok(report);
    }
    let nodes = dependencies.nodes();
    back.sort_by_key(|edge| nodes.moment(edge.from) - nodes.moment(edge.to)); // small examples first
    let mut lost_updates = HashSet::new();
    for cycle in dependencies.graph(&back)?.cycles_through(&back) {
        let steps = steps(nodes, &cycle);
        let kind = name(&steps);
        if kind == Kind::LostUpdate {
            lost_updates.extend(steps.iter().map(|step| (step.from, step.to)));
        }
        let mut transactions: Vec<u64> = steps.iter().map(|step| nodes.ledger.id(step.from)).collect();
        let least = (0..transactions.len()).min_by_key(|at| transactions[*at]).unwrap_or(0);
        transactions.rotate_left(least);
        report.add(kind, transactions, || words(nodes, &steps, least));
    }
    for (first, second, key) in dependencies.write_conflicts(&back) {
        if !lost_updates.contains(&(first, second)) {
            let [winner, loser] = [first, second].map(|transaction| nodes.ledger.transaction(transaction));
            report.add(Kind::WriteConflict, vec![loser.id, winner.id], || {
                let key = nodes.ledger.keys[key as usize];
                format!(
                    "transaction {} wrote key {key} with a snapshot at {}, after which transaction {} had committed a write of it",
                    loser.id, loser.read_ts, winner.id
                )
            });
        }
    }
    Ok(report)
}

/// A dependency of one transaction on another.
#[derive(Clone, Copy, Debug)]
struct Step {
    from: u32,
    to: u32,
    dependency: Dependency,
    key: u32,
    /// By which find, if it is one of a predicate.
    find: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dependency {
    Ww,
    Wr,
    Rw,
}

/// The dependencies between transactions in a cycle of nodes.
fn steps(nodes: Nodes<'_>, cycle: &[Edge]) -> Vec<Step> {
    let mut steps = Vec::new();
    // The first edge is of two transactions, so that nothing is under way at the end.
    let (mut key, mut find, mut begun) = (0, 0, 0);
    for edge in cycle {
        let mut add = |from: u32, dependency: Dependency, key: u32, find: Option<u32>| {
            let to = nodes.transaction(edge.to);
            if from != to {
                steps.push(Step { from, to, dependency, key, find });
            }
        };
        match edge.why {
            Why::Own | Why::Along => {}
            Why::Wrote { key } => add(nodes.transaction(edge.from), Dependency::Ww, key, None),
            Why::WasRead { key } => add(nodes.transaction(edge.from), Dependency::Wr, key, None),
            Why::Read { key } => add(nodes.transaction(edge.from), Dependency::Rw, key, None),
            Why::Missed { operation, key } => add(nodes.transaction(edge.from), Dependency::Rw, key, Some(operation)),
            Why::Changed { key: changed } => (begun, key) = (nodes.transaction(edge.from), changed),
            Why::Found { operation } => add(begun, Dependency::Wr, key, Some(operation)),
            Why::Looked { operation } => (begun, find) = (nodes.transaction(edge.from), operation),
            Why::Changes { key } => add(begun, Dependency::Rw, key, Some(find)),
        }
    }
    steps
}

/// What a cycle is called.
fn name(steps: &[Step]) -> Kind {
    let is_rw = |step: &Step| step.dependency == Dependency::Rw;
    match steps.iter().filter(|step| is_rw(step)).count() {
        0 if steps.iter().all(|step| step.dependency == Dependency::Ww) => Kind::G0,
        0 => Kind::G1c,
        1 if steps.len() == 2
            && steps[0].key == steps[1].key
            && steps.iter().all(|step| step.find.is_none())
            && steps.iter().any(|step| step.dependency == Dependency::Ww) =>
        {
            Kind::LostUpdate
        }
        1 => Kind::GSingle,
        _ if !(0..steps.len()).any(|at| is_rw(&steps[at]) && is_rw(&steps[(at + 1) % steps.len()])) => {
            Kind::GNonadjacent
        }
        _ if steps.iter().filter(|step| is_rw(step)).any(|step| step.find.is_some()) => Kind::G2,
        _ => Kind::G2Item,
    }
}

/// A cycle in words, from one of its steps on.
fn words(nodes: Nodes<'_>, steps: &[Step], first: usize) -> String {
    let ledger = nodes.ledger;
    let step = |step: &Step| {
        let (from, to, key) = (ledger.id(step.from), ledger.id(step.to), ledger.keys[step.key as usize]);
        let predicate = |by: u32, find: u32| match &ledger.transaction(by).operations[find as usize] {
            Operation::Find { predicate, .. } => asked(predicate),
            _ => String::new(),
        };
        match (step.dependency, step.find) {
            (Dependency::Ww, _) => format!("{from} wrote key {key} before {to} (ww)"),
            (Dependency::Wr, None) => format!("{to} read of key {key} what {from} wrote (wr)"),
            (Dependency::Rw, None) => format!("{from} read key {key} before {to} wrote it (rw)"),
            (Dependency::Wr, Some(find)) => {
                format!("{to} looked for {} after {from} had changed key {key} (wr)", predicate(step.to, find))
            }
            (Dependency::Rw, Some(find)) => {
                format!("{from} looked for {} before {to} changed key {key} (rw)", predicate(step.from, find))
            }
        }
    };
    let told: Vec<String> = (0..steps.len()).map(|at| step(&steps[(first + at) % steps.len()])).collect();
    format!(
        "{}; {told}",
        if steps.len() == 2 { "each before the other" } else { "in a circle" },
        told = told.join("; ")
    )
}
