//! Folds and merges change nothing of what is found, whoever looks, and whenever.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use blaze::{Collection, Database, Document, Entropy, SeededEntropy, Snapshot, TextQuery, Value, limits};

use super::naive::{FIELDS, Naive, WORDS, random_document, random_query};
use super::{films, open};

const SEED: u64 = 11;

pub(super) fn index() -> blaze::Index {
    blaze::Index::text(FIELDS.map(|(name, _)| name)).field_boost("title", 2.0)
}

/// Checks that a search finds what the naive one does, with the same scores.
pub(super) fn check(texts: &Collection<Document>, naive: &Naive, query: &TextQuery, round: usize) {
    let expected = naive.search(query, |_| true);
    let found = texts.search().text(query).limit(limits::SEARCH_LIMIT_MAX).ids().unwrap();
    let scores: BTreeMap<String, f32> = found.iter().map(|hit| (hit.id.to_string(), hit.score)).collect();
    assert_eq!(scores.len(), expected.len(), "seed {SEED}, round {round}: {query}");
    for (id, score) in expected {
        let found = scores.get(&id.to_string()).unwrap_or_else(|| panic!("round {round}: {query} misses {id}"));
        let is_near = (f64::from(*found) - score).abs() <= 1e-4 * score.max(1.0);
        assert!(is_near, "seed {SEED}, round {round}: {query} gives {id} {found}, not {score}");
    }
}

pub(super) fn change(texts: &Collection<Document>, naive: &mut Naive, random: &dyn Entropy) {
    let id = (random.next_u64() % 120) as i64;
    match random.next_u64() % 3 {
        0 => {
            texts.delete(id).unwrap();
            naive.documents.remove(&id);
        }
        _ => {
            let document = random_document(random);
            texts.put(id, &document).unwrap();
            naive.documents.insert(id, document);
        }
    }
}

#[test]
fn what_is_found_stays_the_same_through_folds_merges_compactions_and_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let mut db = open(directory.path());
    let (random, mut naive) = (SeededEntropy::new(SEED), Naive::default());
    films(&db).ensure_index(index()).unwrap();
    let mut held: Vec<(Snapshot, Naive)> = Vec::new();
    for round in 0..30 {
        (0..1 + random.next_u64() % 25).for_each(|_| change(&films(&db), &mut naive, &random));
        if random.next_u64() % 4 == 0 {
            held.push((db.snapshot().unwrap(), naive.clone()));
        }
        match random.next_u64() % 12 {
            0 => db.compact().unwrap(),
            1 => {
                held.clear();
                db.close().unwrap();
                db = open(directory.path());
            }
            2 | 3 => {}
            _ => db.settle().unwrap(),
        }
        for _ in 0..4 {
            let query = random_query(&random, 2);
            check(&films(&db), &naive, &query, round);
            for (snapshot, then) in &held {
                check(&snapshot.collection("films").unwrap(), then, &query, round);
            }
        }
        super::assert_healthy(&db);
    }
    db.compact().unwrap();
    check(&films(&db), &naive, &TextQuery::words("space"), 99);
    let stats = db.stats().unwrap().text_indexes.remove(0);
    let with_words = naive.documents.len() as u64;
    assert_eq!((stats.segments, stats.documents, stats.removed, stats.unfolded), (1, with_words, 0, 0));
}

#[test]
fn enough_changes_are_folded_by_themselves() {
    let db = Database::temporary().unwrap();
    let texts = films(&db);
    texts.ensure_index(index()).unwrap();
    let random = SeededEntropy::new(SEED);
    texts.bulk().insert_with_ids((0..10_000_i64).map(|id| (id, random_document(&random)))).unwrap();
    let mut waited = 0;
    let stats = loop {
        texts.search().text("space").ids().unwrap();
        let stats = db.stats().unwrap().text_indexes.remove(0);
        if stats.segments > 0 && stats.unfolded < 4_096 {
            break stats;
        }
        waited += 1;
        assert!(waited < 6_000, "a minute later: {stats:?}");
        thread::park_timeout(std::time::Duration::from_millis(10));
    };
    assert_eq!(stats.documents + stats.unfolded, 10_000, "{stats:?}");
}

/// How many documents a view has with a word, by looking at each.
pub(super) fn with_word(documents: &[Document], word: &str) -> u64 {
    let has = |document: &&Document| {
        let texts = FIELDS.iter().filter_map(|(name, _)| document.get(name)?.as_str());
        texts.flat_map(str::split_whitespace).any(|of| of == word)
    };
    documents.iter().filter(has).count() as u64
}

