//! Embedders that fail, panic, are slow, or cannot be reached.

use super::*;

const SECOND_MS: u64 = 1_000;

#[test]
fn a_document_that_fails_holds_up_no_other_and_is_tried_again_later_and_later() {
    let (clock, db, films, embedder) = filled(&[]);
    embedder.answer("bad", Answer::Unavailable);
    for n in 0..20 {
        films.insert_with_id(format!("{n}"), &film(&format!("film {n}"))).unwrap();
    }
    films.insert_with_id("bad", &film("bad")).unwrap();
    db.settle().unwrap();
    assert_eq!((found(&films).len(), counts(&films)), (20, (1, 1, 0)));
    let status = films.embedding_status("v").unwrap();
    assert_eq!(status.last_error.as_deref(), Some("no answer for \"bad\""));
    embedder.take_texts();
    let mut waited_ms = 0;
    for (failures, least_ms, most_ms) in [(1, 1_000, 1_500), (2, 2_000, 3_000), (3, 4_000, 6_000)] {
        let mut waits_ms = 0;
        while embedder.take_texts().is_empty() {
            clock.advance_ms(100);
            waits_ms += 100;
            db.settle().unwrap();
        }
        assert!((least_ms..=most_ms + 100).contains(&waits_ms), "{waits_ms} ms after failure {failures}");
        waited_ms += waits_ms;
    }
    assert!(waited_ms >= 7_000);
    // A new text is tried at once.
    films.update("bad", set("title", "good")).unwrap();
    db.settle().unwrap();
    assert_eq!((found(&films).len(), counts(&films)), (21, (0, 0, 0)));
    assert_healthy(&db);
}

#[test]
fn what_the_embedder_calls_invalid_is_parked_until_its_text_or_the_embedder_changes() {
    let (clock, db, films, embedder) = filled(&["a", "never", "nevermore"]);
    embedder.answer("never", Answer::Invalid);
    films.update("never", set("plot", "1")).unwrap();
    films.update("nevermore", set("plot", "1")).unwrap();
    films.insert_with_id("new", &film("never new")).unwrap();
    db.settle().unwrap();
    assert_eq!(counts(&films), (0, 0, 3));
    assert!(films.embedding_status("v").unwrap().is_settled());
    assert!(is_at(&films, "never", &embedder.vector("never")), "the old vector stays");
    assert_healthy(&db);
    embedder.take_texts();
    clock.advance_ms(3_600 * SECOND_MS);
    db.settle().unwrap();
    films.ensure_index(index(&embedder)).unwrap(); // the same one, wrapped anew: it is asked again
    db.settle().unwrap();
    assert_eq!(embedder.take_texts().iter().collect::<BTreeSet<_>>().len(), 3);
    assert_eq!(counts(&films), (0, 0, 3));

    films.update("never", set("title", "good")).unwrap();
    films.delete("new").unwrap();
    assert_eq!(counts(&films), (1, 0, 1), "what is deleted is not parked any more");
    db.settle().unwrap();
    assert_eq!(counts(&films), (0, 0, 1));
    let other = TestEmbedder::new("m1");
    films.ensure_index(index(&other)).unwrap();
    db.settle().unwrap();
    assert_eq!((counts(&films), other.take_texts()), ((0, 0, 0), vec!["nevermore\n1".to_owned()]));
    assert_healthy(&db);
}

#[test]
fn a_panic_and_a_wrong_answer_are_failures_that_say_what_was_wrong() {
    for (answer, why) in [
        (Answer::Panic, "the embedder of the model \"m1\" panicked: stumbled over \"bad\""),
        (Answer::Nothing, "the embedder of the model \"m1\" made 0 vectors of 1 texts"),
        (Answer::TooShort, "the embedder of the model \"m1\" made a vector of 7 components, the index has 8"),
        (Answer::NotANumber, "the embedder of the model \"m1\" made a vector whose component 7 is NaN"),
    ] {
        let (clock, db, films, embedder) = filled(&[]);
        embedder.answer("bad", answer);
        for title in ["a", "b", "bad", "c"] {
            films.insert_with_id(title, &film(title)).unwrap();
        }
        db.settle().unwrap();
        assert_eq!((found(&films).len(), counts(&films)), (3, (1, 1, 0)), "{answer:?}");
        assert_eq!(films.embedding_status("v").unwrap().last_error.as_deref(), Some(why));
        let asked = films.search().nearest_text("v", "bad").ids();
        if answer != Answer::Nothing {
            assert_eq!(asked.unwrap_err().to_string(), format!("the text of a search: {why}"));
        }
        embedder.answer("bad", Answer::Vector);
        clock.advance_ms(2 * SECOND_MS);
        db.settle().unwrap();
        assert_eq!((found(&films).len(), counts(&films)), (4, (0, 0, 0)), "{answer:?}");
        assert_healthy(&db);
    }
}

