//! Dependencies, those that go back in time first: without one of them there is no cycle.

use std::collections::BTreeMap;

use blaze_core::{Error, Result};

use crate::chains::Chains;
use crate::changes::{Change, Changes, range_of};
use crate::cycles::Graph;
use crate::graph::{Edge, Nodes, Why};
use crate::history::{Operation, Predicate};
use crate::ledger::Ledger;
use crate::order::Fate;
use crate::snapshots::{Find, Seen};
use crate::timeline::{NONE, Version};

/// Everything that dependencies are made of.
#[derive(Debug)]
pub(crate) struct Dependencies<'a> {
    nodes: Nodes<'a>,
    changes: &'a Changes,
    seen: Seen,
    /// By key: its versions in an order that is not that of their commits.
    orders: BTreeMap<u32, Vec<u32>>,
}

/// Parts of time that dependencies go back over, sorted; each cycle is within one of them.
#[derive(Debug)]
struct Zones(Vec<(u32, u32)>);

impl Zones {
    fn of(nodes: Nodes<'_>, back: &[Edge]) -> Zones {
        let mut spans: Vec<(u32, u32)> =
            back.iter().map(|edge| (nodes.moment(edge.to), nodes.moment(edge.from))).collect();
        spans.sort_unstable();
        spans.dedup_by(|next, joined| {
            let touches = next.0 <= joined.1;
            if touches {
                joined.1 = joined.1.max(next.1);
            }
            touches
        });
        Zones(spans)
    }

    fn at(&self, moment: u32) -> Option<usize> {
        let zone = self.0.partition_point(|zone| zone.0 <= moment).checked_sub(1)?;
        (moment <= self.0[zone].1).then_some(zone)
    }

    /// The zones of both ends, if it is one.
    fn have(&self, nodes: Nodes<'_>, edge: &Edge) -> bool {
        let zone = self.at(nodes.moment(edge.from));
        zone.is_some() && zone == self.at(nodes.moment(edge.to))
    }
}

