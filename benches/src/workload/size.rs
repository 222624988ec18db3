//! Space on disk: real documents with indexes, beside SQLite.

use std::collections::HashMap;
use std::sync::mpsc;
use std::thread;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::Context;
use crate::Result;
use crate::dataset::corpus::Corpus;
use crate::engine::{Archive, ArchiveIndex, Engine};
use crate::measure::{DiskPeak, Measurement, Target, Unit, directory_bytes};

/// The Tate's works of art with three indexes: how much space they take, and how much more while they are loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SizeWorkload {
    /// Which documents: those of [`Corpus::Tate`], since the indexes are on their fields.
    pub corpus: Corpus,
}

const INDEXES: [ArchiveIndex; 3] = [
    ArchiveIndex { path: "acno", unique: true },
    ArchiveIndex { path: "acquisitionYear", unique: false },
    ArchiveIndex { path: "contributors.0.fc", unique: false },
];

/// What the targets are held against: SQLite with JSONB, and with JSON as text.
const RIVALS: [&str; 2] = ["sqlite", "sqlite-text"];
/// A quarter of the space is four times as good.
const SMALLER: f64 = 4.0;
/// The most space while loading, by what is left in the end.
const PEAK: f64 = 2.0;
/// Documents between two looks at the clock.
const STEP: u64 = 1_000;

type Object = Map<String, Json>;

impl SizeWorkload {
    pub(super) fn name(&self) -> String {
        format!("size on disk: {}", self.corpus.name())
    }

    pub(super) fn description(&self) -> String {
        let indexes = INDEXES.map(|index| format!("{}{}", index.path, if index.unique { " (unique)" } else { "" }));
        format!(
            "All documents of the corpus by their numbers, with indexes on {}: loaded, compacted, closed. Space is the blocks of \
             all files in the directory after it was closed in order; a peak is the most of that in looks every five \
             milliseconds, from opening to the end of the load and from there to the end of compaction. Then all of it is \
             opened and read again, and must be what was loaded. The time of loading is no row: it has the parsing of the \
             corpus in it.",
            indexes.join(", ")
        )
    }

    pub(super) fn run(&self, engine: &dyn Engine, context: &Context<'_>) -> Result<()> {
        let bytes = |name: &str, bytes: u64| Measurement::new(name, Unit::Bytes, bytes as f64);
        let measured = |measurement| context.recorder.measured(measurement);

        let peak = DiskPeak::watch(context.directory);
        let store = engine.open_archive(&context.options())?;
        let json_bytes = self.load(&*store, context)?;
        let peak_bytes = peak.end()?;
        let peak = DiskPeak::watch(context.directory);
        store.compact()?;
        let peak_of_compaction = peak.end()?;
        store.close()?;

        let disk = directory_bytes(context.directory)?.allocated_bytes;
        let by = |amount: u64, by: u64| amount as f64 / by.max(1) as f64;
        measured(bytes("disk, compacted and closed", disk).target(Target::best_of(&RIVALS, SMALLER)))?;
        measured(Measurement::new("disk by JSON", Unit::Ratio, by(disk, json_bytes)))?;
        measured(bytes("most disk while loading", peak_bytes))?;
        let ratio = Measurement::new("most disk while loading by disk in the end", Unit::Ratio, by(peak_bytes, disk));
        measured(ratio.target(Target::Figure(PEAK)))?;
        measured(bytes("most disk while compacting", peak_of_compaction))?;

        self.check(&*engine.open_archive(&context.options())?, context)
    }

    /// Loads all documents; returns the bytes of their JSON.
    fn load(&self, store: &dyn Archive, context: &Context<'_>) -> Result<u64> {
        let mut phase = context.recorder.phase("load", 0)?;
        let mut told = Ok(());
        // The corpus pushes and the store pulls.
        let (give, take) = mpsc::sync_channel(64);
        let json_bytes = thread::scope(|scope| {
            let reader = scope.spawn(move || {
                let mut read_bytes = 0;
                self.for_each(|id, object, text| {
                    read_bytes += text.len() as u64;
                    give.send((id, object)).map_err(|_| "the store takes no more".into())
                })?;
                Result::Ok(read_bytes)
            });
            let mut given = (0_u64..).zip(take).map(|(number, object)| {
                if number % STEP == 0 && number > 0 && told.is_ok() {
                    told = phase.advance(STEP);
                }
                object
            });
            let loaded = store.load(&mut given, &INDEXES);
            drop(given);
            let read = reader.join().map_err(|_| "who read the corpus has panicked")?;
            loaded?;
            read
        })?;
        told?;
        Ok(json_bytes)
    }

    /// All documents are what they were, and each index knows how many have a value.
    fn check(&self, store: &dyn Archive, context: &Context<'_>) -> Result<()> {
        let mut phase = context.recorder.phase("read all and compare", 0)?;
        let mut counts: [HashMap<Json, u64>; INDEXES.len()] = Default::default();
        let mut number = 0;
        self.for_each(|id, object, _| {
            let found = store.get(id)?;
            if found.as_ref() != Some(&object) {
                return Err(format!("wrong answer: object {id}: {found:?}, expected {object:?}").into());
            }
            for (counts, index) in counts.iter_mut().zip(INDEXES) {
                if let Some(value) = at(&object, index.path).filter(|value| value.is_string() || value.is_i64()) {
                    *counts.entry(value.clone()).or_default() += 1;
                }
            }
            number += 1;
            if number % STEP == 0 {
                phase.advance(STEP)?;
            }
            Ok(())
        })?;
        for (counts, ArchiveIndex { path, unique }) in counts.iter().zip(INDEXES) {
            if unique && counts.values().any(|&count| count > 1) {
                return Err(format!("the corpus has values of {path} more than once").into());
            }
            let most = if unique { 1_000 } else { usize::MAX };
            for (value, &count) in counts.iter().take(most) {
                super::expect(&format!("objects with {path} = {value}"), count, store.count(path, value)?)?;
            }
        }
        Ok(())
    }

    /// Calls `visit` with each document, its number and its JSON.
    fn for_each(&self, mut visit: impl FnMut(i64, Object, &str) -> Result<()>) -> Result<()> {
        self.corpus.for_each(|line| {
            let object: Object = serde_json::from_str(line)?;
            let id = object.get("id").and_then(Json::as_i64).ok_or("a document has no number")?;
            visit(id, object, line)
        })
    }
}

/// What an object has at a path.
fn at<'a>(object: &'a Object, path: &str) -> Option<&'a Json> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let value = object.get(first)?;
    rest.map_or(Some(value), |rest| value.pointer(&format!("/{}", rest.replace('.', "/"))))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_leads_through_objects_and_to_elements_of_arrays() {
        let Json::Object(object) = json!({"a": [{"b": 1}, {"b": 2}], "c": null}) else { panic!("an object") };
        assert_eq!(at(&object, "a.1.b"), Some(&json!(2)));
        assert_eq!(at(&object, "c"), Some(&Json::Null));
        assert_eq!((at(&object, "a.2.b"), at(&object, "d")), (None, None));
    }
}
