//! Exact decimal numbers.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use super::number::Number;
use crate::error::{Error, Result};

/// An exact decimal number: a sign, a coefficient of 128 bits, and how many of its digits stand after the point.
///
/// The scale is kept as written, so that `1.50` reads back as `1.50`; it is equal to `1.5`.
///
/// ```
/// use blaze_core::Decimal;
///
/// let price: Decimal = "19.90".parse()?;
/// assert_eq!(price.to_string(), "19.90");
/// assert_eq!(price, "19.9".parse()?);
/// # Ok::<(), blaze_core::Error>(())
/// ```
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

    /// The integer `±magnitude`.
    pub(crate) const fn integer(negative: bool, magnitude: u128) -> Decimal {
        Decimal { negative: negative && magnitude != 0, coefficient: magnitude, scale: 0 }
    }
}

impl FromStr for Decimal {
    type Err = Error;

    /// Reads digits with an optional sign and an optional point between them: `-12.50`. Exponents are not read.
    fn from_str(text: &str) -> Result<Decimal> {
        let refuse = |reason: &str| Error::invalid(format!("{text:?} is not a decimal: {reason}"));
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = match unsigned.split_once('.') {
            Some((_, "")) => return Err(refuse("no digit follows the point")),
            Some(parts) => parts,
            None => (unsigned, ""),
        };
        if whole.is_empty() {
            return Err(refuse("it does not begin with a digit"));
        }
        let mut coefficient = 0_u128;
        for byte in whole.bytes().chain(fraction.bytes()) {
            if !byte.is_ascii_digit() {
                return Err(refuse("it has other characters than digits, one point and a sign"));
            }
            let next = coefficient.checked_mul(10).and_then(|tens| tens.checked_add(u128::from(byte - b'0')));
            coefficient = next.ok_or_else(|| refuse("its digits do not fit 128 bits"))?;
        }
        let scale = u8::try_from(fraction.len()).ok();
        let decimal = scale.and_then(|scale| Decimal::new(negative, coefficient, scale));
        decimal.ok_or_else(|| refuse(&format!("{} digits follow the point, the limit is 38", fraction.len())))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = usize::from(self.scale);
        let digits = format!("{:0width$}", self.coefficient, width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let point = if scale > 0 { "." } else { "" };
        f.pad_integral(!self.negative, "", &format!("{whole}{point}{fraction}"))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Decimal) -> Ordering {
        Number::Decimal(*self).cmp(&Number::Decimal(*other))
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Decimal) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Decimal) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Decimal {}

impl Hash for Decimal {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Number::Decimal(*self).hash(state);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_scale_is_kept_but_does_not_count() {
        let long: Decimal = "1.50".parse().unwrap();
        let short: Decimal = "1.5".parse().unwrap();
        assert_eq!(long, short);
        assert_eq!((long.to_string(), short.to_string()), ("1.50".into(), "1.5".into()));
        assert_eq!("-0.00".parse::<Decimal>().unwrap().to_string(), "0.00");
        assert_eq!(format!("{:>7}|{:<6}|", long, short), "   1.50|1.5   |");
    }

    #[test]
    fn what_is_not_a_decimal_is_refused_with_the_reason() {
        let reason = |text: &str| text.parse::<Decimal>().unwrap_err().to_string();
        for text in ["", "-", ".5", "+.5", "1.", "1.2.3", "1e3", " 1", "--1", "0x1", "١"] {
            assert!(reason(text).contains("is not a decimal"), "{text:?}");
        }
        assert!(reason("340282366920938463463374607431768211456").contains("128 bits"));
        assert!(reason(&format!("0.{}", "0".repeat(39))).contains("39 digits"));
        assert!(reason(&format!("0.{}", "0".repeat(300))).contains("300 digits"));
    }

    proptest! {
        #[test]
        fn text_round_trips_to_the_digit(negative: bool, coefficient: u128, shift in 0..128_u32, scale in 0..=38_u8) {
            let decimal = Decimal::new(negative, coefficient >> shift, scale).unwrap();
            let read: Decimal = decimal.to_string().parse().unwrap();
            prop_assert_eq!((read.negative, read.coefficient, read.scale),
                (decimal.negative, decimal.coefficient, decimal.scale));
        }
    }
}
