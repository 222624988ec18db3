//! What every index of texts promises, by way of [`Texts`].

use blaze_bench::dataset::text::TextSet;
use blaze_bench::engine::{
    Engine, EngineOptions, Faculty, TextHit, TextItems, TextPlace, TextQuestion, TextSkill, Texts,
};

use super::linked;

fn texts() -> TextSet {
    let mut texts = TextSet::default();
    for text in ["a rose is a rose", "is it a rose", "it is", "the rose garden", "a garden is a place"] {
        texts.add(text.split(' '));
    }
    texts
}

/// Runs a check on each engine that is there.
fn on_each(faculty: Faculty, check: impl Fn(&dyn Engine, &EngineOptions)) {
    for engine in linked().into_iter().filter(|engine| engine.faculties().contains(&faculty)) {
        println!("{} {}", engine.name(), engine.version());
        let directory = tempfile::tempdir().unwrap();
        check(engine, &EngineOptions { directory: directory.path().to_owned(), cache_bytes: 8 << 20 });
    }
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

fn ids(index: &dyn Texts, question: &TextQuestion) -> Vec<u64> {
    let hits = index.search(question, 10).unwrap();
    assert!(hits.windows(2).all(|two| two[0].score >= two[1].score), "{question:?}: {hits:?}");
    let mut ids: Vec<u64> = hits.iter().map(|hit| hit.id).collect();
    ids.sort_unstable();
    ids
}

#[test]
fn what_has_any_of_the_words_or_all_or_the_phrase_is_found_before_and_after_merging() {
    on_each(Faculty::Texts, |engine, options| {
        let (texts, index) = (texts(), engine.open_texts(options).unwrap());
        let mut told = 0;
        let items = TextItems { texts: &texts, vectors: None };
        index.load(items, texts.rows() as u64, &mut |done| told = done).unwrap();
        assert_eq!(told, texts.rows() as u64);
        for _ in 0..2 {
            assert_eq!(ids(&*index, &TextQuestion::Any(words("garden"))), [3, 4]);
            assert_eq!(ids(&*index, &TextQuestion::Any(words("garden it"))), [1, 2, 3, 4]);
            assert_eq!(ids(&*index, &TextQuestion::All(words("is rose"))), [0, 1]);
            assert_eq!(ids(&*index, &TextQuestion::Phrase(words("a rose"))), [0, 1]);
            assert_eq!(ids(&*index, &TextQuestion::Phrase(words("rose is a"))), [0]);
            assert_eq!(ids(&*index, &TextQuestion::Any(words("tulip"))), [0_u64; 0]);
            index.merge().unwrap();
        }
        assert!(index.size().unwrap().total_bytes > 0);
    });
}

#[test]
fn what_is_inserted_is_found_at_once() {
    on_each(Faculty::Texts, |engine, options| {
        let (texts, index) = (texts(), engine.open_texts(options).unwrap());
        let items = TextItems { texts: &texts, vectors: None };
        index.load(items, 3, &mut |_| ()).unwrap();
        assert_eq!(ids(&*index, &TextQuestion::Any(words("rose"))), [0, 1]);
        index.insert(items, 3).unwrap();
        assert_eq!(ids(&*index, &TextQuestion::Any(words("rose"))), [0, 1, 3]);
        index.merge().unwrap();
        assert_eq!(ids(&*index, &TextQuestion::Any(words("rose"))), [0, 1, 3]);
        let TextHit { id, .. } = index.search(&TextQuestion::Any(words("garden")), 1).unwrap()[0];
        assert_eq!(id, 3, "the shorter text");
    });
}

#[test]
fn a_text_that_was_committed_is_found_by_its_words() {
    on_each(Faculty::TextStore, |engine, options| {
        let (texts, store) = (texts(), engine.open_text_store(options).unwrap());
        for place in [TextPlace::Plain, TextPlace::Small, TextPlace::Large] {
            store.load(place, &texts, 4).unwrap();
            store.insert(place, 4, &texts.text(4)).unwrap();
        }
        for place in [TextPlace::Small, TextPlace::Large] {
            assert_eq!((store.count(place, "rose").unwrap(), store.count(place, "garden").unwrap()), (3, 2));
        }
    });
}

#[test]
fn who_has_vectors_searches_by_both() {
    on_each(Faculty::Texts, |engine, options| {
        let (texts, index) = (texts(), engine.open_texts(options).unwrap());
        if index.lacks(TextSkill::Vectors) {
            return;
        }
        let turn = |row: usize| (row as f32 * 0.3).sin_cos();
        let numbers = (0..texts.rows()).flat_map(|row| [turn(row).0, turn(row).1]).collect();
        let vectors = blaze_bench::dataset::Matrix::new(2, numbers).unwrap();
        index.load(TextItems { texts: &texts, vectors: Some(&vectors) }, 5, &mut |_| ()).unwrap();
        assert_eq!(index.search_with_vector(None, vectors.row(2), 1).unwrap(), [2]);
        let both = index.search_with_vector(Some(&TextQuestion::Any(words("place"))), vectors.row(4), 1).unwrap();
        assert_eq!(both, [4]);
    });
}
