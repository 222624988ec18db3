//! Search by text, against BM25 over all documents.

use blaze::{
    Analyzer, Collection, Database, Document, Entropy, ErrorKind, FilterStrategy, History, Index, Isolation, Language,
    SeededEntropy, TextHit, TextQuery, TransactionOptions, Value, field,
};

use super::naive::{FIELDS, Naive, random_document, random_query};

/// An empty collection with the index that the naive search knows.
fn empty() -> (Database, Collection<Document>) {
    let db = Database::temporary().unwrap();
    let texts = db.collection::<Document>("texts").unwrap();
    texts.ensure_index(index()).unwrap();
    (db, texts)
}

fn index() -> Index {
    Index::text(FIELDS.map(|(name, _)| name)).field_boost("title", 2.0)
}

/// So many documents, in both.
fn fill(texts: &Collection<Document>, naive: &mut Naive, documents: i64, random: &dyn Entropy) {
    let all: Vec<_> = (0..documents).map(|id| (id, random_document(random))).collect();
    texts.bulk().insert_with_ids(all.iter().cloned()).unwrap();
    naive.documents.extend(all);
}

/// Inserts, replaces and deletes, in both.
fn change(texts: &Collection<Document>, naive: &mut Naive, random: &dyn Entropy) {
    let id = (random.next_u64() % 300) as i64;
    match random.next_u64() % 4 {
        0 => {
            texts.delete(id).unwrap();
            naive.documents.remove(&id);
        }
        1 => {
            // The text stays, another field does not.
            if let Some(document) = naive.documents.get_mut(&id) {
                document.insert("group", 11);
                texts.put(id, &*document).unwrap();
            }
        }
        _ => {
            let document = random_document(random);
            texts.put(id, &document).unwrap();
            naive.documents.insert(id, document);
        }
    }
}

fn number(hit: &TextHit<Document>) -> i64 {
    hit.id.to_string().parse().unwrap()
}

/// Checks that a search finds the best documents: as many as the naive one, with its scores, and each with its own.
fn check(texts: &Collection<Document>, naive: &Naive, query: &TextQuery, group: Option<i64>, limit: usize) {
    let admits = |document: &Document| group.is_none_or(|group| document.get("group") == Some(&Value::from(group)));
    let expected = naive.search(query, admits);
    let mut search = texts.search().text(query).limit(limit);
    if let Some(group) = group {
        search = search.filter(field("group").eq(group));
    }
    assert_eq!(search.count().unwrap(), expected.len() as u64, "{query}");
    let hits = search.run().unwrap();
    assert_eq!(hits.len(), expected.len().min(limit), "{query}");
    for (at, (hit, (_, score))) in hits.iter().zip(&expected).enumerate() {
        let own = expected.iter().find(|(id, _)| *id == number(hit)).map(|(_, score)| *score);
        let own = own.unwrap_or_else(|| panic!("{query} does not match {:?}", hit.id));
        let is_near = |wanted: f64| (f64::from(hit.score) - wanted).abs() <= 1e-4 * wanted.max(1.0);
        assert!(is_near(own), "{query}: {:?} has {}, not {own}", hit.id, hit.score);
        assert!(is_near(*score), "{query}: at {at} is {}, not {score}", hit.score);
        let rank = hit.by_text.unwrap();
        assert_eq!((rank.rank, rank.score, hit.by_vector), (at + 1, hit.score, None));
        assert_eq!(Some(&hit.value), naive.documents.get(&number(hit)));
    }
}

#[test]
fn the_best_are_those_of_bm25_over_all_documents() {
    let (db, texts) = empty();
    let (random, mut naive) = (SeededEntropy::new(7), Naive::default());
    fill(&texts, &mut naive, 200, &random);
    for round in 0..12 {
        for _ in 0..25 {
            let query = random_query(&random, 2);
            let group = (random.next_u64() % 2 == 0).then(|| (random.next_u64() % 10) as i64);
            check(&texts, &naive, &query, group, 1 + random.next_u64() as usize % 20);
        }
        if round % 3 == 0 {
            db.settle().unwrap();
        }
        (0..40).for_each(|_| change(&texts, &mut naive, &random));
    }
}

