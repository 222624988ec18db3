//! A pipeline that runs.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use blaze_core::{Document, DocumentId, Error, ErrorKind, Result};

use super::compile::{Compiler, Leading, in_memory, label, most_of};
use super::explain::PipelineExplain;
use super::memory::Memory;
use super::needs::Needs;
use super::row::{Context, Flow, Next, Operator, Row};
use super::sort::SortRows;
use super::source::{CountingIndex, Source};
use super::stage::Stage;
use crate::catalog::Definition;
use crate::query::Counters;
use crate::session::Session;

/// The rows of a pipeline, one after another; see [`Pipeline::iter`](super::Pipeline::iter).
///
/// Owns what it needs: it may outlive the handle it came from. After an error it ends. In a transaction, what that
/// transaction writes while it iterates may show or not.
pub struct PipelineRows {
    /// None where an index has answered already, and at the end.
    source: Option<Source>,
    needs: Needs,
    /// Documents to be passed over at the beginning.
    skip: usize,
    operators: Vec<Box<dyn Operator>>,
    output: VecDeque<Document>,
    context: Context,
    explain: PipelineExplain,
    ended: bool,
}

impl PipelineRows {
    pub(super) fn open(
        session: &Arc<Session>,
        definition: &Definition,
        stages: &[Stage],
        memory_bytes: usize,
    ) -> Result<PipelineRows> {
        let context =
            Context { session: Arc::clone(session), memory: Memory::new(memory_bytes), counters: Counters::default() };
        let leading = Leading::of(stages);
        let index = match stages.get(leading.stages) {
            Some(Stage::Group(group)) => match group.counted_path() {
                Some(path) => CountingIndex::find(session, definition, &leading.filter, path)?,
                None => None,
            },
            _ => None,
        };
        match index {
            Some(index) => PipelineRows::counted(stages, leading.stages, &index, context),
            None => PipelineRows::planned(definition, stages, leading, context),
        }
    }

    /// The planner answers the beginning; the rest runs here.
    fn planned(definition: &Definition, stages: &[Stage], leading: Leading, context: Context) -> Result<PipelineRows> {
        let Leading { filter, sort, stages: absorbed } = leading;
        let session = Arc::clone(&context.session);
        let rest = &stages[absorbed..];
        let mut compiler = Compiler { session: &session, lines: Vec::new() };
        let mut operators = compiler.compile(rest, absorbed + 1)?;
        let source = Source::open(&session, definition, &filter, &sort)?;
        let mut lines = Vec::new();
        for (position, stage) in stages[..absorbed].iter().enumerate() {
            let how = match stage {
                Stage::Sort(_) if source.sorted => "in the order of the index".to_owned(),
                Stage::Sort(_) => in_memory(most_of(rest)),
                _ => "by the plan".to_owned(),
            };
            lines.push(format!("{} {stage}: {how}", position + 1));
            if !source.sorted && matches!(stage, Stage::Sort(_)) {
                let sort = SortRows::new(label(position + 1, stage), sort.clone(), most_of(rest));
                operators.insert(0, Box::new(sort));
            }
        }
        lines.extend(compiler.lines);
        let mut skip = 0;
        if let (true, Some(Stage::Skip(documents))) = (source.sorted, rest.first()) {
            operators.remove(0);
            skip = *documents;
        }
        let explain = explain(source.index.clone(), source.description.clone(), lines);
        Ok(PipelineRows { skip, ..PipelineRows::new(Some(source), Needs::of(rest), operators, context, explain) })
    }

