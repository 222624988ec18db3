//! Which parts of a text tell why it was found.

use blaze::{Analyzer, Collection, Database, Document, Highlighter, Index, Language, TextHit, Value};

fn films() -> (Database, Collection<Document>) {
    let db = Database::in_memory().unwrap();
    let films = db.collection::<Document>("films").unwrap();
    films
        .ensure_index(Index::text(["title", "plot"]).analyzer(Analyzer::standard().language(Language::English)))
        .unwrap();
    let plots =
        vec![Value::from("An ocean that thinks."), Value::from(3), Value::from("Nothing."), "Deep oceans.".into()];
    films.insert_with_id(1, &Document::new().with("title", "Solaris").with("plot", plots)).unwrap();
    (db, films)
}

/// Of each highlight its field, its place and the texts of its snippets.
fn shown(hit: &TextHit<Document>) -> Vec<(String, usize, Vec<String>)> {
    let texts = |highlight: &blaze::Highlight| highlight.snippets.iter().map(|snippet| snippet.text.clone()).collect();
    hit.highlights.iter().map(|highlight| (highlight.path.to_string(), highlight.place, texts(highlight))).collect()
}

#[test]
fn each_text_of_a_field_with_something_found_is_shown() {
    let (_db, films) = films();
    let hits = films.search().text("Ocean").highlight("title").highlight("plot").run().unwrap();
    let expected = [
        ("plot".to_owned(), 0, vec!["An <mark>ocean</mark> that thinks.".to_owned()]),
        ("plot".to_owned(), 2, vec!["Deep <mark>oceans</mark>.".to_owned()]),
    ];
    assert_eq!(shown(&hits[0]), expected, "words of the same stem are found, and what is no text does not count");
}

#[test]
fn what_a_query_asks_of_one_field_is_not_marked_in_another() {
    let (_db, films) = films();
    films.insert_with_id(2, &Document::new().with("title", "Ocean").with("plot", "Of an ocean")).unwrap();
    let hits = films.search().text("title:ocean").highlight("plot").highlight("title").run().unwrap();
    assert_eq!(shown(&hits[0]), [("title".to_owned(), 0, vec!["<mark>Ocean</mark>".to_owned()])]);
}

#[test]
fn phrases_beginnings_and_what_is_alike_are_marked_and_what_must_not_be_there_is_not() {
    let (_db, films) = films();
    films.insert_with_id(2, &Document::new().with("title", "The Dark Star").with("plot", "starlight")).unwrap();
    let mark = Highlighter::new().marks("[", "]");
    let found = |query: &str| {
        let hits = films.search().text(query).highlight_with("title", mark.clone()).run().unwrap();
        hits.iter().flat_map(shown).flat_map(|(_, _, snippets)| snippets).collect::<Vec<_>>()
    };
    assert_eq!(found("\"dark star\""), ["The [Dark] [Star]"]);
    assert_eq!(found("sta*"), ["The Dark [Star]"]);
    assert_eq!(found("dork~"), ["The [Dark] Star"]);
    assert_eq!(found("dark -solaris"), ["The [Dark] Star"]);
}

#[test]
fn a_hybrid_hit_that_does_not_match_the_text_has_no_highlights() {
    let db = Database::in_memory().unwrap();
    let films = db.collection::<Document>("films").unwrap();
    films.ensure_index(Index::text(["title"])).unwrap();
    films.ensure_index(Index::vector("v", 1).metric(blaze::Metric::L2)).unwrap();
    for (title, at) in [("Solaris", 1.0), ("Stalker", 2.0)] {
        let document = Document::new().with("title", title).with("v", blaze::Vector::F32(vec![at]));
        films.insert_with_id(title, &document).unwrap();
    }
    let hits = films.search().text("solaris").nearest("v", &[2.0]).highlight("title").run().unwrap();
    let highlights: Vec<_> = hits.iter().map(|hit| (hit.id.to_string(), hit.highlights.len())).collect();
    assert_eq!(highlights, [("Solaris".to_owned(), 1), ("Stalker".to_owned(), 0)]);
}
