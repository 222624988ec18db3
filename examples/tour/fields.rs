//! What the documents of a file have in common: their fields, and which of them deserve an index.

use std::collections::{BTreeMap, HashMap, HashSet};

use blaze::{Document, Value};

use crate::checksum::{Checksum, mix};
use crate::terminal::grouped;

/// Distinct values that are counted; beyond, a field has "many".
const DISTINCT_MAX: usize = 100_000;
const FIELDS_MAX: usize = 64;
const NESTING_MAX: usize = 4;

/// Strings this long on average are read, not looked up.
const TEXT_BYTES: u64 = 60;

/// What was seen of one field.
#[derive(Default)]
pub(crate) struct Field {
    pub(crate) path: String,
    /// Documents that have it.
    pub(crate) present: u64,
    types: BTreeMap<&'static str, u64>,
    /// Of the elements, for a field that is an array.
    element_types: BTreeMap<&'static str, u64>,
    elements: u64,
    distinct: HashSet<u64>,
    scalars: u64,
    dates: u64,
    string_bytes: u64,
    /// One of its values, each with the same chance; for an array, one of the elements.
    pub(crate) example: Option<Value>,
}

/// What a field is good for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// Short strings, integers, booleans: one asks for a value.
    Lookup,
    /// Numbers and dates: one asks for a range and sorts.
    Range,
    /// Arrays: one asks what an array contains.
    Contains,
    /// Long strings: one asks for similar ones.
    Text,
    Nothing,
}

/// The fields in the order in which they appear.
#[derive(Default)]
pub(crate) struct Fields {
    pub(crate) documents: u64,
    pub(crate) fields: Vec<Field>,
    places: HashMap<String, usize>,
    /// More fields than are listed.
    pub(crate) unlisted: bool,
}

impl Fields {
    /// Takes note of a document.
    pub(crate) fn observe(&mut self, document: &Document) {
        self.documents += 1;
        self.observe_map(document, "", 1);
    }

    fn observe_map(&mut self, document: &Document, prefix: &str, depth: usize) {
        for (key, value) in document.iter() {
            if key.contains('.') || key.is_empty() {
                self.unlisted = true; // a dot separates the parts of a path
                continue;
            }
            let path = format!("{prefix}{key}");
            match value {
                Value::Map(map) if depth < NESTING_MAX => self.observe_map(map, &format!("{path}."), depth + 1),
                _ => {
                    if let Some(field) = self.field(path) {
                        field.observe(value);
                    }
                }
            }
        }
    }

    fn field(&mut self, path: String) -> Option<&mut Field> {
        let place = match self.places.get(&path) {
            Some(&place) => place,
            None if self.fields.len() >= FIELDS_MAX => {
                self.unlisted = true;
                return None;
            }
            None => {
                self.fields.push(Field { path: path.clone(), ..Field::default() });
                self.places.insert(path, self.fields.len() - 1);
                self.fields.len() - 1
            }
        };
        self.fields.get_mut(place)
    }

    pub(crate) fn by_path(&self, path: &str) -> Option<&Field> {
        self.places.get(path).and_then(|&place| self.fields.get(place))
    }

    /// The indexes worth having, each with its reason: at most two for lookups, two for ranges and two for arrays.
    /// The first fields of a document tend to matter most.
    pub(crate) fn proposals(&self) -> Vec<(String, String)> {
        let common = |wanted: Use| {
            self.fields.iter().filter(move |field| field.kind() == wanted && field.present * 2 >= self.documents)
        };
        let repeats = |field: &&Field| (2..=field.scalars / 2).contains(&(field.distinct.len() as u64));
        // Values that repeat make the better question; a field of unique values still makes a fast one.
        let mut lookups: Vec<&Field> = common(Use::Lookup).filter(repeats).take(2).collect();
        lookups.extend(if lookups.is_empty() { common(Use::Lookup).next() } else { None });
        let number = common(Use::Range).find(|field| !field.holds_dates() && field.distinct.len() >= 5);
        let date = common(Use::Range).find(|field| field.holds_dates());
        let chosen = lookups.into_iter().chain(number).chain(date).chain(common(Use::Contains).take(2));
        chosen.map(|field| (field.path.clone(), field.reason())).collect()
    }

    /// The first field with which every document could be named.
    pub(crate) fn unique(&self) -> Option<&Field> {
        self.fields.iter().find(|field| {
            let can_be_id =
                matches!(field.example, Some(Value::String(_) | Value::Int(_))) && !field.path.contains('.');
            let count = field.distinct.len() as u64;
            can_be_id && field.element_types.is_empty() && field.scalars == self.documents && count == self.documents
        })
    }
}

impl Field {
    fn observe(&mut self, value: &Value) {
        self.present += 1;
        *self.types.entry(value.type_name()).or_default() += 1;
        match value {
            Value::Array(elements) => {
                self.elements += elements.len() as u64;
                for element in elements {
                    *self.element_types.entry(element.type_name()).or_default() += 1;
                    self.observe_scalar(element);
                }
            }
            _ => self.observe_scalar(value),
        }
    }

