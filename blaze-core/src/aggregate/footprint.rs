//! How much memory values take.

use crate::value::{Value, Vector};

/// About how many bytes of memory stand behind a value, its own place not counted.
///
/// ```
/// use blaze_core::{Value, aggregate::heap_bytes};
///
/// assert_eq!(heap_bytes(&Value::from(1)), 0);
/// assert!(heap_bytes(&Value::from("Solaris")) >= 7);
/// ```
#[must_use]
pub fn heap_bytes(value: &Value) -> usize {
    match value {
        Value::String(string) => string.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::Vector(Vector::F32(numbers)) => size_of_val(&numbers[..]),
        Value::Vector(Vector::F16(numbers)) => size_of_val(&numbers[..]),
        Value::Vector(Vector::I8(numbers)) => numbers.len(),
        Value::Vector(Vector::Bits(bytes)) => bytes.len(),
        Value::Array(array) => array.iter().map(|element| size_of::<Value>() + heap_bytes(element)).sum(),
        Value::Map(map) => {
            map.iter().map(|(key, value)| size_of::<(String, Value)>() + key.len() + heap_bytes(value)).sum()
        }
        _ => 0,
    }
}
