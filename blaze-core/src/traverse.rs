//! Following a [`Path`] through a decoded [`Document`]; raw records follow it by the same rules.

use crate::document::Document;
use crate::path::{Path, Segment};
use crate::value::Value;

/// The one value at `path`, where a number chooses an element of an array and nothing fans out.
///
/// ```
/// use blaze_core::{Document, Path, Value, traverse};
///
/// let film = Document::new().with("cast", vec![Value::from("Natalya Bondarchuk"), Value::from("Donatas Banionis")]);
/// let second = traverse::get(&film, &Path::from("cast.1"));
/// assert_eq!(second.and_then(Value::as_str), Some("Donatas Banionis"));
/// ```
#[must_use]
pub fn get<'a>(document: &'a Document, path: &Path) -> Option<&'a Value> {
    let (first, rest) = path.segments().split_first()?;
    rest.iter().try_fold(document.get(first.key())?, |value, segment| match value {
        Value::Map(map) => map.get(segment.key()),
        Value::Array(array) => array.get(segment.index()?),
        _ => None,
    })
}

/// Calls `visit` with each value that `path` reaches, in the order of the document.
///
/// A step takes the key of a map. On an array it goes on in every element that is a map, after the one element that
/// it chooses if it is a number. The last value is reported as it is, an array as one value.
///
/// ```
/// use blaze_core::{Document, Path, Value, traverse};
///
/// let person = |name| Value::from(Document::new().with("name", name));
/// let film = Document::new().with("cast", vec![person("Bondarchuk"), person("Banionis")]);
/// let mut names = Vec::new();
/// traverse::visit(&film, &Path::from("cast.name"), &mut |name| names.extend(name.as_str()));
/// assert_eq!(names, ["Bondarchuk", "Banionis"]);
/// ```
pub fn visit<'a>(document: &'a Document, path: &Path, visit: &mut dyn FnMut(&'a Value)) {
    if let Some((first, rest)) = path.segments().split_first() {
        visit_map(document, first, rest, visit);
    }
}

fn visit_map<'a>(map: &'a Document, first: &Segment, rest: &[Segment], visit: &mut dyn FnMut(&'a Value)) {
    if let Some(value) = map.get(first.key()) {
        visit_value(value, rest, visit);
    }
}

fn visit_value<'a>(value: &'a Value, segments: &[Segment], visit: &mut dyn FnMut(&'a Value)) {
    let Some((first, rest)) = segments.split_first() else { return visit(value) };
    match value {
        Value::Map(map) => visit_map(map, first, rest, visit),
        Value::Array(array) => {
            if let Some(element) = first.index().and_then(|index| array.get(index)) {
                visit_value(element, rest, visit);
            }
            for map in array.iter().filter_map(Value::as_map) {
                visit_map(map, first, rest, visit);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reached(document: &Document, path: &str) -> Vec<i64> {
        let mut reached = Vec::new();
        visit(document, &Path::from(path), &mut |value| reached.push(value.as_i64().unwrap_or(-1)));
        reached
    }

    #[test]
    fn a_number_chooses_an_element_and_still_names_a_key() {
        let keyed = Document::new().with("0", 7).with("b", 8);
        let document = Document::new().with("a", vec![Value::from(Document::new().with("b", 1)), Value::from(keyed)]);
        assert_eq!(reached(&document, "a.b"), [1, 8]);
        assert_eq!(reached(&document, "a.0.b"), [1], "the key 0 holds a number, not a map");
        assert_eq!(reached(&document, "a.0"), [-1, 7], "the first element, then the key 0 of the second");
        assert_eq!(reached(&document, "a.2"), [0; 0]);
    }

    #[test]
    fn elements_that_are_arrays_are_not_entered_without_a_number() {
        let inner = Value::from(vec![Value::from(Document::new().with("b", 1))]);
        let document = Document::new().with("a", vec![inner]);
        assert_eq!(reached(&document, "a.b"), [0; 0]);
        assert_eq!(reached(&document, "a.0.b"), [1]);
    }

    #[test]
    fn get_never_fans_out() {
        let element = Value::from(Document::new().with("b", 1));
        let document = Document::new().with("a", vec![element]);
        assert!(get(&document, &Path::from("a.b")).is_none());
        assert_eq!(get(&document, &Path::from("a.0.b")).and_then(Value::as_i64), Some(1));
    }
}
