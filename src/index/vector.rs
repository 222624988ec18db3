//! Indexes on vectors: what they are on, and how the catalog keeps that.

use blaze_core::limits::{SEARCH_EF_MAX, VECTOR_DIMENSIONS_MAX};
use blaze_core::{Error, Path, Result, Value, Vector};
use blaze_vector::{Code, Copies, GraphOptions, Metric, RecallTarget, VectorRef};
use serde::{Deserialize, Serialize};

use super::definition::keys;
use super::embedded::validate_sources;
use crate::catalog;

/// What becomes of a document whose field holds no vector of the kind and the dimension of an index.
///
/// Of an index of [several vectors](super::Index::vectors) for each document, it is about each of them.
///
/// A vector that holds NaN or an infinity, or that has no direction where the metric compares directions, is refused by
/// either.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnMismatch {
    /// Its writing fails, as does the building of the index over it.
    #[default]
    Fail,
    /// It is written and not indexed; of several vectors, those that fit are.
    Skip,
}

/// What an index on vectors is on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct VectorFields {
    pub(crate) path: Path,
    /// True if a document may have several vectors, in an array or through one.
    pub(crate) several: bool,
    pub(crate) dimension: usize,
    pub(crate) metric: Metric,
    /// What made the vectors.
    pub(crate) model: Option<String>,
    /// Where the texts are of which vectors are made; nowhere in an index that embeds nothing.
    pub(crate) sources: Vec<Path>,
    pub(crate) on_mismatch: OnMismatch,
    /// The precision of the rows.
    pub(crate) copies: Copies,
    /// None if the metric says how vectors are coded.
    pub(crate) code: Option<Code>,
    pub(crate) m: usize,
    pub(crate) ef_construction: usize,
    /// Candidates that a search keeps, if the index says so.
    pub(crate) ef: Option<usize>,
    /// The recall that a search is to reach, if the index says so.
    pub(crate) recall: Option<f64>,
}

/// How wide a search through a graph is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Width {
    /// It keeps so many candidates.
    Ef(usize),
    /// It keeps as many as were measured to reach a recall.
    Recall(RecallTarget),
}

/// What the graph of an index is made with, unless it is said.
const M: usize = 16;
const EF_CONSTRUCTION: usize = 200;
const EF: usize = 100;

/// The same as the catalog keeps it. What a later version adds is refused, not ignored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredVector {
    pub(super) path: Vec<String>,
    pub(super) dimension: usize,
    pub(super) metric: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    skips_misfits: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    several: bool,
    /// The name of the precision, where it is not that of the first version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    copies: Option<String>,
    /// These where they are not the usual ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    m: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ef_construction: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ef: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recall: Option<f64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    embed_from: Vec<Vec<String>>,
}

/// A vector as an index takes it.
pub(crate) enum Components {
    Numbers(Vec<f32>),
    Bits(Vec<u8>),
}

impl VectorFields {
    /// On one vector of single numbers for each document, by the cosine.
    pub(super) fn new(path: Path, dimension: usize) -> VectorFields {
        let (metric, on_mismatch, copies) = (Metric::Cosine, OnMismatch::Fail, Copies::F32);
        VectorFields {
            path,
            several: false,
            dimension,
            metric,
            model: None,
            sources: Vec::new(),
            on_mismatch,
            copies,
            code: None,
            m: M,
            ef_construction: EF_CONSTRUCTION,
            ef: None,
            recall: None,
        }
    }

