//! The right answers, found by looking at every document and comparing JSON values: slow, simple, and no engine's code.

use std::cmp::Ordering;

use serde_json::{Map, Number, Value as Json};

use crate::engine::{Condition, Find, Operator};

/// Where a path leads in a document, if it leads anywhere. An error says that it leads into the elements of an array, or
/// asks for an element of an object: products do not agree about what that means.
pub(super) fn at<'a>(document: &'a Map<String, Json>, path: &str) -> Result<Option<&'a Json>, String> {
    let mut steps = path.split('.');
    let first = steps.next().unwrap_or_default();
    let mut value = in_object(document, first)?;
    for step in steps {
        value = match value {
            Some(Json::Object(object)) => in_object(object, step)?,
            Some(Json::Array(array)) => match index(step) {
                Some(index) => array.get(index),
                None => {
                    return Err(format!(
                        "{step:?} in {path} leads into an array; a number chooses one of its elements"
                    ));
                }
            },
            _ => return Ok(None),
        };
    }
    Ok(value)
}

fn in_object<'a>(object: &'a Map<String, Json>, step: &str) -> Result<Option<&'a Json>, String> {
    match index(step) {
        Some(_) => Err(format!("{step} chooses an element, but what is there is no array")),
        None => Ok(object.get(step)),
    }
}

/// The element that a step chooses.
fn index(step: &str) -> Option<usize> {
    let is_number = step.bytes().all(|byte| byte.is_ascii_digit()) && (step == "0" || !step.starts_with('0'));
    if is_number { step.parse().ok() } else { None }
}

/// True if `document` satisfies every condition.
pub(super) fn matches(document: &Map<String, Json>, conditions: &[Condition]) -> Result<bool, String> {
    for Condition { path, is, value, .. } in conditions {
        let Some(found) = at(document, path)? else { return Ok(false) };
        let equal = |element: &Json| compare(element, value) == Some(Ordering::Equal);
        let ordering = compare(found, value);
        let holds = match is {
            Operator::Eq => ordering.is_some_and(Ordering::is_eq),
            Operator::Lt => ordering.is_some_and(Ordering::is_lt),
            Operator::Le => ordering.is_some_and(Ordering::is_le),
            Operator::Gt => ordering.is_some_and(Ordering::is_gt),
            Operator::Ge => ordering.is_some_and(Ordering::is_ge),
            Operator::Contains => found.as_array().is_some_and(|array| array.iter().any(equal)),
        };
        if !holds {
            return Ok(false);
        }
    }
    Ok(true)
}

/// True if some products take `value` for one of the type of the condition's: booleans for numbers, the JSON of arrays
/// and objects for strings.
pub(super) fn is_mistakable(value: &Json, condition: &Condition) -> bool {
    match condition.value {
        Json::String(_) => value.is_array() || value.is_object(),
        _ => value.is_boolean(),
    }
}

/// The order of two numbers or of two strings; others have none.
fn compare(left: &Json, right: &Json) -> Option<Ordering> {
    match (left, right) {
        (Json::Number(left), Json::Number(right)) => Some(compare_numbers(left, right)),
        (Json::String(left), Json::String(right)) => Some(left.as_bytes().cmp(right.as_bytes())),
        _ => None,
    }
}

/// By their exact values: an integer of 64 bits is not rounded to a float.
fn compare_numbers(left: &Number, right: &Number) -> Ordering {
    match (left.as_i128(), right.as_i128()) {
        (Some(left), Some(right)) => left.cmp(&right),
        (Some(left), None) => compare_with_float(left, float(right)),
        (None, Some(right)) => compare_with_float(right, float(left)).reverse(),
        (None, None) => float(left).total_cmp(&float(right)),
    }
}

fn float(number: &Number) -> f64 {
    number.as_f64().unwrap_or_default() + 0.0 // −0 is 0
}

fn compare_with_float(integer: i128, float: f64) -> Ordering {
    // Floats beyond the range of i128 are cut to its ends, which no integer of JSON reaches.
    let whole = float.trunc() as i128;
    integer.cmp(&whole).then(0.0_f64.total_cmp(&(float - float.trunc() + 0.0)))
}

/// A value as an order sees it.
#[derive(Clone, Debug)]
pub(super) enum SortKey {
    /// Null, or missing.
    Nothing,
    /// Any number.
    Number(Number),
    /// By its bytes.
    String(String),
}

impl SortKey {
    /// The key of what was found at the path of an order; an error for what has no place in one.
    pub(super) fn of(found: Option<&Json>) -> Result<SortKey, String> {
        match found {
            None | Some(Json::Null) => Ok(SortKey::Nothing),
            Some(Json::Number(number)) => Ok(SortKey::Number(number.clone())),
            Some(Json::String(string)) => Ok(SortKey::String(string.clone())),
            Some(Json::Bool(_)) => Err("booleans have no place in an order".to_owned()),
            Some(Json::Array(_) | Json::Object(_)) => Err("arrays and objects have no place in an order".to_owned()),
        }
    }

    pub(super) fn compare(&self, other: &SortKey) -> Ordering {
        match (self, other) {
            (SortKey::Number(left), SortKey::Number(right)) => compare_numbers(left, right),
            (SortKey::String(left), SortKey::String(right)) => left.as_bytes().cmp(right.as_bytes()),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            SortKey::Nothing => 0,
            SortKey::Number(_) => 1,
            SortKey::String(_) => 2,
        }
    }

    /// Equal keys have equal texts.
    fn text(&self) -> String {
        match self {
            SortKey::Nothing => String::new(),
            SortKey::Number(number) => match number.as_i128() {
                Some(integer) => format!("n{integer}"),
                None if float(number).fract() == 0.0 => format!("n{:.0}", float(number)),
                None => format!("n{}", float(number)),
            },
            SortKey::String(string) => format!("s{string}"),
        }
    }
}

/// What the rows of an answer add up to, as far as all right answers agree: which documents there are, where nothing is
/// cut off; the values by which they are ordered, where there is an order; their number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) rows: u64,
    pub(super) sum: u64,
}

impl Tally {
    /// Adds a row of the answer to `find`.
    pub(super) fn add(&mut self, find: &Find, id: &str, document: &Map<String, Json>) -> Result<(), String> {
        match &find.sort {
            Some(sort) => self.add_key(&SortKey::of(at(document, &sort.path)?)?),
            None => self.add_id(find, id),
        }
        Ok(())
    }

    /// Adds a row where there is no order.
    pub(super) fn add_id(&mut self, find: &Find, id: &str) {
        self.rows += 1;
        if find.limit.is_none() && find.skip == 0 {
            self.sum = self.sum.wrapping_add(hash(id));
        }
    }

    /// Adds the next row of an order.
    pub(super) fn add_key(&mut self, key: &SortKey) {
        self.rows += 1;
        self.sum = self.sum.rotate_left(5).wrapping_add(hash(&key.text()));
    }

    /// Both in one number.
    pub(super) fn checksum(self) -> u64 {
        self.sum.wrapping_mul(31).wrapping_add(self.rows)
    }
}

/// FNV-1a, with its bits mixed so that sums of it differ.
fn hash(text: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
    let hash = text.bytes().fold(0xCBF2_9CE4_8422_2325, step);
    (hash ^ hash >> 32).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}
