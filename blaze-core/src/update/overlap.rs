//! Changes that would touch one place: no order of theirs is the right one, so they are refused.

use super::element::{ElementStep, Places};
use crate::error::{Error, Result};
use crate::path::{Path, Segment};

/// How the places of two paths lie to one another.
#[derive(Clone, Copy, PartialEq)]
enum Relation {
    Apart,
    /// One is in the other, or may be whatever the array filters say.
    Overlapping,
    /// Depends upon which elements match the array filters.
    Open,
}

/// Refuses paths that overlap, and says whether that of some depends upon the document.
pub(super) fn refuse_overlaps(paths: &[&Path]) -> Result<bool> {
    let mut sorted = paths.to_vec();
    sorted.sort_unstable();
    // A path that another one begins with stands right before the first of those that begin with it.
    for pair in sorted.windows(2) {
        if pair[1].segments().starts_with(pair[0].segments()) {
            return Err(overlap(pair[0], pair[1]));
        }
    }
    let mut is_open = false;
    for (position, path) in sorted.iter().enumerate() {
        let chooses = path.segments().iter().any(|segment| ElementStep::of(segment).is_some());
        for other in sorted.iter().enumerate().filter(|(other, _)| chooses && *other != position) {
            match relation(path.segments(), other.1.segments()) {
                Relation::Overlapping => return Err(overlap(path, other.1)),
                Relation::Open => is_open = true,
                Relation::Apart => {}
            }
        }
    }
    Ok(is_open)
}

fn overlap(left: &Path, right: &Path) -> Error {
    Error::invalid(format!("two changes overlap in one update: {left} and {right}"))
}

fn relation(left: &[Segment], right: &[Segment]) -> Relation {
    let mut relation = Relation::Overlapping;
    for (left, right) in left.iter().zip(right) {
        relation = match (ElementStep::of(left), ElementStep::of(right)) {
            _ if left == right => relation,
            (Some(ElementStep::Every), Some(_)) | (Some(_), Some(ElementStep::Every)) => relation,
            (Some(ElementStep::Every), None) if right.index().is_some() => relation,
            (None, Some(ElementStep::Every)) if left.index().is_some() => relation,
            (Some(_), Some(_)) => Relation::Open,
            (Some(_), None) if right.index().is_some() => Relation::Open,
            (None, Some(_)) if left.index().is_some() => Relation::Open,
            _ => return Relation::Apart,
        };
    }
    relation
}

/// A step of a place, its element chosen.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Step<'a> {
    Element(usize),
    Key(&'a str),
}

type Place<'a> = (&'a Path, &'a [usize]);

fn steps<'a>((path, chosen): Place<'a>) -> impl Iterator<Item = Step<'a>> {
    let mut chosen = chosen.iter();
    path.segments().iter().map(move |segment| match ElementStep::of(segment) {
        Some(_) => Step::Element(chosen.next().copied().unwrap_or_default()),
        None => segment.index().map_or(Step::Key(segment.key()), Step::Element),
    })
}

/// Refuses changes of which the elements they have chosen overlap.
pub(super) fn refuse_overlapping_places<'a>(changes: impl Iterator<Item = (&'a Path, &'a Places)>) -> Result<()> {
    let mut places: Vec<Place<'_>> =
        changes.flat_map(|(path, places)| places.iter().map(move |chosen| (path, chosen))).collect();
    places.sort_unstable_by(|left, right| steps(*left).cmp(steps(*right)));
    for pair in places.windows(2) {
        let inside = pair[0].0.segments().len() <= pair[1].0.segments().len();
        if inside && steps(pair[0]).zip(steps(pair[1])).all(|(left, right)| left == right) {
            let place = Path::from_keys(steps(pair[0]).map(|step| match step {
                Step::Element(index) => index.to_string(),
                Step::Key(key) => key.to_owned(),
            }));
            let error = overlap(pair[0].0, pair[1].0);
            return Err(Error::invalid(format!("{error} both reach {place}")));
        }
    }
    Ok(())
}
