//! Updates: changes to single fields of a document.
//!
//! An [`Update`] is a list of changes; a change is a [`Path`] and an [`Operator`]. Unlike in filters, a path names one
//! place: nothing fans out, unless a step says so.
//!
//! | the path meets | rule |
//! |---|---|
//! | a missing field on its way | what *creates* (`set`, `set_now`, `set_on_insert`, `inc`, `mul`, `min`, `max`, `push`, `add_to_set`) puts a map there, whatever the next step; the others have nothing to do |
//! | an array | the step must be a number: an element, or at the array's length a new one behind it |
//! | a number above the array's length | an error for what creates; the others have nothing to do |
//! | anything else on its way, null included | an error |
//! | the step `$[]` | the change is made in every element of the array there |
//! | the step `$[name]` | the change is made in the elements that match the [array filter](Update::array_filter) of that name |
//! | a step `$[]` or `$[name]`, and anything but an array | an error; if nothing is there and the operator does not create, there is nothing to do |
//!
//! At its end the path meets a value, or none:
//!
//! | operator | missing | null | wrong type |
//! |---|---|---|---|
//! | `set`, `set_now`, `set_on_insert` | put there | replaced | any type is replaced |
//! | `unset` | nothing to do | removed | any type is removed from a map; in an array, an error |
//! | `rename` | nothing to do, the other name keeps its value | moved | as `unset` at the old and `set` at the new name |
//! | `inc` | the number is put there | an error | an error |
//! | `mul` | 0 is put there | an error | an error |
//! | `min`, `max` | the value is put there | compared: null is below all other values | compared by the order of [`Value`]: every number is below every string |
//! | `push`, `push_each`, `add_to_set` | an array is put there | an error | an error |
//! | `pop_first`, `pop_last` | nothing to do, as with an empty array | an error | an error |
//! | `pull`, `pull_where` | nothing to do | an error | an error |
//!
//! Elements are chosen, and array filters asked, in the document as it was before the update. Two changes that touch one
//! place, or of which one touches a part of the other's, are refused: there would be no right order.
//!
//! [`Value`]: crate::Value

mod apply;
mod array;
mod builders;
mod element;
mod json;
pub(crate) mod number;
mod operator;
mod overlap;
mod push;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use builders::{
    add_each_to_set, add_to_set, inc, max, min, mul, pop_first, pop_last, pull, pull_where, push, push_each, rename,
    set, set_now, set_on_insert, unset,
};
pub use operator::Operator;
pub use push::Push;

use element::{ElementStep, Places, Search};

use crate::document::Document;
use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::limits::{NESTING_MAX, UPDATE_CHANGES_MAX};
use crate::path::Path;
use crate::value::Time;

/// A list of changes that are made together or not at all. The [module](self) says what each does.
///
/// ```
/// use blaze_core::{Document, Value, inc, set, unset};
///
/// let mut film = Document::new().with("title", "Solaris").with("draft", true);
/// let changed = set("director.name", "Tarkovsky").inc("views", 1).and(unset("draft")).apply(&mut film)?;
/// assert!(changed);
/// assert_eq!(film.get("views"), Some(&Value::Int(1)));
/// assert_eq!(film.keys().collect::<Vec<_>>(), ["title", "director", "views"]);
/// # Ok::<(), blaze_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Update {
    changes: Vec<(Path, Operator)>,
    array_filters: Vec<(String, Filter)>,
}

impl Update {
    /// Also makes the changes of `other`, with its array filters.
    #[must_use]
    pub fn and(mut self, other: Update) -> Update {
        self.changes.extend(other.changes);
        for (name, filter) in other.array_filters {
            self = self.array_filter(name, filter);
        }
        self
    }