#[test]
fn a_transaction_finds_what_it_has_written_and_nobody_else_does() {
    let (db, texts) = empty();
    let (random, mut naive) = (SeededEntropy::new(8), Naive::default());
    fill(&texts, &mut naive, 200, &random);
    let before = naive.clone();
    let tx = db.begin().unwrap();
    let own = tx.collection::<Document>("texts").unwrap();
    for _ in 0..5 {
        (0..10).for_each(|_| change(&own, &mut naive, &random));
        for _ in 0..10 {
            let query = random_query(&random, 2);
            check(&own, &naive, &query, None, 10);
            check(&own, &naive, &query, Some(3), 10);
            check(&texts, &before, &query, None, 10);
        }
    }
    let savepoint = tx.savepoint().unwrap();
    let kept = naive.clone();
    (0..20).for_each(|_| change(&own, &mut naive, &random));
    check(&own, &naive, &TextQuery::words("space moon"), None, 10);
    tx.rollback_to(&savepoint).unwrap();
    check(&own, &kept, &TextQuery::words("space moon"), None, 10);
    tx.commit().unwrap();
    check(&texts, &kept, &TextQuery::words("space moon"), None, 10);
}

#[test]
fn what_a_transaction_gives_up_was_never_there() {
    let (db, texts) = empty();
    let (random, mut naive) = (SeededEntropy::new(9), Naive::default());
    fill(&texts, &mut naive, 100, &random);
    let before = naive.clone();
    let tx = db.begin().unwrap();
    let own = tx.collection::<Document>("texts").unwrap();
    (0..50).for_each(|_| change(&own, &mut naive, &random));
    drop((own, tx));
    for _ in 0..20 {
        check(&texts, &before, &random_query(&random, 2), None, 10);
    }
}

#[test]
fn a_snapshot_finds_what_was_there_when_it_was_taken_while_the_index_is_folded() {
    let (db, texts) = empty();
    let (random, mut naive) = (SeededEntropy::new(10), Naive::default());
    fill(&texts, &mut naive, 150, &random);
    let mut views = Vec::new();
    for _ in 0..4 {
        views.push((db.snapshot().unwrap(), naive.clone()));
        (0..100).for_each(|_| change(&texts, &mut naive, &random));
        db.settle().unwrap();
    }
    for (view, naive) in &views {
        let texts = view.collection::<Document>("texts").unwrap();
        for _ in 0..10 {
            check(&texts, naive, &random_query(&random, 2), None, 10);
            check(&texts, naive, &random_query(&random, 1), Some(5), 10);
        }
    }
}

#[test]
fn a_view_of_the_past_finds_the_texts_of_that_time() {
    let db = Database::temporary().unwrap();
    let texts = db.collection::<Document>("texts").unwrap();
    texts.set_history(History::Forever).unwrap();
    texts.ensure_index(index()).unwrap();
    let (random, mut naive) = (SeededEntropy::new(11), Naive::default());
    fill(&texts, &mut naive, 60, &random);
    let (then, before) = (db.snapshot().unwrap().read_ts(), naive.clone());
    (0..80).for_each(|_| change(&texts, &mut naive, &random));
    let past = db.as_of(then).unwrap().collection::<Document>("texts").unwrap();
    for _ in 0..10 {
        let query = random_query(&random, 2);
        check(&past, &before, &query, None, 10);
        check(&past, &before, &query, Some(2), 10);
        check(&texts, &naive, &query, None, 10);
    }
}

#[test]
fn a_filter_is_answered_by_another_index_where_few_match_it_and_checked_where_many_do() {
    let db = Database::temporary().unwrap();
    let texts = db.collection::<Document>("texts").unwrap();
    texts.ensure_index(Index::text(["body"])).unwrap();
    texts.ensure_index(Index::on("n")).unwrap();
    let all = (0..3_000).map(|n| (n, Document::new().with("body", "space").with("n", n).with("odd", n % 2)));
    texts.bulk().insert_with_ids(all).unwrap();
    let search = texts.search().text("space").limit(5);
    let few = search.clone().filter(field("n").lt(40)).explain().unwrap();
    assert_eq!((few.filter, few.rows, few.documents_examined), (FilterStrategy::First, 5, 0), "{few}");
    let many = search.clone().filter(field("n").ge(10)).explain().unwrap();
    assert_eq!((many.filter, many.rows), (FilterStrategy::Checked, 5), "{many}");
    assert!(many.documents_examined < 100, "{many}");
    let unindexed = search.clone().filter(field("odd").eq(1)).explain().unwrap();
    assert_eq!((unindexed.filter, unindexed.rows), (FilterStrategy::Checked, 5), "{unindexed}");
    assert_eq!(search.clone().explain().unwrap().filter, FilterStrategy::None);
    assert_eq!(search.clone().filter(field("n").lt(40)).count().unwrap(), 40);
    assert_eq!(
        search.clone().filter(field("n").lt(40)).facet("odd", 2).unwrap(),
        [(Value::from(0), 20), (Value::from(1), 20)]
    );
    let best = search.clone().filter(field("n").lt(40)).min_score(1_000.0);
    assert_eq!(best.count().unwrap(), 0);
    assert_eq!(search.filter(field("odd").eq(1)).count().unwrap(), 1_500);
}