impl<'a> Dependencies<'a> {
    /// `contradictions` are orders of some versions of keys that lists tell.
    pub(crate) fn new(
        ledger: &'a Ledger<'a>,
        changes: &'a Changes,
        seen: Seen,
        contradictions: BTreeMap<u32, Vec<u32>>,
    ) -> Dependencies<'a> {
        let whole = |(key, told): (u32, Vec<u32>)| (key, whole_order(ledger.timeline(key).versions.len() as u32, told));
        Dependencies { nodes: Nodes { ledger }, changes, seen, orders: contradictions.into_iter().map(whole).collect() }
    }

    pub(crate) fn nodes(&self) -> Nodes<'a> {
        self.nodes
    }

    /// All dependencies that go back in time.
    pub(crate) fn back(&self) -> Vec<Edge> {
        let mut back = Vec::new();
        self.each_of_keys(&mut |edge| {
            if self.nodes.is_back(&edge) {
                back.push(edge);
            }
        });
        for find in &self.seen.finds {
            self.each_change_within(*find, &mut |change| {
                let edge = self.missed(*find, change);
                if self.nodes.is_back(&edge) {
                    back.push(edge);
                }
            });
        }
        back
    }

    /// The graph, as far as dependencies go back over it.
    ///
    /// # Errors
    /// `LimitExceeded` when it has more nodes than there are numbers.
    pub(crate) fn graph(&self, back: &[Edge]) -> Result<Graph> {
        let (nodes, zones) = (self.nodes, Zones::of(self.nodes, back));
        let mut edges = Vec::new();
        self.each_of_keys(&mut |edge| {
            if zones.have(nodes, &edge) {
                edges.push(edge);
            }
        });
        let mut next = nodes.count();
        let mut all = Vec::new();
        for by in self.changes.names() {
            let is_within = |change: &&Change| zones.at(2 * change.commit).is_some();
            let within = self.changes.all(by).iter().filter(is_within).copied().collect();
            let chains = Chains::of(by, within, next)
                .ok_or_else(|| Error::limit_exceeded("the graph of dependencies has more than 4,294,967,295 nodes"))?;
            next += chains.count();
            chains.edges(nodes, &mut edges);
            all.push(chains);
        }
        for find in &self.seen.finds {
            let node = nodes.reading(find.transaction);
            let Some(zone) = zones.at(nodes.moment(node)) else { continue };
            let Some((by, from, to)) = self.predicate(*find).map(range_of) else { continue };
            if !self.has_own_changes_within(*find) {
                let chains = all.iter().find(|chains| chains.by == by);
                chains.into_iter().for_each(|chains| chains.find(nodes, *find, (from, to), &mut edges));
                continue;
            }
            // Its own writes hide changes of others from it: those that it sees are told one by one.
            let own = self.own_keys(*find);
            for change in self.changes.all(by).iter().filter(|change| (from..=to).contains(&change.value)) {
                let writer = nodes.ledger.order.commits[change.commit as usize - 1];
                if zones.at(2 * change.commit) != Some(zone) || writer == find.transaction {
                    continue;
                }
                if change.commit > nodes.ledger.snapshot(find.transaction) {
                    if !own.contains(&change.key) {
                        edges.push(self.missed(*find, change));
                    }
                } else {
                    edges.push(Edge { from: nodes.writing(writer), to: node, why: Why::WasRead { key: change.key } });
                }
            }
        }
        Ok(Graph::of(next, &edges))
    }

    /// Writers of snapshots that wrote over what was committed after their snapshots: with whom they should have conflicted.
    pub(crate) fn write_conflicts(&self, back: &[Edge]) -> Vec<(u32, u32, u32)> {
        let conflict = |edge: &Edge| match edge.why {
            Why::Wrote { key } => {
                let (first, second) = (self.nodes.transaction(edge.from), self.nodes.transaction(edge.to));
                (!self.nodes.ledger.is_serializable(second) && !self.orders.contains_key(&key))
                    .then_some((first, second, key))
            }
            _ => None,
        };
        back.iter().filter_map(conflict).collect()
    }

    /// Each dependency of single keys, those within transactions, and those of finds that missed something.
    fn each_of_keys(&self, visit: &mut impl FnMut(Edge)) {
        let (nodes, ledger) = (self.nodes, self.nodes.ledger);
        for transaction in &ledger.order.commits {
            let (from, to) = (nodes.reading(*transaction), nodes.writing(*transaction));
            if from != to {
                visit(Edge { from, to, why: Why::Own });
            }
        }
        for key in 0..ledger.timelines.len() as u32 {
            let versions = &ledger.timeline(key).versions;
            let mut wrote = |first: Version, second: Version| {
                if first.transaction != NONE {
                    let (from, to) = (nodes.writing(first.transaction), nodes.reading(second.transaction));
                    visit(Edge { from, to, why: Why::Wrote { key } });
                }
            };
            match self.orders.get(&key) {
                None => versions.windows(2).for_each(|pair| wrote(pair[0], pair[1])),
                Some(order) => {
                    order.windows(2).for_each(|pair| wrote(versions[pair[0] as usize], versions[pair[1] as usize]));
                }
            }
        }
        for seen in &self.seen.observations {
            let (key, reader) = (seen.key, seen.transaction);
            let writer = ledger.timeline(key).versions[seen.version as usize].transaction;
            if writer != NONE && writer != reader {
                visit(Edge { from: nodes.writing(writer), to: nodes.reading(reader), why: Why::WasRead { key } });
            }
            if let Some(next) = self.next(key, seen.version).filter(|next| next.transaction != reader) {
                visit(Edge {
                    from: nodes.reading(reader),
                    to: nodes.writing(next.transaction),
                    why: Why::Read { key },
                });
            }
        }
        for missed in &self.seen.missed {
            let version = ledger.timeline(missed.key).versions[missed.version as usize];
            let (reader, operation) = (missed.find.transaction, missed.find.operation);
            if version.transaction != NONE && version.transaction != reader {
                let (from, to) = (nodes.reading(reader), nodes.writing(version.transaction));
                visit(Edge { from, to, why: Why::Missed { operation, key: missed.key } });
            }
        }
    }

    fn next(&self, key: u32, version: u32) -> Option<Version> {
        let versions = &self.nodes.ledger.timeline(key).versions;
        match self.orders.get(&key) {
            None => versions.get(version as usize + 1).copied(),
            Some(order) => {
                let place = order.iter().position(|other| *other == version)?;
                order.get(place + 1).map(|next| versions[*next as usize])
            }
        }
    }

    fn predicate(&self, find: Find) -> Option<&'a Predicate> {
        match &self.nodes.ledger.transaction(find.transaction).operations[find.operation as usize] {
            Operation::Find { predicate, .. } => Some(predicate),
            _ => None,
        }
    }

    fn missed(&self, find: Find, change: &Change) -> Edge {
        let writer = self.nodes.ledger.order.commits[change.commit as usize - 1];
        let (from, to) = (self.nodes.reading(find.transaction), self.nodes.writing(writer));
        Edge { from, to, why: Why::Missed { operation: find.operation, key: change.key } }
    }

    /// The keys that a transaction had written before a find.
    fn own_keys(&self, find: Find) -> Vec<u32> {
        let ledger = self.nodes.ledger;
        let before = &ledger.transaction(find.transaction).operations[..find.operation as usize];
        before.iter().filter_map(Operation::written).filter_map(|key| ledger.number(key)).collect()
    }

    /// What others changed of what is looked for between the snapshot of a transaction and its commit, but for what it had written
    /// itself by then.
    fn each_change_within(&self, find: Find, visit: &mut impl FnMut(&Change)) {
        let within = self.changed_within(find);
        if within.is_empty() {
            return;
        }
        let own = self.own_keys(find);
        within.into_iter().filter(|change| !own.contains(&change.key)).for_each(visit);
    }

    fn has_own_changes_within(&self, find: Find) -> bool {
        let within = self.changed_within(find);
        !within.is_empty() && {
            let own = self.own_keys(find);
            within.iter().any(|change| own.contains(&change.key))
        }
    }

    fn changed_within(&self, find: Find) -> Vec<&'a Change> {
        let ledger = self.nodes.ledger;
        let (Fate::Writer(commit), Some(predicate)) = (ledger.fate(find.transaction), self.predicate(find)) else {
            return Vec::new();
        };
        let (by, from, to) = range_of(predicate);
        let within = self.changes.between(by, ledger.snapshot(find.transaction), commit).iter();
        within.filter(|change| (from..=to).contains(&change.value)).collect()
    }
}

/// All versions of a key in an order that agrees with what a list told of some of them.
fn whole_order(versions: u32, told: Vec<u32>) -> Vec<u32> {
    let first = told.iter().copied().min().unwrap_or(0);
    let mut order: Vec<u32> = (0..first).collect();
    let rest: Vec<u32> = (first..versions).filter(|version| !told.contains(version)).collect();
    order.extend(told);
    order.extend(rest);
    order
}
