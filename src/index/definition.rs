//! What the catalog keeps of an index.

use std::sync::OnceLock;

use blaze_core::key::Order;
use blaze_core::limits::{INDEX_FIELDS_MAX, VECTOR_DIMENSIONS_MAX};
use blaze_core::{Error, Family, ID_FIELD, Path, Result};
use blaze_vector::Metric;
use serde::{Deserialize, Serialize};

use super::{IndexInfo, IndexState};
use crate::catalog;

/// An index as the catalog keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct IndexDefinition {
    pub(crate) id: u32,
    pub(crate) name: String,
    pub(crate) ready: bool,
    kind: Kind,
    /// What `kind` says, made at the first use.
    #[serde(skip)]
    parts: OnceLock<IndexFields>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Fields(Vec<Field>),
    Vector { path: Vec<String>, dimension: usize, metric: String },
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
    Vector { path: Path, dimension: usize, metric: Metric },
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
        let name = name.map_or_else(|| text(fields).replace(", ", "_").replace(' ', "_"), str::to_owned);
        catalog::validate_name(&name, "index")?;
        let field = |(path, order): &(Path, Order)| Field { path: keys(path), descending: *order == Order::Descending };
        let kind = Kind::Fields(fields.iter().map(field).collect());
        Ok(IndexDefinition { id, name, ready: false, kind, parts: OnceLock::new() })
    }

    pub(super) fn vector(
        id: u32,
        name: Option<&str>,
        path: &Path,
        dimension: usize,
        metric: Metric,
    ) -> Result<IndexDefinition> {
        path.validate()?;
        refuse_id(path)?;
        if metric == Metric::Hamming {
            return Err(Error::invalid(format!("the metric hamming is for bits, an index on {path} holds numbers")));
        }
        if dimension == 0 || dimension > VECTOR_DIMENSIONS_MAX {
            return Err(Error::invalid(format!(
                "the dimension of the index on {path} is {dimension}, 1 to {VECTOR_DIMENSIONS_MAX} are possible"
            )));
        }
        let name = name.map_or_else(|| path.to_string(), str::to_owned);
        catalog::validate_name(&name, "index")?;
        let kind = Kind::Vector { path: keys(path), dimension, metric: metric.name().to_owned() };
        Ok(IndexDefinition { id, name, ready: false, kind, parts: OnceLock::new() })
    }

    /// The same index under another number, complete.
    pub(crate) fn complete_under(&self, id: u32) -> IndexDefinition {
        IndexDefinition { id, ready: true, ..self.clone() }
    }

    /// Refuses another index of the same name that indexes something else, or in another way.
    pub(crate) fn check_like(&self, wanted: &IndexDefinition) -> Result<()> {
        match self.is_like(wanted) {
            true => Ok(()),
            false => Err(Error::invalid(format!(
                "index {:?} is on {}, not on {}: drop it first or choose another name",
                self.name,
                self.describe(),
                wanted.describe()
            ))),
        }
    }

    /// True if both index the same in the same way.
    pub(crate) fn is_like(&self, other: &IndexDefinition) -> bool {
        self.kind == other.kind
    }

    /// Where the entries are.
    pub(crate) fn family(&self) -> Family {
        match self.kind {
            Kind::Fields(_) => Family::Index,
            Kind::Vector { .. } => Family::Vector,
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
        Ok(match &self.kind {
            Kind::Fields(fields) => IndexFields::Fields(fields.iter().map(Field::parts).collect()),
            Kind::Vector { path, dimension, metric } => IndexFields::Vector {
                path: Path::from_keys(path.iter().map(String::as_str)),
                dimension: *dimension,
                metric: Metric::ALL.into_iter().find(|known| known.name() == metric).ok_or_else(|| {
                    Error::corruption(format!("the index {:?} has the unknown metric {metric:?}", self.name))
                })?,
            },
        })
    }

    /// What it is on, as text.
    pub(crate) fn describe(&self) -> String {
        match &self.kind {
            Kind::Fields(fields) => text(&fields.iter().map(Field::parts).collect::<Vec<_>>()),
            Kind::Vector { path, dimension, metric } => format!("{} ({dimension}, {metric})", path.join(".")),
        }
    }

    pub(crate) fn info(&self) -> IndexInfo {
        let state = if self.ready { IndexState::Ready } else { IndexState::Building };
        IndexInfo { name: self.name.clone(), definition: self.describe(), state }
    }
}

impl Field {
    fn parts(&self) -> (Path, Order) {
        let order = if self.descending { Order::Descending } else { Order::Ascending };
        (Path::from_keys(self.path.iter().map(String::as_str)), order)
    }
}

/// The records, in which the id is not, are in its order themselves.
fn refuse_id(path: &Path) -> Result<()> {
    match path.segments().first().is_some_and(|first| first.key() == ID_FIELD) {
        true => Err(Error::invalid(format!("an index on {path}: documents are found by their id without one"))),
        false => Ok(()),
    }
}

fn keys(path: &Path) -> Vec<String> {
    path.segments().iter().map(|segment| segment.key().to_owned()).collect()
}

fn text(fields: &[(Path, Order)]) -> String {
    let field = |(path, order): &(Path, Order)| match order {
        Order::Ascending => path.to_string(),
        Order::Descending => format!("{path} desc"),
    };
    fields.iter().map(field).collect::<Vec<_>>().join(", ")
}
