//! What is refused, with nothing written.

use blaze::{ErrorKind, Hint, Metric, asc, field, limits};

use super::*;

#[test]
fn a_text_of_too_many_terms_is_refused_whole() {
    let db = Database::temporary().unwrap();
    let films = films(&db);
    let long = Document::new().with("title", "a ".repeat(limits::TEXT_TOKENS_PER_FIELD_MAX + 1));
    films.insert_with_id("before", &long).unwrap();
    let error = films.ensure_index(index()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    assert!(error.to_string().contains("1000000"), "{error}");
    assert!(films.indexes().unwrap().is_empty(), "an index that a document does not fit is not kept");
    films.delete("before").unwrap();
    films.ensure_index(index()).unwrap();
    films.insert_with_id(1, &film(1)).unwrap();
    let refused = [films.insert_with_id(2, &long), films.put(1, &long), films.replace(1, &long)];
    for error in refused.map(Result::unwrap_err) {
        assert_eq!(error.kind(), ErrorKind::LimitExceeded);
        assert!(error.to_string().contains("index \"text\""), "{error}");
    }
    assert_eq!(films.count().unwrap(), 1);
    assert_healthy(&db);
}

#[test]
fn another_index_of_the_name_is_refused() {
    let db = Database::temporary().unwrap();
    let films = films(&db);
    films.ensure_index(index()).unwrap();
    films.ensure_index(index()).unwrap();
    for other in [english(), index().field_boost("title", 3.0), Index::on("title").named("text")] {
        let error = films.ensure_index(other).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("text of title^2, extract, tags (words)"), "{error}");
    }
}

#[test]
fn an_index_on_text_answers_no_query_and_no_search_by_vectors() {
    let db = Database::temporary().unwrap();
    let films = films(&db);
    fill(&films, 0..20);
    films.ensure_index(index()).unwrap();
    let query = films.find(field("title").eq("x"));
    assert_eq!(query.explain().unwrap().index(), None);
    assert!(query.hint(Hint::index("text")).run().unwrap_err().to_string().contains("is on text"));
    assert_eq!(films.find_all().sort(asc("title")).run().unwrap().len(), 20);
    assert!(films.search().nearest("title", &[1.0, 2.0]).run().is_err());
    films.ensure_index(Index::vector("title", 2).metric(Metric::L2).on_mismatch(blaze::OnMismatch::Skip)).unwrap();
    assert!(films.search().nearest("title", &[1.0, 2.0]).run().unwrap().is_empty());
    assert!(films.index_calibration("text").unwrap_err().to_string().contains("not on vectors"));
}
