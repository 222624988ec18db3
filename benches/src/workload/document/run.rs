//! One run: what is done to the store, and whether its answers are right.

use blaze_core::{Entropy, SeededEntropy};

use super::check::Checker;
use super::load::Loading;
use super::model::{Answer, Model};
use super::question::{IndexedPath, Question};
use crate::Result;
use crate::engine::{Documents, Durability, Find};
use crate::measure::{Measurement, Unit, directory_bytes, written_bytes};
use crate::workload::{Context, Phase, expect};

/// A store, what should be in it, and where figures go.
pub(super) struct Run<'a> {
    store: Box<dyn Documents>,
    model: Model,
    question_seconds: f64,
    context: &'a Context<'a>,
    random: SeededEntropy,
    /// How many of the model's documents were loaded or created; the others are still to come.
    stored: usize,
    /// Bytes of JSON that were handed over.
    given_bytes: u64,
    written_before: Option<u64>,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        store: Box<dyn Documents>,
        model: Model,
        question_seconds: f64,
        context: &'a Context<'a>,
    ) -> Run<'a> {
        let random = SeededEntropy::new(context.seed);
        let written_before = written_bytes();
        Run { store, model, question_seconds, context, random, stored: 0, given_bytes: 0, written_before }
    }

    /// Loads all documents but the last `held_back`, which are created one by one.
    pub(super) fn load(&mut self, held_back: usize) -> Result<()> {
        let count = self.model.len() - held_back;
        let phase = self.context.recorder.phase("load in bulk", count as u64)?;
        let mut loading = Loading::new(&self.model, count, phase);
        let loaded = self.store.load(&mut loading);
        let (measurement, given_bytes) = loading.finish()?; // its error is the cause of the other
        loaded?;
        self.context.recorder.measured(measurement)?;
        (self.stored, self.given_bytes) = (count, given_bytes);
        expect("number of loaded documents", count as u64, self.store.count(&Find::default())?)?;
        self.settle("background work after loading")?;
        let disk = directory_bytes(self.context.directory)?.allocated_bytes;
        self.measure_ratio("disk by JSON, loaded", disk, self.given_bytes)
    }

    /// Creates the next documents one by one.
    pub(super) fn create(&mut self, count: usize, durability: Durability, name: &str) -> Result<()> {
        let places: Vec<usize> = (self.stored..self.stored + count).collect();
        let documents = self.model.documents(&places)?;
        self.measure_writes(name, count, |run, phase| {
            for (&place, document) in places.iter().zip(&documents) {
                run.store.create(run.model.id(place), document, durability)?;
                phase.advance(1)?;
            }
            Ok(())
        })?;
        self.given_bytes +=
            places.iter().filter_map(|&place| self.model.text(place)).map(|text| text.len() as u64).sum::<u64>();
        self.stored += count;
        expect("number of documents after creating some", self.stored as u64, self.store.count(&Find::default())?)?;
        self.checker().compare(&places)
    }

    /// Reads random documents, each of which must be the one that was written.
    pub(super) fn read(&mut self, count: usize) -> Result<()> {
        let places: Vec<usize> = (0..count).map(|_| self.random_place()).collect();
        let documents = self.model.documents(&places)?;
        let mut phase = self.context.recorder.phase("read by id", count as u64)?.with_latencies();
        for (&place, document) in places.iter().zip(&documents) {
            let id = self.model.id(place);
            let found = self.store.read(id)?;
            if found.as_ref() != Some(document) {
                return Err(format!("wrong answer: document {id}: {found:?}, expected {document:?}").into());
            }
            phase.advance(1)?;
        }
        Ok(self.context.recorder.measured(phase.rate())?)
    }

    /// Replaces random documents by others of the corpus.
    pub(super) fn replace(&mut self, count: usize, name: &str) -> Result<()> {
        let places: Vec<usize> = (0..count).map(|_| self.random_place()).collect();
        let others: Vec<usize> = (0..count).map(|_| self.random_place()).collect();
        let documents = self.model.documents(&others)?;
        let texts: Vec<Option<String>> = others.iter().map(|&other| self.model.text(other).cloned()).collect();
        self.measure_writes(name, count, |run, phase| {
            for (&place, document) in places.iter().zip(&documents) {
                let id = run.model.id(place);
                if !run.store.update(id, document, Durability::Buffered)? {
                    return Err(format!("wrong answer: document {id}, to be replaced, is missing").into());
                }
                phase.advance(1)?;
            }
            Ok(())
        })?;
        for (&place, text) in places.iter().zip(texts) {
            self.given_bytes += text.as_ref().map_or(0, |text| text.len() as u64);
            self.model.set(place, text);
        }
        self.checker().compare(&places)
    }

    /// Deletes documents that are spread evenly.
    pub(super) fn delete(&mut self, count: usize, name: &str) -> Result<()> {
        let all = self.model.len();
        let places: Vec<usize> = (0..count).map(|number| number * all / count).collect();
        self.measure_writes(name, count, |run, phase| {
            for &place in &places {
                let id = run.model.id(place);
                if !run.store.delete(id, Durability::Buffered)? {
                    return Err(format!("wrong answer: document {id}, to be deleted, is missing").into());
                }
                phase.advance(1)?;
            }
            Ok(())
        })?;
        places.iter().for_each(|&place| self.model.set(place, None));
        expect("number of documents after deleting some", (all - count) as u64, self.store.count(&Find::default())?)?;
        self.checker().compare(&places)
    }

    /// The right answers, now that the store is as the model.
    pub(super) fn answers(&self, questions: Vec<Question>) -> Result<Vec<(Question, Answer)>> {
        self.model.answers(questions)
    }

    /// Asks each question again and again.
    pub(super) fn ask(&self, questions: &[(Question, Answer)], suffix: &str) -> Result<()> {
        for (question, answer) in questions {
            self.checker().examine(question, answer)?;
            let rows = if question.counts { String::new() } else { format!(" ({} rows)", answer.tally.rows) };
            let mut phase = self.context.recorder.phase(format!("{question}{rows}{suffix}"), 0)?.with_latencies();
            loop {
                self.checker().ask(question, answer)?;
                phase.advance(1)?;
                if phase.elapsed().as_secs_f64() >= self.question_seconds {
                    break;
                }
            }
            let checksum = if question.counts { answer.matching } else { answer.tally.checksum() };
            self.context.recorder.measured(phase.rate().checksum(checksum))?;
        }
        Ok(())
    }

    /// Looks at everything in the answers to all questions, without measuring.
    pub(super) fn examine(&self, questions: &[(Question, Answer)]) -> Result<()> {
        questions.iter().try_for_each(|(question, answer)| self.checker().examine(question, answer))
    }

    /// Builds every index that helps, and returns those that the product could build.
    pub(super) fn build_indexes(&self, questions: &[(Question, Answer)]) -> Result<Vec<IndexedPath>> {
        let mut wanted: Vec<IndexedPath> = Vec::new();
        for index in questions.iter().flat_map(|(question, _)| question.indexes()) {
            if !wanted.contains(&index) {
                wanted.push(index);
            }
        }
        let mut built = Vec::new();
        for (path, elements) in wanted {
            let what = if elements { "elements of " } else { "" };
            let mut phase = self.context.recorder.phase(format!("index on {what}{path}"), self.stored as u64)?;
            if self.store.create_index(&path, elements)? {
                phase.advance(self.stored as u64)?;
                self.context.recorder.measured(phase.rate())?;
                built.push((path, elements));
            }
        }
        self.settle("background work after indexing")?;
        Ok(built)
    }

    /// What is on the disk in the end, and what was written to it.
    pub(super) fn measure_disk(&self) -> Result<()> {
        self.store.settle()?;
        let disk = directory_bytes(self.context.directory)?.allocated_bytes;
        self.measure_ratio("disk by JSON, with indexes", disk, self.model.json_bytes())?;
        if let (Some(before), Some(after)) = (self.written_before, written_bytes()) {
            self.measure_ratio("written by JSON, in all", after - before, self.given_bytes)?;
        }
        Ok(())
    }

    fn measure_ratio(&self, name: &str, amount: u64, by: u64) -> Result<()> {
        let ratio = amount as f64 / by.max(1) as f64;
        Ok(self.context.recorder.measured(Measurement::new(name, Unit::Ratio, ratio))?)
    }

    fn measure_writes(
        &self,
        name: &str,
        count: usize,
        write: impl FnOnce(&Run<'_>, &mut Phase<'_>) -> Result<()>,
    ) -> Result<()> {
        if count == 0 {
            return Ok(()); // too few documents
        }
        let mut phase = self.context.recorder.phase(name, count as u64)?.with_latencies();
        write(self, &mut phase)?;
        Ok(self.context.recorder.measured(phase.rate())?)
    }

    fn settle(&self, name: &str) -> Result<()> {
        let mut phase = self.context.recorder.phase(name, 0)?;
        self.store.settle()?;
        phase.advance(1)?;
        Ok(self.context.recorder.measured(phase.duration())?)
    }

    fn checker(&self) -> Checker<'_> {
        Checker { store: &*self.store, model: &self.model }
    }

    fn random_place(&self) -> usize {
        (self.random.next_u64() % self.model.len() as u64) as usize
    }
}
