//! Putting values at a path of a document, and taking them away.

use blaze_core::{Document, Error, Path, Result, Segment, Value};

/// Puts `value` at a path of maps, which are made where they are missing.
pub(super) fn put(document: &mut Document, path: &Path, value: Value) -> Result<()> {
    let Some((last, parents)) = path.segments().split_last() else { return Ok(()) };
    let mut map = document;
    for segment in parents {
        if !map.contains_key(segment.key()) {
            map.insert(segment.key(), Document::new());
        }
        map = match map.get_mut(segment.key()) {
            Some(Value::Map(inner)) => inner,
            other => {
                let (key, type_name) = (segment.key(), other.map_or("nothing", |value| value.type_name()));
                return Err(Error::invalid(format!("at {path}, step {key:?} leads to {type_name}, a map is needed")));
            }
        };
    }
    map.insert(last.key(), value);
    Ok(())
}

/// Replaces what stands at a path of maps; does nothing where there is nothing.
pub(super) fn replace(document: &mut Document, path: &Path, value: Value) {
    if let Some(place) = place(document, path) {
        *place = value;
    }
}

/// What stands at a path of maps: nothing fans out.
pub(super) fn place<'a>(document: &'a mut Document, path: &Path) -> Option<&'a mut Value> {
    let (first, rest) = path.segments().split_first()?;
    rest.iter().try_fold(document.get_mut(first.key())?, |value, segment| match value {
        Value::Map(map) => map.get_mut(segment.key()),
        _ => None,
    })
}

/// Removes the field at a path, going on in each map of an array.
pub(super) fn remove(document: &mut Document, segments: &[Segment]) {
    match segments {
        [] => {}
        [last] => {
            document.remove(last.key());
        }
        [first, rest @ ..] => match document.get_mut(first.key()) {
            Some(Value::Map(map)) => remove(map, rest),
            Some(Value::Array(array)) => array.iter_mut().for_each(|element| {
                if let Value::Map(map) = element {
                    remove(map, rest);
                }
            }),
            _ => {}
        },
    }
}
