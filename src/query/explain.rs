//! How a question was answered, and what that took.

use std::fmt;

use blaze_core::{Direction, Filter};
use serde::Serialize;

use super::plan::{Access, Considered, IndexScan, Plan};
use super::run::Records;
use super::sort::Sort;

/// What was read to answer a question.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counters {
    pub(crate) keys_examined: u64,
    pub(crate) documents_examined: u64,
}

/// How a question was answered, and what that took: the plan as a tree, the counts, and the plans that were considered.
///
/// It prints as readable text, and serializes, as JSON for example.
///
/// ```text
/// limit 20
///   fetch, check title starts_with "S": 24 documents
///     index year on (year), 1 range, forward: 24 keys
/// keys examined 24, documents examined 24, rows 20, 0 ms
/// considered:
///   index year: chosen, the only one that fits
/// ```
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Explain {
    /// Entries of an index, documents of a scan, or vectors that were looked at.
    pub keys_examined: u64,
    /// Documents that were read.
    pub documents_examined: u64,
    /// Documents that were answered.
    pub rows: u64,
    /// How long it took by the clock of the database, in milliseconds.
    pub time_ms: u64,
    /// What was done, the last first.
    pub plan: ExplainNode,
    /// The plans that were considered, the chosen one among them.
    pub considered: Vec<Considered>,
}

/// A step of a plan, made of what the steps below it find.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct ExplainNode {
    /// What is done, in words.
    pub operation: String,
    /// The index that is read.
    pub index: Option<String>,
    /// The ranges that are read of it.
    pub ranges: Option<u64>,
    /// Entries of the index that were read, or documents of a scan.
    pub keys_examined: u64,
    /// Documents that were fetched.
    pub documents_examined: u64,
    /// The steps that this one is made of.
    pub inputs: Vec<ExplainNode>,
}

impl ExplainNode {
    /// A step with nothing counted.
    pub(crate) fn of(operation: impl Into<String>, inputs: Vec<ExplainNode>) -> ExplainNode {
        ExplainNode { operation: operation.into(), inputs, ..ExplainNode::default() }
    }

    /// The step and those below it, in a line.
    pub(crate) fn in_a_line(&self) -> String {
        let inputs = self.inputs.iter().map(ExplainNode::in_a_line).collect::<Vec<_>>().join("; ");
        if inputs.is_empty() { self.operation.clone() } else { format!("{} ({inputs})", self.operation) }
    }

    pub(crate) fn first_index(&self) -> Option<&str> {
        self.index.as_deref().or_else(|| self.inputs.iter().find_map(ExplainNode::first_index))
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        write!(f, "{:indent$}{}", "", self.operation, indent = 2 * depth)?;
        let keys = if self.index.is_some() { "keys" } else { "documents" };
        match (self.keys_examined, self.documents_examined) {
            (0, 0) if self.index.is_none() => writeln!(f)?,
            (read, 0) => writeln!(f, ": {read} {keys}")?,
            (_, documents) => writeln!(f, ": {documents} documents")?,
        }
        self.inputs.iter().try_for_each(|input| input.write(f, depth + 1))
    }
}

/// What was asked, beside the filter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) sort: &'a [Sort],
    pub(super) skip: usize,
    pub(super) limit: Option<usize>,
    pub(super) time_ms: u64,
}

impl Explain {
    pub(crate) fn new(plan: ExplainNode, considered: Vec<Considered>, counters: Counters, rows: u64) -> Explain {
        let Counters { keys_examined, documents_examined } = counters;
        Explain { keys_examined, documents_examined, rows, time_ms: 0, plan, considered }
    }

