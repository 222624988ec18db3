//! From stages to operators: what the planner answers, and what runs here.

use std::sync::Arc;

use blaze_core::{Filter, Result};

use super::facet::FacetRows;
use super::filter::FilterRows;
use super::project;
use super::row::Operator;
use super::set::{SetFields, UnsetFields};
use super::slice::{LimitRows, SkipRows};
use super::sort::SortRows;
use super::stage::Stage;
use crate::query::Sort;
use crate::session::Session;

/// The beginning of a pipeline that is a query.
pub(super) struct Leading {
    pub(super) filter: Filter,
    pub(super) sort: Vec<Sort>,
    /// How many stages it is.
    pub(super) stages: usize,
}

impl Leading {
    pub(super) fn of(stages: &[Stage]) -> Leading {
        let mut leading = Leading { filter: Filter::everything(), sort: Vec::new(), stages: 0 };
        for stage in stages {
            match stage {
                Stage::Filter(filter) => leading.filter = leading.filter.and(filter.clone()),
                Stage::Sort(keys) if leading.sort.is_empty() => leading.sort.clone_from(keys),
                _ => break,
            }
            leading.stages += 1;
        }
        leading
    }
}

/// Makes the operators of stages, and says of each how it runs.
pub(super) struct Compiler<'a> {
    pub(super) session: &'a Arc<Session>,
    pub(super) lines: Vec<String>,
}

impl Compiler<'_> {
    /// The operators of stages, of which the first has the number `first`.
    pub(super) fn compile(&mut self, stages: &[Stage], first: usize) -> Result<Vec<Box<dyn Operator>>> {
        let mut operators = Vec::with_capacity(stages.len());
        for (position, stage) in stages.iter().enumerate() {
            let (number, behind) = (first + position, &stages[position + 1..]);
            let (operator, how) = self.operator(stage, number, behind)?;
            self.lines.push(format!("{number} {stage}: {how}"));
            operators.push(operator);
        }
        Ok(operators)
    }

    fn operator(&mut self, stage: &Stage, number: usize, behind: &[Stage]) -> Result<(Box<dyn Operator>, String)> {
        let label = label(number, stage);
        let streamed = || "streamed".to_owned();
        Ok(match stage {
            Stage::Filter(filter) => (Box::new(FilterRows(filter.clone())), streamed()),
            Stage::Project(projections) => (project::operator(projections), streamed()),
            Stage::Set(fields) => (Box::new(SetFields(fields.clone())), streamed()),
            Stage::Unset(paths) => (Box::new(UnsetFields(paths.clone())), streamed()),
            Stage::Group(group) => (Box::new(group.operator(label)), "in memory".to_owned()),
            Stage::BucketAuto(buckets) => (Box::new(buckets.operator(label)), "in memory".to_owned()),
            Stage::Sort(keys) => {
                let most = most_of(behind);
                (Box::new(SortRows::new(label, keys.clone(), most)), in_memory(most))
            }
            Stage::Skip(rows) => (Box::new(SkipRows { left: *rows }), streamed()),
            Stage::Limit(rows) => (Box::new(LimitRows { left: *rows }), streamed()),
            Stage::Unwind(unwind) => (unwind.operator(), streamed()),
            Stage::Lookup(lookup) => {
                let operator = lookup.operator(label.clone(), self.session);
                let operator = operator.map_err(|error| error.context(label))?;
                let how = format!("streamed, joined {}", operator.describe());
                (Box::new(operator), how)
            }
            Stage::Facet(branches) => {
                let mut running = Vec::with_capacity(branches.len());
                for branch in branches {
                    // The line of the facet has its stages.
                    let mut inner = Compiler { session: self.session, lines: Vec::new() };
                    running.push((branch.name.clone(), inner.compile(&branch.stages, 1)?));
                }
                (Box::new(FacetRows::new(label, running)), "in one pass".to_owned())
            }
        })
    }
}

/// How a stage is called in errors.
pub(super) fn label(number: usize, stage: &Stage) -> String {
    format!("stage {number} ({})", stage.name())
}

/// How many rows the stages behind a sort let through.
pub(super) fn most_of(behind: &[Stage]) -> usize {
    match behind {
        [Stage::Limit(limit), ..] => *limit,
        [Stage::Skip(skip), Stage::Limit(limit), ..] => skip.saturating_add(*limit),
        _ => usize::MAX,
    }
}

/// How a sort runs that keeps so many rows.
pub(super) fn in_memory(most: usize) -> String {
    if most == usize::MAX { "in memory".to_owned() } else { format!("in memory, at most {most} rows") }
}
