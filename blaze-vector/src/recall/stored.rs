//! A calibration as bytes.

use blaze_core::{Error, Result};

use super::curve::{RecallCurve, RecallPoint};
use super::{Calibration, EF_MAX};

/// Curves and points that are read at most: more than are ever written.
const CURVES_MAX: usize = 64;
const POINTS_MAX: usize = 64;

impl Calibration {
    /// Appends it: all numbers big-endian, each curve behind how many there are, and so its points.
    pub fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.vectors.to_be_bytes());
        bytes.extend_from_slice(&(self.queries as u32).to_be_bytes());
        bytes.push(self.curves.len() as u8);
        for curve in &self.curves {
            bytes.extend_from_slice(&curve.share.to_bits().to_be_bytes());
            bytes.extend_from_slice(&(curve.k as u32).to_be_bytes());
            bytes.push(curve.points.len() as u8);
            for point in &curve.points {
                bytes.extend_from_slice(&(point.ef as u32).to_be_bytes());
                bytes.extend_from_slice(&point.recall.to_bits().to_be_bytes());
                bytes.extend_from_slice(&point.lower_bound.to_bits().to_be_bytes());
            }
        }
    }

    /// What [`write`](Calibration::write) has written.
    ///
    /// ```
    /// use blaze_vector::{Calibration, RecallCurve};
    ///
    /// let mut curve = RecallCurve::new(0.5, 10);
    /// curve.measured(28, &[0.95; 1_000]);
    /// let calibration = Calibration { vectors: 5_000, queries: 1_000, curves: vec![curve] };
    /// let mut bytes = Vec::new();
    /// calibration.write(&mut bytes);
    /// assert_eq!(Calibration::read(&bytes)?, calibration);
    /// assert!(Calibration::read(&bytes[1..]).is_err());
    /// # Ok::<(), blaze_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Corruption`](blaze_core::ErrorKind::Corruption) for everything else.
    pub fn read(bytes: &[u8]) -> Result<Calibration> {
        let mut reader = Reader(bytes);
        let calibration = reader.calibration().filter(|_| reader.0.is_empty());
        calibration.ok_or_else(|| Error::corruption("a calibration does not parse"))
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn calibration(&mut self) -> Option<Calibration> {
        let (vectors, queries) = (self.u64()?, self.u32()? as usize);
        let curves = self.count(CURVES_MAX)?;
        let curves = (0..curves).map(|_| self.curve()).collect::<Option<_>>()?;
        Some(Calibration { vectors, queries, curves })
    }

    fn curve(&mut self) -> Option<RecallCurve> {
        let (share, k) = (self.part()?, self.u32()? as usize);
        let points = self.count(POINTS_MAX)?;
        let points: Vec<RecallPoint> = (0..points).map(|_| self.point()).collect::<Option<_>>()?;
        let is_ascending = points.is_sorted_by(|a, b| a.ef < b.ef);
        (k > 0 && share > 0.0 && is_ascending).then_some(RecallCurve { share, k, points })
    }

    fn point(&mut self) -> Option<RecallPoint> {
        let ef = self.u32()? as usize;
        let (recall, lower_bound) = (self.part()?, self.part()?);
        (1..=EF_MAX).contains(&ef).then_some(RecallPoint { ef, recall, lower_bound })
    }

    /// A number from 0 to 1.
    fn part(&mut self) -> Option<f64> {
        Some(f64::from_bits(self.u64()?)).filter(|part| (0.0..=1.0).contains(part))
    }

    fn count(&mut self, most: usize) -> Option<usize> {
        let [count] = self.take()?;
        Some(usize::from(count)).filter(|count| *count <= most)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_be_bytes)
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    prop_compose! {
        fn curves()(share in 0.001_f64..=1.0, k in 1_usize..1_000, gaps in vec((1_usize..400, 0.0_f64..=1.0, 0.0_f64..=1.0), 0..20))
            -> RecallCurve {
            let mut ef = 0;
            let points = gaps.into_iter().map(|(gap, recall, lower_bound)| {
                ef += gap;
                RecallPoint { ef, recall, lower_bound }
            });
            RecallCurve { share, k, points: points.collect() }
        }
    }

    proptest! {
        #[test]
        fn a_calibration_is_read_as_it_was_written_and_no_bytes_panic(
            vectors: u64, queries in 0_usize..10_000, curves in vec(curves(), 0..12), bytes: Vec<u8>, cut: prop::sample::Index,
        ) {
            let calibration = Calibration { vectors, queries, curves };
            let mut written = Vec::new();
            calibration.write(&mut written);
            prop_assert_eq!(&Calibration::read(&written).unwrap(), &calibration);
            prop_assert!(Calibration::read(&written[..cut.index(written.len())]).is_err());
            let _ = Calibration::read(&bytes);
            let at = cut.index(written.len());
            written[at] ^= bytes.first().copied().unwrap_or(1);
            if let Ok(other) = Calibration::read(&written) {
                let mut again = Vec::new();
                other.write(&mut again);
                prop_assert_eq!(again, written, "one form for each calibration");
            }
        }
    }
}
