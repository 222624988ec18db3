//! How deep values nest.

use crate::value::Value;

/// True if `value` is made of at most `levels` levels of arrays and maps; a scalar has none.
pub(crate) fn nests_within(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(array) => levels > 0 && array.iter().all(|element| nests_within(element, levels - 1)),
        Value::Map(map) => levels > 0 && map.iter().all(|(_, value)| nests_within(value, levels - 1)),
        _ => true,
    }
}
