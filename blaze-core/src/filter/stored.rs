//! Filters as values, for catalogs: compact, exact, and not meant to be written by hand.
//!
//! A filter is an array. The first element names what it is: `and`, `or`, `nor` and `not` are followed by their parts; every
//! other name is that of an operator, followed by the array of the keys of the path and by the operands.

use super::{Filter, Predicate, TypeName};
use crate::error::{Error, Result};
use crate::limits::FILTER_DEPTH_MAX;
use crate::path::Path;
use crate::value::Value;

impl Filter {
    /// The filter as a value that [`from_stored`](Filter::from_stored) reads back exactly. What it looks like is nobody's
    /// business but its readers', and stays readable.
    ///
    /// ```
    /// use blaze_core::{Filter, field};
    ///
    /// let filter = field("year").ge(2015).and(field("genres").contains("Drama"));
    /// assert_eq!(Filter::from_stored(&filter.to_stored())?, filter);
    /// # Ok::<(), blaze_core::Error>(())
    /// ```
    #[must_use]
    pub fn to_stored(&self) -> Value {
        let joined = |name: &str, parts: &[Filter]| named(name, parts.iter().map(Filter::to_stored));
        match self {
            Filter::And(parts) => joined("and", parts),
            Filter::Or(parts) => joined("or", parts),
            Filter::Nor(parts) => joined("nor", parts),
            Filter::Not(part) => named("not", [part.to_stored()]),
            Filter::Field(path, predicate) => {
                let keys = path.segments().iter().map(|segment| segment.key());
                let path = Value::Array(keys.map(Value::from).collect());
                named(predicate.name(), std::iter::once(path).chain(operands(predicate)))
            }
        }
    }

    /// Reads what [`to_stored`](Filter::to_stored) made. It may still not be [valid](Filter::validate).
    ///
    /// # Errors
    /// [`Corruption`](crate::ErrorKind::Corruption) if it did not make it, or it nests deeper than a filter may.
    pub fn from_stored(value: &Value) -> Result<Filter> {
        read(value, FILTER_DEPTH_MAX + 1)
    }
}

fn named(name: &str, parts: impl IntoIterator<Item = Value>) -> Value {
    Value::Array(std::iter::once(Value::from(name)).chain(parts).collect())
}

fn operands(predicate: &Predicate) -> Vec<Value> {
    match predicate {
        Predicate::Eq(value)
        | Predicate::Ne(value)
        | Predicate::Lt(value)
        | Predicate::Le(value)
        | Predicate::Gt(value)
        | Predicate::Ge(value)
        | Predicate::Contains(value) => vec![value.clone()],
        Predicate::Between(low, high) => vec![low.clone(), high.clone()],
        Predicate::In(values) | Predicate::Nin(values) | Predicate::All(values) => values.clone(),
        Predicate::Exists(exists) => vec![Value::from(*exists)],
        Predicate::Type(name) => vec![Value::from(name.as_str())],
        Predicate::StartsWith(prefix) => vec![Value::from(prefix.as_str())],
        Predicate::Like(pattern) => vec![Value::from(pattern.as_str())],
        Predicate::Regex(regex) => vec![Value::from(regex.as_str())],
        Predicate::Size(length) => vec![Value::from(*length as u64)],
        Predicate::ElemMatch(filter) => vec![filter.to_stored()],
    }
}

fn read(value: &Value, levels: usize) -> Result<Filter> {
    let Some((name, parts)) = value.as_array().and_then(<[Value]>::split_first) else { return Err(damaged(value)) };
    let Some(levels) = levels.checked_sub(1) else {
        return Err(Error::corruption(format!("a stored filter has more than {FILTER_DEPTH_MAX} levels")));
    };
    let joined = || parts.iter().map(|part| read(part, levels)).collect::<Result<Vec<_>>>();
    match (name.as_str(), parts) {
        (Some("and"), _) => joined().map(Filter::And),
        (Some("or"), _) => joined().map(Filter::Or),
        (Some("nor"), _) => joined().map(Filter::Nor),
        (Some("not"), [part]) => Ok(Filter::Not(Box::new(read(part, levels)?))),
        (Some(operator), [path, operands @ ..]) => {
            let keys = path.as_array().ok_or_else(|| damaged(path))?;
            let keys = keys.iter().map(|key| key.as_str().ok_or_else(|| damaged(path)));
            let path = Path::from_keys(keys.collect::<Result<Vec<_>>>()?);
            Ok(Filter::Field(path, read_predicate(operator, operands, levels)?))
        }
        _ => Err(damaged(value)),
    }
}

