//! Metrics: what "near" means.

use std::fmt;
use std::str::FromStr;

use blaze_core::{Error, Result};

/// How the distance of two vectors is measured. For each metric, **a smaller distance is nearer** and a larger
/// [score](Metric::score) is nearer.
///
/// | metric | name | distance | range | score | vectors |
/// |---|---|---|---|---|---|
/// | [`Cosine`](Metric::Cosine) | `cosine` | 1 − cos of the angle | 0 (same direction) to 2 (opposite) | cos of the angle: 1 − distance | numbers, not all zero |
/// | [`L2`](Metric::L2) | `l2` | Euclidean: √Σ(aᵢ−bᵢ)², not its square | from 0 | 1 / (1 + distance) | numbers |
/// | [`Dot`](Metric::Dot) | `dot` | −Σaᵢbᵢ | any number | Σaᵢbᵢ: −distance | numbers |
/// | [`Hamming`](Metric::Hamming) | `hamming` | how many bits differ | 0 to the dimension | share of equal bits: 1 − distance / dimension | bits |
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

    /// How similar two vectors of `dimension` components at this distance are: the larger, the nearer, as the table of
    /// [`Metric`] defines it. Never larger for a larger distance.
    ///
    /// ```
    /// use blaze_vector::Metric;
    ///
    /// assert_eq!(Metric::Cosine.score(0.25, 384), 0.75);
    /// assert_eq!(Metric::L2.score(1.0, 384), 0.5);
    /// assert_eq!(Metric::Dot.score(-7.0, 384), 7.0);
    /// assert_eq!(Metric::Hamming.score(2.0, 8), 0.75);
    /// ```
    #[must_use]
    pub fn score(self, distance: f32, dimension: usize) -> f32 {
        match self {
            Metric::Cosine => 1.0 - distance,
            Metric::L2 => 1.0 / (1.0 + distance),
            Metric::Dot => 0.0 - distance,
            #[expect(clippy::cast_precision_loss, reason = "at most 4096")]
            Metric::Hamming => 1.0 - distance / dimension as f32,
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
