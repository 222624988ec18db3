//! A stage of a pipeline, before it runs.

use std::fmt;

use blaze_core::{Error, Expression, Filter, Path, Result};

use super::bucket_auto::BucketAuto;
use super::facet::{self, Branch};
use super::group::Group;
use super::lookup::Lookup;
use super::needs::Reads;
use super::project::{self, Projection};
use super::unwind::Unwind;
use super::{group, set};
use crate::query::Sort;

/// What happens to the rows.
#[derive(Clone, Debug)]
pub(super) enum Stage {
    Filter(Filter),
    Project(Vec<Projection>),
    Set(Vec<(Path, Expression)>),
    Unset(Vec<Path>),
    Group(Group),
    BucketAuto(BucketAuto),
    Sort(Vec<Sort>),
    Skip(usize),
    Limit(usize),
    Unwind(Unwind),
    Lookup(Lookup),
    Facet(Vec<Branch>),
}

impl Stage {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Stage::Filter(_) => "filter",
            Stage::Project(_) => "project",
            Stage::Set(_) => "set",
            Stage::Unset(_) => "unset",
            Stage::Group(_) => "group",
            Stage::BucketAuto(_) => "bucket_auto",
            Stage::Sort(_) => "sort",
            Stage::Skip(_) => "skip",
            Stage::Limit(_) => "limit",
            Stage::Unwind(_) => "unwind",
            Stage::Lookup(_) => "lookup",
            Stage::Facet(_) => "facet",
        }
    }

    /// How many stages it stands for, those of its facets included.
    pub(super) fn count(&self) -> usize {
        match self {
            Stage::Facet(branches) => 1 + branches.iter().map(|branch| branch.stages.len()).sum::<usize>(),
            _ => 1,
        }
    }

    /// Checks what can be checked before anything is read.
    pub(super) fn validate(&self) -> Result<()> {
        match self {
            Stage::Filter(filter) => filter.validate(),
            Stage::Project(projections) => project::validate(projections),
            Stage::Set(fields) => set::validate(fields),
            Stage::Unset(paths) => set::validate_unset(paths),
            Stage::Group(group) => group::validate(group),
            Stage::BucketAuto(buckets) => buckets.validate(),
            Stage::Sort(keys) if keys.is_empty() => Err(Error::invalid("there is no key, at least 1 is needed")),
            Stage::Sort(keys) => keys.iter().try_for_each(Sort::validate),
            Stage::Skip(_) => Ok(()),
            Stage::Limit(0) => Err(Error::invalid("the limit is 0, at least 1 is needed")),
            Stage::Limit(_) => Ok(()),
            Stage::Unwind(unwind) => unwind.validate(),
            Stage::Lookup(lookup) => lookup.validate(),
            Stage::Facet(branches) => facet::validate(branches),
        }
    }

    /// Adds what the stage reads of the documents that come to it.
    pub(super) fn read(&self, reads: &mut Reads) {
        match self {
            Stage::Filter(filter) => filter.visit_paths(&mut |path| reads.path(path)),
            Stage::Project(projections) => project::read(projections, reads),
            Stage::Set(fields) => {
                for (path, expression) in fields {
                    expression.visit_paths(&mut |path| reads.path(path));
                    reads.parent(path);
                }
            }
            Stage::Group(group) => {
                group.read(reads);
                reads.close();
            }
            Stage::BucketAuto(buckets) => {
                buckets.read(reads);
                reads.close();
            }
            Stage::Sort(keys) => keys.iter().for_each(|key| reads.path(&key.path)),
            Stage::Unset(_) | Stage::Skip(_) | Stage::Limit(_) => {}
            Stage::Unwind(unwind) => unwind.read(reads),
            Stage::Lookup(lookup) => lookup.read(reads),
            Stage::Facet(branches) => {
                branches.iter().for_each(|branch| reads.all_of(&branch.stages));
                reads.close();
            }
        }
    }
}

/// A stage in one line, as `explain` shows it.
impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name())?;
        match self {
            Stage::Filter(filter) => write!(f, " {filter}"),
            Stage::Project(projections) => write!(f, " {}", joined(projections)),
            Stage::Set(fields) => {
                let fields: Vec<_> = fields.iter().map(|(path, of)| format!("{path}: {of}")).collect();
                write!(f, " {}", fields.join(", "))
            }
            Stage::Unset(paths) => write!(f, " {}", joined(paths)),
            Stage::Group(group) => write!(f, " {group}"),
            Stage::BucketAuto(buckets) => write!(f, " {buckets}"),
            Stage::Sort(keys) => write!(f, " {}", joined(keys)),
            Stage::Skip(rows) | Stage::Limit(rows) => write!(f, " {rows}"),
            Stage::Unwind(unwind) => write!(f, " {unwind}"),
            Stage::Lookup(lookup) => write!(f, " {lookup}"),
            Stage::Facet(branches) => {
                let branches: Vec<_> = branches.iter().map(ToString::to_string).collect();
                write!(f, " {}", branches.join("; "))
            }
        }
    }
}

pub(super) fn joined(parts: &[impl fmt::Display]) -> String {
    parts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Refuses a name that no path reaches.
pub(super) fn validate_name(name: &str, of: &str) -> Result<()> {
    if name.is_empty() {
        return Err(Error::invalid(format!("the name of {of} is empty")));
    }
    if name.contains('.') {
        return Err(Error::invalid(format!("the name {name:?} of {of} has a dot, which only paths have")));
    }
    Ok(())
}

/// Refuses names that come twice.
pub(super) fn validate_distinct<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<()> {
    let mut seen = std::collections::HashSet::new();
    match names.into_iter().find(|name| !seen.insert(*name)) {
        Some(twice) => Err(Error::invalid(format!("two of its results are named {twice:?}"))),
        None => Ok(()),
    }
}
