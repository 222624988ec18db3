//! A query vector, prepared once and compared with many.

use blaze_core::{Error, Result};

use crate::copies::Copies;
use crate::kernel;
use crate::metric::Metric;
use crate::vector::{VectorRef, length, validate_dimension};

/// A query vector with its metric: checked and prepared once, then compared with many vectors.
///
/// ```
/// use blaze_vector::{Metric, Query};
///
/// let query = Query::new(Metric::L2, &[0.0, 0.0])?;
/// assert_eq!(query.distance(&[3.0, 4.0])?, 5.0);
/// # Ok::<(), blaze_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Query {
    metric: Metric,
    prepared: Prepared,
    /// The numbers as they were given, where those of `prepared` are others.
    given: Option<Vec<f32>>,
    /// The form of stored vectors.
    copies: Copies,
}

#[derive(Clone, Debug)]
enum Prepared {
    /// For the cosine, of length one.
    Numbers(Vec<f32>),
    Bits(Vec<u8>),
}

impl Query {
    /// A query for what is near `vector`.
    ///
    /// # Errors
    ///
    /// [`Invalid`](blaze_core::ErrorKind::Invalid) for an empty vector and for everything that
    /// [`validate`](crate::validate) refuses; [`LimitExceeded`](blaze_core::ErrorKind::LimitExceeded) above
    /// [`VECTOR_DIMENSIONS_MAX`](blaze_core::limits::VECTOR_DIMENSIONS_MAX) components.
    pub fn new<'a>(metric: Metric, vector: impl Into<VectorRef<'a>>) -> Result<Query> {
        let vector = vector.into();
        let prepared = prepare(metric, vector).map_err(|error| error.context("in the query"))?;
        let given = match vector {
            VectorRef::F32(numbers) if metric == Metric::Cosine => Some(numbers.to_vec()),
            _ => None,
        };
        Ok(Query { metric, prepared, given, copies: Copies::F32 })
    }

    /// The same query for stored vectors that are [`Copies`] of this precision; without, they have single precision.
    #[must_use]
    pub fn over(self, copies: Copies) -> Query {
        Query { copies, ..self }
    }

    /// The metric.
    #[must_use]
    pub fn metric(&self) -> Metric {
        self.metric
    }

    /// The vector; for the cosine, of length one.
    #[must_use]
    pub fn vector(&self) -> VectorRef<'_> {
        match &self.prepared {
            Prepared::Numbers(numbers) => VectorRef::F32(numbers),
            Prepared::Bits(bits) => VectorRef::Bits(bits),
        }
    }

    /// The vector as it would be stored: as it was given, in the precision of [`over`](Query::over). Its code is that of the
    /// vector that was stored, which that of [`vector`](Query::vector) need not be; for dot products, which find nothing by its code,
    /// it is in full precision. `buffer` is working memory.
    #[must_use]
    pub fn as_stored<'a>(&'a self, buffer: &'a mut Vec<f32>) -> VectorRef<'a> {
        let given = match (&self.given, &self.prepared) {
            (Some(given), _) | (None, Prepared::Numbers(given)) => given,
            (None, Prepared::Bits(bits)) => return VectorRef::Bits(bits),
        };
        // By products, nothing is found by its code.
        if self.copies == Copies::F32 || self.metric == Metric::Dot {
            return VectorRef::F32(given);
        }
        buffer.clear();
        buffer.extend(given.iter().map(|&number| self.copies.round(number)));
        // What no copy can hold is not stored.
        let fits = length(self.metric, buffer).is_ok();
        VectorRef::F32(if fits { buffer } else { given })
    }

    /// How many numbers, or bits, the query has.
    #[must_use]
    pub fn dimension(&self) -> usize {
        match &self.prepared {
            Prepared::Numbers(numbers) => numbers.len(),
            Prepared::Bits(bytes) => bytes.len() * 8,
        }
    }

    /// The distance to `vector`, as [`Metric`] defines it. Takes time linear in the dimension.
    ///
    /// Finite for every vector that [`validate`](crate::validate) accepts; for others, what is not a number counts as
    /// infinitely far.
    ///
    /// # Errors
    ///
    /// [`Invalid`](blaze_core::ErrorKind::Invalid) if the vector has another dimension or kind.
    pub fn distance<'a>(&self, vector: impl Into<VectorRef<'a>>) -> Result<f32> {
        let vector = vector.into();
        match (&self.prepared, vector) {
            (Prepared::Numbers(query), VectorRef::F32(numbers)) if query.len() == numbers.len() => {
                Ok(self.metric.distance(query, numbers))
            }
            (Prepared::Bits(query), VectorRef::Bits(bytes)) if query.len() == bytes.len() => {
                Ok(kernel::hamming(query, bytes) as f32) // exact: a count of at most 4096
            }
            _ => {
                vector.check_shape(self.metric, self.dimension())?;
                Err(Error::internal("vector has the shape of the query and cannot be compared"))
            }
        }
    }

    /// The distance to a vector as [`Copies::write`] stores it, in the precision of [`over`](Query::over); `buffer` is working
    /// memory.
    ///
    /// # Errors
    ///
    /// [`Corruption`](blaze_core::ErrorKind::Corruption) if the bytes are no vector of the query's dimension.
    pub fn distance_to_stored(&self, bytes: &[u8], buffer: &mut Vec<f32>) -> Result<f32> {
        match &self.prepared {
            Prepared::Numbers(query) => {
                // Copying the numbers of what is in memory took a tenth of a search (2026-11-22).
                let numbers = (self.copies == Copies::F32).then(|| kernel::stored_numbers(bytes)).flatten();
                match numbers.filter(|numbers| numbers.len() == query.len()) {
                    Some(numbers) => Ok(self.metric.distance(query, numbers)),
                    None => {
                        self.copies.read(bytes, query.len(), buffer)?;
                        Ok(self.metric.distance(query, buffer))
                    }
                }
            }
            Prepared::Bits(query) if query.len() == bytes.len() => Ok(kernel::hamming(query, bytes) as f32),
            Prepared::Bits(query) => {
                let (expected, found) = (query.len(), bytes.len());
                Err(Error::corruption(format!("stored vector is {found} bytes, not {expected} bytes of bits")))
            }
        }
    }
}

