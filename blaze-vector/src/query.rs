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
    ///
    /// ```
    /// use blaze_vector::{Copies, Metric, Query};
    ///
    /// let mut stored = Vec::new();
    /// Copies::F16.write(&[3.0, 4.0], &mut stored);
    /// let query = Query::new(Metric::L2, &[0.0, 0.0])?.over(Copies::F16);
    /// assert_eq!(query.distance_to_stored(&stored, &mut Vec::new())?, 5.0);
    /// # Ok::<(), blaze_core::Error>(())
    /// ```
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
mod tests;