#[test]
fn facets_count_all_documents_that_match() {
    let (_db, texts) = empty();
    let (random, mut naive) = (SeededEntropy::new(12), Naive::default());
    fill(&texts, &mut naive, 200, &random);
    let query = TextQuery::words("space moon");
    for filtered in [false, true] {
        let admits = |document: &Document| !filtered || document.get("group").and_then(Value::as_i64) < Some(4);
        let mut expected: Vec<(Value, u64)> = Vec::new();
        for (id, _) in naive.search(&query, admits) {
            let group = naive.documents[&id].get("group").unwrap().clone();
            match expected.iter_mut().find(|(value, _)| *value == group) {
                Some((_, count)) => *count += 1,
                None => expected.push((group, 1)),
            }
        }
        expected.sort_by(|(a, of_a), (b, of_b)| of_b.cmp(of_a).then(a.cmp(b)));
        let mut search = texts.search().text(&query).limit(1);
        if filtered {
            search = search.filter(field("group").lt(4));
        }
        assert_eq!(search.facet("group", 100).unwrap(), expected);
        assert_eq!(search.facet("group", 2).unwrap(), expected[..2]);
        assert_eq!(search.facet("nothing", 2).unwrap(), []);
    }
}

#[test]
fn an_offset_continues_a_search_and_a_smallest_score_ends_it() {
    let (_db, texts) = empty();
    let (random, mut naive) = (SeededEntropy::new(13), Naive::default());
    fill(&texts, &mut naive, 200, &random);
    let search = texts.search().text("space station ocean");
    let all = search.clone().limit(200).ids().unwrap();
    let page = search.clone().offset(7).limit(5).ids().unwrap();
    let scores: Vec<_> = all[7..12].iter().map(|hit| hit.score).collect();
    assert_eq!(page.iter().map(|hit| hit.score).collect::<Vec<_>>(), scores);
    assert_eq!(page[0].by_text.unwrap().rank, 8);
    let best = search.clone().min_score(all[20].score).limit(200);
    let expected = all.iter().filter(|hit| hit.score >= all[20].score).count();
    assert_eq!((best.ids().unwrap().len(), best.count().unwrap()), (expected, expected as u64));
}

