//! Calibrating the vector indexes of a collection: how wide a search has to be for a recall.

use std::ops::ControlFlow;

use blaze_core::{Error, Result};

use super::Collection;
use crate::catalog::{self, Kind};
use crate::index::{IndexDefinition, IndexFields, VectorFields};
use crate::session::{Scope, Session};
use crate::vector::{CalibrationProgress, CalibrationQueries, Form, Queries, RecallCalibration, stored_calibration};

impl<T> Collection<T> {
    /// Measures now what searches of a vector index find, and says what that is; later searches that ask for a
    /// [recall](crate::Index::recall) go by it. Without, an index that needs it is measured in the background.
    ///
    /// Reads all vectors of the index once and compares each with all queries, then searches for each query a few dozen times:
    /// seconds for 100,000 vectors. Writing and searching go on meanwhile.
    ///
    /// ```
    /// use blaze::{CalibrationQueries, Database, Document, Index, Metric, Vector};
    ///
    /// let db = Database::in_memory()?;
    /// let points = db.collection::<Document>("points")?;
    /// points.ensure_index(Index::vector("v", 2).metric(Metric::L2).recall(0.95))?;
    /// let at = |n: u32| vec![(n % 71) as f32, (n % 73) as f32];
    /// points.bulk().insert((0..4_200).map(|n| Document::new().with("v", Vector::F32(at(n)))))?;
    /// let queries = CalibrationQueries::given((0..200).map(|n| vec![n as f32 / 3.0, 35.2]));
    /// let measured = points.calibrate_index("v", queries)?;
    /// assert_eq!((measured.vectors, measured.queries, measured.is_given), (4_200, 200, true));
    /// let widest = measured.curves[0].points().last().expect("at least one width is measured");
    /// assert!(widest.recall > 0.9 && widest.lower_bound < widest.recall);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such index, or when it is dropped meanwhile;
    /// [`Invalid`](crate::ErrorKind::Invalid) when it is not on vectors or not complete, for no queries and for one that the
    /// index cannot search for, and in a transaction or snapshot;
    /// [`LimitExceeded`](crate::ErrorKind::LimitExceeded) for more than
    /// [`CALIBRATION_QUERIES_MAX`](crate::limits::CALIBRATION_QUERIES_MAX) queries or more than
    /// [`CALIBRATION_QUERY_BYTES_MAX`](crate::limits::CALIBRATION_QUERY_BYTES_MAX) of them;
    /// [`Unsupported`](crate::ErrorKind::Unsupported) when the index has no graph, as it has too few vectors: then its searches
    /// are exact; [`Unavailable`](crate::ErrorKind::Unavailable) when its graph is let go of meanwhile, to make room for
    /// others; else as [`insert`](Collection::insert).
    pub fn calibrate_index(&self, name: &str, queries: CalibrationQueries) -> Result<RecallCalibration> {
        self.calibrate_index_with(name, queries, |_| ControlFlow::Continue(()))
    }

    /// As [`calibrate_index`](Collection::calibrate_index), telling how far it has come. With [`ControlFlow::Break`] it ends,
    /// and what was measured before stays.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use blaze::{CalibrationQueries, Database, Document, ErrorKind, Index, Metric, Vector};
    ///
    /// let db = Database::in_memory()?;
    /// let points = db.collection::<Document>("points")?;
    /// points.ensure_index(Index::vector("v", 2).metric(Metric::L2))?;
    /// let at = |n: u32| vec![(n % 71) as f32, (n % 73) as f32];
    /// points.bulk().insert((0..4_200).map(|n| Document::new().with("v", Vector::F32(at(n)))))?;
    /// let stopped = points.calibrate_index_with("v", CalibrationQueries::Stored, |progress| {
    ///     if progress.vectors < 1_000 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    /// });
    /// assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Cancelled);
    /// assert_eq!(points.index_calibration("v")?, None);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`calibrate_index`](Collection::calibrate_index), and [`Cancelled`](crate::ErrorKind::Cancelled) when `progress`
    /// asked for it.
    pub fn calibrate_index_with(
        &self,
        name: &str,
        queries: CalibrationQueries,
        mut progress: impl FnMut(CalibrationProgress) -> ControlFlow<()>,
    ) -> Result<RecallCalibration> {
        let Scope::Database(core) = &self.scope else {
            return Err(Error::invalid(format!(
                "the index {name:?} is to be calibrated within a transaction or a snapshot: that is for the database to do"
            )));
        };
        core.check_writable()?;
        let mut calibrate = || {
            let (index, queries) = self.of_vector_index(name, |_, index, fields| match &queries {
                CalibrationQueries::Stored => Ok((index.id, Queries::Stored)),
                CalibrationQueries::Given(vectors) => Ok((index.id, Queries::given_for(fields, vectors)?)),
            })?;
            core.vectors.calibrate_now(core, index, queries, &mut |done| match progress(done) {
                ControlFlow::Continue(()) => Ok(()),
                ControlFlow::Break(()) => Err(Error::cancelled("the calibration was stopped")),
            })
        };
        calibrate().map_err(|error| error.context(format!("collection {:?}, index {name:?}", self.name())))
    }

    /// What was measured of the searches of a vector index; none before that. It is what the database has now, in a snapshot
    /// too.
    ///
    /// ```
    /// use blaze::{CalibrationQueries, Database, Document, Index, Metric, Vector};
    ///
    /// let db = Database::in_memory()?;
    /// let points = db.collection::<Document>("points")?;
    /// points.ensure_index(Index::vector("v", 2).metric(Metric::L2))?;
    /// let at = |n: u32| vec![(n % 71) as f32, (n % 73) as f32];
    /// points.bulk().insert((0..4_200).map(|n| Document::new().with("v", Vector::F32(at(n)))))?;
    /// let measured = points.calibrate_index("v", CalibrationQueries::Stored)?;
    /// assert_eq!(points.index_calibration("v")?, Some(measured.clone()));
    /// for curve in &measured.curves {
    ///     let first = curve.points()[0];
    ///     println!("{} hits among {} of all: {:.3} with ef {}", curve.k(), curve.share(), first.recall, first.ef);
    /// }
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such index; [`Invalid`](crate::ErrorKind::Invalid) when it is
    /// not on vectors or not complete; else as [`count`](Collection::count).
    pub fn index_calibration(&self, name: &str) -> Result<Option<RecallCalibration>> {
        let read = || {
            self.of_vector_index(name, |session, index, fields| {
                let point = session.core().store.read_point()?;
                stored_calibration(&*point, index.id, &Form::of(fields))
            })
        };
        read().map_err(|error| error.context(format!("collection {:?}, index {name:?}", self.name())))
    }

    /// Reads the definition of a vector index that is complete.
    fn of_vector_index<R>(
        &self,
        name: &str,
        work: impl FnOnce(&Session, &IndexDefinition, &VectorFields) -> Result<R>,
    ) -> Result<R> {
        self.scope.read(|session| {
            let definition = catalog::get(session, self.name(), Kind::Collection)?;
            let named = definition.indexes.iter().find(|index| index.name == name && !index.replaces());
            let index = named.ok_or_else(|| Error::not_found("there is no such index"))?;
            match index.parts()? {
                IndexFields::Vector(fields) if index.ready => work(session, index, fields),
                IndexFields::Vector(_) => Err(Error::invalid("it is not complete yet")),
                IndexFields::Fields(_) | IndexFields::Text(_) => {
                    Err(Error::invalid(format!("it is on {}, not on vectors", index.describe())))
                }
            }
        })
    }
}
