//! Many search at once, and transactions search again and again what they have written and taken back.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use blaze::{Database, Document, Entropy, Savepoint, SeededEntropy, field, limits};

use super::films;
use super::folds::{change, check, index, with_word};
use super::naive::{Naive, WORDS, random_document, random_query};

const SEED: u64 = 17;

#[test]
fn searches_of_many_threads_agree_with_scans_while_one_writes() {
    const SEARCHING: usize = 4;
    let db = Database::temporary().unwrap();
    films(&db).ensure_index(index()).unwrap();
    let done = AtomicUsize::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            let (random, mut naive) = (SeededEntropy::new(SEED), Naive::default());
            while done.load(Ordering::Relaxed) < SEARCHING {
                (0..1 + random.next_u64() % 5).for_each(|_| change(&films(&db), &mut naive, &random));
                if random.next_u64() % 50 == 0 {
                    db.settle().unwrap();
                }
            }
            // What there is at last is right, too.
            (0..20).for_each(|round| check(&films(&db), &naive, &random_query(&random, 2), round));
        });
        for seed in 0..SEARCHING {
            let (db, done) = (&db, &done);
            scope.spawn(move || {
                let random = SeededEntropy::new(seed as u64);
                for _ in 0..80 {
                    let view = db.snapshot().unwrap();
                    let texts = view.collection::<Document>("films").unwrap();
                    let found = texts.find_all().run().unwrap();
                    let documents: Vec<Document> = found.iter().map(|found| found.value.clone()).collect();
                    for _ in 0..3 {
                        let word = WORDS[random.next_u64() as usize % WORDS.len()];
                        let search = texts.search().text(word).limit(limits::SEARCH_LIMIT_MAX);
                        let expected = with_word(&documents, word);
                        assert_eq!(search.ids().unwrap().len() as u64, expected, "{word}");
                        assert_eq!(search.filter(field("group").ge(0)).count().unwrap(), expected, "{word}");
                    }
                }
                done.fetch_add(1, Ordering::Relaxed);
            });
        }
    });
    super::assert_healthy(&db);
}

#[test]
fn a_transaction_finds_what_it_has_written_and_not_taken_back() {
    let (db, random) = (Database::temporary().unwrap(), SeededEntropy::new(SEED));
    let (texts, mut naive) = (films(&db), Naive::default());
    texts.ensure_index(index()).unwrap();
    for round in 0..12 {
        (0..20).for_each(|_| change(&texts, &mut naive, &random));
        if round % 3 == 0 {
            db.settle().unwrap();
        }
        let (tx, mut own) = (db.begin().unwrap(), naive.clone());
        let within = tx.collection::<Document>("films").unwrap();
        let mut savepoints: Vec<(Savepoint, Naive)> = Vec::new();
        for step in 0..40 {
            match random.next_u64() % 10 {
                0 => savepoints.push((tx.savepoint().unwrap(), own.clone())),
                1 if !savepoints.is_empty() => {
                    let back = random.next_u64() as usize % savepoints.len();
                    tx.rollback_to(&savepoints[back].0).unwrap();
                    own = savepoints[back].1.clone();
                    savepoints.truncate(back + 1);
                }
                2 => {
                    // An operation that fails takes back what it wrote.
                    let new = (0..3_i64).map(|id| (id + 1_000 + step as i64, random_document(&random)));
                    let failing = new.chain([(1_000_000, Document::new()), (1_000_000, Document::new())]);
                    assert!(within.bulk().insert_with_ids(failing).is_err());
                }
                _ => change(&within, &mut own, &random),
            }
            check(&within, &own, &random_query(&random, 1), step);
        }
        drop(savepoints);
        if round % 2 == 0 {
            tx.commit().unwrap();
            naive = own;
        } else {
            drop(tx);
        }
        check(&texts, &naive, &random_query(&random, 1), round);
    }
    super::assert_healthy(&db);
}
