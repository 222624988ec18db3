//! What updates do to the elements of an array. Each function says whether it made a difference.

use std::collections::HashSet;

use crate::value::Value;

pub(super) fn pop_first(array: &mut Vec<Value>) -> bool {
    if array.is_empty() {
        return false;
    }
    array.remove(0);
    true
}

pub(super) fn pull(array: &mut Vec<Value>, unwanted: impl Fn(&Value) -> bool) -> bool {
    let length = array.len();
    array.retain(|element| !unwanted(element));
    array.len() < length
}

/// Appends those of `values` that equal neither an element nor one another. Takes time linear in both.
pub(super) fn add_to_set(array: &mut Vec<Value>, values: &[Value]) -> bool {
    if let [value] = values {
        let missing = !array.contains(value);
        array.extend(missing.then(|| value.clone()));
        return missing;
    }
    let mut known: HashSet<&Value> = array.iter().collect();
    let missing: Vec<Value> = values.iter().filter(|value| known.insert(value)).cloned().collect();
    drop(known);
    let length = array.len();
    array.extend(missing);
    array.len() > length
}