fn prepare(metric: Metric, vector: VectorRef<'_>) -> Result<Prepared> {
    validate_dimension(metric, vector.dimension())?;
    vector.check_shape(metric, vector.dimension())?;
    match vector {
        VectorRef::Bits(bytes) => Ok(Prepared::Bits(bytes.to_vec())),
        VectorRef::F32(numbers) => {
            let length = length(metric, numbers)?;
            let scale = if metric == Metric::Cosine { length.recip() } else { 1.0 };
            Ok(Prepared::Numbers(numbers.iter().map(|&number| (f64::from(number) * scale) as f32).collect()))
        }
    }
}

impl Metric {
    /// The distance of two vectors of numbers, of which `query` has length one for the cosine.
    #[inline]
    fn distance(self, query: &[f32], vector: &[f32]) -> f32 {
        let distance = match self {
            Metric::Cosine => {
                let (dot, square) = kernel::dot_and_square(query, vector);
                (1.0 - dot / square.sqrt()).clamp(0.0, 2.0) // rounding may leave the range; NaN stays
            }
            Metric::L2 => kernel::squared_l2(query, vector).sqrt(),
            Metric::Dot => 0.0 - kernel::dot(query, vector), // not -dot: zero has one sign, or ties would break by it
            Metric::Hamming => f32::NAN,
        };
        if distance.is_nan() { f32::INFINITY } else { distance }
    }
}

#[cfg(test)]
mod tests {
    use blaze_core::ErrorKind;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_metric_measures_what_its_documentation_says() {
        let distance = |metric, a: [f32; 2], b: [f32; 2]| Query::new(metric, &a).unwrap().distance(&b).unwrap();
        assert_eq!(distance(Metric::Cosine, [2.0, 0.0], [5.0, 0.0]), 0.0);
        assert_eq!(distance(Metric::Cosine, [2.0, 0.0], [0.0, 3.0]), 1.0);
        assert_eq!(distance(Metric::Cosine, [2.0, 0.0], [-1.0, 0.0]), 2.0);
        assert_eq!(distance(Metric::L2, [1.0, 1.0], [4.0, 5.0]), 5.0);
        assert_eq!(distance(Metric::Dot, [1.0, 2.0], [3.0, 4.0]), -11.0);
        let bits = Query::new(Metric::Hamming, &[0b1010_1010u8, 0xff]).unwrap();
        assert_eq!(bits.dimension(), 16);
        assert_eq!(bits.distance(&[0b0101_0101u8, 0xfe]).unwrap(), 9.0);
    }

    #[test]
    fn a_query_that_cannot_be_compared_says_why() {
        let message = |metric, vector: &[f32]| Query::new(metric, vector).unwrap_err().to_string();
        assert_eq!(message(Metric::L2, &[]), "in the query: a vector of 0 components has no distance");
        assert_eq!(message(Metric::L2, &[0.0, f32::NAN]), "in the query: component 1 of the vector is NaN");
        assert_eq!(
            message(Metric::L2, &[0.0; 4097]),
            "in the query: a vector of 4097 components is above the limit of 4096"
        );
        assert_eq!(
            message(Metric::Hamming, &[0.0; 8]),
            "in the query: vector is of numbers, metric hamming compares bits"
        );
    }

