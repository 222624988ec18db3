//! How a question was answered, and what that took.

use std::fmt;

use blaze_core::{Direction, Filter};

use super::plan::Plan;
use super::sort::Sort;

/// What was read to answer a question.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counters {
    pub(crate) keys_examined: u64,
    pub(crate) documents_examined: u64,
}

/// How a question was answered, and what that took: the plan as readable text, and the counts.
///
/// ```text
/// index year (year), 1 range, forward
///   in the order of the index
///   keys examined 20, documents examined 20, rows 20
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Explain {
    /// Entries of an index, documents of a scan, or vectors that were looked at.
    pub keys_examined: u64,
    /// Documents that were read.
    pub documents_examined: u64,
    /// Documents that were answered.
    pub rows: u64,
    index: Option<String>,
    lines: Vec<String>,
}

impl Explain {
    pub(crate) fn new(index: Option<String>, lines: Vec<String>, counters: Counters, rows: u64) -> Explain {
        let Counters { keys_examined, documents_examined } = counters;
        Explain { keys_examined, documents_examined, rows, index, lines }
    }

    #[expect(clippy::too_many_arguments, reason = "each is one fact of one query")]
    pub(super) fn of_query(
        plan: &Plan,
        filter: &Filter,
        recheck: bool,
        sort: &[Sort],
        sorted_in_memory: bool,
        skip: usize,
        limit: Option<usize>,
        counters: Counters,
        rows: u64,
    ) -> Explain {
        let mut lines = vec![describe(plan)];
        if recheck && *filter != Filter::everything() {
            lines.push(format!("documents checked: {filter}"));
        }
        let keys = sort.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        match (sort.is_empty(), sorted_in_memory) {
            (true, _) => {}
            (false, true) => lines.push(format!("sorted in memory by {keys}")),
            (false, false) => lines.push(format!("by {keys} in the order of the index")),
        }
        if skip > 0 || limit.is_some() {
            let limit = limit.map_or_else(|| "no limit".to_owned(), |limit| format!("limit {limit}"));
            lines.push(if skip > 0 { format!("skip {skip}, {limit}") } else { limit });
        }
        Explain::new(index_of(plan), lines, counters, rows)
    }

    /// The index that was used, if one was.
    #[must_use]
    pub fn index(&self) -> Option<&str> {
        self.index.as_deref()
    }
}

pub(crate) fn index_of(plan: &Plan) -> Option<String> {
    match plan {
        Plan::Scan => None,
        Plan::Index(index) => Some(index.name.clone()),
    }
}

pub(crate) fn describe(plan: &Plan) -> String {
    let Plan::Index(index) = plan else { return "scan of all documents".to_owned() };
    let ranges = match index.ranges.len() {
        0 => "nothing can match".to_owned(),
        1 if index.equal_fields == 0 && !index.bounded => "all of it".to_owned(),
        1 => "1 range".to_owned(),
        count => format!("{count} ranges"),
    };
    let direction = match index.direction {
        Direction::Forward => "forward",
        Direction::Reverse => "backward",
    };
    format!("index {} on ({}), {ranges}, {direction}", index.name, index.definition)
}

impl fmt::Display for Explain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = self.lines.iter();
        if let Some(first) = lines.next() {
            writeln!(f, "{first}")?;
        }
        for line in lines {
            writeln!(f, "  {line}")?;
        }
        let Explain { keys_examined, documents_examined, rows, .. } = self;
        write!(f, "  keys examined {keys_examined}, documents examined {documents_examined}, rows {rows}")
    }
}
