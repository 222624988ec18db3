//! Metrics: what "near" means.

use std::fmt;
use std::str::FromStr;

use blaze_core::{Error, Result};

/// How the distance of two vectors is measured. For each metric, **a smaller distance is nearer**.
///
/// | metric | name | distance | range | vectors |
/// |---|---|---|---|---|
/// | [`Cosine`](Metric::Cosine) | `cosine` | 1 − cos of the angle | 0 (same direction) to 2 (opposite) | numbers, not all zero |
/// | [`L2`](Metric::L2) | `l2` | Euclidean: √Σ(aᵢ−bᵢ)², not its square | from 0 | numbers |
/// | [`Dot`](Metric::Dot) | `dot` | −Σaᵢbᵢ | any number | numbers |
/// | [`Hamming`](Metric::Hamming) | `hamming` | how many bits differ | 0 to the dimension | bits |
///
/// Distances are `f32`: a sum over `n` numbers is exact to about `n` units in the last place of its terms, so that equal
/// vectors may be about `1e-7` apart by cosine, and distances may differ in the last bits between two processors.
///
/// ```
/// use blaze_vector::Metric;
///
/// let metric: Metric = "cosine".parse()?;
/// assert_eq!(metric, Metric::Cosine);
/// assert_eq!(metric.to_string(), "cosine");
/// # Ok::<(), blaze_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Metric {
    /// One minus the cosine of the angle: direction counts, length does not. The usual choice for text embeddings.
    Cosine,
    /// The Euclidean distance.
    L2,
    /// The negated dot product: of two vectors with the same direction, the longer one is nearer.
    Dot,
    /// The number of bits that differ.
    Hamming,
}

impl Metric {
    /// Every metric.
    pub const ALL: [Metric; 4] = [Metric::Cosine, Metric::L2, Metric::Dot, Metric::Hamming];

    /// The name, as [`Display`](fmt::Display) prints it and [`FromStr`] reads it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Metric::Cosine => "cosine",
            Metric::L2 => "l2",
            Metric::Dot => "dot",
            Metric::Hamming => "hamming",
        }
    }

    /// True if the metric compares bits, false if it compares numbers.
    #[must_use]
    pub const fn is_binary(self) -> bool {
        matches!(self, Metric::Hamming)
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Metric {
    type Err = Error;

    fn from_str(name: &str) -> Result<Metric> {
        Metric::ALL
            .into_iter()
            .find(|metric| metric.name() == name)
            .ok_or_else(|| Error::invalid(format!("metric {name:?} is none of cosine, l2, dot and hamming")))
    }
}

#[cfg(test)]
mod tests {
    use blaze_core::ErrorKind;

    use super::*;

    #[test]
    fn every_metric_reads_back_from_its_name() {
        for metric in Metric::ALL {
            assert_eq!(metric.to_string().parse::<Metric>().unwrap(), metric);
        }
    }

    #[test]
    fn an_unknown_name_is_invalid() {
        let error = "euclid".parse::<Metric>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert_eq!(error.to_string(), "metric \"euclid\" is none of cosine, l2, dot and hamming");
    }
}
