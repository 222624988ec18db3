//! The workload on Blaze, and on a store that is wrong.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json, json};

use super::naive::{SortKey, at, matches};
use super::question::Question;
use super::{DocumentSource, DocumentWorkload};
use crate::Result;
use crate::dataset::corpus::Corpus;
use crate::engine::{Blaze, Condition, Documents, Durability, Engine, EngineOptions, Faculty, Find, Operator};
use crate::measure::Measurement;
use crate::workload::measured::measured;

fn run(engine: &dyn Engine, workload: &DocumentWorkload) -> Result<Vec<Measurement>> {
    let (result, measurements) = measured(|context| workload.run(engine, context));
    result.map(|()| measurements)
}

fn once(source: DocumentSource) -> DocumentWorkload {
    DocumentWorkload { question_seconds: 0.0, reads: 100, ..DocumentWorkload::quick(source) }
}

fn generated() -> DocumentWorkload {
    once(DocumentSource::Corpus(Corpus::Generated { documents: 400 }))
}

/// The user's files with these contents.
struct Files {
    directory: tempfile::TempDir,
}

impl Files {
    fn with(documents: &str, questions: &str) -> Files {
        let files = Files { directory: tempfile::tempdir().unwrap() };
        fs::write(files.path("documents.jsonl"), documents).unwrap();
        fs::write(files.path("questions.jsonl"), questions).unwrap();
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn source(&self) -> DocumentSource {
        DocumentSource::Lines { documents: self.path("documents.jsonl"), questions: self.path("questions.jsonl") }
    }

    fn error(&self) -> String {
        run(&Blaze, &once(self.source())).unwrap_err().to_string()
    }
}

#[test]
fn every_operation_is_measured_once_and_every_question_with_and_without_indexes() {
    let measurements = run(&Blaze, &generated()).unwrap();
    let mut names: Vec<&str> = measurements.iter().map(|measurement| measurement.name.as_str()).collect();
    for name in
        ["load in bulk", "create, durable", "read by id", "index on elements of tags", "disk by JSON, with indexes"]
    {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    let city = r#"find address.city = "delta" ("#;
    assert_eq!(names.iter().filter(|name| name.starts_with(city)).count(), 2);
    let indexed = measurements.iter().filter(|measurement| measurement.name.ends_with(", indexed"));
    for measurement in indexed {
        let plain = measurement.name.strip_suffix(", indexed").unwrap();
        let plain = measurements.iter().find(|measurement| measurement.name == plain).unwrap();
        assert_eq!(measurement.checksum, plain.checksum, "{}", measurement.name);
        assert!(measurement.checksum.is_some() && measurement.latency.is_some());
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), measurements.len(), "a name stands for two figures");
}

#[test]
fn blaze_answers_every_kind_of_question_about_values_of_every_kind() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let source =
        DocumentSource::Lines { documents: data.join("mixed.jsonl"), questions: data.join("mixed-questions.jsonl") };
    assert_eq!(source.missing(), None);
    let measurements = run(&Blaze, &once(source)).unwrap();
    let indexed = measurements.iter().filter(|measurement| measurement.name.ends_with(", indexed")).count();
    assert!(indexed > 90, "{indexed} questions were asked with indexes");
}

#[test]
fn a_file_with_few_documents_is_loaded_and_asked() {
    let files =
        Files::with("{\"a\": 1}\n\n{\"a\": 2}\n", "{\"where\": [{\"path\": \"a\", \"is\": \"gt\", \"value\": 1}]}\n");
    let measurements = run(&Blaze, &once(files.source())).unwrap();
    assert!(measurements.iter().any(|measurement| measurement.name == "find a > 1 (1 rows), indexed"));
}