    #[test]
    fn a_query_is_as_it_would_be_stored_unless_no_copy_can_hold_it() {
        let stored = |metric, copies, vector: &[f32]| {
            let query = Query::new(metric, vector).unwrap().over(copies);
            match query.as_stored(&mut Vec::new()) {
                VectorRef::F32(numbers) => numbers.to_vec(),
                VectorRef::Bits(bits) => panic!("{bits:?} are no numbers"),
            }
        };
        for metric in [Metric::Cosine, Metric::L2] {
            assert_eq!(stored(metric, Copies::F32, &[0.1, 3.0]), [0.1, 3.0]);
            assert_eq!(stored(metric, Copies::F16, &[0.1, 3.0]), [0.099_975_586, 3.0]);
            assert_eq!(stored(metric, Copies::F16, &[0.1, 70_000.0]), [0.1, 70_000.0]);
        }
        assert_eq!(stored(Metric::Dot, Copies::F16, &[0.1, 3.0]), [0.1, 3.0]);
        let bits = Query::new(Metric::Hamming, &[1u8, 2]).unwrap();
        assert!(matches!(bits.as_stored(&mut Vec::new()), VectorRef::Bits([1, 2])));
    }

    #[test]
    fn another_dimension_or_kind_is_an_error_and_never_a_panic() {
        let query = Query::new(Metric::Cosine, &[1.0; 8]).unwrap();
        assert_eq!(query.distance(&[1.0; 7]).unwrap_err().to_string(), "vector has 7 components, the index has 8");
        assert_eq!(query.distance(&[1u8]).unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(query.distance_to_stored(&[1; 31], &mut Vec::new()).unwrap_err().kind(), ErrorKind::Corruption);
        let bits = Query::new(Metric::Hamming, &[1u8]).unwrap();
        assert_eq!(bits.distance(&[1.0; 8]).unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(bits.distance_to_stored(&[1; 2], &mut Vec::new()).unwrap_err().kind(), ErrorKind::Corruption);
    }

    #[test]
    fn distances_to_copies_are_those_to_what_the_copies_hold() {
        let vector = [0.1, -3.3, 70.7];
        for (copies, metric) in
            Copies::ALL.into_iter().flat_map(|copies| [(copies, Metric::Cosine), (copies, Metric::L2)])
        {
            let query = Query::new(metric, &[1.0, 2.0, 3.0]).unwrap().over(copies);
            let (mut stored, mut held, mut buffer) = (Vec::new(), Vec::new(), Vec::new());
            copies.write(&vector, &mut stored);
            copies.read(&stored, 3, &mut held).unwrap();
            for offset in 0..4 {
                let lies = [vec![0; offset], stored.clone()].concat(); // wherever it lies in memory
                let distance = query.distance_to_stored(&lies[offset..], &mut buffer).unwrap();
                assert_eq!(distance, query.distance(&held).unwrap(), "{copies} from {offset} on");
            }
        }
    }

    #[test]
    fn vectors_that_were_never_validated_are_infinitely_far_rather_than_nan() {
        for metric in [Metric::Cosine, Metric::L2, Metric::Dot] {
            let query = Query::new(metric, &[1.0, -1.0]).unwrap();
            assert_eq!(query.distance(&[f32::NAN, 0.0]).unwrap(), f32::INFINITY, "{metric}");
        }
        let query = Query::new(Metric::Cosine, &[1.0, -1.0]).unwrap();
        assert_eq!(query.distance(&[0.0, 0.0]).unwrap(), f32::INFINITY);
    }

    fn pair() -> impl Strategy<Value = (Vec<f32>, Vec<f32>)> {
        (1usize..200).prop_flat_map(|len| {
            let numbers = proptest::collection::vec(-1e3f32..1e3, len);
            (numbers.clone(), numbers)
        })
    }

    proptest! {
        #[test]
        fn distances_agree_with_double_precision((a, b) in pair(), exponent in -14i32..14) {
            let scale = 10f32.powi(exponent); // lengths from 1e-11 up to 1e18
            let b: Vec<f32> = b.into_iter().map(|number| number * scale).collect();
            prop_assume!(Query::new(Metric::Cosine, &a).is_ok() && Query::new(Metric::Cosine, &b).is_ok());
            let sum = |term: &dyn Fn(f64, f64) -> f64| -> f64 {
                a.iter().zip(&b).map(|(&a, &b)| term(a.into(), b.into())).sum()
            };
            let dot = sum(&|a, b| a * b);
            let lengths = (sum(&|a, _| a * a) * sum(&|_, b| b * b)).sqrt();
            let l2 = sum(&|a, b| (a - b).powi(2)).sqrt();
            let epsilon = a.len() as f64 * f64::from(f32::EPSILON);
            for (metric, expected, tolerance) in [
                (Metric::Cosine, 1.0 - dot / lengths, epsilon),
                (Metric::L2, l2, epsilon * l2),
                (Metric::Dot, -dot, epsilon * lengths),
            ] {
                let query = Query::new(metric, &a).unwrap();
                let distance = query.distance(&b).unwrap();
                let error = (f64::from(distance) - expected).abs();
                prop_assert!(error <= tolerance + 1e-30, "{metric}: {distance}, expected {expected}");
                let mut stored = Vec::new();
                crate::write_vector(&b, &mut stored);
                prop_assert_eq!(query.distance_to_stored(&stored, &mut Vec::new()).unwrap(), distance);
            }
        }
    }
}
