//! Reading a filter from a document.

use crate::document::Document;
use crate::error::{Error, Result};
use crate::filter::{Filter, Predicate, Quoted, Regex, TypeName, element};
use crate::limits::FILTER_DEPTH_MAX;
use crate::path::Path;
use crate::place::Place;
use crate::spelling;
use crate::value::Value;

/// What stands beside fields.
const CONNECTIVES: [&str; 5] = ["$and", "$or", "$nor", "$not", "$field"];

/// What stands in a field.
const OPERATORS: [&str; 20] = [
    "$eq",
    "$ne",
    "$lt",
    "$lte",
    "$gt",
    "$gte",
    "$between",
    "$in",
    "$nin",
    "$exists",
    "$type",
    "$startsWith",
    "$like",
    "$regex",
    "$options",
    "$contains",
    "$all",
    "$size",
    "$elemMatch",
    "$not",
];

/// Reads a whole filter; `in_element` says that it is one on the elements of an array.
pub(super) fn filter(document: &Document, place: &Place<'_>, in_element: bool) -> Result<Filter> {
    let filter = read(document, &Context { place, in_element, depth: 0 })?;
    let valid = if in_element { filter.validate_on_elements() } else { filter.validate() };
    // Only the depth is left to be checked.
    valid.map_err(|error| place.locate(error))?;
    Ok(filter)
}

/// Where the reading has come to.
#[derive(Clone, Copy)]
struct Context<'a> {
    place: &'a Place<'a>,
    in_element: bool,
    /// How many filters this one is in.
    depth: usize,
}

impl<'a> Context<'a> {
    fn at(&self, place: &'a Place<'a>) -> Context<'a> {
        Context { place, ..*self }
    }

    /// The context of a filter inside this one.
    fn inside(&self) -> Result<Context<'a>> {
        if self.depth >= FILTER_DEPTH_MAX {
            return Err(self.place.locate(Error::limit_exceeded(format!(
                "filter has more than {FILTER_DEPTH_MAX} levels of and, or, not and elem_match"
            ))));
        }
        Ok(Context { depth: self.depth + 1, ..*self })
    }
}

/// A filter that is the conjunction of all entries.
fn read(document: &Document, context: &Context<'_>) -> Result<Filter> {
    let mut terms = Vec::with_capacity(document.len());
    for (key, operand) in document.iter() {
        let place = context.place.key(key);
        match key {
            "$and" => terms.push(Filter::And(list(operand, &context.at(&place))?)),
            "$or" => terms.push(Filter::Or(list(operand, &context.at(&place))?)),
            "$nor" => terms.push(Filter::Nor(list(operand, &context.at(&place))?)),
            "$not" => {
                let part = place.map("a filter", operand)?;
                terms.push(Filter::Not(Box::new(read(part, &context.at(&place).inside()?)?)));
            }
            "$field" => spelt_out(operand, &context.at(&place), &mut terms)?,
            _ if key.starts_with('$') && context.in_element => {
                let Filter::Field(itself, _) = element().exists(true) else { continue };
                operator(&itself, key, operand, document, context, &mut terms)?;
            }
            _ if key.starts_with('$') => return Err(context.place.invalid(misplaced(key))),
            _ => field(&Path::from(key), operand, &context.at(&place), &mut terms)?,
        }
    }
    Ok(conjunction(terms))
}

/// What is wrong with an operator that stands where a field or a connective should.
fn misplaced(key: &str) -> String {
    if OPERATORS.contains(&key) {
        return format!("operator {key:?} needs a field, as in {{\"field\": {{{key:?}: ..}}}}");
    }
    spelling::unknown("operator", key, &CONNECTIVES)
}

fn conjunction(mut terms: Vec<Filter>) -> Filter {
    match terms.pop() {
        Some(only) if terms.is_empty() => only,
        last => {
            terms.extend(last);
            Filter::And(terms)
        }
    }
}

fn list(operand: &Value, context: &Context<'_>) -> Result<Vec<Filter>> {
    let inside = context.inside()?;
    let parts = context.place.array("an array of filters", operand)?;
    let part = |(index, part): (usize, &Value)| {
        let place = context.place.element(index);
        read(place.map("a filter", part)?, &inside.at(&place))
    };
    parts.iter().enumerate().map(part).collect()
}

/// `$field`: a path that its text would not say.
fn spelt_out(operand: &Value, context: &Context<'_>, terms: &mut Vec<Filter>) -> Result<()> {
    let place = context.place;
    let map = place.map("a map of keys and matches", operand)?;
    if let Some(other) = map.keys().find(|key| !matches!(*key, "keys" | "matches")) {
        return Err(place.invalid(spelling::unknown("entry", other, &["keys", "matches"])));
    }
    let (Some(keys), Some(matches)) = (map.get("keys"), map.get("matches")) else {
        return Err(place.expected("a map of keys and matches", operand));
    };
    let at_keys = place.key("keys");
    let key = |(index, key): (usize, &Value)| at_keys.element(index).string("a key", key).map(str::to_owned);
    let keys = at_keys.array("an array of keys", keys)?.iter().enumerate().map(key).collect::<Result<Vec<_>>>()?;
    let path = Path::from_keys(keys);
    path.validate().map_err(|error| at_keys.locate(error))?;
    let at_matches = place.key("matches");
    operators(&path, at_matches.map("a map of operators", matches)?, &context.at(&at_matches), terms)
}

