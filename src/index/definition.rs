//! What the catalog keeps of an index.

use std::sync::OnceLock;
use std::time::Duration;

use blaze_core::key::Order;
use blaze_core::limits::{INDEX_FIELDS_MAX, INDEX_FILTER_BYTES_MAX};
use blaze_core::record::{self, Dictionary};
use blaze_core::{Document, Error, Family, Filter, ID_FIELD, PARENT_FIELD, Path, Result, Value};
use serde::{Deserialize, Serialize};

use super::text::{self, StoredField, TextFields};
use super::vector::{StoredVector, VectorFields};
use super::{IndexInfo, IndexState};
use crate::catalog;

/// The form of entries without values, as the first version made them: nothing is cut, nothing says what can be restored.
const PLAIN: u32 = 0;

/// The form of entries as they are made now.
const CURRENT: u32 = 1;

/// An index as the catalog keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct IndexDefinition {
    pub(crate) id: u32,
    pub(crate) name: String,
    pub(crate) ready: bool,
    kind: Kind,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unique: bool,
    /// The filter of a partial index, as [`Filter::to_stored`] makes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    only: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expire_after_ms: Option<u64>,
    /// The form of the entries. One that an earlier version made lacks it, and keeps its form until it is built anew.
    #[serde(default, skip_serializing_if = "is_plain")]
    format: u32,
    /// True while it is built beside the index of the same name, which stands before it, to take its place.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    replaces: bool,
    /// True while it is only to get its graph before it takes that place: it has all its vectors.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    filled: bool,
    /// What `kind` says, made at the first use.
    #[serde(skip)]
    parts: OnceLock<IndexFields>,
    /// What `only` says, made at the first use.
    #[serde(skip)]
    filter: OnceLock<Filter>,
}