#[test]
fn an_error_in_a_file_names_the_file_the_line_and_what_is_wrong() {
    let fine = "{\"a\": 1}\n";
    let question = "{\"limit\": 1}\n";
    let cases = [
        ("", question, "documents.jsonl holds no document"),
        ("{\"a\": 1}\n[1]\n", question, "documents.jsonl, line 2: holds an array instead of an object"),
        ("{\"a\": 1}\n{\"a\": }\n", question, "documents.jsonl, line 2: expected value, column 7"),
        (fine, "\n", "questions.jsonl holds no question"),
        (fine, "\n{\"were\": []}\n", "questions.jsonl, line 2: unknown field `were`"),
        (fine, "{\"limit\": 0}\n", "questions.jsonl, line 1: a limit of 0"),
        (fine, "{\"sort\": {\"path\": \"a..b\"}}\n", "line 1: the path \"a..b\" has an empty part"),
        (fine, "{\"where\": [{\"path\": \"a\", \"is\": \"eq\", \"value\": true}]}", "line 1: a is compared with true"),
        (fine, "{\"where\": [{\"path\": \"a\", \"is\": \"near\", \"value\": 1}]}", "line 1: unknown variant `near`"),
    ];
    for (documents, questions, expected) in cases {
        let error = Files::with(documents, questions).error();
        assert!(error.contains(expected), "{error}, expected {expected}");
    }
}

#[test]
fn a_question_about_which_products_do_not_agree_is_refused() {
    let documents = "{\"a\": [{\"b\": true}], \"c\": true}\n";
    let cases = [
        (
            "{\"where\": [{\"path\": \"a.b\", \"is\": \"eq\", \"value\": 1}]}",
            "line 1: \"b\" in a.b leads into an array",
        ),
        ("{\"where\": [{\"path\": \"a.0.0\", \"is\": \"eq\", \"value\": 1}]}", "line 1: 0 chooses an element, but"),
        ("\n{\"sort\": {\"path\": \"c\"}}", "line 2: c: booleans have no place in an order (in document 1)"),
    ];
    for (question, expected) in cases {
        let error = Files::with(documents, question).error();
        assert!(error.contains(expected), "{error}, expected {expected}");
    }
}

#[test]
fn what_is_wrong_with_the_files_is_known_before_anything_runs() {
    let files = Files::with("{\"a\": 1}\n", "nonsense\n");
    assert!(files.source().missing().unwrap().contains("questions.jsonl, line 1: expected"));
    fs::remove_file(files.path("documents.jsonl")).unwrap();
    assert!(files.source().missing().unwrap().starts_with("documents.jsonl is not in "));
}

/// What is wrong with a store.
#[derive(Clone, Copy, Debug)]
enum Fault {
    LosesACreation,
    ForgetsAField,
    LeavesOutARow,
    RepeatsARow,
    ReversesTheOrder,
    CountsTooMany,
}

/// Blaze with a fault.
struct Faulty(Fault);

struct FaultyStore(Box<dyn Documents>, Fault);

impl Engine for Faulty {
    fn name(&self) -> &'static str {
        "faulty"
    }

    fn version(&self) -> String {
        String::new()
    }

    fn faculties(&self) -> &'static [Faculty] {
        &[Faculty::Documents]
    }

    fn configuration(&self, _options: &EngineOptions) -> Vec<String> {
        Vec::new()
    }

    fn open_documents(&self, options: &EngineOptions) -> Result<Box<dyn Documents>> {
        Ok(Box::new(FaultyStore(Blaze.open_documents(options)?, self.0)))
    }
}

impl Documents for FaultyStore {
    fn load(&self, documents: &mut dyn Iterator<Item = (String, Map<String, Json>)>) -> Result<()> {
        self.0.load(documents)
    }

    fn create(&self, id: &str, document: &Map<String, Json>, durability: Durability) -> Result<()> {
        match self.1 {
            Fault::LosesACreation => Ok(()),
            _ => self.0.create(id, document, durability),
        }
    }

    fn read(&self, id: &str) -> Result<Option<Map<String, Json>>> {
        self.0.read(id)
    }

    fn update(&self, id: &str, document: &Map<String, Json>, durability: Durability) -> Result<bool> {
        let mut document = document.clone();
        if matches!(self.1, Fault::ForgetsAField) {
            document.remove("balance");
        }
        self.0.update(id, &document, durability)
    }

    fn delete(&self, id: &str, durability: Durability) -> Result<bool> {
        self.0.delete(id, durability)
    }

    fn create_index(&self, path: &str, elements: bool) -> Result<bool> {
        self.0.create_index(path, elements)
    }

    fn find(&self, find: &Find, visit: &mut dyn FnMut(&str, &Map<String, Json>)) -> Result<()> {
        let mut rows = Vec::new();
        self.0.find(find, &mut |id, document| rows.push((id.to_owned(), document.clone())))?;
        match self.1 {
            Fault::LeavesOutARow => drop(rows.pop()),
            Fault::RepeatsARow => rows[1] = rows[0].clone(),
            Fault::ReversesTheOrder if find.sort.is_some() => rows.reverse(),
            _ => {}
        }
        rows.iter().for_each(|(id, document)| visit(id, document));
        Ok(())
    }