    /// Says which elements the step `$[name]` chooses in the paths of this update.
    ///
    /// [`element`](crate::filter::element) names the element itself; paths go on in elements that are maps. A name is
    /// made of letters, digits and `_`, a letter first, and some path must use it.
    ///
    /// ```
    /// use blaze_core::{Document, Path, Value, field, set, traverse};
    ///
    /// let reel = |minutes: i64| Document::new().with("minutes", minutes);
    /// let mut film = Document::new().with("reels", [reel(20), reel(95)]);
    /// set("reels.$[long].split", true).array_filter("long", field("minutes").gt(60)).apply(&mut film)?;
    /// assert_eq!(traverse::get(&film, &Path::from("reels.1.split")), Some(&Value::Bool(true)));
    /// assert!(traverse::get(&film, &Path::from("reels.0.split")).is_none());
    /// # Ok::<(), blaze_core::Error>(())
    /// ```
    #[must_use]
    pub fn array_filter(mut self, name: impl Into<String>, filter: impl Into<Filter>) -> Update {
        let array_filter = (name.into(), filter.into());
        if !self.array_filters.contains(&array_filter) {
            self.array_filters.push(array_filter);
        }
        self
    }

    /// The changes in order.
    pub fn changes(&self) -> impl ExactSizeIterator<Item = (&Path, &Operator)> {
        self.changes.iter().map(|(path, operator)| (path, operator))
    }

    /// The array filters with their names, in the order in which they were added.
    pub fn array_filters(&self) -> impl ExactSizeIterator<Item = (&str, &Filter)> {
        self.array_filters.iter().map(|(name, filter)| (name.as_str(), filter))
    }

    /// Checks what can be checked without a document: paths and operands, that no two changes overlap, that no value
    /// would be nested too deep, and that array filters and the steps that name them go together.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid), [`LimitExceeded`](crate::ErrorKind::LimitExceeded).
    pub fn validate(&self) -> Result<()> {
        self.check().map(drop)
    }

    /// Changes `document` and says whether that made a difference, be it only in the type of a number.
    ///
    /// After an error the document is as it was. Takes time linear in the document for each step `$[]` or `$[name]`, and
    /// else once. [`set_on_insert`] does nothing here.
    ///
    /// # Errors
    /// As [`validate`](Update::validate); [`Invalid`](crate::ErrorKind::Invalid) where a path, a number or an array
    /// does not fit the document, and for [`set_now`], which needs [`apply_at`](Update::apply_at);
    /// [`LimitExceeded`](crate::ErrorKind::LimitExceeded) where a value would be nested too deep, or more than
    /// [`UPDATE_ELEMENTS_MAX`](crate::limits::UPDATE_ELEMENTS_MAX) elements are chosen.
    pub fn apply(&self, document: &mut Document) -> Result<bool> {
        self.make_changes(document, None, false)
    }

    /// As [`apply`](Update::apply), at the time `now`, which [`set_now`] puts down.
    ///
    /// ```
    /// use blaze_core::{Document, Time, Value, set_now};
    ///
    /// let mut film = Document::new();
    /// let now: Time = "2026-01-01T00:00:00Z".parse()?;
    /// set_now("seen").apply_at(&mut film, now)?;
    /// assert_eq!(film.get("seen"), Some(&Value::Time(now)));
    /// # Ok::<(), blaze_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`apply`](Update::apply).
    pub fn apply_at(&self, document: &mut Document, now: Time) -> Result<bool> {
        self.make_changes(document, Some(now), false)
    }

    /// As [`apply_at`](Update::apply_at), for the document that an upsert is about to insert, since none is there: all
    /// changes are made as on any document, those of [`set_on_insert`] too.
    ///
    /// `document` holds what the upsert starts from: nothing, or the fields that its filter asks to be equal.
    ///
    /// ```
    /// use blaze_core::{Document, Time, inc};
    ///
    /// let update = inc("views", 1).set_on_insert("title", "Solaris");
    /// let mut film = Document::new();
    /// update.insert_into(&mut film, Time::from_micros(0))?;
    /// update.apply_at(&mut film.with("title", "Stalker"), Time::from_micros(0))?; // keeps that title
    /// # Ok::<(), blaze_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`apply`](Update::apply).
    pub fn insert_into(&self, document: &mut Document, now: Time) -> Result<bool> {
        self.make_changes(document, Some(now), true)
    }