fn field(path: &Path, operand: &Value, context: &Context<'_>, terms: &mut Vec<Filter>) -> Result<()> {
    path.validate().map_err(|error| context.place.locate(error))?;
    match operand {
        Value::Map(map) if map.keys().any(|key| key.starts_with('$')) => operators(path, map, context, terms),
        _ => term(path, Predicate::Eq(operand.clone()), context, terms),
    }
}

/// A map of operators on one field, which must all hold.
fn operators(path: &Path, map: &Document, context: &Context<'_>, terms: &mut Vec<Filter>) -> Result<()> {
    if map.is_empty() {
        return Err(context.place.expected("operators", &Value::Map(Document::new())));
    }
    for (name, operand) in map.iter() {
        if !name.starts_with('$') {
            let name = Quoted(name);
            return Err(context.place.invalid(format!("key {name} stands among operators, which begin with $")));
        }
        operator(path, name, operand, map, context, terms)?;
    }
    Ok(())
}

/// One operator on one field; `context` is the field's, and `siblings` stand beside the operator.
fn operator(
    path: &Path,
    name: &str,
    operand: &Value,
    siblings: &Document,
    context: &Context<'_>,
    terms: &mut Vec<Filter>,
) -> Result<()> {
    let place = context.place.key(name);
    let inner = context.at(&place);
    match name {
        "$not" => {
            let mut negated = Vec::new();
            operators(path, place.map("a map of operators", operand)?, &inner.inside()?, &mut negated)?;
            terms.push(Filter::Not(Box::new(conjunction(negated))));
            Ok(())
        }
        "$elemMatch" => {
            let inside = Context { in_element: true, ..inner.inside()? };
            let filter = read(place.map("a filter", operand)?, &inside)?;
            terms.push(Filter::Field(path.clone(), Predicate::ElemMatch(Box::new(filter))));
            Ok(())
        }
        "$options" if siblings.contains_key("$regex") => Ok(()), // read with it
        "$options" => Err(context.place.invalid("\"$options\" stands without \"$regex\"")),
        _ => match predicate(name, operand, siblings, context.place, &place)? {
            Some(predicate) => term(path, predicate, &inner, terms),
            None if CONNECTIVES.contains(&name) => {
                Err(context.place.invalid(format!("operator {name:?} stands in a field instead of beside it")))
            }
            None => Err(context.place.invalid(spelling::unknown("operator", name, &OPERATORS))),
        },
    }
}

fn term(path: &Path, predicate: Predicate, context: &Context<'_>, terms: &mut Vec<Filter>) -> Result<()> {
    predicate.validate().map_err(|error| context.place.locate(error))?;
    terms.push(Filter::Field(path.clone(), predicate));
    Ok(())
}

/// The predicate of an operator without filters in it; `None` if there is no such operator.
fn predicate(
    name: &str,
    operand: &Value,
    siblings: &Document,
    field: &Place<'_>,
    place: &Place<'_>,
) -> Result<Option<Predicate>> {
    let value = || operand.clone();
    let values = || place.array("an array", operand).map(<[Value]>::to_vec);
    let string = || place.string("a string", operand);
    Ok(Some(match name {
        "$eq" => Predicate::Eq(value()),
        "$ne" => Predicate::Ne(value()),
        "$lt" => Predicate::Lt(value()),
        "$lte" => Predicate::Le(value()),
        "$gt" => Predicate::Gt(value()),
        "$gte" => Predicate::Ge(value()),
        "$contains" => Predicate::Contains(value()),
        "$in" => Predicate::In(values()?),
        "$nin" => Predicate::Nin(values()?),
        "$all" => Predicate::All(values()?),
        "$startsWith" => Predicate::StartsWith(string()?.to_owned()),
        "$like" => Predicate::Like(string()?.into()),
        "$regex" => Predicate::Regex(regex(string()?, siblings.get("$options"), &field.key("$options"))?),
        "$between" => match place.array("an array of two values", operand)? {
            [low, high] => Predicate::Between(low.clone(), high.clone()),
            _ => return Err(place.expected("an array of two values", operand)),
        },
        "$exists" => Predicate::Exists(operand.as_bool().ok_or_else(|| place.expected("true or false", operand))?),
        "$size" => {
            let length = operand.as_i64().and_then(|length| usize::try_from(length).ok());
            Predicate::Size(length.ok_or_else(|| place.expected("an integer from 0", operand))?)
        }
        "$type" => {
            let text = place.string("the name of a type", operand)?;
            let known = TypeName::ALL.map(TypeName::as_str);
            Predicate::Type(text.parse().map_err(|_| place.invalid(spelling::unknown("type", text, &known)))?)
        }
        _ => return Ok(None),
    }))
}

fn regex(source: &str, options: Option<&Value>, place: &Place<'_>) -> Result<Regex> {
    let Some(options) = options else { return Ok(Regex::new(source)) };
    let letters = place.string("a string of the letters i, m, s and x", options)?;
    if let Some(other) = letters.chars().find(|letter| !matches!(letter, 'i' | 'm' | 's' | 'x')) {
        return Err(place.invalid(format!("unknown option {other:?}; known are i, m, s, x")));
    }
    let mut distinct: Vec<char> = letters.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    match distinct.is_empty() {
        true => Ok(Regex::new(source)),
        false => Ok(Regex::new(format!("(?{}){source}", distinct.into_iter().collect::<String>()))),
    }
}
