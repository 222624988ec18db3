//! Numbers of every type, compared by their exact value.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use super::wide::Wide;
use super::{Decimal, Value};

/// A number, to be compared with numbers of other types.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    /// An integer in the ranges of `i64` and `u64`.
    Int(i128),
    Float(f64),
    Decimal(Decimal),
}

/// 2^-127, which is below the smallest decimal above zero, 10^-38.
const BELOW_DECIMALS: f64 = f64::from_bits((1023 - 127) << 52);
/// 2^127, the first integer above `i128`.
const ABOVE_I128: f64 = f64::from_bits((1023 + 127) << 52);
/// 2^128, which is above the largest decimal.
const ABOVE_DECIMALS: f64 = f64::from_bits((1023 + 128) << 52);

impl Value {
    pub(crate) fn number(&self) -> Option<Number> {
        match self {
            Value::Int(int) => Some(Number::Int(i128::from(*int))),
            Value::UInt(int) => Some(Number::Int(i128::from(*int))),
            Value::Float(float) => Some(Number::Float(*float)),
            Value::Decimal(decimal) => Some(Number::Decimal(*decimal)),
            _ => None,
        }
    }
}

impl Number {
    /// The largest float that is not above the number, and whether it is the number itself. NaN is NaN.
    pub(crate) fn floor(self) -> (f64, bool) {
        let mut float = match self {
            Number::Float(float) => return (float, true),
            Number::Int(int) if int.unsigned_abs() <= u128::from(u64::MAX) => return floor_of_int(int),
            Number::Int(int) => int as f64,
            // Off by a few units in the last place, which the steps below make good.
            Number::Decimal(decimal) => {
                let magnitude = decimal.coefficient() as f64 / power_of_ten(decimal.scale()) as f64;
                if decimal.is_negative() { -magnitude } else { magnitude }
            }
        };
        while Number::Float(float) > self {
            float = float.next_down();
        }
        while Number::Float(float.next_up()) <= self {
            float = float.next_up();
        }
        (float, Number::Float(float) == self)
    }

    /// The number if it is an integer in the range of `i128`.
    fn to_i128(self) -> Option<i128> {
        match self {
            Number::Int(int) => Some(int),
            Number::Float(float) => {
                let integer = float.fract() == 0.0 && float.abs() < ABOVE_I128;
                integer.then_some(float as i128)
            }
            Number::Decimal(decimal) => {
                let unit = power_of_ten(decimal.scale());
                let integer = decimal.coefficient().is_multiple_of(unit);
                let magnitude = i128::try_from(decimal.coefficient() / unit).ok().filter(|_| integer)?;
                Some(if decimal.is_negative() { -magnitude } else { magnitude })
            }
        }
    }
}