    pub(super) fn of_query(plan: &Plan, records: &Records, asked: Asked<'_>) -> Explain {
        let candidates = records.candidates();
        let counters = candidates.counters();
        let mut node = describe(&plan.access, &mut candidates.keys().iter().copied());
        let check = candidates.check().filter(|check| **check != Filter::everything());
        match (&plan.access, check) {
            (Access::Scan, check) => {
                node.keys_examined = counters.keys_examined;
                if let Some(check) = check {
                    node = ExplainNode::of(format!("documents checked: {check}"), vec![node]);
                }
            }
            (_, Some(check)) if candidates.checks_entries() => {
                node = ExplainNode::of(format!("entries checked: {check}"), vec![node]);
                node = fetch("fetch".to_owned(), node, counters);
            }
            (_, Some(check)) => node = fetch(format!("fetch, documents checked: {check}"), node, counters),
            (_, None) => node = fetch("fetch".to_owned(), node, counters),
        }
        let keys = asked.sort.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        match (asked.sort.is_empty(), records.is_sorted_in_memory()) {
            (true, _) => {}
            (false, true) => node = ExplainNode::of(format!("sorted in memory by {keys}"), vec![node]),
            (false, false) => node = ExplainNode::of(format!("by {keys} in the order of the index"), vec![node]),
        }
        let limit = asked.limit.map_or_else(|| "no limit".to_owned(), |limit| format!("limit {limit}"));
        match (asked.skip, asked.limit) {
            (0, None) => {}
            (0, Some(_)) => node = ExplainNode::of(limit, vec![node]),
            (skip, _) => node = ExplainNode::of(format!("skip {skip}, {limit}"), vec![node]),
        }
        let explain = Explain::new(node, plan.considered.clone(), counters, records.rows());
        Explain { time_ms: asked.time_ms, ..explain }
    }

    /// The index that was used, if one was; of several, the first.
    #[must_use]
    pub fn index(&self) -> Option<&str> {
        self.plan.first_index()
    }
}

fn fetch(operation: String, input: ExplainNode, counters: Counters) -> ExplainNode {
    ExplainNode { documents_examined: counters.documents_examined, ..ExplainNode::of(operation, vec![input]) }
}

/// The plan, with the entries that each scan of it has read.
pub(crate) fn describe(access: &Access, keys: &mut dyn Iterator<Item = u64>) -> ExplainNode {
    match access {
        Access::Scan => ExplainNode::of("scan of all documents", Vec::new()),
        Access::Index(scan) => describe_scan(scan, keys),
        Access::Intersection { .. } => {
            let inputs = access.scans().into_iter().map(|scan| describe_scan(scan, keys)).collect();
            ExplainNode::of("in all of these", inputs)
        }
        Access::Union(branches) if branches.is_empty() => ExplainNode::of("nothing can match", Vec::new()),
        Access::Union(branches) => {
            let inputs = branches.iter().map(|branch| describe(branch, keys)).collect();
            ExplainNode::of("in one of these, each once", inputs)
        }
    }
}

fn describe_scan(scan: &IndexScan, keys: &mut dyn Iterator<Item = u64>) -> ExplainNode {
    let ranges = match scan.ranges.len() {
        0 => "nothing can match".to_owned(),
        1 if scan.equal_fields == 0 && !scan.bounded => "all of it".to_owned(),
        1 => "1 range".to_owned(),
        count if scan.order.is_some_and(|order| order.is_merged) => format!("{count} ranges merged"),
        count => format!("{count} ranges"),
    };
    let direction = match scan.direction {
        Direction::Forward => "forward",
        Direction::Reverse => "backward",
    };
    let operation = format!("index {} on ({}), {ranges}, {direction}", scan.name, scan.definition);
    ExplainNode {
        index: Some(scan.name.clone()),
        ranges: Some(scan.ranges.len() as u64),
        keys_examined: keys.next().unwrap_or_default(),
        ..ExplainNode::of(operation, Vec::new())
    }
}

impl fmt::Display for Explain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.plan.write(f, 0)?;
        let Explain { keys_examined, documents_examined, rows, time_ms, .. } = self;
        write!(f, "keys examined {keys_examined}, documents examined {documents_examined}, rows {rows}, {time_ms} ms")?;
        if !self.considered.is_empty() {
            write!(f, "\nconsidered:")?;
        }
        for Considered { plan, estimate, chosen, reason } in &self.considered {
            let estimate = estimate.map_or_else(String::new, |entries| format!(" (about {entries})"));
            let chosen = if *chosen { "chosen, " } else { "" };
            write!(f, "\n  {plan}{estimate}: {chosen}{reason}")?;
        }
        Ok(())
    }
}