    fn make_changes(&self, document: &mut Document, now: Option<Time>, inserting: bool) -> Result<bool> {
        let may_meet = self.check()?;
        let mut search = Search::new(&self.array_filters);
        let mut changes: Vec<(&Path, &Operator, Places)> = Vec::with_capacity(self.changes.len());
        for (path, operator) in &self.changes {
            if inserting || !matches!(operator, Operator::SetOnInsert(_)) {
                let places = search.places(document, path, operator.creates());
                changes.push((path, operator, places.map_err(|error| in_change(error, path, operator))?));
            }
        }
        if may_meet {
            let one = Places::one();
            let targets = changes.iter().filter_map(|(_, operator, _)| match operator {
                Operator::Rename(to) => Some((to, &one)),
                _ => None,
            });
            let reached = changes.iter().map(|(path, _, places)| (*path, places));
            overlap::refuse_overlapping_places(reached.chain(targets))?;
        }
        let mut next = document.clone();
        let mut changed = false;
        for (path, operator, places) in &changes {
            for chosen in places.iter() {
                let done = apply::apply(&mut next, &element::resolve(path, chosen), operator, now);
                changed |= done.map_err(|error| in_change(error, path, operator))?;
            }
        }
        *document = next;
        Ok(changed)
    }

    /// As [`validate`](Update::validate); says whether changes may still meet, in elements that array filters choose.
    fn check(&self) -> Result<bool> {
        self.check_count()?;
        for (path, operator) in &self.changes {
            self.check_change(path, operator).map_err(|error| in_change(error, path, operator))?;
        }
        self.check_array_filters()?;
        overlap::refuse_overlaps(&self.paths())
    }

    fn check_count(&self) -> Result<()> {
        let changes = self.changes.len();
        if changes <= UPDATE_CHANGES_MAX {
            return Ok(());
        }
        Err(Error::limit_exceeded(format!("update has {changes} changes, the limit is {UPDATE_CHANGES_MAX}")))
    }

    /// The paths of all changes, the new names of what is renamed among them.
    fn paths(&self) -> Vec<&Path> {
        let mut paths = Vec::with_capacity(self.changes.len());
        for (path, operator) in &self.changes {
            paths.push(path);
            if let Operator::Rename(to) = operator {
                paths.push(to);
            }
        }
        paths
    }

    fn check_change(&self, path: &Path, operator: &Operator) -> Result<()> {
        path.validate()?;
        operator.validate(path.segments().len())?;
        if let Operator::Rename(to) = operator {
            let mut steps = path.segments().iter().chain(to.segments());
            if let Some(step) = steps.find(|step| ElementStep::of(step).is_some()) {
                return Err(Error::invalid(format!("step {:?} cannot stand in a rename", step.key())));
            }
        }
        match element::names(path).find(|name| self.array_filters.iter().all(|(known, _)| known != name)) {
            Some(name) => Err(Error::invalid(format!("step \"$[{name}]\" has no array filter of its name"))),
            None => Ok(()),
        }
    }

    fn check_array_filters(&self) -> Result<()> {
        for (position, (name, filter)) in self.array_filters.iter().enumerate() {
            operator::validate_name(name)?;
            filter.validate_on_elements().map_err(|error| error.context(format!("array filter {name}")))?;
            if self.array_filters[..position].iter().any(|(earlier, _)| earlier == name) {
                return Err(Error::invalid(format!("two array filters have the name {name}")));
            }
            if !self.changes.iter().any(|(path, _)| element::names(path).any(|used| used == name)) {
                return Err(Error::invalid(format!("array filter {name} is used by no path")));
            }
        }
        Ok(())
    }

    fn change(mut self, path: Path, operator: Operator) -> Update {
        self.changes.push((path, operator));
        self
    }
}

fn in_change(error: Error, path: &Path, operator: &Operator) -> Error {
    match operator {
        Operator::Rename(to) => error.context(format!("rename {path} to {to}")),
        _ => error.context(format!("{} {path}", operator.name())),
    }
}

fn too_deep() -> Error {
    Error::limit_exceeded(format!("value nests the document deeper than {NESTING_MAX} levels"))
}
