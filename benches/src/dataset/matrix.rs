//! Many vectors of one dimension.

use crate::Result;

/// Vectors of one dimension, one after the other in one allocation.
///
/// ```
/// use blaze_bench::dataset::Matrix;
///
/// let matrix = Matrix::new(2, vec![0.0, 1.0, 2.0, 3.0])?;
/// assert_eq!((matrix.rows(), matrix.row(1)), (2, [2.0, 3.0].as_slice()));
/// # blaze_bench::Result::Ok(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    dimensions: usize,
    numbers: Vec<f32>,
}

impl Matrix {
    /// Takes the numbers of all rows, row by row.
    ///
    /// # Errors
    /// When rows have no numbers, or the last one lacks some.
    pub fn new(dimensions: usize, numbers: Vec<f32>) -> Result<Matrix> {
        if dimensions == 0 || !numbers.len().is_multiple_of(dimensions) {
            return Err(format!("{} numbers are no rows of {dimensions}", numbers.len()).into());
        }
        Ok(Matrix { dimensions, numbers })
    }

    /// Zeros, to be written over.
    pub(super) fn zero(rows: usize, dimensions: usize) -> Matrix {
        Matrix { dimensions: dimensions.max(1), numbers: vec![0.0; rows * dimensions.max(1)] }
    }

    /// The numbers of all rows, to be written over.
    pub(super) fn numbers_mut(&mut self) -> &mut [f32] {
        &mut self.numbers
    }

    /// How many vectors there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.numbers.len() / self.dimensions
    }

    /// Numbers of each vector, at least one.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// The vector with this number, from 0.
    ///
    /// # Panics
    /// When there are not so many.
    #[must_use]
    pub fn row(&self, row: usize) -> &[f32] {
        &self.numbers[row * self.dimensions..][..self.dimensions]
    }

    /// All vectors in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.numbers.chunks_exact(self.dimensions)
    }

    /// The numbers of all vectors.
    #[must_use]
    pub fn numbers(&self) -> &[f32] {
        &self.numbers
    }

    /// Bytes of all numbers.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        size_of_val(self.numbers.as_slice()) as u64
    }

    /// Gives each vector the length 1, but for zeros.
    pub fn normalize(&mut self) {
        for row in self.numbers.chunks_exact_mut(self.dimensions) {
            let length = row.iter().map(|number| f64::from(*number).powi(2)).sum::<f64>().sqrt();
            if length > 0.0 {
                row.iter_mut().for_each(|number| *number = (f64::from(*number) / length) as f32);
            }
        }
    }

    /// The vectors of some rows, in the order of the rows that are given.
    ///
    /// # Panics
    /// When there is no such row.
    #[must_use]
    pub fn select(&self, rows: impl IntoIterator<Item = usize>) -> Matrix {
        let numbers = rows.into_iter().flat_map(|row| self.row(row)).copied().collect();
        Matrix { dimensions: self.dimensions, numbers }
    }

    /// Takes out `count` vectors that are evenly spread over all of them; at least one vector stays.
    ///
    /// ```
    /// use blaze_bench::dataset::Matrix;
    ///
    /// let mut matrix = Matrix::new(1, vec![0.0, 1.0, 2.0, 3.0, 4.0])?;
    /// let held_out = matrix.hold_out(2);
    /// assert_eq!((held_out.numbers(), matrix.numbers()), ([0.0, 2.0].as_slice(), [1.0, 3.0, 4.0].as_slice()));
    /// # blaze_bench::Result::Ok(())
    /// ```
    #[must_use]
    pub fn hold_out(&mut self, count: usize) -> Matrix {
        let count = count.min(self.rows().saturating_sub(1));
        let step = self.rows() / count.max(1);
        let is_held_out = |row: usize| row.is_multiple_of(step) && row / step < count;
        let mut held_out = Vec::with_capacity(count * self.dimensions);
        let mut kept = 0;
        for row in 0..self.rows() {
            let numbers = row * self.dimensions..(row + 1) * self.dimensions;
            if is_held_out(row) {
                held_out.extend_from_slice(&self.numbers[numbers]);
            } else {
                self.numbers.copy_within(numbers, kept * self.dimensions);
                kept += 1;
            }
        }
        self.numbers.truncate(kept * self.dimensions);
        Matrix { dimensions: self.dimensions, numbers: held_out }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_row_is_refused() {
        assert_eq!(Matrix::new(2, vec![0.0; 3]).unwrap_err().to_string(), "3 numbers are no rows of 2");
        assert!(Matrix::new(0, Vec::new()).is_err());
    }

    #[test]
    fn what_is_held_out_and_what_stays_are_all_rows_in_order() {
        for (rows, count) in [(10, 3), (10, 10), (10, 100), (1, 1), (2, 1), (7, 6), (9, 0), (0, 3)] {
            let numbers: Vec<f32> = (0..2 * rows).map(|number| number as f32).collect();
            let mut matrix = Matrix::new(2, numbers.clone()).unwrap();
            let held_out = matrix.hold_out(count);
            assert_eq!(held_out.rows(), count.min((rows as usize).saturating_sub(1)), "{count} of {rows}");
            assert!(held_out.iter().chain(matrix.iter()).all(|row| row[1] == row[0] + 1.0));
            let mut all = [held_out.numbers(), matrix.numbers()].concat();
            all.sort_by(f32::total_cmp);
            assert_eq!(all, numbers, "{count} of {rows}");
        }
    }
}