    fn count(&self, find: &Find) -> Result<u64> {
        let more = matches!(self.1, Fault::CountsTooMany) && !find.conditions.is_empty();
        Ok(self.0.count(find)? + u64::from(more))
    }

    fn settle(&self) -> Result<()> {
        self.0.settle()
    }
}

#[test]
fn every_wrong_answer_is_noticed_and_says_what_was_asked() {
    let cases = [
        (Fault::LosesACreation, "wrong answer: number of documents after creating some: 320, expected 360"),
        (Fault::ForgetsAField, "wrong answer: document "),
        (Fault::LeavesOutARow, "wrong answer: find all, limit 100: 99 rows with the checksum"),
        (Fault::RepeatsARow, " comes twice"),
        (Fault::ReversesTheOrder, "wrong answer: find all, by score descending, limit 20: 20 rows with the checksum"),
        (Fault::CountsTooMany, "wrong answer: count address.city = \"delta\": "),
    ];
    for (fault, expected) in cases {
        let error = run(&Faulty(fault), &generated()).unwrap_err().to_string();
        assert!(error.contains(expected), "{fault:?}: {error}, expected {expected}");
    }
}

#[test]
fn numbers_are_compared_exactly_and_with_numbers_only() {
    let holds = |value: Json, is: Operator, with: Json| {
        let document = json!({"a": value});
        matches(document.as_object().unwrap(), &[Condition::new("a", is, with)]).unwrap()
    };
    assert!(holds(json!(1), Operator::Eq, json!(1.0)));
    assert!(holds(json!(-0.0), Operator::Eq, json!(0)));
    assert!(holds(json!(9_007_199_254_740_993_i64), Operator::Gt, json!(9_007_199_254_740_992.0)));
    assert!(holds(json!(-4), Operator::Lt, json!(-3.5)) && holds(json!(-3), Operator::Gt, json!(-3.5)));
    assert!(holds(json!(u64::MAX), Operator::Lt, json!(1e300)));
    for other in [json!("1"), json!(true), json!(null), json!([1]), json!({})] {
        for is in [Operator::Eq, Operator::Lt, Operator::Le, Operator::Gt, Operator::Ge] {
            assert!(!holds(other.clone(), is, json!(1)), "{other} {is} 1");
        }
    }
    assert!(holds(json!(["1", 1.0]), Operator::Contains, json!(1)));
    assert!(!holds(json!(1), Operator::Contains, json!(1)) && !holds(json!("red"), Operator::Contains, json!("red")));
}

#[test]
fn a_path_leads_through_objects_and_chosen_elements() {
    let document = json!({"a": {"b": [{"c": 1}, {"c": 2}]}, "n": null});
    let document = document.as_object().unwrap();
    let found = |path| at(document, path).unwrap().cloned();
    assert_eq!(found("a.b.1.c"), Some(json!(2)));
    assert_eq!(found("n"), Some(json!(null)));
    for nowhere in ["x", "a.x.y", "a.b.2.c", "n.x", "a.b.0.c.d"] {
        assert_eq!(found(nowhere), None, "{nowhere}");
    }
    assert!(at(document, "a.b.c").is_err() && at(document, "a.0").is_err());
}

#[test]
fn in_an_order_nothing_comes_first_then_numbers_then_strings() {
    let mut keys =
        [json!("b"), json!(2.5), json!(null), json!("B"), json!(-1)].map(|key| SortKey::of(Some(&key)).unwrap());
    keys.sort_by(SortKey::compare);
    let order = format!("{keys:?}");
    assert_eq!(order, r#"[Nothing, Number(Number(-1)), Number(Number(2.5)), String("B"), String("b")]"#);
    assert!(SortKey::of(Some(&json!([]))).is_err());
}

#[test]
fn questions_are_read_with_their_lines() {
    let files = Files::with("", "\n{\"limit\": 2}\n");
    let questions = Question::read(&files.path("questions.jsonl")).unwrap();
    assert_eq!(questions.len(), 1);
    assert_eq!(questions[0].find, Find::default().window(0, 2));
    assert!(questions[0].error("no").ends_with("questions.jsonl, line 2: no"));
}
