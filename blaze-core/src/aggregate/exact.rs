//! Sums of floats that are rounded once.

/// A sum of floats without rounding: partial sums that do not overlap, the smallest first.
///
/// Shewchuk, "Adaptive Precision Floating-Point Arithmetic and Fast Robust Geometric Predicates", as in Python's `fsum`.
#[derive(Clone, Debug, Default)]
pub(super) struct ExactSum {
    partials: Vec<f64>,
    /// The sum of what is not finite, or went beyond what is.
    special: f64,
}

impl ExactSum {
    pub(super) fn add(&mut self, number: f64) {
        if !number.is_finite() {
            self.special += number;
            return;
        }
        let mut high = number;
        let mut kept = 0;
        for at in 0..self.partials.len() {
            let (sum, rest) = two_sum(high, self.partials[at]);
            if !sum.is_finite() {
                self.special += sum;
                self.partials.clear();
                return;
            }
            if rest != 0.0 {
                self.partials[kept] = rest;
                kept += 1;
            }
            high = sum;
        }
        self.partials.truncate(kept);
        self.partials.push(high);
    }

    /// The sum with an integer added, rounded to the nearest float.
    pub(super) fn with_integer(&self, integer: i128) -> f64 {
        let mut sum = self.clone();
        let mut rest = integer;
        // 128 bits are at most three floats.
        while rest != 0 {
            let part = rest as f64;
            sum.add(part);
            let Some(left) = rest.checked_sub(part as i128) else { break };
            rest = left;
        }
        sum.rounded()
    }

    fn rounded(&self) -> f64 {
        if self.special != 0.0 {
            return self.special; // infinite or NaN
        }
        let mut partials = self.partials.iter().rev().copied();
        let Some(mut high) = partials.next() else { return 0.0 };
        for partial in partials.by_ref() {
            let (sum, rest) = two_sum(high, partial);
            high = sum;
            if rest != 0.0 {
                // Half-way cases go where the partials below tip them.
                if let Some(below) = partials.next()
                    && (rest < 0.0) == (below < 0.0)
                    && below != 0.0
                {
                    let tipped = high + rest * 2.0;
                    if tipped - high == rest * 2.0 {
                        return tipped;
                    }
                }
                break;
            }
        }
        high
    }
}

/// The rounded sum of two numbers, and what the rounding took away.
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let of_b = sum - a;
    (sum, (a - (sum - of_b)) + (b - of_b))
}