#[test]
fn a_vector_without_direction_is_parked_where_the_metric_compares_directions() {
    struct Nothing;
    impl Embedder for Nothing {
        fn model(&self) -> &str {
            "nothing"
        }
        fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
            Ok(texts.iter().map(|_| vec![0.0; 3]).collect())
        }
    }
    let db = still().1.temporary().unwrap();
    let films = db.collection::<Document>("films").unwrap();
    films.ensure_index(Index::vector("v", 3).embed_from(["title"], Nothing)).unwrap();
    films.insert(&film("a")).unwrap();
    db.settle().unwrap();
    assert_eq!(counts(&films), (0, 0, 1));
    assert!(films.embedding_status("v").unwrap().last_error.is_some());
}

#[test]
fn an_embedder_that_cannot_be_reached_is_asked_rarely_and_has_everything_done_when_it_is_back() {
    let (clock, db, films, embedder) = filled(&[]);
    embedder.answer("", Answer::Unavailable);
    films.bulk().insert((0..500).map(|n| film(&format!("film {n}")))).unwrap();
    let before = embedder.calls();
    db.settle().unwrap();
    assert!(embedder.calls() - before <= 5, "{} calls", embedder.calls() - before);
    let (pending, failed, parked) = counts(&films);
    assert_eq!((pending, parked), (500, 0));
    assert!((1..=5).contains(&failed));
    for _ in 0..100 {
        clock.advance_ms(SECOND_MS);
        db.settle().unwrap();
    }
    assert!(embedder.calls() - before <= 40, "{} calls in 100 seconds", embedder.calls() - before);
    embedder.answer("", Answer::Vector);
    for _ in 0..4 {
        clock.advance_ms(300 * SECOND_MS);
        db.settle().unwrap();
    }
    assert_eq!((found(&films).len(), counts(&films)), (500, (0, 0, 0)));
    assert_healthy(&db);
}

#[test]
fn many_bad_texts_do_not_keep_the_good_ones_behind_them_waiting_for_ever() {
    let (clock, db, films, embedder) = filled(&[]);
    embedder.answer("bad", Answer::Unavailable);
    for n in 0..40 {
        films.insert_with_id(format!("a{n:02}"), &film(&format!("bad {n}"))).unwrap();
        films.insert_with_id(format!("b{n:02}"), &film(&format!("good {n}"))).unwrap();
    }
    for _ in 0..60 {
        clock.advance_ms(10 * SECOND_MS);
        db.settle().unwrap();
    }
    assert_eq!(found(&films).len(), 40);
    assert_eq!(counts(&films).0, 40);
}

#[test]
fn failures_are_remembered_and_a_clock_that_goes_back_does_not_keep_them_waiting() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let embedder = TestEmbedder::new("m1");
    embedder.answer("bad", Answer::Unavailable);
    let open = |now_ms: u64| {
        let clock = Arc::new(ManualClock::at_ms(now_ms));
        let db = Database::builder().clock(Arc::clone(&clock) as _).open(&path).unwrap();
        let films = db.collection::<Document>("films").unwrap();
        films.ensure_index(index(&embedder)).unwrap();
        (clock, db, films)
    };
    let (_, db, films) = open(10_000_000);
    films.insert_with_id("bad", &film("bad")).unwrap();
    db.settle().unwrap();
    db.close().unwrap();
    embedder.take_texts();
    let (clock, db, films) = open(10_000_000);
    db.settle().unwrap();
    assert_eq!((embedder.take_texts(), counts(&films)), (vec![], (1, 1, 0)), "it is not tried before its time");
    clock.set_ms(1_000_000);
    db.settle().unwrap();
    assert_eq!(embedder.take_texts(), ["bad"]);
}

#[test]
fn closing_waits_for_no_embedder_and_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let embedder = TestEmbedder::new("m1");
    {
        let db = Database::open(&path).unwrap();
        let films = db.collection::<Document>("films").unwrap();
        films.ensure_index(index(&embedder)).unwrap();
        let gate = embedder.gate.lock();
        films.insert_with_id("a", &film("a")).unwrap();
        std::thread::park_timeout(Duration::from_millis(100)); // the embedder is waiting, most likely
        db.close().unwrap();
        drop((films, db));
        drop(gate);
    }
    let db = Database::open(&path).unwrap();
    let films = db.collection::<Document>("films").unwrap();
    assert_eq!(counts(&films), (1, 0, 0));
    films.ensure_index(index(&embedder)).unwrap();
    db.settle().unwrap();
    assert!(is_at(&films, "a", &embedder.vector("a")));
    assert_healthy(&db);
}

