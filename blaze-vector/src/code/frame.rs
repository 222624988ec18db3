//! Where vectors lie before they are coded: at length one for the cosine, rotated, and from a centre.

use crate::code::{Coded, Codes, Probe, Rotation};
use crate::metric::Metric;
use crate::vector::length;

/// Brings vectors into the place in which they are coded. Distances between them stay.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) metric: Metric,
    /// None if the components have nothing to be spread.
    pub(crate) rotation: Option<Rotation>,
    /// Of rotated vectors. Codes tell the more the shorter vectors are; empty if the origin is the centre.
    pub(crate) centre: Vec<f32>,
}

impl Frame {
    /// For vectors of which nothing is known: rotated, from the origin.
    pub(crate) fn new(metric: Metric, dimension: usize, seed: u64) -> Frame {
        let rotation = (!metric.is_binary()).then(|| Rotation::new(dimension, seed));
        Frame { metric, rotation, centre: Vec::new() }
    }

    /// Takes the mean of vectors for the centre, and leaves out the rotation if codes say more of the `sample` without: what
    /// is even already, as the grey of images, has a narrower range than chance gives it. All are [`normalized`].
    ///
    /// [`normalized`]: Frame::normalized
    pub(crate) fn fit(&mut self, codes: &Codes, mean: Vec<f32>, sample: &[Vec<f32>]) {
        let Some(rotation) = &self.rotation else { return };
        let mut rotated_mean = mean.clone();
        rotation.apply(&mut rotated_mean);
        let rotated = Frame { centre: rotated_mean, ..self.clone() };
        let plain = Frame { metric: self.metric, rotation: None, centre: mean };
        let error =
            |frame: &Frame| sample.iter().map(|numbers| codes.error(&frame.moved(numbers.clone()))).sum::<f64>();
        *self = if error(&plain) < error(&rotated) { plain } else { rotated };
    }

    /// At length one for the cosine.
    pub(crate) fn normalized(&self, numbers: &[f32]) -> Vec<f32> {
        if self.metric != Metric::Cosine {
            return numbers.to_vec();
        }
        let scale = length(self.metric, numbers).map_or(1.0, f64::recip); // validated numbers have a length
        numbers.iter().map(|&number| (f64::from(number) * scale) as f32).collect()
    }

    /// As vectors are coded.
    pub(crate) fn placed(&self, numbers: &[f32]) -> Vec<f32> {
        self.moved(self.normalized(numbers))
    }

    /// Rotated and from the centre.
    fn moved(&self, mut numbers: Vec<f32>) -> Vec<f32> {
        if let Some(rotation) = &self.rotation {
            rotation.apply(&mut numbers);
        }
        numbers.iter_mut().zip(&self.centre).for_each(|(number, centre)| *number -= centre);
        numbers
    }

    pub(crate) fn bytes(&self) -> usize {
        self.centre.capacity() * 4 + self.rotation.as_ref().map_or(0, Rotation::bytes)
    }

    /// For the metric's distance from `numbers`, of which L2 is squared; and what tells the code of `numbers` from others, but for
    /// products, by which a vector need not be near itself.
    pub(crate) fn query(&self, codes: &Codes, numbers: &[f32]) -> (Probe, Option<Coded>) {
        let factor = match self.metric {
            Metric::Dot => return (self.product(numbers), None),
            Metric::Cosine => 0.5, // of vectors of length one
            _ => 1.0,
        };
        let placed = self.placed(numbers);
        (Probe::squared_l2(&placed, factor), Some(codes.encode_coarsely(&placed)))
    }

    fn product(&self, numbers: &[f32]) -> Probe {
        let mut numbers = numbers.to_vec();
        if let Some(rotation) = &self.rotation {
            rotation.apply(&mut numbers);
        }
        let mut probe = Probe::product(&numbers, -1.0);
        let products = self.centre.iter().zip(&numbers).map(|(&a, &b)| f64::from(a) * f64::from(b));
        probe.constant = -products.sum::<f64>();
        probe
    }

    /// The code of `numbers`, and a probe for the squared Euclidean distance from them.
    pub(crate) fn code(&self, codes: &Codes, numbers: &[f32]) -> (Coded, Probe) {
        let placed = self.placed(numbers);
        (codes.encode(&placed), Probe::squared_l2(&placed, 1.0))
    }
}
