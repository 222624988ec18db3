//! What is kept of a calibration in the database, beside the graph: what was measured, and the queries that were given.
//!
//! It is derived, as the graph is: what is damaged is told by a warning and measured again.

use std::sync::Arc;

use blaze_core::limits::CALIBRATION_QUERIES_MAX;
use blaze_core::{Direction, Durability, Error, ErrorKind, Family, Isolation, ReadPoint, Result, Timestamp, Write};
use blaze_vector::Calibration;

use super::{Calibrated, Queries, RecallCalibration};
use crate::database::core::Core;
use crate::seal::{seal, unseal};
use crate::session::commit_alone;
use crate::vector::build::form_of;
use crate::vector::form::Form;
use crate::vector::layout;

/// The form of the row. Whatever makes searches find something else changes it, too: then it is measured again.
const VERSION: u8 = 2;

impl Calibrated {
    fn to_bytes(&self, index: u32) -> Vec<u8> {
        let mut bytes = vec![VERSION, u8::from(self.is_given)];
        bytes.extend_from_slice(&self.form.to_be_bytes());
        bytes.extend_from_slice(&(self.asked as u32).to_be_bytes());
        bytes.extend_from_slice(&self.at.to_bits().to_be_bytes());
        self.calibration.write(&mut bytes);
        seal(&layout::calibration_key(index), &mut bytes);
        bytes
    }

    fn from_bytes(index: u32, bytes: &[u8]) -> Result<Calibrated> {
        let body = unseal(&layout::calibration_key(index), bytes)?;
        let damaged = || Error::corruption("a stored calibration does not parse");
        let ([version, is_given], rest) = body.split_first_chunk::<2>().ok_or_else(damaged)?;
        if *version != VERSION || *is_given > 1 {
            return Err(damaged());
        }
        let (form, rest) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
        let (asked, rest) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
        let (at, rest) = rest.split_first_chunk::<8>().ok_or_else(damaged)?;
        Ok(Calibrated {
            calibration: Calibration::read(rest)?,
            at: Timestamp::from_bits(u64::from_be_bytes(*at)),
            asked: u32::from_be_bytes(*asked) as usize,
            is_given: *is_given == 1,
            form: u32::from_be_bytes(*form),
        })
    }
}

/// The calibration of an index whose graph is made like that; none if there is none, or none that can be read, which is told
/// by a warning.
pub(in crate::vector) fn load(point: &dyn ReadPoint, index: u32, form: &Form) -> Result<Option<Arc<Calibrated>>> {
    let Some(bytes) = point.get(Family::Vector, &layout::calibration_key(index))? else { return Ok(None) };
    match Calibrated::from_bytes(index, &bytes) {
        Ok(calibrated) => Ok(Some(Arc::new(calibrated)).filter(|calibrated| calibrated.form == form.checksum())),
        Err(error) => {
            tracing::warn!(index, %error, "the stored calibration of a vector index cannot be read: it is measured again");
            Ok(None)
        }
    }
}

/// What is stored of the calibration of an index.
pub(crate) fn read(point: &dyn ReadPoint, index: u32, form: &Form) -> Result<Option<RecallCalibration>> {
    Ok(load(point, index, form)?.map(|calibrated| RecallCalibration::of(&calibrated)))
}

/// The queries that an index was calibrated with, if they were given and can be read; else, those that are stored.
pub(super) fn load_queries(point: &dyn ReadPoint, index: u32, form: &Form) -> Result<Queries> {
    match try_load_queries(point, index, form) {
        Err(error) if error.kind() == ErrorKind::Corruption => {
            tracing::warn!(index, %error, "the queries that a vector index was calibrated with cannot be read: vectors of it serve");
            Ok(Queries::Stored)
        }
        loaded => loaded,
    }
}

fn try_load_queries(point: &dyn ReadPoint, index: u32, form: &Form) -> Result<Queries> {
    let mut queries = Vec::new();
    let mut cursor = point.cursor(Family::Vector, &layout::calibration_queries_range(index), Direction::Forward)?;
    while let Some((key, value)) = cursor.next()? {
        let number = u32::try_from(queries.len()).unwrap_or(u32::MAX);
        if key != layout::calibration_query_key(index, number) || queries.len() == CALIBRATION_QUERIES_MAX {
            return Err(Error::corruption(format!("query {number} of a calibration is not there")));
        }
        queries.push(form.query_of_bytes(unseal(key, value)?)?);
    }
    Ok(if queries.is_empty() { Queries::Stored } else { Queries::Given(queries) })
}

/// Writes a calibration and, if they change, the queries, unless the index was dropped.
pub(super) fn store(core: &Arc<Core>, index: u32, calibrated: &Calibrated, queries: Option<&Queries>) -> Result<()> {
    let row = Write::put(Family::Vector, layout::calibration_key(index), calibrated.to_bytes(index));
    commit_alone(core, Isolation::Serializable, Durability::Buffered, |session| {
        if form_of(session, index)?.is_none() {
            return Err(Error::not_found("the index was dropped while it was calibrated"));
        }
        if let Some(queries) = queries {
            let range = layout::calibration_queries_range(index);
            session.write(Write::DeleteRange { family: Family::Vector, range })?;
            for (number, query) in (0_u32..).zip(queries.given()) {
                let key = layout::calibration_query_key(index, number);
                let mut value = Vec::new();
                Form::write_query(query, &mut value);
                seal(&key, &mut value);
                session.write(Write::put(Family::Vector, key, value))?;
            }
        }
        session.write(row.clone())
    })
}

#[cfg(test)]
mod tests {
    use blaze_vector::RecallCurve;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_calibration_is_read_as_it_was_written_and_no_other_bytes_pass(
            (at, asked, form, vectors) in any::<(u64, u32, u32, u64)>(), is_given: bool, index: u32, recalls: Vec<f64>,
            flip: prop::sample::Index, bit in 0_u8..8, bytes: Vec<u8>,
        ) {
            let recalls: Vec<f64> = recalls.into_iter().map(|recall| recall.abs().fract()).filter(|recall| recall.is_finite()).collect();
            let mut curve = RecallCurve::new(0.5, 10);
            curve.measured(28, &recalls);
            let calibration = Calibration { vectors, queries: recalls.len(), curves: vec![curve] };
            let (at, asked) = (Timestamp::from_bits(at), asked as usize);
            let calibrated = Calibrated { calibration, at, asked, is_given, form };
            let mut written = calibrated.to_bytes(index);
            prop_assert_eq!(&Calibrated::from_bytes(index, &written).unwrap(), &calibrated);
            prop_assert!(Calibrated::from_bytes(index ^ 1, &written).is_err(), "of another index");
            let at = flip.index(written.len());
            prop_assert!(Calibrated::from_bytes(index, &written[..at]).is_err());
            written[at] ^= 1 << bit;
            prop_assert!(Calibrated::from_bytes(index, &written).is_err());
            prop_assert!(Calibrated::from_bytes(index, &bytes).is_err());
        }
    }
}
