//! Any JSON Lines file: what is in it, which indexes it deserves, and a query of each kind.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::time::Duration;

use blaze::{Collection, Database, Document, DocumentId, Index, Metric, Value, Vector};

use crate::Outcome;
use crate::arguments::JsonLines;
use crate::checksum::Checksum;
use crate::fields::{Fields, Use};
use crate::figures::Loaded;
use crate::lookups;
use crate::similar_text::{Counter, DIMENSIONS, SimilarText};
use crate::stopwatch::timed;
use crate::table::Table;
use crate::terminal::{Screen, Style, counted, duration, grouped, size};
use crate::transactions::Subject;

pub(crate) const COLLECTION: &str = "documents";
pub(crate) const SIMILAR_TEXT: &str = "similar_text";

/// Longer lines are reported and not loaded.
const LINE_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Bad lines that are named one by one.
const BAD_LINES_SHOWN: u64 = 5;

/// What the first reading found out.
pub(crate) struct Survey {
    pub(crate) fields: Fields,
    pub(crate) similar: SimilarText,
    /// The field whose text gets vectors.
    pub(crate) text: Option<String>,
    bad: Vec<(u64, String)>,
    bad_count: u64,
    bytes: u64,
    id: Option<String>,
}

/// Goes through the file twice, loads it and asks; returns what the last table needs and one of the documents.
pub(crate) fn show(screen: &mut Screen, db: &Database, file: &JsonLines) -> Outcome<(Loaded, Subject)> {
    let name = file.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    screen.section(&format!("The fields of {name}"));
    let survey = Survey::of(file)?;
    survey.introduce(screen);
    if survey.fields.documents == 0 {
        return Err(format!("{name} holds no document: each line should be a JSON object").into());
    }
    for path in &file.indexes {
        if survey.fields.by_path(path).is_none() {
            let known: Vec<&str> = survey.fields.fields.iter().map(|field| field.path.as_str()).collect();
            return Err(format!("--index {path}: there is no such field; there are {}", known.join(", ")).into());
        }
    }

    screen.section("Loading");
    let documents = db.collection::<Document>(COLLECTION)?;
    let elapsed = load(screen, &documents, file, &survey)?;
    screen.section("Indexes");
    let indexed = build_indexes(screen, &documents, file, &survey)?;
    screen.section("Queries");
    let id = lookups::show(screen, &documents, &survey, &indexed)?;
    let loaded =
        Loaded { documents: survey.fields.documents, bytes: survey.bytes, elapsed, collection: COLLECTION.into() };
    Ok((loaded, Subject { collection: COLLECTION.into(), id }))
}

/// The lines of a file, one at a time: its number, its bytes, and the document or what is wrong with it.
fn lines(path: &Path) -> Outcome<impl Iterator<Item = (u64, u64, Result<Document, String>)> + use<>> {
    let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let mut number = 0;
    let mut line = Vec::new();
    Ok(std::iter::from_fn(move || {
        loop {
            line.clear();
            number += 1;
            match reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line) {
                Ok(0) => return None,
                Ok(_) if line.trim_ascii().is_empty() => {}
                Ok(read) if read as u64 == LINE_BYTES_MAX && !line.ends_with(b"\n") => {
                    let rest = skip_line(&mut reader);
                    let message = rest.map_or_else(|error| error.to_string(), |_| "longer than 8 MiB".to_owned());
                    return Some((number, 0, Err(message)));
                }
                Ok(read) => return Some((number, read as u64, parsed(&line))),
                Err(error) => return Some((number, 0, Err(error.to_string()))),
            }
        }
    }))
}

fn skip_line(reader: &mut impl BufRead) -> std::io::Result<usize> {
    reader.skip_until(b'\n')
}

fn parsed(line: &[u8]) -> Result<Document, String> {
    match serde_json::from_slice::<Value>(line) {
        Ok(Value::Map(document)) => Ok(document),
        Ok(other) => Err(format!("holds {} instead of an object", other.type_name())),
        // Each line is parsed alone, so that serde_json takes all of them for the first.
        Err(error) => Err(error.to_string().replace(" at line 1 column ", ", column ")),
    }
}

/// The document's own id.
fn id_of(document: &Document, field: &str) -> Result<DocumentId, String> {
    let id = match document.get(field) {
        Some(Value::String(text)) => DocumentId::from(text.as_str()),
        Some(Value::Int(int)) => DocumentId::from(*int),
        Some(Value::UInt(int)) => DocumentId::from(*int),
        Some(other) => return Err(format!("its {field} is {}, an id is a string or an integer", other.type_name())),
        None => return Err(format!("has no {field}")),
    };
    id.validate().map_err(|error| error.to_string())?;
    Ok(id)
}

impl Survey {
    fn of(file: &JsonLines) -> Outcome<Survey> {
        let mut survey = Survey {
            fields: Fields::default(),
            similar: SimilarText::new(),
            text: None,
            bad: Vec::new(),
            bad_count: 0,
            bytes: 0,
            id: file.id.clone(),
        };
        let mut ids = HashSet::new();
        for (number, bytes, document) in lines(&file.path)? {
            match document.and_then(|document| survey.accepted(document, &mut ids)) {
                Ok(document) => {
                    survey.bytes += bytes;
                    survey.fields.observe(&document);
                    for (_, value) in document.iter() {
                        if let Value::String(text) = value {
                            survey.similar.learn(text);
                        }
                    }
                }
                Err(message) => {
                    survey.bad_count += 1;
                    if survey.bad_count <= BAD_LINES_SHOWN {
                        survey.bad.push((number, message));
                    }
                }
            }
        }
        let texts = survey.fields.fields.iter().filter(|field| field.kind() == Use::Text && !field.path.contains('.'));
        survey.text = texts.max_by_key(|field| field.text_bytes()).map(|field| field.path.clone());
        Ok(survey)
    }

