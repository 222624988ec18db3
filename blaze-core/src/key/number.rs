//! Numbers in index keys: a float that orders almost all of them, and the exact digits of those between two floats.

use super::read::{Reader, UNWRITTEN};
use crate::error::Result;
use crate::value::{Decimal, Number, Value, power_of_ten};

const EXACT: u8 = 0;
const DIGITS: u8 = 1;

/// Appends a number. Ascending: what lies between two floats shares the lower one and is ordered by its digits.
pub(super) fn write(key: &mut Vec<u8>, number: Number) {
    let (floor, exact) = number.floor();
    key.extend_from_slice(&ordered(floor).to_be_bytes());
    key.push(if exact { EXACT } else { DIGITS });
    if !exact {
        let start = key.len();
        write_digits(key, number);
        if floor < 0.0 {
            key[start..].iter_mut().for_each(|byte| *byte = !*byte);
        }
    }
}

/// Bits whose order is that of the floats; NaN gives 0, both zeros the same.
fn ordered(float: f64) -> u64 {
    if float.is_nan() {
        return 0;
    }
    let bits = (float + 0.0).to_bits(); // -0.0 + 0.0 is 0.0
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

fn float_of_ordered(bits: u64) -> f64 {
    match bits {
        0 => f64::NAN,
        _ => f64::from_bits(if bits >> 63 == 1 { bits & !(1 << 63) } else { !bits }),
    }
}

/// The magnitude: bytes of the integer part behind their count, then pairs of digits of the fraction up to a 0.
fn write_digits(key: &mut Vec<u8>, number: Number) {
    let (integer, fraction) = match number {
        Number::Int(int) => (int.unsigned_abs(), 0),
        Number::Decimal(decimal) => {
            let unit = power_of_ten(decimal.scale());
            let padding = power_of_ten(Decimal::SCALE_MAX - decimal.scale());
            (decimal.coefficient() / unit, decimal.coefficient() % unit * padding)
        }
        Number::Float(_) => (0, 0), // never: a float is its own floor
    };
    let bytes = integer.to_be_bytes();
    let zeros = (integer.leading_zeros() / 8) as usize;
    key.push((bytes.len() - zeros) as u8);
    key.extend_from_slice(&bytes[zeros..]);
    let mut rest = fraction;
    for place in (0..Decimal::SCALE_MAX / 2).rev() {
        if rest == 0 {
            break;
        }
        let unit = power_of_ten(place * 2);
        key.push(1 + (rest / unit) as u8);
        rest %= unit;
    }
    key.push(0);
}

/// Reads what [`write`] wrote, and nothing that it would not have written.
pub(super) fn read(reader: &mut Reader<'_>) -> Result<Value> {
    let bits = u64::from_be_bytes(reader.array()?);
    let float = float_of_ordered(bits);
    if ordered(float) != bits {
        return Err(reader.damage(UNWRITTEN));
    }
    match reader.byte()? {
        EXACT => Ok(exact_value(float)),
        DIGITS => {
            let value = read_digits(reader, float < 0.0)?;
            match value.number().map(Number::floor) {
                Some((floor, false)) if floor == float => Ok(value),
                _ => Err(reader.damage("a number whose digits do not follow its float")),
            }
        }
        _ => Err(reader.damage("a number that is neither exact nor has digits")),
    }
}

/// The shortest type for the number.
fn exact_value(float: f64) -> Value {
    let int = float as i64; // saturates
    if int as f64 == float && int != i64::MAX { Value::Int(int) } else { Value::Float(float) }
}

fn read_digits(reader: &mut Reader<'_>, negative: bool) -> Result<Value> {
    let invert = if negative { 0xFF } else { 0x00 };
    if let Some(int) = read_eight_digits(reader, negative) {
        return Ok(int);
    }
    let mut byte = || reader.byte().map(|byte| byte ^ invert);
    let mut integer = 0_u128;
    let length = byte()?;
    for _ in 0..length.min(16) {
        integer = integer << 8 | u128::from(byte()?);
    }
    let (mut fraction, mut scale) = (0_u128, 0_u8);
    let mut canonical = length <= 16 && length == (16 - integer.leading_zeros() / 8) as u8;
    loop {
        match byte()? {
            0 => break,
            pair @ 1..=100 if scale < Decimal::SCALE_MAX => {
                fraction = fraction * 100 + u128::from(pair - 1);
                scale += 2;
            }
            _ => return Err(reader.damage("a number with other than decimal digits")),
        }
    }
    canonical &= scale == 0 || !fraction.is_multiple_of(100);
    if scale > 0 && fraction.is_multiple_of(10) {
        (fraction, scale) = (fraction / 10, scale - 1);
    }
    let coefficient = integer.checked_mul(power_of_ten(scale)).and_then(|whole| whole.checked_add(fraction));
    let decimal = coefficient.and_then(|coefficient| Decimal::new(negative, coefficient, scale));
    let decimal = decimal.filter(|_| canonical).ok_or_else(|| reader.damage("a number with too many digits"))?;
    Ok(integer_value(decimal).unwrap_or(Value::Decimal(decimal)))
}

/// An integer of eight bytes, which is what nearly all are that lie between two floats; nothing else is read.
fn read_eight_digits(reader: &mut Reader<'_>, negative: bool) -> Option<Value> {
    let invert = if negative { 0xFF } else { 0x00 };
    let mut ahead = *reader;
    if ahead.byte().ok()? ^ invert != 8 {
        return None;
    }
    let magnitude = u64::from_be_bytes(ahead.array().ok()?) ^ u64::from_ne_bytes([invert; 8]);
    let is_canonical = magnitude >> 56 != 0 && ahead.byte().ok()? == invert;
    let int = integer_of(negative, magnitude).filter(|_| is_canonical)?;
    *reader = ahead;
    Some(int)
}

/// The decimal as an integer, if it is one in the ranges of `i64` and `u64`.
fn integer_value(decimal: Decimal) -> Option<Value> {
    let magnitude = u64::try_from(decimal.coefficient()).ok().filter(|_| decimal.scale() == 0)?;
    integer_of(decimal.is_negative(), magnitude)
}

fn integer_of(negative: bool, magnitude: u64) -> Option<Value> {
    match negative {
        false => Some(Value::from(magnitude)),
        true => 0_i64.checked_sub_unsigned(magnitude).map(Value::Int),
    }
}

/// Steps over a number without looking at its digits.
pub(super) fn skip(reader: &mut Reader<'_>) -> Result<()> {
    let negative = reader.byte()? < 0x80;
    reader.take(7)?;
    if reader.byte()? == EXACT {
        return Ok(());
    }
    let invert = if negative { 0xFF } else { 0x00 };
    let length = reader.byte()? ^ invert;
    reader.take(usize::from(length))?;
    while reader.byte()? ^ invert != 0 {}
    Ok(())
}
