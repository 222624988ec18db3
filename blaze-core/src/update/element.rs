//! Steps that choose elements of an array: `$[]` and `$[name]`.

use std::borrow::Cow;

use crate::document::Document;
use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::limits::UPDATE_ELEMENTS_MAX;
use crate::path::{Path, Segment};
use crate::value::Value;

/// A step that stands for several elements.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum ElementStep<'a> {
    Every,
    /// Those that match the array filter of this name.
    Matching(&'a str),
}

impl ElementStep<'_> {
    /// What `segment` chooses, unless it is a key or an index.
    pub(super) fn of(segment: &Segment) -> Option<ElementStep<'_>> {
        let name = segment.key().strip_prefix("$[")?.strip_suffix(']')?;
        Some(if name.is_empty() { ElementStep::Every } else { ElementStep::Matching(name) })
    }
}

/// The names in the steps of `path`.
pub(super) fn names(path: &Path) -> impl Iterator<Item = &str> {
    path.segments().iter().filter_map(|segment| match ElementStep::of(segment) {
        Some(ElementStep::Matching(name)) => Some(name),
        _ => None,
    })
}

/// The places that a path names in one document: for each, the index that each of its element steps takes.
pub(super) struct Places {
    /// How many element steps the path has.
    width: usize,
    count: usize,
    indexes: Vec<usize>,
}

impl Places {
    /// Of a path without element steps.
    pub(super) fn one() -> Places {
        Places { width: 0, count: 1, indexes: Vec::new() }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[usize]> {
        (0..self.count).map(|place| &self.indexes[place * self.width..(place + 1) * self.width])
    }
}

/// The steps of `path` with the `chosen` elements in the place of its element steps.
pub(super) fn resolve<'a>(path: &'a Path, chosen: &[usize]) -> Cow<'a, [Segment]> {
    if chosen.is_empty() {
        return Cow::Borrowed(path.segments());
    }
    let mut chosen = chosen.iter();
    let step = |segment: &Segment| match ElementStep::of(segment) {
        Some(_) => chosen.next().map_or_else(|| segment.clone(), |index| Segment::element(*index)),
        None => segment.clone(),
    };
    path.segments().iter().map(step).collect()
}

/// Finds the places of paths, in the document as it is before the first change.
pub(super) struct Search<'a> {
    pub(super) filters: &'a [(String, Filter)],
    /// How many more elements may be chosen.
    pub(super) elements_left: usize,
}

impl<'a> Search<'a> {
    pub(super) fn new(filters: &'a [(String, Filter)]) -> Search<'a> {
        Search { filters, elements_left: UPDATE_ELEMENTS_MAX }
    }

    /// The places of `path`. Where the way to an array is missing, there are none, unless something is to be put there.
    pub(super) fn places(&mut self, document: &Document, path: &Path, creates: bool) -> Result<Places> {
        let width = path.segments().iter().filter(|segment| ElementStep::of(segment).is_some()).count();
        // What comes behind the last of them is none of the search's business.
        let Some(last) = path.segments().iter().rposition(|segment| ElementStep::of(segment).is_some()) else {
            return Ok(Places::one());
        };
        let places = Places { width, count: 0, indexes: Vec::new() };
        let mut walk = Walk { search: self, creates, chosen: Vec::with_capacity(width), places };
        match path.segments()[..=last].split_first() {
            Some((first, _)) if ElementStep::of(first).is_some() => {
                let key = first.key();
                return Err(Error::invalid(format!("step {key:?} meets the document itself, which has no elements")));
            }
            Some((first, rest)) => walk.go_on(document.get(first.key()), first, rest)?,
            None => {}
        }
        Ok(walk.places)
    }

    fn matches(&self, step: ElementStep<'_>, element: &Value) -> bool {
        match step {
            ElementStep::Every => true,
            ElementStep::Matching(name) => {
                self.filters.iter().any(|(known, filter)| known == name && filter.matches_element(element))
            }
        }
    }
}

struct Walk<'a, 'f> {
    search: &'a mut Search<'f>,
    creates: bool,
    /// The elements chosen on the way.
    chosen: Vec<usize>,
    places: Places,
}

impl Walk<'_, '_> {
    /// Follows `steps` from `value`, to which the step `from` has led.
    fn go_on(&mut self, value: Option<&Value>, from: &Segment, steps: &[Segment]) -> Result<()> {
        let Some((step, rest)) = steps.split_first() else {
            self.places.count += 1;
            self.places.indexes.extend(&self.chosen);
            return Ok(());
        };
        let Some(value) = value else { return self.missing(steps) };
        let (key, type_name) = (step.key(), value.type_name());
        match (ElementStep::of(step), value) {
            (Some(choice), Value::Array(array)) => self.choose(choice, array, step, rest),
            (Some(_), _) => Err(Error::invalid(format!("step {key:?} meets a {type_name}, which has no elements"))),
            (None, Value::Map(map)) => self.go_on(map.get(key), step, rest),
            (None, Value::Array(array)) => self.go_on(array.get(super::apply::index(step)?), step, rest),
            (None, _) => {
                let key = from.key();
                Err(Error::invalid(format!("step {key:?} leads to a {type_name}, which has no fields")))
            }
        }
    }

    fn choose(&mut self, choice: ElementStep<'_>, array: &[Value], step: &Segment, rest: &[Segment]) -> Result<()> {
        for (index, element) in array.iter().enumerate() {
            if !self.search.matches(choice, element) {
                continue;
            }
            self.search.elements_left = self.search.elements_left.checked_sub(1).ok_or_else(|| {
                Error::limit_exceeded(format!("the update chooses more than {UPDATE_ELEMENTS_MAX} elements"))
            })?;
            self.chosen.push(index);
            self.go_on(Some(element), step, rest)?;
            self.chosen.pop();
        }
        Ok(())
    }

    fn missing(&self, steps: &[Segment]) -> Result<()> {
        match steps.iter().find(|step| ElementStep::of(step).is_some()) {
            Some(step) if self.creates => {
                let key = step.key();
                Err(Error::invalid(format!("step {key:?} needs an array, and there is nothing")))
            }
            _ => Ok(()),
        }
    }
}
