//! What a user gives to a calibration, and is told of it.

use blaze_core::{Timestamp, Vector};
use blaze_vector::RecallCurve;

use super::Calibrated;

/// What a vector index is calibrated with.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum CalibrationQueries {
    /// Vectors of the index itself, chosen by chance, each searched for as if it were not stored.
    #[default]
    Stored,
    /// These, as users would search for them: the more they are like real searches, the more does what is measured hold for
    /// those. They are kept, and measured with again when the number of vectors has doubled or halved.
    ///
    /// Of a few, little follows: a hundred that miss nothing show a recall of 0.97, a thousand 0.997.
    Given(Vec<Vector>),
}

impl CalibrationQueries {
    /// Given ones.
    ///
    /// ```
    /// use blaze::{CalibrationQueries, Vector};
    ///
    /// let queries = CalibrationQueries::given([vec![0.0, 1.0], vec![1.0, 0.0]]);
    /// assert!(matches!(queries, CalibrationQueries::Given(vectors) if vectors[0] == Vector::F32(vec![0.0, 1.0])));
    /// ```
    pub fn given<V: Into<Vector>>(queries: impl IntoIterator<Item = V>) -> CalibrationQueries {
        CalibrationQueries::Given(queries.into_iter().map(Into::into).collect())
    }
}

/// How far the calibration of an index has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CalibrationProgress {
    /// Vectors that were compared with the queries.
    pub vectors: u64,
    /// About how many there are.
    pub expected: u64,
    /// Searches that were made: they follow, and how many it takes is a matter of what they find.
    pub searches: u64,
}

/// What was measured of the searches of a vector index: which part of the true nearest they find.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RecallCalibration {
    /// How many vectors the index had.
    pub vectors: u64,
    /// How many queries were measured.
    pub queries: u64,
    /// True if they were [given](CalibrationQueries::Given), false if they are vectors of the index.
    pub is_given: bool,
    /// The commit as of which was measured.
    pub at: Timestamp,
    /// The curves: for each share of all vectors that was searched among, and each count of hits.
    pub curves: Vec<RecallCurve>,
}

impl RecallCalibration {
    pub(super) fn of(calibrated: &Calibrated) -> RecallCalibration {
        let Calibrated { calibration, at, is_given, .. } = calibrated;
        RecallCalibration {
            vectors: calibration.vectors,
            queries: calibration.queries as u64,
            is_given: *is_given,
            at: *at,
            curves: calibration.curves.clone(),
        }
    }
}