#[test]
fn one_database_waits_for_the_embedder_of_another_no_longer_than_a_call() {
    let slow = TestEmbedder::new("slow");
    let one = Database::temporary().unwrap();
    let films = one.collection::<Document>("films").unwrap();
    films.ensure_index(index(&slow)).unwrap();
    let quick = TestEmbedder::new("quick");
    let other = Database::temporary().unwrap();
    let others = other.collection::<Document>("films").unwrap();
    others.ensure_index(index(&quick)).unwrap();
    films.bulk().insert((0..200).map(|n| film(&format!("film {n}")))).unwrap();
    others.insert_with_id("a", &film("a")).unwrap();
    wait_until(|| others.embedding_status("v").unwrap().is_settled());
    wait_until(|| films.embedding_status("v").unwrap().is_settled());
    assert_eq!(slow.calls(), 200_usize.div_ceil(32), "each text in one call");
}

#[test]
fn settling_ends_although_what_fails_comes_due_again_while_the_embedder_is_slow() {
    /// Takes ten seconds to fail.
    struct Slow {
        clock: Arc<ManualClock>,
        calls: AtomicUsize,
    }
    impl Embedder for Slow {
        fn model(&self) -> &str {
            "slow"
        }
        fn embed(&self, _: &[&str]) -> Result<Vec<Vec<f32>>> {
            self.clock.advance_ms(10 * SECOND_MS);
            let calls = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
            match calls {
                100.. => Err(Error::invalid("enough")), // so that a test that fails ends
                _ => Err(Error::unavailable("no answer in ten seconds")),
            }
        }
    }
    let (clock, builder) = still();
    let db = builder.temporary().unwrap();
    let slow = Arc::new(Slow { clock, calls: AtomicUsize::new(0) });
    let films = db.collection::<Document>("films").unwrap();
    films.ensure_index(Index::vector("v", DIMENSION).embed_from(["title"], Arc::clone(&slow))).unwrap();
    ["a", "b", "c"].iter().for_each(|id| films.insert_with_id(*id, &film(id)).unwrap());
    for calls in [4, 8] {
        db.settle().unwrap();
        assert_eq!(
            (slow.calls.load(Ordering::Relaxed), counts(&films)),
            (calls, (3, 3, 0)),
            "together, and one by one"
        );
        slow.clock.advance_ms(10 * SECOND_MS);
    }
}

#[test]
fn an_embedder_that_cannot_be_reached_is_asked_rarely_also_for_what_has_failed_before() {
    let (clock, db, films, embedder) = filled(&[]);
    embedder.answer("", Answer::Unavailable);
    films.bulk().insert((0..20).map(|n| film(&format!("film {n}")))).unwrap();
    let mut before = embedder.calls();
    for round in 0..60 {
        db.settle().unwrap();
        let calls = embedder.calls() - before;
        assert!((1..=5).contains(&calls), "{calls} calls in round {round}");
        before = embedder.calls();
        clock.advance_ms(400 * SECOND_MS);
    }
    assert_eq!(counts(&films), (20, 20, 0), "all of them have failed before");
    embedder.answer("", Answer::Vector);
    db.settle().unwrap();
    assert_eq!((found(&films).len(), counts(&films)), (20, (0, 0, 0)));
}

#[test]
fn an_embedder_that_waits_for_its_own_database_is_refused_and_does_not_wait_for_ever() {
    struct Waiting {
        films: Mutex<Option<(Database, Collection<Document>)>>,
        refused: Mutex<Vec<Error>>,
    }
    impl Embedder for Waiting {
        fn model(&self) -> &str {
            "waiting"
        }
        fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
            if let Some((db, films)) = &*self.films.lock() {
                let replaced = films.replace_index("v", index(&TestEmbedder::new("m2")));
                self.refused.lock().extend([db.settle().unwrap_err(), replaced.unwrap_err()]);
            }
            Ok(texts.iter().map(|text| vector_of("waiting", text)).collect())
        }
    }
    let db = still().1.temporary().unwrap();
    let films = db.collection::<Document>("films").unwrap();
    let waiting = Arc::new(Waiting { films: Mutex::default(), refused: Mutex::default() });
    let sources = ["title", "plot"];
    films
        .ensure_index(Index::vector("v", DIMENSION).metric(Metric::L2).embed_from(sources, Arc::clone(&waiting)))
        .unwrap();
    *waiting.films.lock() = Some((db.clone(), films.clone()));
    films.insert_with_id("a", &film("a")).unwrap();
    db.settle().unwrap();
    *waiting.films.lock() = None;
    let refused = std::mem::take(&mut *waiting.refused.lock());
    assert_eq!(refused.len(), 2);
    for error in refused {
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        assert!(error.to_string().contains("it would wait for itself"), "{error}");
    }
    assert!(is_at(&films, "a", &vector_of("waiting", "a")), "the call itself has done its work");
    assert!(films.indexes().unwrap()[0].replacement.is_none());
    films.insert_with_id("b", &film("b")).unwrap();
    db.settle().unwrap();
    assert_eq!((found(&films).len(), counts(&films)), (2, (0, 0, 0)));
    assert_healthy(&db);
}
