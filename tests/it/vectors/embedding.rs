//! Indexes that embed texts: every document has the vector of its text in the end, and its writers notice nothing of that.

mod failures;
mod life;
mod model;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use blaze::{
    Collection, Database, DatabaseBuilder, Document, DocumentId, Durability, Embedder, Entropy, Error, ErrorKind, Feed,
    History, Index, Isolation, ManualClock, Metric, Result, SeededEntropy, Vector, field, set, unset,
};
use parking_lot::Mutex;

const DIMENSION: usize = 8;

/// What an embedder does with a text.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Answer {
    Vector,
    Nothing,
    Unavailable,
    Invalid,
    Panic,
    TooShort,
    NotANumber,
}

/// Makes vectors of texts by chance, always the same of the same, and remembers what it was asked.
struct TestEmbedder {
    model: String,
    batch_max: usize,
    calls: AtomicUsize,
    texts: Mutex<Vec<String>>,
    /// What it does with texts that contain a word.
    answers: Mutex<BTreeMap<String, Answer>>,
    /// Held by a test to have it wait.
    gate: Mutex<()>,
}

impl TestEmbedder {
    fn new(model: &str) -> Arc<TestEmbedder> {
        Arc::new(TestEmbedder {
            model: model.to_owned(),
            batch_max: 32,
            calls: AtomicUsize::new(0),
            texts: Mutex::default(),
            answers: Mutex::default(),
            gate: Mutex::new(()),
        })
    }

    fn answer(&self, word: &str, answer: Answer) {
        self.answers.lock().insert(word.to_owned(), answer);
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    /// What it was asked since the last time.
    fn take_texts(&self) -> Vec<String> {
        let mut texts = std::mem::take(&mut *self.texts.lock());
        texts.sort();
        texts
    }

    fn vector(&self, text: &str) -> Vec<f32> {
        vector_of(&self.model, text)
    }
}

fn vector_of(model: &str, text: &str) -> Vec<f32> {
    let seed = model
        .bytes()
        .chain([0])
        .chain(text.bytes())
        .fold(7_u64, |seed, byte| seed.wrapping_mul(0x0000_0100_0000_01B3) ^ u64::from(byte));
    let entropy = SeededEntropy::new(seed);
    (0..DIMENSION).map(|_| (entropy.next_u64() % 2_001) as f32 / 1_000.0 - 1.0).collect()
}

impl Embedder for TestEmbedder {
    fn model(&self) -> &str {
        &self.model
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
        let _gate = self.gate.lock();
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.texts.lock().extend(texts.iter().map(|text| (*text).to_owned()));
        assert!(texts.len() <= self.batch_max, "{} texts in one call", texts.len());
        let mut vectors = Vec::new();
        for text in texts {
            let answers = self.answers.lock().clone();
            let answer = answers.iter().find(|(word, _)| text.contains(word.as_str())).map(|(_, answer)| *answer);
            match answer.unwrap_or(Answer::Vector) {
                Answer::Vector => vectors.push(self.vector(text)),
                Answer::Nothing => {}
                Answer::Unavailable => return Err(Error::unavailable(format!("no answer for {text:?}"))),
                Answer::Invalid => return Err(Error::invalid(format!("{text:?} has no vector"))),
                Answer::Panic => panic!("stumbled over {text:?}"),
                Answer::TooShort => vectors.push(vec![1.0; DIMENSION - 1]),
                Answer::NotANumber => vectors.push([vec![1.0; DIMENSION - 1], vec![f32::NAN]].concat()),
            }
        }
        Ok(vectors)
    }

