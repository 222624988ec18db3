//! What people may want to type, and what is like something else.

use std::collections::BTreeMap;

use blaze::{
    Analyzer, Collection, Database, Document, Entropy, ErrorKind, Index, Language, SeededEntropy, Value, field,
};

use super::naive::{Naive, random_document};

/// Inserts documents of which all have the same thirty words, often, and two another one, once: those of ids 0 and 7.
fn thirty_words_and_one() -> (Database, Collection<Document>) {
    let db = Database::in_memory().unwrap();
    let texts = db.collection::<Document>("texts").unwrap();
    texts.ensure_index(Index::text(["body"])).unwrap();
    let common: String = (0..30).map(|n| format!("common{n} ").repeat(3)).collect();
    for id in 0..10 {
        let body = if id % 7 == 0 { format!("{common} telling") } else { common.clone() };
        texts.insert_with_id(id, &Document::new().with("body", body)).unwrap();
    }
    (db, texts)
}

fn suggested(texts: &Collection<Document>, path: &str, begun: &str, limit: usize) -> Vec<(String, u64)> {
    let suggestions = texts.suggest(path, begun).limit(limit).run().unwrap();
    suggestions.into_iter().map(|suggestion| (suggestion.text, suggestion.documents)).collect()
}

/// The words that begin so, by the documents with them.
fn expected(naive: &Naive, path: &str, begun: &str, limit: usize) -> Vec<(String, u64)> {
    let mut documents: BTreeMap<String, u64> = BTreeMap::new();
    for document in naive.documents.values() {
        let text = document.get(path).and_then(Value::as_str).unwrap_or_default();
        let words: std::collections::BTreeSet<_> =
            text.split_whitespace().filter(|word| word.starts_with(begun)).collect();
        words.into_iter().for_each(|word| *documents.entry(word.to_owned()).or_default() += 1);
    }
    let mut all: Vec<_> = documents.into_iter().collect();
    all.sort_by(|(a, of_a), (b, of_b)| of_b.cmp(of_a).then(a.cmp(b)));
    all.truncate(limit);
    all
}

#[test]
fn words_are_suggested_by_how_many_documents_have_them() {
    let db = Database::temporary().unwrap();
    let texts = db.collection::<Document>("texts").unwrap();
    texts.ensure_index(Index::text(["title", "body"])).unwrap();
    let (random, mut naive) = (SeededEntropy::new(31), Naive::default());
    for id in 0..200 {
        naive.documents.insert(id, random_document(&random));
    }
    texts.bulk().insert_with_ids(naive.documents.iter().map(|(id, document)| (*id, document.clone()))).unwrap();
    for round in 0..3 {
        for begun in ["s", "sp", "spa", "st", "d", "zebra", "q"] {
            for path in ["title", "body"] {
                for limit in [1, 3, 10] {
                    assert_eq!(suggested(&texts, path, begun, limit), expected(&naive, path, begun, limit), "{begun}");
                }
            }
        }
        if round == 0 {
            db.settle().unwrap();
        }
        for _ in 0..50 {
            let id = (random.next_u64() % 200) as i64;
            let document = random_document(&random);
            texts.put(id, &document).unwrap();
            naive.documents.insert(id, document);
        }
    }
    let tx = db.begin().unwrap();
    let own = tx.collection::<Document>("texts").unwrap();
    own.put(500, &Document::new().with("title", "quasar")).unwrap();
    assert_eq!(suggested(&own, "title", "Q", 5), [("quasar".to_owned(), 1)], "what is typed is folded");
    assert_eq!(suggested(&texts, "title", "q", 5), []);
}

#[test]
fn the_last_of_several_words_is_completed_by_words_that_come_with_the_others() {
    let db = Database::in_memory().unwrap();
    let films = db.collection::<Document>("films").unwrap();
    films.ensure_index(Index::text(["title"])).unwrap();
    for title in ["Space Opera", "Space Oddity", "Soap Opera", "Soap Operas", "Open Range"] {
        films.insert(&Document::new().with("title", title)).unwrap();
    }
    assert_eq!(
        suggested(&films, "title", "o", 5),
        [("opera".to_owned(), 2), ("oddity".to_owned(), 1), ("open".to_owned(), 1), ("operas".to_owned(), 1)]
    );
    assert_eq!(
        suggested(&films, "title", "Space o", 5),
        [("Space oddity".to_owned(), 1), ("Space opera".to_owned(), 1)]
    );
    assert_eq!(suggested(&films, "title", "space o", 1).len(), 1);
    assert_eq!(suggested(&films, "title", "opera o", 5), [], "not the word that is there already");
    assert_eq!(suggested(&films, "title", "opera s", 5), [("opera soap".to_owned(), 1), ("opera space".to_owned(), 1)]);
    assert_eq!(suggested(&films, "title", "opera space ", 5), []);
}

