//! Stage: facet gives the same rows to several pipelines, in one pass.

use std::collections::VecDeque;
use std::fmt;

use blaze_core::{Document, Error, Result, Value};

use super::memory::document_bytes;
use super::row::{Flow, Next, Operator, Row};
use super::stage::{Stage, joined, validate_distinct, validate_name};

/// One of the pipelines.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    pub(super) name: String,
    pub(super) stages: Vec<Stage>,
}

pub(super) fn validate(branches: &[Branch]) -> Result<()> {
    if branches.is_empty() {
        return Err(Error::invalid("there is no pipeline, at least 1 is needed"));
    }
    for branch in branches {
        validate_name(&branch.name, "a facet")?;
        for (position, stage) in branch.stages.iter().enumerate() {
            let place = || format!("{:?}, stage {} ({})", branch.name, position + 1, stage.name());
            match stage {
                Stage::Facet(_) => return Err(Error::invalid("a facet cannot stand within a facet").context(place())),
                stage => stage.validate().map_err(|error| error.context(place()))?,
            }
        }
    }
    validate_distinct(branches.iter().map(|branch| branch.name.as_str()))
}

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, joined(&self.stages))
    }
}

pub(super) struct FacetRows {
    label: String,
    branches: Vec<RunningBranch>,
    held: usize,
}

struct RunningBranch {
    name: String,
    operators: Vec<Box<dyn Operator>>,
    output: VecDeque<Document>,
    /// How many documents of the output are counted as held.
    counted: usize,
    flow: Flow,
}

impl FacetRows {
    pub(super) fn new(label: String, branches: Vec<(String, Vec<Box<dyn Operator>>)>) -> FacetRows {
        let running = |(name, operators)| {
            let output = VecDeque::new();
            RunningBranch { name, operators, output, counted: 0, flow: Flow::More }
        };
        FacetRows { label, branches: branches.into_iter().map(running).collect(), held: 0 }
    }
}

impl RunningBranch {
    /// Runs `work` on the stages and counts what they put out.
    fn run(
        &mut self,
        label: &str,
        held: &mut usize,
        next: &mut Next<'_>,
        work: impl FnOnce(&mut Next<'_>) -> Result<Flow>,
    ) -> Result<()> {
        let mut inner = Next { operators: &mut self.operators, output: &mut self.output, context: &mut *next.context };
        self.flow = work(&mut inner).map_err(|error| error.context(format!("facet {:?}", self.name)))?;
        let bytes = self.output.range(self.counted..).map(document_bytes).sum::<usize>();
        self.counted = self.output.len();
        next.context.memory.hold(label, bytes)?;
        *held += bytes;
        Ok(())
    }
}

impl Operator for FacetRows {
    fn push(&mut self, row: Row<'_>, next: &mut Next<'_>) -> Result<Flow> {
        let FacetRows { label, branches, held } = self;
        for branch in branches.iter_mut().filter(|branch| branch.flow == Flow::More) {
            branch.run(label, held, next, |inner| inner.push(row.duplicate()))?;
        }
        let done = branches.iter().all(|branch| branch.flow == Flow::Done);
        Ok(if done { Flow::Done } else { Flow::More })
    }

    fn finish(&mut self, next: &mut Next<'_>) -> Result<()> {
        let FacetRows { label, branches, held } = self;
        let mut document = Document::new();
        for branch in branches {
            branch.run(label, held, next, |inner| inner.finish().map(|()| Flow::Done))?;
            let rows = std::mem::take(&mut branch.output).into_iter().map(Value::Map);
            document.insert(branch.name.as_str(), Value::Array(rows.collect()));
        }
        next.push_made(document)?;
        next.context.memory.release(self.held);
        self.held = 0;
        Ok(())
    }
}