    fn batch_max(&self) -> usize {
        self.batch_max
    }
}

fn index(embedder: &Arc<TestEmbedder>) -> Index {
    Index::vector("v", DIMENSION).metric(Metric::L2).embed_from(["title", "plot"], Arc::clone(embedder))
}

fn film(title: &str) -> Document {
    Document::new().with("title", title).with("year", 1972)
}

fn still() -> (Arc<ManualClock>, DatabaseBuilder) {
    let clock = Arc::new(ManualClock::at_ms(1_000_000));
    let builder = Database::builder().clock(Arc::clone(&clock) as _).durability(Durability::Buffered);
    (clock, builder)
}

/// A database under a clock that stands still, so that only `settle` embeds, and an embedder at work there.
fn filled(titles: &[&str]) -> (Arc<ManualClock>, Database, Collection<Document>, Arc<TestEmbedder>) {
    let (clock, builder) = still();
    let (db, embedder) = (builder.temporary().unwrap(), TestEmbedder::new("m1"));
    let films = db.collection::<Document>("films").unwrap();
    films.ensure_index(index(&embedder)).unwrap();
    titles.iter().for_each(|title| films.insert_with_id(*title, &film(title)).unwrap());
    db.settle().unwrap();
    (clock, db, films, embedder)
}

/// The ids that have a vector.
fn found(films: &Collection<Document>) -> BTreeSet<String> {
    let hits = films.search().nearest("v", &[0.0; DIMENSION]).limit(1_000).exact().ids().unwrap();
    hits.into_iter().map(|hit| hit.id.to_string()).collect()
}

/// True if a document is found exactly where a vector is.
#[track_caller]
fn is_at(films: &Collection<Document>, id: &str, vector: &[f32]) -> bool {
    let hits = films.search().nearest("v", vector).limit(1).exact().ids().unwrap();
    hits.first().is_some_and(|hit| hit.id == DocumentId::from(id) && hit.distance < 1e-6)
}

fn counts(films: &Collection<Document>) -> (u64, u64, u64) {
    let status = films.embedding_status("v").unwrap();
    (status.pending, status.failed, status.parked)
}

#[track_caller]
fn assert_healthy(db: &Database) {
    assert_eq!(db.verify().unwrap().problems, []);
}

#[track_caller]
fn wait_until(mut condition: impl FnMut() -> bool) {
    for _ in 0..6_000 {
        if condition() {
            return;
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
    panic!("it does not come");
}

#[test]
fn documents_are_embedded_in_the_background_and_are_not_touched() {
    for db in [Database::temporary().unwrap(), Database::in_memory().unwrap()] {
        let embedder = TestEmbedder::new("m1");
        let films = db.collection::<Document>("films").unwrap();
        films.set_feed(Feed::Keys).unwrap();
        films.ensure_index(index(&embedder)).unwrap();
        films.insert_with_id("a", &film("Solaris").with("plot", "an ocean that thinks")).unwrap();
        films.insert_with_id("b", &film("Stalker")).unwrap();
        let version = films.get("a").unwrap().unwrap().version;
        wait_until(|| films.embedding_status("v").unwrap().is_settled());
        assert_eq!(embedder.take_texts(), ["Solaris\nan ocean that thinks", "Stalker"]);
        let hits = films.search().nearest_text("v", "Stalker").run().unwrap();
        assert_eq!((hits[0].id.to_string().as_str(), hits[0].distance, hits.len()), ("b", 0.0, 2));
        let after = films.get("a").unwrap().unwrap();
        assert_eq!((after.version, after.value.get("v")), (version, None), "the document is as it was written");
        let changes = films.changes(films.feed_start().unwrap().unwrap()).unwrap();
        assert_eq!(changes.count(), 2, "the feed tells of the two documents and of nothing else");
        assert_healthy(&db);
    }
}

#[test]
fn only_a_text_that_has_changed_is_embedded_again_and_once() {
    let (_, db, films, embedder) = filled(&["Solaris", "Stalker"]);
    embedder.take_texts();
    films.update("Solaris", set("year", 1973)).unwrap();
    films.put("Stalker", &film("Stalker").with("seen", true)).unwrap();
    db.settle().unwrap();
    assert_eq!(embedder.take_texts(), [""; 0], "nothing of the text has changed");
    assert_eq!(counts(&films), (0, 0, 0));

    for plot in ["an ocean", "an ocean that thinks"] {
        films.update("Solaris", set("plot", plot)).unwrap();
    }
    assert_eq!(counts(&films), (1, 0, 0));
    assert!(is_at(&films, "Solaris", &embedder.vector("Solaris")), "the old vector stays until the new one is there");
    db.settle().unwrap();
    assert_eq!(embedder.take_texts(), ["Solaris\nan ocean that thinks"]);
    assert!(is_at(&films, "Solaris", &embedder.vector("Solaris\nan ocean that thinks")));
    assert_healthy(&db);
}

#[test]
fn what_is_deleted_or_has_no_text_any_more_loses_its_vector_at_once() {
    let (_, db, films, embedder) = filled(&["a", "b", "c", "d"]);
    let tx = db.begin().unwrap();
    let own = tx.collection::<Document>("films").unwrap();
    own.delete("a").unwrap();
    own.update("b", unset("title")).unwrap();
    own.update("c", set("title", " \n")).unwrap();
    assert_eq!(found(&own), BTreeSet::from(["d".to_owned()]));
    assert_eq!(found(&films).len(), 4, "nobody else sees it yet");
    tx.commit().unwrap();
    assert_eq!(found(&films), BTreeSet::from(["d".to_owned()]));
    assert_eq!(counts(&films), (0, 0, 0));

    // What is still to be embedded, too.
    films.insert_with_id("e", &film("e")).unwrap();
    films.delete("e").unwrap();
    embedder.take_texts();
    db.settle().unwrap();
    assert_eq!((embedder.take_texts(), counts(&films)), (vec![], (0, 0, 0)));
    films.update("b", set("title", "again")).unwrap();
    db.settle().unwrap();
    assert!(is_at(&films, "b", &embedder.vector("again")));
    assert_healthy(&db);
}

#[test]
fn a_document_with_a_vector_of_its_own_is_indexed_with_that_and_not_embedded() {
    let (_, db, films, embedder) = filled(&["text"]);
    let own = |numbers: f32| Vector::F32(vec![numbers; DIMENSION]);
    films.insert_with_id("own", &film("own").with("v", own(3.0))).unwrap();
    embedder.take_texts();
    db.settle().unwrap();
    assert_eq!(embedder.take_texts(), [""; 0]);
    assert!(is_at(&films, "own", &[3.0; DIMENSION]), "at once");
    // From one to the other and back.
    films.update("own", unset("v")).unwrap();
    assert!(!found(&films).contains("own"), "its vector is gone");
    db.settle().unwrap();
    assert!(is_at(&films, "own", &embedder.vector("own")));
    films.update("own", set("v", own(4.0))).unwrap();
    films.update("text", set("v", own(5.0))).unwrap();
    assert!(is_at(&films, "own", &[4.0; DIMENSION]) && is_at(&films, "text", &[5.0; DIMENSION]));
    assert_eq!(counts(&films), (0, 0, 0));
    assert_healthy(&db);
    let refused = films.update("own", set("v", Vector::F32(vec![1.0]))).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
}

#[test]
fn a_rollback_leaves_nothing_to_be_embedded() {
    let (_, db, films, embedder) = filled(&["a"]);
    embedder.take_texts();
    let tx = db.begin().unwrap();
    let own = tx.collection::<Document>("films").unwrap();
    own.insert_with_id("b", &film("b")).unwrap();
    own.update("a", set("title", "other")).unwrap();
    let savepoint = tx.savepoint().unwrap();
    own.insert_with_id("c", &film("c")).unwrap();
    tx.rollback_to(&savepoint).unwrap();
    tx.rollback();
    db.settle().unwrap();
    assert_eq!((counts(&films), embedder.take_texts()), ((0, 0, 0), vec![]));
    assert!(is_at(&films, "a", &embedder.vector("a")));
}

#[test]
fn who_writes_documents_meets_nobody_who_embeds() {
    for isolation in [Isolation::Serializable, Isolation::Snapshot] {
        let (_, builder) = still();
        let (db, embedder) = (builder.isolation(isolation).temporary().unwrap(), TestEmbedder::new("m1"));
        let films = db.collection::<Document>("films").unwrap();
        films.ensure_index(index(&embedder)).unwrap();
        ["a", "b", "c", "d", "e"].iter().for_each(|id| films.insert_with_id(*id, &film(id)).unwrap());
        let tx = db.begin().unwrap();
        let own = tx.collection::<Document>("films").unwrap();
        own.update("a", set("title", "another text")).unwrap();
        own.update("b", set("year", 1980)).unwrap();
        own.update("c", unset("title")).unwrap();
        own.update("d", set("v", Vector::F32(vec![2.0; DIMENSION]))).unwrap();
        own.delete("e").unwrap();
        db.settle().unwrap(); // embeds all five
        assert_eq!(found(&films).len(), 5);
        tx.commit().unwrap_or_else(|error| panic!("{isolation:?}: {error}"));
        assert_eq!(found(&films), ["a", "b", "d"].map(str::to_owned).into(), "{isolation:?}");
        db.settle().unwrap();
        assert!(is_at(&films, "a", &embedder.vector("another text")), "{isolation:?}");
        assert_healthy(&db);
        // Writers of one document meet as ever.
        let tx = db.begin().unwrap();
        tx.collection::<Document>("films").unwrap().update("a", set("title", "mine")).unwrap();
        films.update("a", set("title", "yours")).unwrap();
        assert_eq!(tx.commit().unwrap_err().kind(), ErrorKind::Conflict, "{isolation:?}");
    }
}

#[test]
fn a_text_that_changes_while_it_is_embedded_is_embedded_again() {
    let db = Database::builder().durability(Durability::Buffered).temporary().unwrap();
    let embedder = TestEmbedder::new("m1");
    let films = db.collection::<Document>("films").unwrap();
    films.ensure_index(index(&embedder)).unwrap();
    let gate = embedder.gate.lock();
    for id in ["changed", "deleted"] {
        films.insert_with_id(id, &film(id)).unwrap();
    }
    std::thread::park_timeout(Duration::from_millis(100)); // the embedder is waiting, most likely
    films.update("changed", set("title", "the new text")).unwrap();
    films.delete("deleted").unwrap();
    drop(gate);
    db.settle().unwrap();
    assert_eq!(found(&films), BTreeSet::from(["changed".to_owned()]));
    assert!(is_at(&films, "changed", &embedder.vector("the new text")));
    assert_eq!(counts(&films), (0, 0, 0));
}

#[test]
fn texts_are_what_the_sources_reach_in_their_order() {
    let (_, builder) = still();
    let (db, embedder) = (builder.temporary().unwrap(), TestEmbedder::new("m1"));
    let films = db.collection::<Document>("films").unwrap();
    let sources = ["tags", "cast.name", "about.title"];
    films.ensure_index(Index::vector("v", DIMENSION).embed_from(sources, Arc::clone(&embedder))).unwrap();
    let json = r#"{"about": {"title": "T", "year": 7}, "cast": [{"name": "A"}, {"age": 3}, {"name": "B"}], "tags": ["x", 1, "y"]}"#;
    films.insert_with_id(1, &Document::from_json(json).unwrap()).unwrap();
    films
        .insert_with_id(2, &Document::from_json(r#"{"about": "T", "cast": {"name": 5}, "tags": []}"#).unwrap())
        .unwrap();
    db.settle().unwrap();
    assert_eq!(embedder.take_texts(), ["x\ny\nA\nB\nT"]);
}

#[test]
fn embedded_vectors_are_vectors_as_any_others_to_searches() {
    let titles: Vec<String> = (0..40).map(|n| format!("film {n}")).collect();
    let (_, db, films, embedder) = filled(&titles.iter().map(String::as_str).collect::<Vec<_>>());
    films.update("film 3", set("year", 2000)).unwrap();
    films.update("film 4", set("year", 2000)).unwrap();
    let late = films.search().nearest_text("v", "film 4").filter(field("year").eq(2000)).limit(9).ids().unwrap();
    assert_eq!((late.len(), late[0].id.to_string().as_str()), (2, "film 4"));
    let similar = films.search().similar_to("v", ["film 4"]).limit(5).ids().unwrap();
    assert!(similar.len() == 5 && similar.iter().all(|hit| hit.id != "film 4".into()));
    let groups = films.search().nearest_text("v", "film 7").group_by("year", 2, 3).run().unwrap();
    assert_eq!(groups.iter().map(|group| group.hits.len()).sum::<usize>(), 5);
    let view = db.snapshot().unwrap();
    films.delete("film 7").unwrap();
    let then = view.collection::<Document>("films").unwrap();
    assert!(is_at(&then, "film 7", &embedder.vector("film 7")), "an older view sees what was there");
    let asked = films.search().nearest_text("v", "film 8").model("m1").limit(1).ids().unwrap();
    assert_eq!(asked[0].distance, 0.0);
}

#[test]
fn what_cannot_be_asked_is_refused_precisely() {
    let (_, db, films, embedder) = filled(&[]);
    films.set_history(History::Forever).unwrap();
    let refused = |index: Index, part: &str| {
        let error = films.ensure_index(index).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    };
    let sources =
        |sources: &[&str]| Index::vector("v", DIMENSION).embed_from(sources.iter().copied(), Arc::clone(&embedder));
    refused(sources(&[]).named("x"), "embedded from no field");
    refused(sources(&["a", "a"]).named("x"), "embedded from a, which is named twice");
    refused(sources(&["v"]).named("x"), "embedded from v, which is the field of its vectors");
    refused(sources(&["_id"]).named("x"), "_id");
    refused(sources(&["a"]).named("x").model("m2"), "of model \"m2\", its embedder is of model \"m1\"");
    refused(sources(&["a"]).named("x").metric(Metric::Hamming), "compares bits");
    let many: Vec<String> = (0..17).map(|n| format!("f{n}")).collect();
    refused(sources(&many.iter().map(String::as_str).collect::<Vec<_>>()).named("x"), "17 fields, the limit is 16");
    refused(Index::vector("v", DIMENSION), "embedded from title and plot");

    films.ensure_index(Index::vector("plain", DIMENSION)).unwrap();
    films.insert_with_id("a", &film("a")).unwrap();
    db.settle().unwrap();
    let asked = |films: &Collection<Document>, path: &str, text: &str| {
        let error = films.search().nearest_text(path, text).ids().unwrap_err();
        (error.kind(), error.to_string())
    };
    let (kind, text) = asked(&films, "plain", "a");
    assert!(kind == ErrorKind::Invalid && text.contains("\"plain\" embeds none"), "{text}");
    assert_eq!(asked(&films, "v", " ").0, ErrorKind::Invalid);
    assert_eq!(asked(&films, "nothing", "a").0, ErrorKind::Invalid);
    assert_eq!(asked(&films, "v", &"a".repeat(65_537)).0, ErrorKind::LimitExceeded);
    let past = db.as_of(db.snapshot().unwrap().read_ts()).unwrap();
    let past = past.collection::<Document>("films").unwrap();
    embedder.take_texts();
    let (kind, text) = asked(&past, "v", "a");
    assert!(kind == ErrorKind::Unsupported && text.contains("no history is kept"), "{text}");
    assert_eq!(embedder.take_texts(), [""; 0], "the embedder was not asked in vain");
    let error = past.search().nearest("v", &[0.0; DIMENSION]).ids().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let error = past.search().similar_to("v", ["a"]).ids().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(past.search().nearest("plain", &[0.1; DIMENSION]).ids().unwrap().is_empty());

    assert_eq!(films.embedding_status("plain").unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(films.embedding_status("nothing").unwrap_err().kind(), ErrorKind::NotFound);
    embedder.answer("wrong", Answer::TooShort);
    let (kind, text) = asked(&films, "v", "wrong");
    assert!(kind == ErrorKind::Unavailable && text.contains("a vector of 7 components, the index has 8"), "{text}");
}
