//! Calibrating the graphs of vector indexes: how wide a search has to be for a recall, measured against exact search.
//!
//! Queries are vectors of the index itself, each searched for as if it were not stored, or given ones. At one read point, all
//! rows say what is nearest to each (`truth.rs`); the graph is then searched with one width after the other, and what a
//! search would answer is compared with that (`measure.rs`), among all vectors and among parts of them. What that shows is
//! kept beside the rows (`stored.rs`) and with the graph in memory (`known.rs`), and used by searches until something newer is
//! there (`breadth.rs`, one level up).

mod known;
mod measure;
mod queries;
mod stored;
mod told;
mod truth;

use std::sync::Arc;

use blaze_core::{Error, ErrorKind, Result};

pub(super) use known::{Calibrated, KnownRecall};
use measure::Measurement;
pub(crate) use queries::Queries;
pub(super) use stored::load;
pub(crate) use stored::read;
pub use told::{CalibrationProgress, CalibrationQueries, RecallCalibration};

use super::open::OpenGraph;
use super::{Graphs, build};
use crate::database::core::Core;
use crate::session::Session;

/// Is told how far a measurement has come; what it answers ends it.
pub(crate) type Step<'a> = &'a mut dyn FnMut(CalibrationProgress) -> Result<()>;

impl Graphs {
    /// Calibrates the graphs that are in memory and of which a recall was asked for, unless it is known.
    pub(super) fn calibrate_where_due(&self, core: &Arc<Core>) -> Result<()> {
        if core.is_read_only() {
            return Ok(());
        }
        for graph in self.all_open().into_iter().filter(|graph| graph.is_calibration_due()) {
            let Some(_measuring) = graph.recall.measuring.try_lock() else { continue };
            let calibrated = self.calibrate(core, &graph, None, &mut |_| Ok(()));
            if self.has_ended() {
                return Ok(());
            }
            match calibrated {
                Err(error) if error.kind() == ErrorKind::Closed => return Err(error),
                Err(error) if error.kind() != ErrorKind::NotFound && graph.is_complete() => {
                    graph.recall.give_up(graph.size().linked);
                    let index = graph.index;
                    tracing::warn!(index, %error, "a vector index cannot be calibrated: searches that ask for a recall are exact");
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Calibrates an index now, with these queries from now on.
    pub(crate) fn calibrate_now(
        &self,
        core: &Arc<Core>,
        index: u32,
        queries: Queries,
        step: Step<'_>,
    ) -> Result<RecallCalibration> {
        core.check_writable()?;
        let Some(graph) = self.wait_for_graph(core, index, &mut |_| Ok(()))? else {
            return Err(Error::unsupported(
                "it has no graph, and its searches are exact: it has too few vectors, or codes cannot tell them apart",
            ));
        };
        let _measuring = graph.recall.measuring.lock();
        let calibrated = self.calibrate(core, &graph, Some(queries), step)?;
        Ok(RecallCalibration::of(&calibrated))
    }

    /// Measures, keeps what that shows, and has searches use it.
    fn calibrate(
        &self,
        core: &Arc<Core>,
        graph: &OpenGraph,
        given: Option<Queries>,
        step: Step<'_>,
    ) -> Result<Arc<Calibrated>> {
        let index = graph.index;
        let _span = tracing::info_span!("calibrate index", index).entered();
        let session = Session::read_only(core)?;
        let point = &**session.point();
        graph.link(point.ts(), usize::MAX); // so that the graph has all that the rows say
        let Some(form) = build::form_of(&session, index)? else {
            return Err(Error::not_found("the index was dropped while it was calibrated"));
        };
        let keeps = given.is_none();
        let queries = given.map_or_else(|| stored::load_queries(point, index, &form), Ok)?;
        let asked = graph.recall.queries();
        let mut checked = |progress| match self.has_ended() || !graph.is_complete() || graph.has_gap() {
            true => Err(Error::unavailable("the graph was let go of while it was calibrated")),
            false => step(progress),
        };
        let samples = queries::samples(graph, point, &form, (&queries, asked), core.entropy.next_u64())?;
        let seed = core.entropy.next_u64();
        let calibration = Measurement { graph, point, form: &form, seed, step: &mut checked }.run(samples)?;
        let (at, form) = (point.ts(), form.checksum());
        let calibrated = Arc::new(Calibrated { calibration, at, asked, is_given: queries.are_given(), form });
        drop(session); // what is overwritten meanwhile could not be cleared away
        match stored::store(core, index, &calibrated, if keeps { None } else { Some(&queries) }) {
            // It is right all the same, and measured again after the next opening.
            Err(error) if keeps && !matches!(error.kind(), ErrorKind::Closed | ErrorKind::NotFound) => {
                tracing::warn!(index, %error, "what was measured of a vector index cannot be kept");
            }
            stored => stored?,
        }
        // The graph may be another one by now, as after it was let go of and read again.
        graph.recall.learn(&calibrated);
        self.find(index).iter().for_each(|graph| graph.recall.learn(&calibrated));
        Ok(calibrated)
    }
}