#[test]
fn a_word_that_hundreds_of_commoner_ones_come_before_is_found_with_the_word_before_it() {
    let db = Database::in_memory().unwrap();
    let films = db.collection::<Document>("films").unwrap();
    films.ensure_index(Index::text(["title"])).unwrap();
    let common = (0..600).flat_map(|n| [n, n]).map(|n| Document::new().with("title", format!("s{n:04}")));
    films.insert_many(common).unwrap();
    for title in ["zyzzyva sesquipedalian", "zyzzyva s0599", "zyzzyva s0599"] {
        films.insert(&Document::new().with("title", title)).unwrap();
    }
    let expected = [("zyzzyva s0599".to_owned(), 2), ("zyzzyva sesquipedalian".to_owned(), 1)];
    for limit in [1, 2, 10, 300] {
        assert_eq!(suggested(&films, "title", "zyzzyva s", limit), expected[..limit.min(2)], "{limit}");
    }
}

#[test]
fn words_are_suggested_of_all_documents_where_another_index_has_some() {
    let db = Database::in_memory().unwrap();
    let films = db.collection::<Document>("films").unwrap();
    films.ensure_index(Index::text(["title"]).only(field("seen").eq(true)).named("seen")).unwrap();
    for (title, seen) in [("Space", true), ("Spaces", false), ("Spaces", false)] {
        films.insert(&Document::new().with("title", title).with("seen", seen)).unwrap();
    }
    assert_eq!(suggested(&films, "title", "spa", 5), [("space".to_owned(), 1)], "those of its documents");
    let stems = Analyzer::standard().language(Language::English);
    films.ensure_index(Index::text(["title"]).analyzer(stems).named("all")).unwrap();
    assert_eq!(suggested(&films, "title", "spa", 5), [("space".to_owned(), 3)]);
}

#[test]
fn words_are_suggested_whole_where_another_index_keeps_stems() {
    let db = Database::in_memory().unwrap();
    let films = db.collection::<Document>("films").unwrap();
    films.ensure_index(Index::text(["plot"]).analyzer(Analyzer::standard().language(Language::English))).unwrap();
    films.insert(&Document::new().with("plot", "Connected connections of the connected")).unwrap();
    assert_eq!(suggested(&films, "plot", "conn", 5), [("connect".to_owned(), 1)], "the stem is all that there is");
    films.ensure_index(Index::text(["plot"]).named("words")).unwrap();
    let whole = [("connected".to_owned(), 1), ("connections".to_owned(), 1)];
    assert_eq!(suggested(&films, "plot", "conn", 5), whole);
    let named = films.suggest("plot", "conn").index("plot").run().unwrap();
    assert_eq!(named[0].text, "connect");
}

#[test]
fn a_suggestion_needs_an_index_of_words() {
    let db = Database::in_memory().unwrap();
    let films = db.collection::<Document>("films").unwrap();
    films.ensure_index(Index::text(["plot"]).analyzer(Analyzer::substring())).unwrap();
    for (path, begun, limit) in [("plot", "a", 5), ("title", "a", 5), ("plot", "a", 0)] {
        let error = films.suggest(path, begun).limit(limit).run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    }
}

#[test]
fn a_word_that_few_have_tells_more_than_frequent_ones_that_all_have() {
    let (_db, texts) = thirty_words_and_one();
    let explain = texts.search().more_like([0]).explain().unwrap();
    assert_eq!(explain.terms.len(), 25);
    assert!(explain.terms.iter().any(|term| term.term == "telling"), "{explain}");
    assert_eq!(explain.hits[0].id.to_string(), "7");
}

#[test]
fn what_is_like_some_documents_has_the_words_that_tell_most_of_them() {
    let db = Database::temporary().unwrap();
    let films = db.collection::<Document>("films").unwrap();
    films.ensure_index(Index::text(["plot"])).unwrap();
    films.ensure_index(Index::on("year")).unwrap();
    let common = "the crew of a ship in the night";
    for (id, told) in
        ["monster alien egg", "alien monster nest", "alien love", "desert spice", "spice trade"].iter().enumerate()
    {
        let document = Document::new().with("plot", format!("{common} {told}")).with("year", id as u64);
        films.insert_with_id(id, &document).unwrap();
    }
    let ids = |ids: &[usize]| {
        let hits = films.search().more_like(ids.iter().copied()).ids().unwrap();
        hits.iter().map(|hit| hit.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&[0])[..2], ["1", "2"]);
    assert_eq!(ids(&[3])[0], "4");
    assert!(!ids(&[0, 1]).iter().any(|id| id == "0" || id == "1"));
    let filtered = films.search().more_like([0]).filter(field("year").ge(2)).limit(1).ids().unwrap();
    assert_eq!(filtered[0].id.to_string(), "2");
    let kind = |ids: &[usize]| films.search().more_like(ids.iter().copied()).ids().unwrap_err().kind();
    assert_eq!((kind(&[]), kind(&[99])), (ErrorKind::Invalid, ErrorKind::NotFound));
    films.insert_with_id(50, &Document::new().with("plot", "unheard")).unwrap();
    assert_eq!(ids(&[50]), Vec::<String>::new(), "nothing of it is in another document");
}
