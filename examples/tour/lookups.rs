//! One query of each kind on documents of which nothing is known but their fields.

use std::collections::BTreeMap;
use std::fmt::Display;

use blaze::{Collection, Document, DocumentId, Found, Value, desc, field};

use crate::Outcome;
use crate::fields::{Field, Use};
use crate::jsonl::{SIMILAR_TEXT, Survey};
use crate::similar_text::Counter;
use crate::stopwatch::timed;
use crate::table::{Table, shortened};
use crate::terminal::{Screen, grouped};

const ROWS: usize = 5;
const GROUPS: usize = 8;
const BAR_COLUMNS: usize = 30;

/// Asks everything, and returns the id of a document.
pub(crate) fn show(
    screen: &mut Screen,
    documents: &Collection<Document>,
    survey: &Survey,
    indexed: &[String],
) -> Outcome<DocumentId> {
    let fields = &survey.fields;
    // A field with an index before one without.
    let choose = |wanted: &dyn Fn(&Field) -> bool| {
        let with_index = indexed.iter().filter_map(|path| fields.by_path(path));
        with_index.chain(&fields.fields).find(|field| field.example.is_some() && wanted(field))
    };
    let id = by_id(screen, documents, survey)?;
    let lookup = choose(&|field| field.kind() == Use::Lookup).or_else(|| choose(&|field| field.kind() == Use::Range));
    if let Some(field) = lookup {
        equal(screen, documents, survey, field)?;
    }
    if let Some(field) = choose(&|field| field.kind() == Use::Range) {
        range(screen, documents, survey, field)?;
    }
    if let Some(field) = choose(&|field| field.kind() == Use::Contains) {
        contains(screen, documents, survey, field)?;
    }
    // Few groups make the better picture.
    let groups_of = fields.fields.iter().filter(|field| field.makes_groups(fields.documents));
    if let Some(field) = groups_of.min_by_key(|field| field.distinct()) {
        groups(screen, documents, field)?;
    }
    if let Some(text) = &survey.text {
        similar(screen, documents, survey, text)?;
    }
    Ok(id)
}

fn by_id(screen: &mut Screen, documents: &Collection<Document>, survey: &Survey) -> Outcome<DocumentId> {
    let first = documents.find_all().first()?.ok_or("the collection is empty")?;
    let id = first.id;
    screen.ask(&format!("The document {id}"), "documents.get(&id)?");
    let (found, elapsed) = timed(|| documents.get(&id));
    let found = found?.ok_or_else(|| format!("{id} is gone"))?;
    screen.labelled("plan", "one read by id");
    screen.table(&table(survey, None, std::slice::from_ref(&found)));
    screen.time(elapsed);
    screen.check(found.id == id, "It is the document that was asked for.");
    Ok(id)
}

fn equal(screen: &mut Screen, documents: &Collection<Document>, survey: &Survey, asked: &Field) -> Outcome<()> {
    let (path, value) = (asked.path.as_str(), asked.example.clone().unwrap_or_default());
    screen.ask(
        &format!("Documents whose {path} is {}", plain(&value)),
        &format!("documents.find(field({path:?}).eq({})).run()?", literal(&value)),
    );
    let query = documents.find(field(path).eq(value.clone()));
    let (found, elapsed) = timed(|| query.run());
    let found = found?;
    screen.plan(&query.explain()?);
    answer(screen, survey, asked, &found);
    screen.time(elapsed);
    let is_equal = |found: &Found<Document>| at(found, path).is_some_and(|held| plain(held) == plain(&value));
    screen.check(!found.is_empty() && found.iter().all(is_equal), "Every one of them has that value.");
    Ok(())
}

fn range(screen: &mut Screen, documents: &Collection<Document>, survey: &Survey, asked: &Field) -> Outcome<()> {
    let (path, value) = (asked.path.as_str(), asked.example.clone().unwrap_or_default());
    screen.ask(
        &format!("The {ROWS} with the highest {path}, from {} upwards", plain(&value)),
        &format!("documents.find(field({path:?}).ge({})).sort(desc({path:?})).limit({ROWS}).run()?", literal(&value)),
    );
    let query = documents.find(field(path).ge(value.clone())).sort(desc(path)).limit(ROWS);
    let (found, elapsed) = timed(|| query.run());
    let found = found?;
    screen.plan(&query.explain()?);
    answer(screen, survey, asked, &found);
    screen.time(elapsed);
    screen.check(
        !found.is_empty() && found.is_sorted_by(|left, right| !is_below(at(left, path), at(right, path))),
        "They come in order, highest first.",
    );
    Ok(())
}

fn contains(screen: &mut Screen, documents: &Collection<Document>, survey: &Survey, asked: &Field) -> Outcome<()> {
    let (path, value) = (asked.path.as_str(), asked.example.clone().unwrap_or_default());
    screen.ask(
        &format!("Documents whose {path} contains {}", plain(&value)),
        &format!("documents.find(field({path:?}).contains({})).run()?", literal(&value)),
    );
    let query = documents.find(field(path).contains(value.clone()));
    let (found, elapsed) = timed(|| query.run());
    let found = found?;
    screen.plan(&query.explain()?);
    answer(screen, survey, asked, &found);
    screen.time(elapsed);
    let contains = |found: &Found<Document>| {
        at(found, path)
            .and_then(Value::as_array)
            .is_some_and(|elements| elements.iter().any(|element| plain(element) == plain(&value)))
    };
    screen.check(!found.is_empty() && found.iter().all(contains), "Every one of them contains it.");
    Ok(())
}