    /// An index answers up to a group that counts; the rest runs here.
    fn counted(stages: &[Stage], absorbed: usize, index: &CountingIndex, mut context: Context) -> Result<PipelineRows> {
        let session = Arc::clone(&context.session);
        let Some(Stage::Group(group)) = stages.get(absorbed) else {
            return Err(Error::internal("a pipeline counts by an index without a group"));
        };
        let mut operators: Vec<Box<dyn Operator>> = Vec::new();
        let mut compiler = Compiler { session: &session, lines: Vec::new() };
        let behind = compiler.compile(&stages[absorbed + 1..], absorbed + 2)?;
        let mut counting = group.operator(label(absorbed + 1, &stages[absorbed]));
        let counters =
            index.count(&session, &mut |key, documents| counting.add_counted(key, documents, &mut context))?;
        context.counters = counters;
        operators.push(Box::new(counting));
        operators.extend(behind);
        let answered = stages[..=absorbed].iter().enumerate();
        let mut lines: Vec<_> =
            answered.map(|(position, stage)| format!("{} {stage}: by the index alone", position + 1)).collect();
        lines.extend(compiler.lines);
        let plan = format!("index {}, counted", index.name);
        let explain = explain(Some(index.name.clone()), plan, lines);
        Ok(PipelineRows::new(None, Needs::Everything, operators, context, explain))
    }

    fn new(
        source: Option<Source>,
        needs: Needs,
        operators: Vec<Box<dyn Operator>>,
        context: Context,
        explain: PipelineExplain,
    ) -> PipelineRows {
        let output = VecDeque::new();
        PipelineRows { source, needs, skip: 0, operators, output, context, explain, ended: false }
    }

    /// The next row.
    fn advance(&mut self) -> Result<Option<Document>> {
        loop {
            if let Some(document) = self.output.pop_front() {
                self.explain.rows += 1;
                return Ok(Some(document));
            }
            if self.ended {
                return Ok(None);
            }
            if self.step()? == Flow::Done {
                self.ended = true;
                self.take_counters();
                let PipelineRows { operators, output, context, .. } = self;
                Next { operators, output, context }.finish()?;
            }
        }
    }

    /// Pushes one more document through the stages.
    fn step(&mut self) -> Result<Flow> {
        let PipelineRows { source, needs, operators, output, context, .. } = self;
        let Some(source) = source else { return Ok(Flow::Done) };
        while self.skip > 0 {
            self.skip -= 1;
            if source.next_id()?.is_none() {
                return Ok(Flow::Done);
            }
        }
        let mut next = Next { operators, output, context };
        if needs.is_nothing() && source.sorted {
            let Some(id) = source.next_id()? else { return Ok(Flow::Done) };
            let row = Row::Made { id: Some(id.clone()), document: Document::new() };
            return next.push(row).map_err(|error| in_document(error, &id));
        }
        let Some((id, record)) = source.next_record()? else { return Ok(Flow::Done) };
        let document = record.document().with_id(&id);
        let pushed = next.push(Row::Stored { id: &id, document, needs });
        pushed.map_err(|error| in_document(error, &id))
    }

    /// Lets go of what was read from, and keeps its counts.
    fn take_counters(&mut self) {
        if let Some(source) = self.source.take() {
            self.context.counters.keys_examined += source.counters().keys_examined;
            self.context.counters.documents_examined += source.counters().documents_examined;
        }
    }

    /// Runs to the end and says what that took.
    pub(super) fn into_explain(mut self) -> Result<PipelineExplain> {
        while self.advance()?.is_some() {}
        let Counters { keys_examined, documents_examined } = self.context.counters;
        let memory_peak_bytes = self.context.memory.peak();
        Ok(PipelineExplain { keys_examined, documents_examined, memory_peak_bytes, ..self.explain })
    }
}

impl Iterator for PipelineRows {
    type Item = Result<Document>;

    fn next(&mut self) -> Option<Result<Document>> {
        let row = self.advance();
        if row.is_err() {
            self.ended = true;
            self.output.clear();
            self.source = None;
        }
        row.transpose()
    }
}

impl fmt::Debug for PipelineRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipelineRows").field("plan", &self.explain.plan).finish_non_exhaustive()
    }
}

fn explain(index: Option<String>, plan: String, stages: Vec<String>) -> PipelineExplain {
    PipelineExplain { keys_examined: 0, documents_examined: 0, rows: 0, memory_peak_bytes: 0, index, plan, stages }
}

/// Names the document that an error is about; that memory is used up is about none.
fn in_document(error: Error, id: &DocumentId) -> Error {
    match error.kind() {
        ErrorKind::LimitExceeded => error,
        _ => error.context(format!("document {id:?}")),
    }
}