/// What an index does beyond finding.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    pub(super) unique: bool,
    pub(super) only: Option<Filter>,
    pub(super) expire_after: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Fields(Vec<Field>),
    /// On vectors, with nothing that the first version did not know.
    Vector {
        path: Vec<String>,
        dimension: usize,
        metric: String,
    },
    /// On vectors, with what the first version did not know: it refuses the row rather than misread the entries.
    VectorWith(Box<StoredVector>),
    /// On text.
    Text(Vec<StoredField>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Field {
    path: Vec<String>,
    descending: bool,
}

/// The kinds of index, ready to be worked with.
#[derive(Clone, Debug)]
pub(crate) enum IndexFields {
    Fields(Vec<(Path, Order)>),
    Vector(VectorFields),
    Text(TextFields),
}

impl IndexDefinition {
    pub(super) fn fields(id: u32, name: Option<&str>, fields: &[(Path, Order)]) -> Result<IndexDefinition> {
        if fields.len() > INDEX_FIELDS_MAX {
            let count = fields.len();
            return Err(Error::limit_exceeded(format!("index has {count} fields, the limit is {INDEX_FIELDS_MAX}")));
        }
        for (position, (path, _)) in fields.iter().enumerate() {
            path.validate()?;
            refuse_id(path)?;
            if fields[..position].iter().any(|(earlier, _)| earlier == path) {
                return Err(Error::invalid(format!("index has the field {path} twice")));
            }
        }
        let name = name.map_or_else(|| list(fields).replace(", ", "_").replace(' ', "_"), str::to_owned);
        catalog::validate_name(&name, "index")?;
        let field = |(path, order): &(Path, Order)| Field { path: keys(path), descending: *order == Order::Descending };
        Ok(IndexDefinition::new(id, name, Kind::Fields(fields.iter().map(field).collect())))
    }

    pub(super) fn vector(id: u32, name: Option<&str>, fields: &VectorFields) -> Result<IndexDefinition> {
        fields.path.validate()?;
        refuse_id(&fields.path)?;
        fields.validate()?;
        let name = name.map_or_else(|| fields.path.to_string(), str::to_owned);
        catalog::validate_name(&name, "index")?;
        let stored = fields.to_stored();
        let kind = match stored.is_plain() {
            true => Kind::Vector { path: stored.path, dimension: stored.dimension, metric: stored.metric },
            false => Kind::VectorWith(Box::new(stored)),
        };
        Ok(IndexDefinition::new(id, name, kind))
    }

    pub(super) fn text(id: u32, name: Option<&str>, fields: &TextFields) -> Result<IndexDefinition> {
        let name = name.map_or_else(|| fields.name(), str::to_owned);
        catalog::validate_name(&name, "index")?;
        Ok(IndexDefinition::new(id, name, Kind::Text(fields.to_stored())))
    }

    fn new(id: u32, name: String, kind: Kind) -> IndexDefinition {
        IndexDefinition {
            id,
            name,
            ready: false,
            kind,
            unique: false,
            only: None,
            expire_after_ms: None,
            format: CURRENT,
            replaces: false,
            filled: false,
            parts: OnceLock::new(),
            filter: OnceLock::new(),
        }
    }

    /// The same index with rules, checked.
    pub(super) fn with_rules(mut self, rules: &Rules) -> Result<IndexDefinition> {
        let wanted = [("unique", rules.unique), ("one that has documents expire", rules.expire_after.is_some())];
        if let Some((what, _)) = wanted.iter().find(|(_, wanted)| *wanted && self.family() != Family::Index) {
            let (name, kind) = (&self.name, self.family().name());
            return Err(Error::invalid(format!("the {kind} index {name:?} cannot be {what}")));
        }
        self.unique = rules.unique;
        self.only = rules.only.as_ref().map(stored_filter).transpose().map_err(|error| {
            let name = &self.name;
            error.context(format!("the filter of the index {name:?}"))
        })?;
        self.expire_after_ms = rules.expire_after.map(|after| self.expiry_ms(after)).transpose()?;
        Ok(self)
    }

    fn expiry_ms(&self, after: Duration) -> Result<u64> {
        if let Kind::Fields(fields) = &self.kind
            && fields.len() != 1
        {
            let (name, count) = (&self.name, fields.len());
            return Err(Error::invalid(format!("documents expire by one field, the index {name:?} has {count}")));
        }
        let after_ms = u64::try_from(after.as_millis()).ok().filter(|after_ms| *after_ms <= EXPIRY_MS_MAX);
        after_ms.ok_or_else(|| {
            let name = &self.name;
            Error::invalid(format!("documents of the index {name:?} expire after {after:?}, which is beyond all time"))
        })
    }

    /// The same index under another number, complete, its entries of the current form.
    pub(crate) fn complete_under(&self, id: u32) -> IndexDefinition {
        IndexDefinition { id, ready: true, filled: false, format: CURRENT, ..self.clone() }
    }

    /// Has the index be built anew: nothing of its entries is there any more.
    pub(crate) fn begin_anew(&mut self) {
        self.ready = false;
        self.filled = false;
        self.format = CURRENT;
    }

    /// Has it be given its graph, before it is used.
    pub(super) fn note_filled(&mut self) {
        self.filled = true;
    }

    /// True if it has all its entries, which every commit keeps up to date, whether it is used or not.
    pub(crate) fn is_filled(&self) -> bool {
        self.ready || self.filled
    }

    /// True while it is built to take the place of the index of its name.
    pub(crate) fn replaces(&self) -> bool {
        self.replaces
    }

    /// The same index under another name, to be built beside the index of that name and to take its place.
    pub(super) fn in_place_of(self, name: &str) -> IndexDefinition {
        IndexDefinition { name: name.to_owned(), replaces: true, ready: false, ..self }
    }

    /// Lets it stand for its name.
    pub(super) fn take_place(&mut self) {
        self.replaces = false;
        self.filled = false;
    }

    pub(crate) fn is_on_text(&self) -> bool {
        matches!(self.kind, Kind::Text(_))
    }

    pub(crate) fn is_unique(&self) -> bool {
        self.unique
    }

    /// How long after the time in its field a document expires, if it does.
    pub(crate) fn expire_after_ms(&self) -> Option<u64> {
        self.expire_after_ms
    }

    /// True if entries have values that say what can be restored, and long encodings are cut.
    pub(crate) fn has_values(&self) -> bool {
        self.format >= CURRENT
    }

    /// The filter of a partial index: only documents that match it have entries.
    pub(crate) fn only(&self) -> Result<Option<&Filter>> {
        let Some(stored) = &self.only else { return Ok(None) };
        match self.filter.get() {
            Some(filter) => Ok(Some(filter)),
            None => {
                let filter = Filter::from_stored(stored)
                    .map_err(|error| error.context(format!("the filter of the index {:?}", self.name)))?;
                Ok(Some(self.filter.get_or_init(|| filter)))
            }
        }
    }

    /// Refuses another index of the same name that indexes something else, or in another way.
    pub(crate) fn check_like(&self, wanted: &IndexDefinition) -> Result<()> {
        match self.is_like(wanted) {
            true => Ok(()),
            false => Err(Error::invalid(format!(
                "index {:?} is on {}, not on {}: drop it first, replace it, or choose another name",
                self.name,
                self.describe(),
                wanted.describe()
            ))),
        }
    }

    /// True if both index the same in the same way.
    pub(crate) fn is_like(&self, other: &IndexDefinition) -> bool {
        let rules = |index: &IndexDefinition| (index.unique, index.only.clone(), index.expire_after_ms);
        self.kind == other.kind && rules(self) == rules(other)
    }

    /// True if both embed the same in the same way, but for the model and the fields that the texts are in.
    pub(super) fn is_like_but_for_texts(&self, other: &IndexDefinition) -> bool {
        match (self.parts(), other.parts()) {
            (Ok(IndexFields::Vector(own)), Ok(IndexFields::Vector(others)))
                if own.is_embedded() && others.is_embedded() =>
            {
                let as_others =
                    VectorFields { model: others.model.clone(), sources: others.sources.clone(), ..own.clone() };
                let rules = |index: &IndexDefinition| (index.unique, index.only.clone(), index.expire_after_ms);
                as_others == *others && rules(self) == rules(other)
            }
            _ => false,
        }
    }

    /// Where the entries are.
    pub(crate) fn family(&self) -> Family {
        match self.kind {
            Kind::Fields(_) => Family::Index,
            Kind::Vector { .. } | Kind::VectorWith(_) => Family::Vector,
            Kind::Text(_) => Family::Text,
        }
    }

    /// What is indexed.
    pub(crate) fn parts(&self) -> Result<&IndexFields> {
        match self.parts.get() {
            Some(parts) => Ok(parts),
            None => {
                let parts = self.make_parts()?;
                Ok(self.parts.get_or_init(|| parts))
            }
        }
    }

    fn make_parts(&self) -> Result<IndexFields> {
        match &self.kind {
            Kind::Fields(fields) => Ok(IndexFields::Fields(fields.iter().map(Field::parts).collect())),
            Kind::Vector { path, dimension, metric } => {
                StoredVector::plain(path.clone(), *dimension, metric.clone()).parts().map(IndexFields::Vector)
            }
            Kind::VectorWith(stored) => stored.parts().map(IndexFields::Vector),
            Kind::Text(stored) => TextFields::from_stored(stored).map(IndexFields::Text),
        }
        .map_err(|error| error.context(format!("the index {:?}", self.name)))
    }

    /// True if its entries may tell of the field for a document's parent.
    pub(crate) fn asks_for_parent(&self) -> Result<bool> {
        let is_parent =
            |(path, _): &(Path, Order)| path.segments().first().is_some_and(|first| first.key() == PARENT_FIELD);
        Ok(self.only()?.is_some()
            || matches!(self.parts()?, IndexFields::Fields(fields) if fields.iter().any(is_parent)))
    }

    /// What it is on, as text, with its rules.
    pub(crate) fn describe(&self) -> String {
        let mut text = match &self.kind {
            Kind::Fields(fields) => list(&fields.iter().map(Field::parts).collect::<Vec<_>>()),
            Kind::Vector { path, dimension, metric } => format!("{} ({dimension}, {metric})", path.join(".")),
            Kind::VectorWith(stored) => stored.describe(),
            Kind::Text(stored) => text::describe(stored),
        };
        if self.unique {
            text.push_str(", unique");
        }
        if let Ok(Some(filter)) = self.only() {
            text.push_str(&format!(", only {filter}"));
        }
        if let Some(after_ms) = self.expire_after_ms {
            text.push_str(&format!(", expiring after {:?}", Duration::from_millis(after_ms)));
        }
        text
    }

    pub(crate) fn info(&self, bytes_used: u64, replacement: Option<String>) -> Result<IndexInfo> {
        let model = match self.parts()? {
            IndexFields::Vector(vector) => vector.model.clone(),
            IndexFields::Fields(_) | IndexFields::Text(_) => None,
        };
        Ok(IndexInfo {
            model,
            replacement,
            name: self.name.clone(),
            definition: self.describe(),
            state: if self.ready { IndexState::Ready } else { IndexState::Building },
            unique: self.unique,
            only: self.only()?.cloned(),
            expire_after: self.expire_after_ms.map(Duration::from_millis),
            bytes_used,
        })
    }
}

/// The longest time that a document may be kept after that in its field: as long as there are times.
const EXPIRY_MS_MAX: u64 = i64::MAX as u64 / 1_000;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_plain(format: &u32) -> bool {
    *format == PLAIN
}

/// A filter as the catalog keeps it, if it is well-formed and not too long.
fn stored_filter(filter: &Filter) -> Result<Value> {
    filter.validate()?;
    refuse_id_in(filter)?;
    let stored = filter.to_stored();
    let mut bytes = Vec::new();
    record::encode(&Document::new().with("only", stored.clone()), &Dictionary::default(), &mut bytes)?;
    match bytes.len() {
        0..=INDEX_FILTER_BYTES_MAX => Ok(stored),
        length => Err(Error::limit_exceeded(format!("it takes {length} bytes, the limit is {INDEX_FILTER_BYTES_MAX}"))),
    }
}

impl Field {
    fn parts(&self) -> (Path, Order) {
        let order = if self.descending { Order::Descending } else { Order::Ascending };
        (Path::from_keys(self.path.iter().map(String::as_str)), order)
    }
}

/// Entries are made of records, in which the id is not: a filter that asks for it would find none.
fn refuse_id_in(filter: &Filter) -> Result<()> {
    match filter {
        Filter::And(parts) | Filter::Or(parts) | Filter::Nor(parts) => parts.iter().try_for_each(refuse_id_in),
        Filter::Not(part) => refuse_id_in(part),
        Filter::Field(path, _) => refuse_id(path),
        _ => Ok(()),
    }
}

/// The records, in which the id is not, are in its order themselves.
pub(super) fn refuse_id(path: &Path) -> Result<()> {
    match path.segments().first().is_some_and(|first| first.key() == ID_FIELD) {
        true => Err(Error::invalid(format!("an index on {path}: documents are found by their id without one"))),
        false => Ok(()),
    }
}

pub(super) fn keys(path: &Path) -> Vec<String> {
    path.segments().iter().map(|segment| segment.key().to_owned()).collect()
}

fn list(fields: &[(Path, Order)]) -> String {
    let field = |(path, order): &(Path, Order)| match order {
        Order::Ascending => path.to_string(),
        Order::Descending => format!("{path} desc"),
    };
    fields.iter().map(field).collect::<Vec<_>>().join(", ")
}