/// Counts by value in a loop of its own; a document counts for each element of an array.
fn groups(screen: &mut Screen, documents: &Collection<Document>, asked: &Field) -> Outcome<()> {
    let path = asked.path.as_str();
    screen.ask(
        &format!("How many documents are there for each value of {path}?"),
        "for document in documents.find_all().iter()? { /* count */ }",
    );
    let (counts, elapsed) = timed(|| -> Outcome<BTreeMap<String, u64>> {
        let mut counts = BTreeMap::new();
        for document in documents.find_all().iter()? {
            let document = document?;
            let mut values: Vec<String> = match at(&document, path) {
                Some(Value::Array(elements)) => elements.iter().map(plain).collect(),
                Some(value) => vec![plain(value)],
                None => Vec::new(),
            };
            values.sort_unstable();
            values.dedup();
            values.into_iter().for_each(|value| *counts.entry(value).or_default() += 1);
        }
        Ok(counts)
    });
    let mut counts: Vec<(String, u64)> = counts?.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    screen.labelled("plan", "a read of the whole collection, counted by this program");
    let most = counts.first().map_or(1, |(_, count)| *count);
    let mut table = Table::with_titles(&[path, "#documents", ""]);
    for (value, count) in counts.iter().take(GROUPS) {
        let bar = "▪".repeat((*count as usize * BAR_COLUMNS).div_ceil(most as usize));
        table.row([shortened(value, 40), grouped(*count), bar]);
    }
    screen.table(&table);
    more(screen, counts.len(), GROUPS);
    screen.time(elapsed);
    if let Some(value) = &asked.example {
        let query = match asked.kind() {
            Use::Contains => documents.find(field(path).contains(value.clone())),
            _ => documents.find(field(path).eq(value.clone())),
        };
        let counted = counts.iter().find(|(other, _)| *other == plain(value)).map(|(_, count)| *count);
        screen
            .check(counted == Some(query.count()?), &format!("For {}, a query counts the same number.", plain(value)));
    }
    Ok(())
}

fn similar(screen: &mut Screen, documents: &Collection<Document>, survey: &Survey, text: &str) -> Outcome<()> {
    let Some(example) = survey.fields.by_path(text).and_then(|field| field.example.as_ref()).and_then(Value::as_str)
    else {
        return Ok(());
    };
    screen.ask(
        &format!("Documents whose {text} is most similar to this one's"),
        &format!("documents.search().nearest(\"{SIMILAR_TEXT}\", &vector).limit({ROWS}).run()?"),
    );
    screen.labelled("text", &shortened(example, 240));
    let vector = survey.similar.vector(example, &mut Counter::new());
    let search = documents.search().nearest(SIMILAR_TEXT, &vector).limit(ROWS);
    let (hits, elapsed) = timed(|| search.run());
    let hits = hits?;
    screen.plan(&search.explain()?);
    let mut table = Table::with_titles(&["#distance", text]);
    for hit in &hits {
        let text = at(&hit.value, text).map_or_else(String::new, plain);
        table.row([format!("{:.3}", hit.distance), text]);
    }
    screen.table(&table);
    screen.time(elapsed);
    let nearest = hits.first().is_some_and(|hit| hit.distance.abs() < 1e-3);
    screen.check(nearest, "The text itself is the nearest, at distance 0.");
    Ok(())
}

fn answer(screen: &Screen, survey: &Survey, asked: &Field, found: &[Found<Document>]) {
    screen.table(&table(survey, Some(asked), &found[..found.len().min(ROWS)]));
    more(screen, found.len(), ROWS);
}

fn more(screen: &Screen, rows: usize, shown: usize) {
    if rows > shown {
        screen.labelled("", &format!("and {} more", grouped((rows - shown) as u64)));
    }
}

/// Documents as rows: the field that the question is about, and the first four others that are short.
fn table(survey: &Survey, asked: Option<&Field>, found: &[Found<Document>]) -> Table {
    let is_asked = |field: &Field| asked.is_some_and(|asked| asked.path == field.path);
    let is_short = |field: &Field| matches!(field.kind(), Use::Lookup | Use::Range);
    let mut others = 0;
    let shown = survey.fields.fields.iter().filter(|field| {
        others += usize::from(is_short(field) && !is_asked(field));
        is_asked(field) || is_short(field) && others <= 4
    });
    let paths: Vec<&str> = shown.map(|field| field.path.as_str()).collect();
    let mut table = Table::with_titles(&paths);
    for document in found {
        table.row(paths.iter().map(|path| at(document, path).map_or_else(String::new, plain)));
    }
    table
}

/// The value at a dotted path.
fn at<'a>(document: &'a Document, path: &str) -> Option<&'a Value> {
    match path.split_once('.') {
        Some((first, rest)) => at(document.get(first)?.as_map()?, rest),
        None => document.get(path),
    }
}

fn is_below(left: Option<&Value>, right: Option<&Value>) -> bool {
    match (left, right) {
        (Some(Value::String(left)), Some(Value::String(right))) => left < right,
        (Some(left), Some(right)) => number(left) < number(right),
        _ => false,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(int) => Some(*int as f64),
        Value::UInt(int) => Some(*int as f64),
        Value::Float(float) => Some(*float),
        _ => None,
    }
}

/// A value as people read it.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::UInt(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(elements) => elements.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Vector(vector) => format!("vector of {}", vector.dimension()),
        Value::Map(map) => format!("{{{}}}", map.keys().collect::<Vec<_>>().join(", ")),
        other => format!("{other:?}"),
    }
}

/// A value as one writes it in Rust.
fn literal(value: &Value) -> impl Display + use<> {
    match value {
        Value::String(text) => format!("{:?}", shortened(text, 60)),
        other => plain(other),
    }
}