#[test]
fn a_query_is_read_as_people_write_it() {
    let db = Database::temporary().unwrap();
    let films = db.collection::<Document>("films").unwrap();
    films.ensure_index(Index::text(["title", "plot"])).unwrap();
    for (title, plot) in [
        ("Dune", "a duke on a desert planet"),
        ("Space Opera", "a musical, in space"),
        ("Spaceballs", "an opera of space, without music"),
        ("Solaris", "a space station above an ocean"),
    ] {
        films.insert_with_id(title, &Document::new().with("title", title).with("plot", plot)).unwrap();
    }
    let found = |query: &str| {
        let hits = films.search().text(query).ids().unwrap();
        let mut ids: Vec<_> = hits.iter().map(|hit| hit.id.to_string()).collect();
        ids.sort();
        ids
    };
    assert_eq!(found(r#""space opera""#), ["Space Opera"]);
    assert_eq!(found("space -musical"), ["Solaris", "Spaceballs"]);
    assert_eq!(found("title:dune"), ["Dune"]);
    assert_eq!(found("title:space*"), ["Space Opera", "Spaceballs"]);
    assert_eq!(found("solarus~"), ["Solaris"]);
    assert_eq!(found("+space +ocean"), ["Solaris"]);
    let error = films.search().text("titel:dune").run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("did you mean \"title\""), "{error}");
    let error = films.search().text("dune Re:Zero").run().unwrap_err().to_string();
    assert!(error.contains("character 6") && error.contains("write \\: for the colon"), "{error}");
    assert_eq!(found("dune Re\\:Zero"), ["Dune"]);
}

#[test]
fn words_that_say_nothing_are_left_out_of_a_query_and_alone_find_nothing() {
    let db = Database::temporary().unwrap();
    let films = db.collection::<Document>("films").unwrap();
    films.ensure_index(Index::text(["plot"]).analyzer(Analyzer::standard().language(Language::English))).unwrap();
    films.insert_with_id(1, &Document::new().with("plot", "The oceans of Solaris are thinking")).unwrap();
    let count = |query: &str| films.search().text(query).count().unwrap();
    assert_eq!((count("the ocean"), count("+the +ocean"), count("thinks")), (1, 1, 1));
    assert_eq!((count("\"oceans of solaris\""), count("\"oceans solaris\"")), (1, 0), "a phrase keeps its gaps");
    assert_eq!((count("the"), count("+the -of")), (0, 0));
    assert_eq!(films.search().text("the").facet("plot", 1).unwrap(), []);
    assert_eq!(films.search().text("the").explain().unwrap().rows, 0);
}

#[test]
fn a_single_character_of_what_is_written_without_spaces_is_found_in_a_phrase_wherever_its_run_goes_on() {
    let db = Database::in_memory().unwrap();
    let notes = db.collection::<Document>("notes").unwrap();
    notes.ensure_index(Index::text(["text"])).unwrap();
    for (id, text) in [(1, "2024年度の予算"), (2, "2024年"), (3, "年の2024"), (4, "X線検査"), (5, "Tower 都内")]
    {
        notes.insert_with_id(id, &Document::new().with("text", text)).unwrap();
    }
    let found = |query: TextQuery| {
        let hits = notes.search().text(query).ids().unwrap();
        let mut ids: Vec<_> = hits.iter().map(|hit| hit.id.to_string()).collect();
        ids.sort();
        ids
    };
    assert_eq!(found(TextQuery::parse("2024年").unwrap()), ["1", "2"], "and not where it is before");
    assert_eq!(found(TextQuery::phrase("X線")), ["4"]);
    assert_eq!(found(TextQuery::phrase("Tower 都")), ["5"]);
    assert_eq!(found(TextQuery::phrase("年")), ["1", "2", "3"]);
    let hits = notes.search().text("2024年").highlight("text").limit(1).run().unwrap();
    assert!(hits[0].highlights[0].snippets[0].text.contains("<mark>"), "{hits:?}");
}

#[test]
fn where_terms_are_parts_of_texts_a_likeness_is_the_text_itself() {
    let db = Database::in_memory().unwrap();
    let files = db.collection::<Document>("files").unwrap();
    files.ensure_index(Index::text(["name", "code"]).field_analyzer("code", Analyzer::substring())).unwrap();
    for (id, name, code) in [(1, "sand", "the dunes"), (2, "rune", "nothing"), (3, "東海", "a tune")] {
        files.insert_with_id(id, &Document::new().with("name", name).with("code", code)).unwrap();
    }
    let found = |query: &str| {
        let hits = files.search().text(query).ids().unwrap();
        let mut ids: Vec<_> = hits.iter().map(|hit| hit.id.to_string()).collect();
        ids.sort();
        ids
    };
    assert_eq!(found("dune~"), ["1", "2"], "the code as it is, a name that is like it");
    assert_eq!(found("東京~"), Vec::<String>::new());
    assert_eq!(found("東海~"), ["3"]);
}

#[test]
fn fields_of_different_languages_are_searched_each_in_its_own() {
    let db = Database::temporary().unwrap();
    let films = db.collection::<Document>("films").unwrap();
    let index = Index::text(["en", "de"]).field_analyzer("en", Analyzer::standard().language(Language::English));
    films.ensure_index(index.field_analyzer("de", Analyzer::standard().language(Language::German))).unwrap();
    films.insert_with_id(1, &Document::new().with("en", "houses by the sea").with("de", "Häuser am Meer")).unwrap();
    let count = |query: TextQuery| films.search().text(query).count().unwrap();
    assert_eq!(count(TextQuery::words("house")), 1);
    assert_eq!(count(TextQuery::words("Hauses").in_field("de")), 1);
    assert_eq!(count(TextQuery::all_words("the house")), 1, "what is left out of one field is not asked of it");
    assert_eq!(count(TextQuery::all_words("house Meer")), 0, "of fields of different analyzers, one has all words");
}

#[test]
fn the_index_is_the_first_that_has_the_fields_or_the_one_that_is_named() {
    let db = Database::temporary().unwrap();
    let films = db.collection::<Document>("films").unwrap();
    films.ensure_index(Index::text(["title"])).unwrap();
    films.ensure_index(Index::text(["title", "plot"]).named("all")).unwrap();
    films.insert_with_id(1, &Document::new().with("title", "Solaris").with("plot", "an ocean")).unwrap();
    let search = |query: &str| films.search().text(query);
    assert_eq!(search("ocean").count().unwrap(), 0, "the first has no plots");
    assert_eq!(search("plot:ocean").count().unwrap(), 1);
    assert_eq!(search("ocean").index("all").count().unwrap(), 1);
    assert_eq!(search("ocean").index("all").explain().unwrap().index, "all");
    let error = search("plot:ocean").index("title").run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    for name in ["none", "year"] {
        films.ensure_index(Index::on("year")).unwrap();
        let error = search("ocean").index(name).run().unwrap_err();
        assert!(error.kind() == ErrorKind::Invalid && error.to_string().contains(name), "{error}");
    }
    let others = db.collection::<Document>("others").unwrap();
    others.insert(&Document::new()).unwrap();
    assert_eq!(others.search().text("ocean").run().unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn a_partial_index_is_used_by_who_asks_for_what_it_has() {
    let db = Database::temporary().unwrap();
    let notes = db.collection::<Document>("notes").unwrap();
    notes.ensure_index(Index::text(["text"]).only(field("public").eq(true))).unwrap();
    for n in 0..10 {
        notes.insert_with_id(n, &Document::new().with("text", "space").with("public", n % 2 == 0)).unwrap();
    }
    let search = notes.search().text("space");
    assert_eq!(search.clone().run().unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(search.filter(field("public").eq(true)).count().unwrap(), 5);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let (_db, texts) = empty();
    texts.insert_with_id(1, &Document::new().with("body", "space")).unwrap();
    let search = || texts.search().text("space");
    let refused = [
        search().limit(0).run(),
        search().limit(10_001).run(),
        search().offset(9_999).limit(2).run(),
        search().min_score(f32::NAN).run(),
        search().candidates(50).run(),
        search().highlight("group").run(),
        texts.search().ef(100).text("space").run(),
        texts.search().exact().text("space").run(),
        texts.search().text("(space").run(),
        texts.search().text("").run(),
    ];
    for (at, outcome) in refused.into_iter().enumerate() {
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Invalid, "{at}");
    }
    assert_eq!(search().facet("group", 0).unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn a_serializable_transaction_that_searched_conflicts_with_a_commit_that_touches_its_words() {
    let (db, texts) = empty();
    texts.insert_with_id(1, &Document::new().with("body", "space opera")).unwrap();
    for (written, conflicts) in [("a space station", true), ("an ocean", false)] {
        let options = TransactionOptions::default().isolation(Isolation::Serializable);
        let tx = db.begin_with(options).unwrap();
        let found = tx.collection::<Document>("texts").unwrap().search().text("space").count().unwrap();
        tx.collection::<Document>("counts").unwrap().put("space", &Document::new().with("n", found)).unwrap();
        texts.insert(&Document::new().with("body", written)).unwrap();
        let outcome = tx.commit();
        assert_eq!(outcome.is_err(), conflicts, "{written}");
        if let Err(error) = outcome {
            assert_eq!(error.kind(), ErrorKind::Conflict);
        }
    }
}

#[test]
fn a_serializable_transaction_that_looked_for_what_is_like_a_document_conflicts_with_a_commit_of_its_words() {
    let (db, texts) = empty();
    texts.insert_with_id(1, &Document::new().with("body", "singular")).unwrap();
    for (written, conflicts) in [("an ocean", false), ("a singular ocean", true)] {
        let options = TransactionOptions::default().isolation(Isolation::Serializable);
        let tx = db.begin_with(options).unwrap();
        let found = tx.collection::<Document>("texts").unwrap().search().more_like([1]).count().unwrap();
        assert_eq!(found, 0, "no other document has its word");
        tx.collection::<Document>("counts").unwrap().put("like", &Document::new().with("n", found)).unwrap();
        texts.insert(&Document::new().with("body", written)).unwrap();
        assert_eq!(tx.commit().is_err(), conflicts, "{written}");
    }
}

#[test]
fn select_answers_parts_of_what_is_found() {
    let (_db, texts) = empty();
    texts.insert_with_id(1, &Document::new().with("title", "Dune").with("body", "a desert").with("group", 4)).unwrap();
    let search = || texts.search().text("desert").highlight("body");
    let parts = search().select(["title"]).run().unwrap();
    assert_eq!(parts[0].fields, Document::new().with("title", "Dune"));
    assert_eq!(parts[0].highlights[0].snippets.len(), 1);
    let parts = search().without(["title", "body"]).run().unwrap();
    assert_eq!(parts[0].fields, Document::new().with("group", 4));
}
