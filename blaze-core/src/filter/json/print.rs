//! Writing a filter down as a document.

use crate::document::Document;
use crate::filter::{Filter, Predicate};
use crate::path::Path;
use crate::value::Value;

/// The document of a filter; `in_element` says that it is one on the elements of an array.
pub(super) fn document(filter: &Filter, in_element: bool) -> Document {
    let document = match filter {
        Filter::And(terms) if terms.is_empty() => Document::new(),
        Filter::And(terms) if terms.len() > 1 => merged(terms, in_element).unwrap_or_else(|| entry(filter, in_element)),
        _ => entry(filter, in_element),
    };
    document.into_iter().map(|(key, operand)| shortened(key, operand)).collect()
}

/// `{"a": {"$eq": 1}}` as `{"a": 1}`, where that is read as the same.
fn shortened(key: String, operand: Value) -> (String, Value) {
    let implicit = |value: &Value| match value {
        Value::Map(map) => map.keys().all(|key| !key.starts_with('$')),
        _ => true,
    };
    match operand {
        Value::Map(mut operators) if !key.starts_with('$') && operators.len() == 1 => match operators.remove("$eq") {
            Some(value) if implicit(&value) => (key, value),
            Some(value) => (key, operators.with("$eq", value).into()),
            None => (key, operators.into()),
        },
        operand => (key, operand),
    }
}

/// All terms in one document, if no key would come twice but where operators on one field follow one another.
fn merged(terms: &[Filter], in_element: bool) -> Option<Document> {
    let mut entries: Vec<(String, Value)> = Vec::with_capacity(terms.len());
    for (key, operand) in terms.iter().flat_map(|term| entry(term, in_element)) {
        let known = entries.iter().any(|(earlier, _)| *earlier == key);
        match entries.last_mut() {
            Some((last, Value::Map(operators))) if *last == key && !key.starts_with('$') => {
                for (name, operand) in operand.as_map()?.iter() {
                    if operators.insert(name, operand.clone()).is_some() {
                        return None;
                    }
                }
            }
            _ if known => return None,
            _ => entries.push((key, operand)),
        }
    }
    Some(entries.into_iter().collect())
}

/// A document of one key for the filter, with operators on fields spelt out.
fn entry(filter: &Filter, in_element: bool) -> Document {
    let list = |terms: &[Filter]| terms.iter().map(|term| document(term, in_element)).collect::<Value>();
    match filter {
        Filter::And(terms) => Document::new().with("$and", list(terms)),
        Filter::Or(terms) => Document::new().with("$or", list(terms)),
        Filter::Nor(terms) => Document::new().with("$nor", list(terms)),
        Filter::Not(term) => match &**term {
            Filter::Field(path, predicate) if has_text(path) => {
                Document::new().with(path.to_string(), Document::new().with("$not", operator(predicate)))
            }
            term => Document::new().with("$not", document(term, in_element)),
        },
        Filter::Field(path, predicate) if path.segments().is_empty() && in_element => operator(predicate),
        Filter::Field(path, predicate) if has_text(path) => Document::new().with(path.to_string(), operator(predicate)),
        Filter::Field(path, predicate) => {
            let keys: Value = path.segments().iter().map(|segment| segment.key()).collect();
            Document::new().with("$field", Document::new().with("keys", keys).with("matches", operator(predicate)))
        }
    }
}

/// True if the text of the path, as a key, is read as this path.
fn has_text(path: &Path) -> bool {
    let text = path.to_string();
    !path.segments().is_empty() && !text.starts_with('$') && Path::from(text) == *path
}

fn operator(predicate: &Predicate) -> Document {
    let (name, operand) = match predicate {
        Predicate::Eq(value) => ("$eq", value.clone()),
        Predicate::Ne(value) => ("$ne", value.clone()),
        Predicate::Lt(value) => ("$lt", value.clone()),
        Predicate::Le(value) => ("$lte", value.clone()),
        Predicate::Gt(value) => ("$gt", value.clone()),
        Predicate::Ge(value) => ("$gte", value.clone()),
        Predicate::Between(low, high) => ("$between", Value::Array(vec![low.clone(), high.clone()])),
        Predicate::In(values) => ("$in", Value::Array(values.clone())),
        Predicate::Nin(values) => ("$nin", Value::Array(values.clone())),
        Predicate::Exists(exists) => ("$exists", Value::Bool(*exists)),
        Predicate::Type(name) => ("$type", name.as_str().into()),
        Predicate::StartsWith(prefix) => ("$startsWith", prefix.as_str().into()),
        Predicate::Like(pattern) => ("$like", pattern.as_str().into()),
        Predicate::Regex(regex) => ("$regex", regex.as_str().into()),
        Predicate::Contains(value) => ("$contains", value.clone()),
        Predicate::All(values) => ("$all", Value::Array(values.clone())),
        Predicate::Size(length) => ("$size", Value::from(*length as u64)),
        Predicate::ElemMatch(filter) => ("$elemMatch", document(filter, true).into()),
    };
    Document::new().with(name, operand)
}