    /// Checks all but the path.
    pub(super) fn validate(&self) -> Result<()> {
        let VectorFields { path, dimension, metric, copies, .. } = self;
        if *dimension == 0 || *dimension > VECTOR_DIMENSIONS_MAX {
            return Err(Error::invalid(format!(
                "the dimension of the index on {path} is {dimension}, 1 to {VECTOR_DIMENSIONS_MAX} are possible"
            )));
        }
        if metric.is_binary() && !dimension.is_multiple_of(8) {
            return Err(Error::invalid(format!(
                "the dimension of the index on {path} is {dimension} bits, whole bytes are needed: a multiple of 8"
            )));
        }
        if metric.is_binary() && *copies != Copies::F32 {
            return Err(Error::invalid(format!(
                "the index on {path} compares bits by the metric {metric}: there are no copies of them in {copies}"
            )));
        }
        self.graph_options().validate().map_err(|error| error.context(format!("the index on {path}")))?;
        self.validate_width().map_err(|error| error.context(format!("the index on {path}")))?;
        validate_sources(self).map_err(|error| error.context(format!("the index on {path}")))?;
        self.model.as_ref().map_or(Ok(()), |model| validate_model(model))
    }

    fn validate_width(&self) -> Result<()> {
        if let (Some(ef), Some(recall)) = (self.ef, self.recall) {
            return Err(Error::invalid(format!("it has ef {ef} and a recall of {recall}, one of them is possible")));
        }
        self.recall.map_or(Ok(()), |recall| RecallTarget::new(recall).map(drop))?;
        self.ef.map_or(Ok(()), validate_ef)
    }

    /// How wide its searches are that do not say so themselves.
    pub(crate) fn width(&self) -> Width {
        self.target().map_or(Width::Ef(self.ef.unwrap_or(EF)), Width::Recall)
    }

    /// The recall that its searches are to reach, if any was asked for.
    pub(crate) fn target(&self) -> Option<RecallTarget> {
        self.recall.and_then(|recall| RecallTarget::new(recall).ok())
    }

    /// True if documents without a vector get one that is made of their texts.
    pub(crate) fn is_embedded(&self) -> bool {
        !self.sources.is_empty()
    }

    /// True for the row of a vector, whatever that is.
    pub(crate) fn is_row(&self, row: &[u8]) -> bool {
        row.len() == self.copies.bytes(self.dimension)
    }

    /// How its graph is made.
    pub(crate) fn graph_options(&self) -> GraphOptions {
        let usual = GraphOptions::new(self.metric, self.dimension);
        let (m, ef_construction) = (self.m, self.ef_construction);
        GraphOptions { code: self.code.unwrap_or(usual.code), m, ef_construction, ..usual }
    }

    pub(super) fn to_stored(&self) -> StoredVector {
        StoredVector {
            model: self.model.clone(),
            skips_misfits: self.on_mismatch == OnMismatch::Skip,
            several: self.several,
            copies: (self.copies != Copies::F32).then(|| self.copies.name().to_owned()),
            code: self.code.map(|code| code.name().to_owned()),
            m: (self.m != M).then_some(self.m),
            ef_construction: (self.ef_construction != EF_CONSTRUCTION).then_some(self.ef_construction),
            ef: self.ef.filter(|ef| *ef != EF),
            recall: self.recall,
            embed_from: self.sources.iter().map(keys).collect(),
            ..StoredVector::plain(keys(&self.path), self.dimension, self.metric.name().to_owned())
        }
    }

