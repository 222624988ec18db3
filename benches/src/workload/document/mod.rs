//! Documents: crud-bench's operations, and questions with and without indexes.

mod check;
mod load;
mod model;
mod naive;
mod question;
mod run;
mod source;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use self::model::Model;
use self::question::Question;
use self::run::Run;
pub use self::source::DocumentSource;
use super::Context;
use crate::Result;
use crate::engine::{Durability, Engine};

/// Operations on a collection of documents, one after the other, by one thread. Where there are few documents, each kind
/// of write changes at most a tenth of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DocumentWorkload {
    /// Which documents, and which questions.
    pub source: DocumentSource,
    /// The most documents; they are spread evenly over the source.
    pub documents: usize,
    /// Documents that are created one by one, each durable when the call returns.
    pub durable_creations: usize,
    /// Documents that are created one by one and survive the death of the process.
    pub buffered_creations: usize,
    /// Documents that are read by their id.
    pub reads: usize,
    /// Documents that are replaced, once without indexes and once with them.
    pub replacements: usize,
    /// Documents that are deleted in the end.
    pub deletions: usize,
    /// How long each question is asked again and again; the first time does not count.
    pub question_seconds: f64,
}

impl DocumentWorkload {
    /// About seven seconds on each engine.
    #[must_use]
    pub fn quick(source: DocumentSource) -> DocumentWorkload {
        DocumentWorkload {
            source,
            documents: 20_000,
            durable_creations: 200,
            buffered_creations: 1_000,
            reads: 10_000,
            replacements: 2_000,
            deletions: 1_000,
            question_seconds: 0.1,
        }
    }

    /// All documents, and two seconds for each question.
    #[must_use]
    pub fn full(source: DocumentSource) -> DocumentWorkload {
        DocumentWorkload {
            source,
            documents: usize::MAX,
            durable_creations: 1_000,
            buffered_creations: 10_000,
            reads: 50_000,
            replacements: 10_000,
            deletions: 10_000,
            question_seconds: 2.0,
        }
    }

    pub(super) fn name(&self) -> String {
        self.source.name()
    }

    pub(super) fn description(&self) -> String {
        let most = match self.documents {
            usize::MAX => "All documents".to_owned(),
            most => format!("At most {most} documents, spread evenly,"),
        };
        format!(
            "{most} of the corpus under random ids of 16 letters, by one thread. Each is handed over and read as a \
             `serde_json::Map`. Indexed rows come after an index was built on every path that a question mentions. Loading \
             does not count the time in which the corpus is parsed. A product without a row with indexes cannot index \
             what is there."
        )
    }

    pub(super) fn run(&self, engine: &dyn Engine, context: &Context<'_>) -> Result<()> {
        let mut questions = self.source.questions()?;
        let model = Model::read(&self.source, self.documents)?;
        model.prepare(&mut questions)?;
        questions.splice(..0, Question::scans(model.len()));

        let tenth = model.len() / 10;
        let (durable, buffered) = (self.durable_creations.min(tenth), self.buffered_creations.min(tenth));
        let store = engine.open_documents(&context.options())?;
        let mut run = Run::new(store, model, self.question_seconds, context);
        run.load(durable + buffered)?;
        run.create(durable, Durability::Sync, "create, durable")?;
        run.create(buffered, Durability::Buffered, "create, buffered")?;
        run.read(self.reads)?;
        run.replace(self.replacements.min(tenth), "replace, buffered")?;

        let mut questions = run.answers(questions)?;
        run.ask(&questions, "")?;
        let indexes = run.build_indexes(&questions)?;
        questions.retain(|(question, _)| question.is_helped_by(&indexes));
        run.ask(&questions, ", indexed")?;
        run.replace(self.replacements.min(tenth), "replace with indexes, buffered")?;
        run.delete(self.deletions.min(tenth), "delete with indexes, buffered")?;
        let questions = questions.into_iter().map(|(question, _)| question).collect();
        run.examine(&run.answers(questions)?)?;
        run.measure_disk()
    }
}