    /// The document, if its id can be used and is new.
    fn accepted(&self, document: Document, ids: &mut HashSet<u64>) -> Result<Document, String> {
        if let Some(field) = &self.id {
            let id = id_of(&document, field)?;
            let mut key = Vec::new();
            id.write_key(&mut key);
            if !ids.insert(Checksum::of(&key)) {
                return Err(format!("repeats the {field} {id}"));
            }
        }
        Ok(document)
    }

    fn introduce(&self, screen: &Screen) {
        screen.say(&format!("{}, {}.", counted(self.fields.documents, "document"), size(self.bytes)));
        for (number, message) in &self.bad {
            screen.say(&format!("{} {number}: {message}", screen.style(Style::Alarm, "line")));
        }
        if self.bad_count > 0 {
            screen.say(&format!("{} left out.", counted(self.bad_count, "line")));
        }
        let mut table = Table::new(["field", "type", "#in", "#values", "for example"]);
        for field in &self.fields.fields {
            let example = field.example.as_ref().map_or_else(String::new, lookups::plain);
            table.row([
                field.path.clone(),
                field.type_names(),
                format!("{}%", field.present * 100 / self.fields.documents.max(1)),
                field.distinct_values(),
                example,
            ]);
        }
        screen.table(&table);
        if let (None, Some(unique)) = (&self.id, self.fields.unique()) {
            let path = &unique.path;
            screen.say(&format!("No two documents share their {path}: --id {path} would make it their id."));
        }
        if self.fields.unlisted {
            screen.say("Further fields are loaded, but not listed.");
        }
    }
}

/// Loads what the survey accepted, with vectors for the text field.
fn load(screen: &mut Screen, documents: &Collection<Document>, file: &JsonLines, survey: &Survey) -> Outcome<Duration> {
    if let Some(text) = &survey.text {
        screen.say(&format!(
            "Each document gets a field {SIMILAR_TEXT}: a vector of the runs of characters in its {text}. It compares \
             spelling, not meaning.",
        ));
    }
    let total = survey.fields.documents;
    let mut progress = screen.progress("documents", total);
    let average = survey.bytes / total.max(1);
    let mut counter = Counter::new();
    let mut ids = HashSet::new();
    let accepted = lines(&file.path)?.filter_map(|(_, _, document)| {
        let mut document = document.and_then(|document| survey.accepted(document, &mut ids)).ok()?;
        if let Some(text) = survey.text.as_ref().and_then(|field| document.get(field)).and_then(Value::as_str) {
            let vector = survey.similar.vector(text, &mut counter);
            if !vector.is_empty() {
                document.insert(SIMILAR_TEXT, Vector::F32(vector));
            }
        }
        Some(document)
    });
    let bulk = documents.bulk().progress(|done| progress.advance(done, done * average));
    match &file.id {
        Some(field) => {
            bulk.insert_with_ids(accepted.filter_map(|document| Some((id_of(&document, field).ok()?, document))))?
        }
        None => bulk.insert(accepted)?,
    };
    let elapsed = progress.finish(survey.bytes);
    let loaded = documents.count()?;
    screen.check(loaded == total, &format!("The database holds {} documents: all of them.", grouped(loaded)));
    Ok(elapsed)
}

/// Builds the indexes that were asked for, or else those that the fields suggest, and returns their fields.
fn build_indexes(
    screen: &Screen,
    documents: &Collection<Document>,
    file: &JsonLines,
    survey: &Survey,
) -> Outcome<Vec<String>> {
    let mut wanted: Vec<(String, String)> = match file.indexes.is_empty() {
        true => survey.fields.proposals(),
        false => file.indexes.iter().map(|path| (path.clone(), "asked for with --index".to_owned())).collect(),
    };
    let mut seen = HashSet::new();
    wanted.retain(|(path, _)| seen.insert(path.clone()));
    let mut table = Table::new(["index on", "reason", "#built in"]);
    for (path, reason) in &wanted {
        let (built, elapsed) = timed(|| documents.ensure_index(Index::on(path.as_str())));
        built?;
        table.row([path.clone(), reason.clone(), duration(elapsed)]);
    }
    if let Some(text) = &survey.text {
        let index = Index::vector(SIMILAR_TEXT, DIMENSIONS).metric(Metric::Cosine);
        let (built, elapsed) = timed(|| documents.ensure_index(index));
        built?;
        table.row([SIMILAR_TEXT.to_owned(), format!("text: documents whose {text} is alike"), duration(elapsed)]);
    }
    if wanted.is_empty() && survey.text.is_none() {
        screen.say("No field deserves one: queries will read the collection.");
    } else {
        screen.table(&table);
    }
    Ok(wanted.into_iter().map(|(path, _)| path).collect())
}