/// The largest float that is not above an integer in the ranges of `i64` and `u64`, and whether it is that.
fn floor_of_int(int: i128) -> (f64, bool) {
    let nearest = int as f64;
    match (nearest as i128).cmp(&int) {
        Ordering::Equal => (nearest, true),
        Ordering::Less => (nearest, false),
        Ordering::Greater => (nearest.next_down(), false),
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Number) -> Ordering {
        match (*self, *other) {
            (Number::Int(a), Number::Int(b)) => a.cmp(&b),
            (Number::Float(a), Number::Float(b)) => compare_floats(a, b),
            (Number::Decimal(a), Number::Decimal(b)) => compare_decimals(a, b),
            (Number::Int(a), Number::Float(b)) => compare_int_with_float(a, b),
            (Number::Float(a), Number::Int(b)) => compare_int_with_float(b, a).reverse(),
            (Number::Int(a), Number::Decimal(b)) => compare_decimals(decimal(a), b),
            (Number::Decimal(a), Number::Int(b)) => compare_decimals(a, decimal(b)),
            (Number::Decimal(a), Number::Float(b)) => compare_decimal_with_float(a, b),
            (Number::Float(a), Number::Decimal(b)) => compare_decimal_with_float(b, a).reverse(),
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Number {}

impl Hash for Number {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self.to_i128() {
            Some(int) => int.hash(state),
            None => match self.floor().0 {
                float if float.is_nan() => f64::NAN.to_bits().hash(state),
                float => float.to_bits().hash(state),
            },
        }
    }
}

/// NaN is equal to itself and below all others.
fn compare_floats(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
}

fn compare_int_with_float(int: i128, float: f64) -> Ordering {
    if float.is_nan() {
        return Ordering::Greater;
    }
    // The conversion saturates, at values that no integer reaches.
    int.cmp(&(float.trunc() as i128)).then_with(|| compare_floats(0.0, float.fract()))
}

fn compare_decimals(a: Decimal, b: Decimal) -> Ordering {
    let magnitudes = |a: Decimal, b: Decimal| {
        let left = Wide::product(a.coefficient(), power_of_ten(b.scale()));
        left.cmp(&Wide::product(b.coefficient(), power_of_ten(a.scale())))
    };
    match (a.is_negative(), b.is_negative()) {
        (false, false) => magnitudes(a, b),
        (true, true) => magnitudes(b, a),
        (a, b) => b.cmp(&a),
    }
}

fn compare_decimal_with_float(decimal: Decimal, float: f64) -> Ordering {
    if float.is_nan() {
        return Ordering::Greater;
    }
    if decimal.coefficient() == 0 || float == 0.0 || decimal.is_negative() != (float < 0.0) {
        let sign = if decimal.is_negative() { -1.0 } else { f64::from(decimal.coefficient() != 0) };
        return compare_floats(sign, if float == 0.0 { 0.0 } else { float.signum() });
    }
    let magnitudes = compare_magnitudes(decimal, float.abs());
    if decimal.is_negative() { magnitudes.reverse() } else { magnitudes }
}

/// Compares `coefficient / 10^scale` with `mantissa × 2^exponent`, both above zero, as integers: each side is multiplied
/// by the other's divisor.
fn compare_magnitudes(decimal: Decimal, float: f64) -> Ordering {
    if float >= ABOVE_DECIMALS {
        return Ordering::Less;
    }
    if float < BELOW_DECIMALS {
        return Ordering::Greater;
    }
    // Between these bounds no float is subnormal and the exponent lies in -179..=75.
    let bits = float.to_bits();
    let mantissa = bits & ((1 << 52) - 1) | 1 << 52;
    let exponent = (bits >> 52) as i32 - 1075;
    let left = Wide::product(decimal.coefficient(), 1).shifted(exponent.min(0).unsigned_abs());
    let right = Wide::product(u128::from(mantissa), power_of_ten(decimal.scale())).shifted(exponent.max(0) as u32);
    left.cmp(&right)
}

fn decimal(int: i128) -> Decimal {
    Decimal::integer(int < 0, int.unsigned_abs())
}

/// `10^exponent`, up to [`Decimal::SCALE_MAX`].
pub(crate) fn power_of_ten(exponent: u8) -> u128 {
    10_u128.pow(u32::from(exponent))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A number as an integer of any length times `10^-1100`, in decimal digits: slow and plain.
    fn digits(number: Number) -> (bool, Vec<u8>) {
        let (negative, text) = match number {
            Number::Int(int) => (int < 0, int.unsigned_abs().to_string()),
            Number::Float(float) => (float < 0.0, format!("{:.1100}", float.abs())),
            Number::Decimal(decimal) => {
                let mut text = format!("{:039}", decimal.coefficient());
                if decimal.scale() > 0 {
                    text.insert(text.len() - usize::from(decimal.scale()), '.');
                }
                (decimal.is_negative(), text)
            }
        };
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let digits = format!("{whole:0>400}{fraction:0<1100}").into_bytes();
        (negative && digits.iter().any(|digit| *digit != b'0'), digits)
    }

    fn compare_digits(a: Number, b: Number) -> Ordering {
        match (digits(a), digits(b)) {
            ((false, a), (false, b)) => a.cmp(&b),
            ((true, a), (true, b)) => b.cmp(&a),
            ((a, _), (b, _)) => b.cmp(&a),
        }
    }

    fn finite() -> impl Strategy<Value = Number> {
        let exponent = prop_oneof![any::<u64>(), (0..4_u64).prop_map(|offset| (1 << 53) - 2 + offset)];
        let float = prop_oneof![
            any::<f64>(),
            exponent.prop_map(|int| int as f64),
            (-400..400_i32).prop_map(|hundredths| f64::from(hundredths) / 100.0),
            (-45..45_i32).prop_map(|exponent| 10_f64.powi(exponent)),
            (-180..130_i32).prop_map(|exponent| 2_f64.powi(exponent)),
        ];
        let float = float.prop_filter("finite", |float| float.is_finite());
        let decimal =
            (any::<bool>(), any::<u128>(), 0..=128_u32, 0..=38_u8).prop_map(|(negative, bits, shift, scale)| {
                Decimal::new(negative, bits.checked_shr(shift).unwrap_or(0), scale).unwrap()
            });
        prop_oneof![
            any::<i64>().prop_map(|int| Number::Int(int.into())),
            any::<u64>().prop_map(|int| Number::Int(int.into())),
            (-4..4_i128).prop_map(Number::Int),
            float.clone().prop_map(Number::Float),
            decimal.prop_map(Number::Decimal),
            // A decimal right beside a float.
            (float, 0..=38_u8, -1..=1_i128).prop_map(|(float, scale, step)| {
                let scaled = (float.abs() * power_of_ten(scale) as f64) as u128;
                let coefficient = scaled.saturating_add_signed(step);
                Number::Decimal(Decimal::new(float < 0.0, coefficient, scale).unwrap())
            }),
        ]
    }

    proptest! {
        #[test]
        fn the_order_is_that_of_the_digits(a in finite(), b in finite()) {
            prop_assert_eq!(a.cmp(&b), compare_digits(a, b));
        }

        #[test]
        fn the_floor_is_the_next_float_below(number in finite()) {
            let (floor, exact) = number.floor();
            prop_assert_eq!(compare_digits(Number::Float(floor), number).is_eq(), exact);
            prop_assert!(compare_digits(Number::Float(floor), number).is_le());
            let above = floor.next_up();
            prop_assert!(above.is_infinite() || compare_digits(Number::Float(above), number).is_gt());
        }

        #[test]
        fn a_number_equals_the_float_it_floors_to_exactly(number in finite()) {
            let (floor, exact) = number.floor();
            let hash = |number: Number| {
                let mut hasher = std::hash::DefaultHasher::new();
                number.hash(&mut hasher);
                hasher.finish()
            };
            prop_assert!(!exact || hash(number) == hash(Number::Float(floor)), "{number:?} hashes unlike {floor:?}");
        }
    }

    #[test]
    fn decimals_next_to_floats_are_told_apart() {
        // 0.1 as a float is 0.1000000000000000055...
        let tenth = Number::Decimal(Decimal::new(false, 1, 1).unwrap());
        assert!(tenth < Number::Float(0.1));
        assert!(tenth > Number::Float(0.1_f64.next_down()));
        assert!(Number::Decimal(Decimal::new(false, u128::MAX, 0).unwrap()) < Number::Float(ABOVE_DECIMALS));
        assert!(Number::Decimal(Decimal::new(false, 1, 38).unwrap()) > Number::Float(BELOW_DECIMALS));
    }

    #[test]
    fn infinities_and_nan_have_their_places() {
        for number in
            [Number::Int(0), Number::Decimal(Decimal::new(true, u128::MAX, 0).unwrap()), Number::Float(-1e308)]
        {
            assert!(Number::Float(f64::NAN) < Number::Float(f64::NEG_INFINITY));
            assert!(Number::Float(f64::NAN) < number && number > Number::Float(f64::NEG_INFINITY));
            assert!(number < Number::Float(f64::INFINITY));
        }
        assert_eq!(Number::Float(f64::NAN), Number::Float(-f64::NAN));
        assert_eq!(Number::Float(-0.0), Number::Int(0));
    }
}
