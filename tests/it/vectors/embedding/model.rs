//! Random operations, and what must have become of them when everything is embedded.

use std::sync::atomic::AtomicBool;

use super::*;

const IDS: u64 = 30;

/// What a document looks like to the index.
#[derive(Clone, Debug, Default, PartialEq)]
struct Expected {
    title: Option<String>,
    own: Option<Vec<f32>>,
}

impl Expected {
    fn document(&self) -> Document {
        let mut document = Document::new().with("year", 1);
        if let Some(title) = &self.title {
            document = document.with("title", title.as_str());
        }
        match &self.own {
            Some(own) => document.with("v", Vector::F32(own.clone())),
            None => document,
        }
    }

    fn vector(&self, model: &str) -> Option<Vec<f32>> {
        let title = self.title.as_ref().filter(|title| !title.trim().is_empty());
        self.own.clone().or_else(|| title.map(|title| vector_of(model, title)))
    }
}

fn random_document(random: &dyn Entropy) -> Expected {
    let title = match random.next_u64() % 8 {
        0 => None,
        1 => Some(" ".to_owned()),
        n => Some(format!("text {}", n * (random.next_u64() % 50))),
    };
    let own = random.next_u64().is_multiple_of(6).then(|| vec![(random.next_u64() % 100) as f32; DIMENSION]);
    Expected { title, own }
}

fn change(films: &Collection<Document>, expected: &mut BTreeMap<String, Expected>, random: &dyn Entropy) {
    let id = format!("{}", random.next_u64() % IDS);
    match random.next_u64() % 5 {
        0 => {
            assert_eq!(films.delete(id.as_str()).unwrap(), expected.remove(&id).is_some());
        }
        1 if expected.contains_key(&id) => films.update(id.as_str(), set("year", 2)).unwrap(),
        _ => {
            let document = random_document(random);
            films.put(id.as_str(), &document.document()).unwrap();
            expected.insert(id, document);
        }
    }
}

/// Compares what a search finds with what the documents say.
#[track_caller]
fn check(films: &Collection<Document>, expected: &BTreeMap<String, Expected>, model: &str, context: &str) {
    let query = [0.5; DIMENSION];
    let distance = |vector: &[f32]| vector.iter().zip(&query).map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt();
    let vectors = expected.iter().filter_map(|(id, document)| Some((id.clone(), distance(&document.vector(model)?))));
    let expected: BTreeMap<String, f32> = vectors.collect();
    let hits = films.search().nearest("v", &query).limit(1_000).exact().ids().unwrap();
    let hits: BTreeMap<String, f32> = hits.into_iter().map(|hit| (hit.id.to_string(), hit.distance)).collect();
    assert!(hits.keys().eq(expected.keys()), "{context}: {hits:?} is not {expected:?}");
    for (id, distance) in &hits {
        assert!((distance - expected[id]).abs() < 1e-4, "{context}: {id} is at {distance}, not at {}", expected[id]);
    }
}

fn run(seed: u64) {
    let random = SeededEntropy::new(seed);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let isolation = [Isolation::Serializable, Isolation::Snapshot][(seed % 2) as usize];
    let mut model = "m0".to_owned();
    let open = |model: &str| {
        let embedder = TestEmbedder::new(model);
        let (clock, builder) = still();
        let db = builder.isolation(isolation).entropy(Arc::new(SeededEntropy::new(seed))).open(&path).unwrap();
        let films = db.collection::<Document>("films").unwrap();
        films.ensure_index(index(&embedder)).unwrap();
        (db, clock, films, embedder)
    };
    let (mut db, mut clock, mut films, mut embedder) = open(&model);
    let mut expected = BTreeMap::new();
    for step in 0..150 {
        match random.next_u64() % 16 {
            0 => {
                db.settle().unwrap();
            }
            1 => {
                let tx = db.begin().unwrap();
                let own = tx.collection::<Document>("films").unwrap();
                let mut within = expected.clone();
                (0..5).for_each(|_| change(&own, &mut within, &random));
                db.settle().unwrap(); // in the middle of a transaction
                if random.next_u64().is_multiple_of(2) {
                    tx.commit().unwrap();
                    expected = within;
                }
            }
            2 => {
                drop((films, db));
                if random.next_u64().is_multiple_of(3) {
                    model = format!("m{step}");
                }
                (db, clock, films, embedder) = open(&model);
            }
            3 => {
                let word = format!("text {}", random.next_u64() % 10);
                embedder.answer(&word, [Answer::Unavailable, Answer::Panic][(random.next_u64() % 2) as usize]);
                db.settle().unwrap();
                embedder.answers.lock().clear();
                clock.advance_ms(400_000);
            }
            _ => change(&films, &mut expected, &random),
        }
        if step % 10 == 0 {
            clock.advance_ms(400_000);
            db.settle().unwrap();
            let status = films.embedding_status("v").unwrap();
            assert_eq!((status.pending, status.parked), (0, 0), "seed {seed}, step {step}: {status:?}");
            check(&films, &expected, &model, &format!("seed {seed}, step {step}"));
            assert_healthy(&db);
        }
    }
}

#[test]
fn after_random_operations_every_document_has_the_vector_of_its_text() {
    (0..8).for_each(run);
}

#[test]
fn writers_and_the_thread_that_embeds_agree_in_the_end() {
    let db = Database::builder().durability(Durability::Buffered).temporary().unwrap();
    let embedder = TestEmbedder::new("m1");
    let films = db.collection::<Document>("films").unwrap();
    films.ensure_index(index(&embedder)).unwrap();
    let done = AtomicBool::new(false);
    let expected: BTreeMap<String, Expected> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..3_u64)
            .map(|writer| {
                let films = &films;
                scope.spawn(move || {
                    let random = SeededEntropy::new(writer);
                    let mut expected = BTreeMap::new();
                    for _ in 0..400 {
                        let id = format!("{writer}-{}", random.next_u64() % 20);
                        if random.next_u64().is_multiple_of(5) {
                            films.delete(id.as_str()).unwrap();
                            expected.remove(&id);
                        } else {
                            let document = random_document(&random);
                            films.put(id.as_str(), &document.document()).unwrap();
                            expected.insert(id, document);
                        }
                    }
                    expected
                })
            })
            .collect();
        let searcher = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let view = db.snapshot().unwrap();
                let then = view.collection::<Document>("films").unwrap();
                let hits = then.search().nearest_text("v", "text 8").limit(100).ids().unwrap();
                assert!(hits.iter().all(|hit| then.contains(hit.id.clone()).unwrap()), "a hit is a document");
            }
        });
        let expected = writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect();
        done.store(true, Ordering::Relaxed);
        searcher.join().unwrap();
        expected
    });
    db.settle().unwrap();
    check(&films, &expected, "m1", "in the end");
    assert_eq!(counts(&films), (0, 0, 0));
    assert_healthy(&db);
}