    fn observe_scalar(&mut self, value: &Value) {
        let text = match value {
            Value::String(text) => {
                self.string_bytes += text.len() as u64;
                self.dates += u64::from(is_date(text));
                text.clone()
            }
            Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Float(_) => format!("{value:?}"),
            _ => return,
        };
        self.scalars += 1;
        if self.distinct.len() < DISTINCT_MAX {
            self.distinct.insert(Checksum::of(text.as_bytes()));
        }
        // The n-th value takes the place with a chance of one in n.
        if mix(self.scalars).is_multiple_of(self.scalars) {
            self.example = Some(value.clone());
        }
    }

    /// `string`, `array of int`, or a mixture.
    pub(crate) fn type_names(&self) -> String {
        let names = |types: &BTreeMap<&'static str, u64>| types.keys().copied().collect::<Vec<_>>().join(" or ");
        let mut text = names(&self.types);
        if !self.element_types.is_empty() {
            text = text.replace("array", &format!("array of {}", names(&self.element_types)));
        }
        if self.holds_dates() {
            text = text.replace("string", "string (date)");
        }
        text
    }

    /// `412`, or `100,000+`.
    pub(crate) fn distinct_values(&self) -> String {
        let count = grouped(self.distinct.len() as u64);
        if self.distinct.len() >= DISTINCT_MAX { format!("{count}+") } else { count }
    }

    pub(crate) fn distinct(&self) -> usize {
        self.distinct.len()
    }

    /// True if its values sort the documents into a number of groups that is worth looking at.
    pub(crate) fn makes_groups(&self, documents: u64) -> bool {
        let is_scalar = matches!(self.kind(), Use::Lookup | Use::Range | Use::Contains);
        is_scalar && self.present * 2 >= documents && (3..=self.scalars / 2).contains(&(self.distinct.len() as u64))
    }

    fn holds_dates(&self) -> bool {
        self.dates > 0 && self.dates == self.scalars
    }

    fn average_string_bytes(&self) -> u64 {
        self.string_bytes / self.scalars.max(1)
    }

    pub(crate) fn kind(&self) -> Use {
        let is_only = |name: &str| self.types.keys().all(|other| *other == name || *other == "null");
        match &self.example {
            Some(_) if self.types.contains_key("array") => Use::Contains,
            Some(Value::Int(_) | Value::UInt(_) | Value::Float(_)) => Use::Range,
            Some(Value::String(_)) if self.holds_dates() => Use::Range,
            Some(Value::String(text)) if is_only("string") => match self.average_string_bytes() {
                0..TEXT_BYTES if !text.contains("://") => Use::Lookup,
                TEXT_BYTES.. if text.contains(' ') => Use::Text,
                _ => Use::Nothing,
            },
            Some(Value::Bool(_)) => Use::Lookup,
            _ => Use::Nothing,
        }
    }

    /// The text field's weight when one has to be chosen.
    pub(crate) fn text_bytes(&self) -> u64 {
        self.string_bytes
    }

    /// Why an index on this field is worth its space.
    fn reason(&self) -> String {
        let each = self.scalars as f64 / self.distinct.len().max(1) as f64;
        match self.kind() {
            Use::Contains => format!(
                "array: {:.1} elements a document, {each:.1} documents an element",
                self.elements as f64 / self.present.max(1) as f64
            ),
            Use::Range => {
                let what = if self.holds_dates() { "dates" } else { "numbers" };
                format!("{what}, {} values: for ranges and sorting", self.distinct_values())
            }
            _ => format!("selective: {} values, {each:.1} documents each", self.distinct_values()),
        }
    }
}

/// True for `2026-03-01` and what begins so.
fn is_date(text: &str) -> bool {
    let is_digit = |place: usize| text.as_bytes().get(place).is_some_and(u8::is_ascii_digit);
    let is_hyphen = |place: usize| text.as_bytes().get(place) == Some(&b'-');
    [0, 1, 2, 3, 5, 6, 8, 9].into_iter().all(is_digit) && is_hyphen(4) && is_hyphen(7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_told_apart_by_what_they_are_good_for() {
        let mut fields = Fields::default();
        for number in 0..20_i64 {
            let tags = vec![Value::from("red"), Value::from(number)];
            let place = Document::new().with("country", ["Chile", "Ghana"][(number % 2) as usize]);
            let text = "A long description in several words. ".repeat(3);
            fields.observe(
                &Document::new()
                    .with("found", format!("20{number:02}-01-31"))
                    .with("grams", number * 3)
                    .with("tags", tags)
                    .with("place", place)
                    .with("notes", text),
            );
        }
        let kind = |path: &str| fields.by_path(path).map(Field::kind);
        assert!(kind("found") == Some(Use::Range) && kind("grams") == Some(Use::Range));
        assert!(kind("tags") == Some(Use::Contains) && kind("place.country") == Some(Use::Lookup));
        assert!(kind("notes") == Some(Use::Text) && kind("place").is_none());
        let proposed: Vec<String> = fields.proposals().into_iter().map(|(path, _)| path).collect();
        assert_eq!(proposed, ["place.country", "grams", "found", "tags"]);
        assert_eq!(fields.by_path("tags").map(Field::type_names).as_deref(), Some("array of int or string"));
    }
}
