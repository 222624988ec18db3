//! Pipelines evaluated plainly, on documents in memory: what every other way of running them must agree with.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use blaze::{Document, DocumentId, Filter, Value};

/// A stage as the model knows it.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Filter(Filter),
    /// Puts `expression` into a field.
    Set(&'static str, Formula),
    Unset(&'static str),
    Include(Vec<&'static str>),
    Unwind {
        field: &'static str,
        keep_empty: bool,
        index: bool,
    },
    Group(Vec<(&'static str, Formula)>, Vec<(&'static str, Summary)>),
    /// Fields, and whether they descend.
    Sort(Vec<(&'static str, bool)>),
    /// One field, without regard to case.
    SortWithoutCase(&'static str),
    /// An expression by which rows come into so many buckets, and what is computed of each.
    BucketAuto(Formula, usize, Vec<(&'static str, Summary)>),
    Skip(usize),
    Limit(usize),
    /// Local field, and the foreign field or the id.
    Lookup(&'static str, Option<&'static str>),
    Facet(Vec<(&'static str, Vec<Step>)>),
}

/// An expression as the model knows it.
#[derive(Clone, Debug)]
pub(crate) enum Formula {
    Field(&'static str),
    Plus(&'static str, i64),
    Or(&'static str, i64),
    /// Below 0, below 3, or others.
    Bucket(&'static str),
    IfMatches(Filter, &'static str, i64),
    Id,
}

/// An accumulator as the model knows it.
#[derive(Clone, Debug)]
pub(crate) enum Summary {
    Count,
    Sum(&'static str),
    Average(&'static str),
    Min(&'static str),
    Max(&'static str),
    First(&'static str),
    Last(&'static str),
    Push(&'static str),
    AddToSet(&'static str),
}

#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: Option<DocumentId>,
    pub(crate) document: Document,
}

/// The value of a path of at most two steps.
fn value(document: &Document, path: &str) -> Option<Value> {
    match path.split_once('.') {
        None => document.get(path).cloned(),
        Some((first, second)) => match document.get(first)? {
            Value::Map(map) => map.get(second).cloned(),
            Value::Array(elements) => {
                let maps = elements.iter().filter_map(Value::as_map);
                Some(Value::Array(maps.filter_map(|map| map.get(second).cloned()).collect()))
            }
            _ => None,
        },
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(int) => Some(*int as f64),
        Value::Float(float) => Some(*float),
        _ => None,
    }
}

fn evaluate(formula: &Formula, row: &Row) -> Option<Value> {
    match formula {
        Formula::Field(path) => value(&row.document, path),
        Formula::Plus(path, by) => {
            let value = value(&row.document, path)?;
            Some(number(&value).map_or(Value::Null, |number| Value::from(number + *by as f64)))
        }
        Formula::Or(path, default) => {
            Some(value(&row.document, path).filter(|value| !value.is_null()).unwrap_or(Value::from(*default)))
        }
        Formula::Bucket(path) => {
            let number = number(&value(&row.document, path)?)?;
            (0.0..6.0).contains(&number).then(|| Value::from(if number < 3.0 { 0 } else { 3 }))
        }
        Formula::IfMatches(filter, path, otherwise) => {
            if filter.matches(&row.document) {
                value(&row.document, path)
            } else {
                Some(Value::from(*otherwise))
            }
        }
        Formula::Id => row.id.as_ref().map(|id| match id {
            DocumentId::Int(int) => Value::from(*int),
            other => panic!("{other:?}"),
        }),
    }
}

fn summarise(summary: &Summary, rows: &[Row]) -> Option<Value> {
    let all = |path: &str| rows.iter().map(|row| value(&row.document, path)).collect::<Vec<_>>();
    let there = |path: &str| all(path).into_iter().flatten().collect::<Vec<_>>();
    let not_null = |path: &str| there(path).into_iter().filter(|value| !value.is_null()).collect::<Vec<_>>();
    let total = |path: &str| not_null(path).iter().map(|value| number(value).unwrap()).sum::<f64>();
    match summary {
        Summary::Count => Some(Value::from(rows.len() as u64)),
        Summary::Sum(path) => Some(Value::from(total(path))),
        Summary::Average(path) => match not_null(path).len() {
            0 => Some(Value::Null),
            count => Some(Value::from(total(path) / count as f64)),
        },
        Summary::Min(path) => Some(not_null(path).into_iter().min().unwrap_or(Value::Null)),
        Summary::Max(path) => Some(not_null(path).into_iter().max().unwrap_or(Value::Null)),
        Summary::First(path) => all(path).first().cloned().flatten(),
        Summary::Last(path) => all(path).last().cloned().flatten(),
        Summary::Push(path) => Some(Value::Array(there(path))),
        Summary::AddToSet(path) => {
            let mut values = there(path);
            values.sort();
            values.dedup();
            Some(Value::Array(values))
        }
    }
}

/// Runs the steps over rows that are in the order of their ids; `others` is the collection that lookups join.
pub(crate) fn run(steps: &[Step], rows: Vec<Row>, others: &[(DocumentId, Document)]) -> Vec<Row> {
    steps.iter().fold(rows, |rows, step| apply(step, rows, others))
}

fn apply(step: &Step, mut rows: Vec<Row>, others: &[(DocumentId, Document)]) -> Vec<Row> {
    match step {
        Step::Filter(filter) => rows.retain(|row| filter.matches(&row.document)),
        Step::Set(name, formula) => rows.iter_mut().for_each(|row| match evaluate(formula, row) {
            Some(value) => drop(row.document.insert(*name, value)),
            None => drop(row.document.remove(name)),
        }),
        Step::Unset(name) => rows.iter_mut().for_each(|row| drop(row.document.remove(name))),
        Step::Include(names) => rows.iter_mut().for_each(|row| {
            let kept = names.iter().filter_map(|name| Some((*name, row.document.get(name)?.clone())));
            row.document = kept.collect();
        }),
        Step::Unwind { field, keep_empty, index } => {
            return rows.into_iter().flat_map(|row| unwind(row, field, *keep_empty, *index)).collect();
        }
        Step::Group(keys, summaries) => return group(keys, summaries, rows),
        Step::Sort(keys) => rows.sort_by(|a, b| compare(keys, a, b)),
        Step::SortWithoutCase(field) => {
            let lower = |row: &Row| match row.document.get(field) {
                Some(Value::String(text)) => Some(Value::from(text.to_lowercase())),
                other => other.cloned(),
            };
            rows.sort_by(|a, b| lower(a).cmp(&lower(b)).then_with(|| a.id.cmp(&b.id)));
        }
        Step::BucketAuto(of, buckets, summaries) => return bucket_auto(of, *buckets, summaries, rows),
        Step::Skip(count) => drop(rows.drain(..(*count).min(rows.len()))),
        Step::Limit(count) => rows.truncate(*count),
        Step::Lookup(local, foreign) => rows.iter_mut().for_each(|row| {
            let joined = lookup(value(&row.document, local), *foreign, others);
            row.document.insert("joined", Value::Array(joined));
        }),
        Step::Facet(branches) => {
            let documents = |steps: &[Step]| run(steps, rows.clone(), others).into_iter().map(|row| row.document);
            let arrays = branches.iter().map(|(name, steps)| (*name, documents(steps).collect::<Value>()));
            return vec![Row { id: None, document: arrays.collect() }];
        }
    }
    rows
}

fn unwind(row: Row, field: &str, keep_empty: bool, index: bool) -> Vec<Row> {
    let with = |element: Option<Value>, position: Value| {
        let mut row = row.clone();
        match element {
            Some(element) => drop(row.document.insert(field, element)),
            None => drop(row.document.remove(field)),
        }
        if index {
            row.document.insert("position", position);
        }
        row
    };
    match row.document.get(field) {
        None | Some(Value::Null) if !keep_empty => Vec::new(),
        Some(Value::Array(elements)) if elements.is_empty() && !keep_empty => Vec::new(),
        Some(Value::Array(elements)) if elements.is_empty() => vec![with(None, Value::Null)],
        Some(Value::Array(elements)) => {
            let numbered = elements.iter().enumerate();
            numbered.map(|(position, element)| with(Some(element.clone()), Value::from(position as u64))).collect()
        }
        other => vec![with(other.cloned(), Value::Null)],
    }
}

fn group(keys: &[(&str, Formula)], summaries: &[(&str, Summary)], rows: Vec<Row>) -> Vec<Row> {
    let mut groups: BTreeMap<Vec<Option<Value>>, Vec<Row>> = BTreeMap::new();
    if keys.is_empty() {
        groups.insert(Vec::new(), Vec::new());
    }
    for row in rows {
        let key = keys.iter().map(|(_, formula)| evaluate(formula, &row)).collect();
        groups.entry(key).or_default().push(row);
    }
    let document = |(key, rows): (Vec<Option<Value>>, Vec<Row>)| {
        let keys = keys.iter().zip(key).filter_map(|((name, _), value)| Some((*name, value?)));
        let results = summaries.iter().filter_map(|(name, summary)| Some((*name, summarise(summary, &rows)?)));
        Row { id: None, document: keys.chain(results).collect() }
    };
    groups.into_iter().map(document).collect()
}

/// Of rows in the order of a value, each bucket takes up to its share of them all, and those equal to its last.
fn bucket_auto(of: &Formula, buckets: usize, summaries: &[(&str, Summary)], rows: Vec<Row>) -> Vec<Row> {
    let mut keyed: Vec<(Option<Value>, Row)> = rows.into_iter().map(|row| (evaluate(of, &row), row)).collect();
    keyed.sort_by(|(a, _), (b, _)| a.cmp(b));
    let (all, mut made, mut start) = (keyed.len(), Vec::new(), 0);
    for bucket in 1..=buckets {
        let mut end = (all * bucket).div_ceil(buckets);
        while end > start && end < all && keyed[end].0 == keyed[end - 1].0 {
            end += 1;
        }
        if end <= start {
            continue;
        }
        let rows: Vec<Row> = keyed[start..end].iter().map(|(_, row)| row.clone()).collect();
        let ends = [("min", keyed[start].0.clone()), ("max", keyed[end - 1].0.clone())];
        let ends = ends.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let results = summaries.iter().filter_map(|(name, summary)| Some((*name, summarise(summary, &rows)?)));
        made.push(Row { id: None, document: ends.chain(results).collect() });
        start = end;
    }
    made
}

fn compare(keys: &[(&str, bool)], a: &Row, b: &Row) -> Ordering {
    let directed = |order: Ordering, descends: bool| if descends { order.reverse() } else { order };
    let by_keys = keys.iter().fold(Ordering::Equal, |so_far, (field, descends)| {
        so_far.then_with(|| directed(a.document.get(field).cmp(&b.document.get(field)), *descends))
    });
    by_keys.then_with(|| directed(a.id.cmp(&b.id), keys.last().is_some_and(|(_, descends)| *descends)))
}

fn lookup(local: Option<Value>, foreign: Option<&str>, others: &[(DocumentId, Document)]) -> Vec<Value> {
    let wanted = match local {
        None => Vec::new(),
        Some(Value::Array(values)) => values,
        Some(value) => vec![value],
    };
    let joins = |(id, document): &&(DocumentId, Document)| {
        wanted.iter().filter(|value| !value.is_null()).any(|value| match foreign {
            Some(path) => document.get(path) == Some(value),
            None => matches!(id, DocumentId::Int(id) if Value::from(*id) == *value),
        })
    };
    others.iter().filter(joins).map(|(_, document)| Value::Map(document.clone())).collect()
}