fn read_predicate(operator: &str, operands: &[Value], levels: usize) -> Result<Predicate> {
    let refused = || Error::corruption(format!("a stored filter has the operator {operator:?} with other operands"));
    Ok(match (operator, operands) {
        ("in", values) => Predicate::In(values.to_vec()),
        ("nin", values) => Predicate::Nin(values.to_vec()),
        ("all", values) => Predicate::All(values.to_vec()),
        ("between", [low, high]) => Predicate::Between(low.clone(), high.clone()),
        ("eq", [value]) => Predicate::Eq(value.clone()),
        ("ne", [value]) => Predicate::Ne(value.clone()),
        ("lt", [value]) => Predicate::Lt(value.clone()),
        ("le", [value]) => Predicate::Le(value.clone()),
        ("gt", [value]) => Predicate::Gt(value.clone()),
        ("ge", [value]) => Predicate::Ge(value.clone()),
        ("contains", [value]) => Predicate::Contains(value.clone()),
        ("exists", [Value::Bool(exists)]) => Predicate::Exists(*exists),
        ("type", [Value::String(name)]) => Predicate::Type(name.parse::<TypeName>().map_err(|_| refused())?),
        ("starts_with", [Value::String(prefix)]) => Predicate::StartsWith(prefix.clone()),
        ("like", [Value::String(pattern)]) => Predicate::Like(pattern.as_str().into()),
        ("regex", [Value::String(regex)]) => Predicate::Regex(regex.as_str().into()),
        ("size", [length]) => {
            let length = length.as_i64().and_then(|length| usize::try_from(length).ok());
            Predicate::Size(length.ok_or_else(refused)?)
        }
        ("elem_match", [filter]) => Predicate::ElemMatch(Box::new(read(filter, levels)?)),
        _ => return Err(refused()),
    })
}

fn damaged(value: &Value) -> Error {
    Error::corruption(format!("a stored filter has {} where a term or a path is needed", value.type_name()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::properties::filter;
    use super::*;
    use crate::record::{Dictionary, Record, encode};
    use crate::value::strategy::value;
    use crate::{Document, field};

    fn through_a_record(filter: &Filter) -> Filter {
        let (dictionary, mut bytes) = (Dictionary::default(), Vec::new());
        encode(&Document::new().with("only", filter.to_stored()), &dictionary, &mut bytes).unwrap();
        let document = Record::open(&bytes, &dictionary).unwrap().decode().unwrap();
        Filter::from_stored(document.get("only").unwrap()).unwrap()
    }

    proptest! {
        #[test]
        fn filters_are_read_as_they_were_stored(filter in filter()) {
            prop_assert_eq!(format!("{:?}", through_a_record(&filter)), format!("{filter:?}"));
        }

        #[test]
        fn operands_keep_their_types(value in value()) {
            let filter = field("a").eq(value);
            prop_assert_eq!(format!("{:?}", through_a_record(&filter)), format!("{filter:?}"));
        }

        #[test]
        fn no_value_panics(value in value()) {
            let _ = Filter::from_stored(&value);
            let _ = Filter::from_stored(&Value::from(vec![Value::from("eq"), value.clone(), value]));
        }
    }

    #[test]
    fn what_nests_too_deep_is_damaged() {
        let nested = |levels| (0..levels).fold(Value::from(vec![Value::from("and")]), |part, _| named("not", [part]));
        assert!(Filter::from_stored(&nested(FILTER_DEPTH_MAX)).is_ok());
        let error = Filter::from_stored(&nested(FILTER_DEPTH_MAX + 1)).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Corruption);
    }
}
