//! Exact decimal numbers.

/// An exact decimal number: a sign, a coefficient of 128 bits, and how many of its digits stand after the point.
///
/// The scale is kept as written, so that `1.50` reads back as `1.50`; it is equal to `1.5`.
#[derive(Clone, Copy, Debug)]
pub struct Decimal {
    negative: bool,
    coefficient: u128,
    scale: u8,
}

impl Decimal {
    /// The most digits after the point.
    pub const SCALE_MAX: u8 = 38;

    /// The number `±coefficient × 10^-scale`; `None` if `scale` is above [`SCALE_MAX`](Decimal::SCALE_MAX).
    #[must_use]
    pub const fn new(negative: bool, coefficient: u128, scale: u8) -> Option<Decimal> {
        if scale > Decimal::SCALE_MAX {
            return None;
        }
        // Zero has one sign, so that equal numbers are written alike.
        Some(Decimal { negative: negative && coefficient != 0, coefficient, scale })
    }

    /// True below zero.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.negative
    }

    /// The digits, without sign and point.
    #[must_use]
    pub const fn coefficient(self) -> u128 {
        self.coefficient
    }

    /// How many of the digits stand after the point.
    #[must_use]
    pub const fn scale(self) -> u8 {
        self.scale
    }
}