#[test]
fn searches_agree_with_scans_while_others_write_and_fold() {
    let db = Database::temporary().unwrap();
    films(&db).ensure_index(index()).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for seed in 0..2 {
            let (db, done) = (&db, &done);
            scope.spawn(move || {
                let random = SeededEntropy::new(seed);
                while !done.load(Ordering::Relaxed) {
                    let id = (random.next_u64() % 400) as i64;
                    let written = match random.next_u64() % 4 {
                        0 => films(db).delete(id).map(drop),
                        _ => films(db).put(id, &random_document(&random)).map(drop),
                    };
                    written.unwrap();
                }
            });
        }
        scope.spawn(|| {
            for round in 0.. {
                if done.load(Ordering::Relaxed) {
                    return;
                }
                match round % 10 {
                    9 => db.compact().unwrap(),
                    _ => db.settle().unwrap(),
                }
            }
        });
        let random = SeededEntropy::new(SEED);
        for _ in 0..150 {
            let view = db.snapshot().unwrap();
            let texts = view.collection::<Document>("films").unwrap();
            let found = texts.find_all().run().unwrap();
            let documents: Vec<Document> = found.iter().map(|found| found.value.clone()).collect();
            for _ in 0..3 {
                let word = WORDS[random.next_u64() as usize % WORDS.len()];
                let expected = with_word(&documents, word);
                assert_eq!(texts.search().text(word).count().unwrap(), expected, "{word}");
                let hits = texts.search().text(word).limit(limits::SEARCH_LIMIT_MAX).run().unwrap();
                assert_eq!(hits.len() as u64, expected, "{word}");
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    super::assert_healthy(&db);
}

#[test]
fn a_document_that_changes_again_and_again_in_one_transaction_is_changed_once() {
    let db = Database::temporary().unwrap();
    let texts = films(&db);
    texts.ensure_index(index()).unwrap();
    texts.insert_with_id(1, &Document::new().with("title", "space opera")).unwrap();
    db.settle().unwrap();
    db.transaction(|tx| {
        let own = tx.collection::<Document>("films")?;
        for word in ["moon", "river", "night"] {
            own.put(1, &Document::new().with("title", word))?;
            assert_eq!(own.search().text(word).count()?, 1, "{word}");
            assert_eq!(own.search().text("space").count()?, 0);
        }
        own.delete(1)?;
        assert_eq!(own.search().text("night").count()?, 0);
        own.insert_with_id(1, &Document::new().with("title", "star"))
    })
    .unwrap();
    for settled in [false, true] {
        if settled {
            db.settle().unwrap();
        }
        for (word, count) in [("space", 0), ("night", 0), ("star", 1)] {
            assert_eq!(texts.search().text(word).count().unwrap(), count, "{word}, settled: {settled}");
        }
    }
    let title = texts.get(1).unwrap().unwrap().get("title").cloned();
    assert_eq!(title, Some(Value::from("star")));
}

#[test]
fn what_one_transaction_writes_twice_is_found_as_it_was_written_last() {
    let db = Database::temporary().unwrap();
    let texts = films(&db);
    texts.ensure_index(index()).unwrap();
    let film = |title: &str| Document::new().with("title", title);
    texts.insert_with_id(1, &film("space")).unwrap();
    assert_eq!(texts.search().text("space").count().unwrap(), 1, "the index is in memory");
    db.transaction(|tx| {
        let own = tx.collection::<Document>("films")?;
        own.insert_with_id(2, &film("space opera"))?;
        own.delete(2)?;
        own.insert_with_id(3, &film("space opera"))?;
        own.put(3, &film("the moon and a river"))?;
        own.put(1, &film("space station"))?;
        own.put(1, &film("station"))
    })
    .unwrap();
    for settled in [false, true] {
        if settled {
            db.settle().unwrap();
        }
        for (word, count) in [("space", 0), ("opera", 0), ("moon", 1), ("station", 1)] {
            assert_eq!(texts.search().text(word).count().unwrap(), count, "{word}, settled: {settled}");
            assert_eq!(texts.search().text(word).run().unwrap().len() as u64, count, "{word}, settled: {settled}");
        }
    }
}

#[test]
fn a_search_after_merges_needs_no_page_of_before_even_without_a_cache() {
    let directory = tempfile::tempdir().unwrap();
    let db = Database::builder().text_memory_bytes(0).open(directory.path()).unwrap();
    let texts = films(&db);
    texts.ensure_index(index()).unwrap();
    let random = SeededEntropy::new(SEED);
    let mut naive = Naive::default();
    let all: Vec<_> = (0..3_000_i64).map(|id| (id, random_document(&random))).collect();
    texts.bulk().insert_with_ids(all.iter().cloned()).unwrap();
    naive.documents.extend(all);
    db.compact().unwrap();
    check(&texts, &naive, &TextQuery::words("river"), 0);
    for round in 1..4 {
        (0..300).for_each(|_| change(&texts, &mut naive, &random));
        check(&texts, &naive, &TextQuery::words("river"), round);
        (0..300).for_each(|_| change(&texts, &mut naive, &random));
        db.compact().unwrap();
        check(&texts, &naive, &TextQuery::words("river"), round);
    }
}

#[test]
fn what_is_loaded_is_folded_when_the_load_ends() {
    let db = Database::temporary().unwrap();
    let mut load = db.load_collection::<Document>("films").ensure_index(index()).begin().unwrap();
    let random = SeededEntropy::new(SEED);
    for id in 0..2_000_i64 {
        load.insert_with_id(id, &random_document(&random)).unwrap();
    }
    load.finish().unwrap();
    films(&db).search().text("space").ids().unwrap();
    let stats = db.stats().unwrap().text_indexes.remove(0);
    assert_eq!((stats.documents, stats.unfolded), (2_000, 0), "{stats:?}");
}