    /// Appends the row of a value of the field; false if it is not indexed.
    pub(crate) fn write_row(&self, value: &Value, out: &mut Vec<u8>) -> Result<bool> {
        match self.components(value) {
            Ok(components) => {
                let vector = components.as_vector();
                self.copies.validate(self.metric, self.dimension, vector)?;
                self.copies.write(vector, out);
                Ok(true)
            }
            Err(_) if self.on_mismatch == OnMismatch::Skip => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The vector that a value is, of the kind and the dimension of the index.
    pub(crate) fn components(&self, value: &Value) -> Result<Components> {
        let components = Components::of(value, self.metric)?;
        let (found, needed) = (components.as_vector().dimension(), self.dimension);
        match found == needed {
            true => Ok(components),
            false => Err(Error::invalid(format!("vector has {found} components, the index has {needed}"))),
        }
    }
}

impl Components {
    /// The bits of a vector of bits, for a metric of bits; else the numbers of a vector or of an array.
    pub(crate) fn of(value: &Value, metric: Metric) -> Result<Components> {
        let kind = |needed: &str| match value {
            Value::Vector(vector) => Error::invalid(format!(
                "the vector is of {}, {needed} are needed for the metric {metric}",
                if matches!(vector, Vector::Bits(_)) { "bits" } else { "numbers" }
            )),
            value => Error::invalid(format!("found {}, a vector is needed", value.type_name())),
        };
        match (value, metric.is_binary()) {
            (Value::Vector(Vector::Bits(bytes)), true) => Ok(Components::Bits(bytes.clone())),
            (_, true) => Err(kind("bits")),
            (Value::Vector(Vector::F32(numbers)), false) => Ok(Components::Numbers(numbers.clone())),
            (Value::Vector(vector), false) => vector.to_f32().map(Components::Numbers).ok_or_else(|| kind("numbers")),
            (Value::Array(elements), false) => {
                elements.iter().enumerate().map(number).collect::<Result<_>>().map(Components::Numbers)
            }
            (_, false) => Err(kind("numbers")),
        }
    }

    pub(crate) fn as_vector(&self) -> VectorRef<'_> {
        match self {
            Components::Numbers(numbers) => VectorRef::F32(numbers),
            Components::Bits(bytes) => VectorRef::Bits(bytes),
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a vector has single precision")]
fn number((position, element): (usize, &Value)) -> Result<f32> {
    match element {
        Value::Float(float) => Ok(*float as f32),
        Value::Int(int) => Ok(*int as f32),
        Value::UInt(int) => Ok(*int as f32),
        element => Err(Error::invalid(format!("component {position} is {}, a number is needed", element.type_name()))),
    }
}

/// Checks how many candidates a search is to keep.
pub(crate) fn validate_ef(ef: usize) -> Result<()> {
    match (1..=SEARCH_EF_MAX).contains(&ef) {
        true => Ok(()),
        false => Err(Error::invalid(format!("ef is {ef}, 1 to {SEARCH_EF_MAX} are possible"))),
    }
}

/// Checks the label of a model.
pub(crate) fn validate_model(model: &str) -> Result<()> {
    catalog::validate_name(model, "model")
}

impl StoredVector {
    /// What the first version knew.
    pub(super) fn plain(path: Vec<String>, dimension: usize, metric: String) -> StoredVector {
        StoredVector {
            path,
            dimension,
            metric,
            model: None,
            skips_misfits: false,
            several: false,
            copies: None,
            code: None,
            m: None,
            ef_construction: None,
            ef: None,
            recall: None,
            embed_from: Vec::new(),
        }
    }

    /// True if there is nothing in it that the first version did not know. It refused bits.
    pub(super) fn is_plain(&self) -> bool {
        let plain = StoredVector::plain(self.path.clone(), self.dimension, self.metric.clone());
        *self == plain && self.metric != Metric::Hamming.name()
    }

    pub(super) fn parts(&self) -> Result<VectorFields> {
        let unknown = |error: Error| Error::corruption(error.to_string());
        Ok(VectorFields {
            path: Path::from_keys(self.path.iter().map(String::as_str)),
            several: self.several,
            dimension: self.dimension,
            metric: self.metric.parse().map_err(unknown)?,
            model: self.model.clone(),
            sources: self.embed_from.iter().map(|keys| Path::from_keys(keys.iter().map(String::as_str))).collect(),
            on_mismatch: if self.skips_misfits { OnMismatch::Skip } else { OnMismatch::Fail },
            copies: self.copies.as_deref().map_or(Ok(Copies::F32), str::parse).map_err(unknown)?,
            code: self.code.as_deref().map(str::parse).transpose().map_err(unknown)?,
            m: self.m.unwrap_or(M),
            ef_construction: self.ef_construction.unwrap_or(EF_CONSTRUCTION),
            ef: self.ef,
            recall: self
                .recall
                .map(|recall| RecallTarget::new(recall).map(RecallTarget::value))
                .transpose()
                .map_err(unknown)?,
        })
    }

    /// As text, with what differs from the usual.
    pub(super) fn describe(&self) -> String {
        let mut text = format!("{} ({}, {}", self.path.join("."), self.dimension, self.metric);
        if self.several {
            text.push_str(", several for each document");
        }
        if let Some(model) = &self.model {
            text.push_str(&format!(", model {model:?}"));
        }
        if !self.embed_from.is_empty() {
            let sources: Vec<String> = self.embed_from.iter().map(|keys| keys.join(".")).collect();
            text.push_str(&format!(", embedded from {}", sources.join(" and ")));
        }
        if let Some(copies) = &self.copies {
            text.push_str(&format!(", copies in {copies}"));
        }
        if let Some(code) = &self.code {
            text.push_str(&format!(", code {code}"));
        }
        for (name, value) in [("m", self.m), ("ef_construction", self.ef_construction), ("ef", self.ef)] {
            if let Some(value) = value {
                text.push_str(&format!(", {name} {value}"));
            }
        }
        if let Some(recall) = self.recall {
            text.push_str(&format!(", recall {recall}"));
        }
        if self.skips_misfits {
            text.push_str(", others skipped");
        }
        text.push(')');
        text
    }
}

#[cfg(test)]
mod tests {
    use blaze_core::{ErrorKind, from_document, to_document};

    use super::super::IndexDefinition;
    use super::*;

    fn kind_of(fields: &VectorFields) -> String {
        let definition = IndexDefinition::vector(1, None, fields).unwrap();
        let stored = to_document(&definition).unwrap();
        let kind = stored.get("kind").and_then(Value::as_map).unwrap();
        let read: IndexDefinition = from_document(stored.clone()).unwrap();
        assert!(read.is_like(&definition) && definition.is_like(&read));
        assert!(matches!(read.parts().unwrap(), super::super::IndexFields::Vector(read) if read == fields));
        kind.iter().map(|(key, _)| key.to_string()).collect()
    }

    #[test]
    fn only_what_the_first_version_did_not_know_is_stored_as_something_it_refuses() {
        let plain = VectorFields { metric: Metric::L2, ..VectorFields::new(Path::from("a.b"), 8) };
        assert_eq!(kind_of(&plain), "vector");
        for fields in [
            VectorFields { metric: Metric::Hamming, ..plain.clone() },
            VectorFields { model: Some("m".to_owned()), ..plain.clone() },
            VectorFields { on_mismatch: OnMismatch::Skip, ..plain.clone() },
            VectorFields { several: true, ..plain.clone() },
            VectorFields { copies: Copies::F16, ..plain.clone() },
            VectorFields { recall: Some(0.99), ..plain.clone() },
            VectorFields { copies: Copies::Bf16, ..plain },
        ] {
            assert_eq!(kind_of(&fields), "vector_with", "{fields:?}");
        }
    }

    #[test]
    fn what_a_later_version_adds_is_refused() {
        let stored = VectorFields::new(Path::from("v"), 8).to_stored();
        let later = to_document(&stored).unwrap().with("colours", true);
        let error = from_document::<StoredVector>(later).unwrap_err();
        assert!(error.to_string().contains("colours"), "{error}");
        let copies = StoredVector { copies: Some("f8".to_owned()), ..stored.clone() };
        for stored in [copies, StoredVector { recall: Some(1.5), ..stored }] {
            let unknown: StoredVector = from_document(to_document(&stored).unwrap()).unwrap();
            assert_eq!(unknown.parts().unwrap_err().kind(), ErrorKind::Corruption, "{stored:?}");
        }
    }
}
