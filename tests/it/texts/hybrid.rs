//! Texts and vectors at one read point.

use std::collections::BTreeMap;

use blaze::{
    Collection, Database, Document, Entropy, ErrorKind, Fusion, Index, Metric, SeededEntropy, TextSearch, Vector, field,
};

use super::naive::{Naive, random_document};

const DIMENSION: usize = 4;

type Texts = Collection<Document>;

fn random_vector(random: &dyn Entropy) -> Vec<f32> {
    (0..DIMENSION).map(|_| (random.next_u64() % 2_001) as f32 / 1_000.0 - 1.0).collect()
}

/// 300 documents with a title, a body and a vector, each of them sometimes missing, under ids from 0.
fn collection() -> (Database, Texts, Naive) {
    let db = Database::temporary().unwrap();
    let texts = db.collection::<Document>("texts").unwrap();
    texts.ensure_index(Index::text(["title", "body"]).field_boost("title", 2.0)).unwrap();
    texts.ensure_index(Index::vector("v", DIMENSION).metric(Metric::L2)).unwrap();
    texts.ensure_index(Index::on("group")).unwrap();
    let (random, mut naive) = (SeededEntropy::new(21), Naive::default());
    for id in 0..300 {
        let mut document = random_document(&random);
        if random.next_u64() % 5 > 0 {
            document.insert("v", Vector::F32(random_vector(&random)));
        }
        naive.documents.insert(id, document);
    }
    texts.bulk().insert_with_ids(naive.documents.iter().map(|(id, document)| (*id, document.clone()))).unwrap();
    (db, texts, naive)
}

/// The ids of a list, the best first, with their scores.
type List = Vec<(String, f32)>;

/// What both lists say alone, so deep.
fn lists(texts: &Texts, query: &str, vector: &[f32], group: Option<i64>, depth: usize) -> (List, List) {
    let mut text = texts.search().text(query).limit(depth);
    let mut near = texts.search().nearest("v", vector).limit(depth);
    if let Some(group) = group {
        text = text.filter(field("group").eq(group));
        near = near.filter(field("group").eq(group));
    }
    let text = text.ids().unwrap().into_iter().map(|hit| (hit.id.to_string(), hit.score));
    let near = near.ids().unwrap().into_iter().map(|hit| (hit.id.to_string(), hit.score));
    (text.collect(), near.collect())
}

fn reciprocal((text, near): &(List, List), k: f64) -> BTreeMap<String, f64> {
    let mut scores = BTreeMap::new();
    for list in [text, near] {
        for (at, (id, _)) in list.iter().enumerate() {
            *scores.entry(id.clone()).or_default() += 1.0 / (k + at as f64 + 1.0);
        }
    }
    scores
}

fn weighted((text, near): &(List, List), weights: (f64, f64)) -> BTreeMap<String, f64> {
    let mut scores = BTreeMap::new();
    for (list, weight) in [(text, weights.0), (near, weights.1)] {
        let (first, last) = (list.first().map_or(0.0, |one| one.1), list.last().map_or(0.0, |one| one.1));
        for (id, score) in list {
            let between = if first > last { f64::from(score - last) / f64::from(first - last) } else { 1.0 };
            *scores.entry(id.clone()).or_default() += weight * between;
        }
    }
    scores
}

/// Checks that a search answers the best by these scores, with what each list says.
fn check(search: &TextSearch<Document>, scores: &BTreeMap<String, f64>, lists: &(List, List), rows: usize) {
    let mut best: Vec<f64> = scores.values().copied().collect();
    best.sort_by(|a, b| b.total_cmp(a));
    let hits = search.clone().limit(rows).run().unwrap();
    assert_eq!(hits.len(), rows.min(best.len()));
    let rank = |list: &List, id: &str| list.iter().position(|(other, _)| other == id).map(|at| at + 1);
    for (at, hit) in hits.iter().enumerate() {
        let id = hit.id.to_string();
        assert!((f64::from(hit.score) - best[at]).abs() < 1e-6, "at {at} is {}, not {}", hit.score, best[at]);
        assert!((f64::from(hit.score) - scores[&id]).abs() < 1e-6, "{id} has {}, not {}", hit.score, scores[&id]);
        assert_eq!(hit.by_text.map(|rank| rank.rank), rank(&lists.0, &id));
        assert_eq!(hit.by_vector.map(|rank| rank.rank), rank(&lists.1, &id));
    }
}

#[test]
fn documents_come_in_the_order_of_what_the_fusion_makes_of_both_lists() {
    let (_db, texts, _) = collection();
    let random = SeededEntropy::new(22);
    for query in ["space moon", "title:dune ocean", "\"space spade\"", "zebra"] {
        for group in [None, Some(3)] {
            let vector = random_vector(&random);
            let lists = lists(&texts, query, &vector, group, 100);
            let mut search = texts.search().text(query).nearest("v", &vector);
            if let Some(group) = group {
                search = search.filter(field("group").eq(group));
            }
            check(&search, &reciprocal(&lists, 60.0), &lists, 25);
            let sharp = search.clone().fusion(Fusion::ReciprocalRank { k: 1 });
            check(&sharp, &reciprocal(&lists, 1.0), &lists, 100);
            let weights = search.fusion(Fusion::Weighted { text: 0.3, vector: 0.7 });
            check(&weights, &weighted(&lists, (f64::from(0.3_f32), f64::from(0.7_f32))), &lists, 25);
        }
    }
}

#[test]
fn candidates_say_how_deep_the_lists_go() {
    let (_db, texts, _) = collection();
    let vector = [0.1, 0.2, 0.3, 0.4];
    for depth in [10, 40, 300] {
        let lists = lists(&texts, "space moon", &vector, None, depth);
        let search = texts.search().text("space moon").nearest("v", &vector).candidates(depth);
        check(&search, &reciprocal(&lists, 60.0), &lists, 10);
    }
    let search = texts.search().text("space").nearest("v", &vector);
    for refused in [search.clone().candidates(9), search.clone().candidates(10_001)] {
        assert_eq!(refused.run().unwrap_err().kind(), ErrorKind::Invalid);
    }
}

#[test]
fn it_does_not_matter_which_of_both_is_said_first() {
    let (_db, texts, _) = collection();
    let vector = [0.1, 0.2, 0.3, 0.4];
    let one = texts.search().text("space moon").nearest("v", &vector).filter(field("group").lt(5)).limit(7);
    let other = texts.search().nearest("v", &vector).exact().filter(field("group").lt(5)).limit(7).text("space moon");
    assert_eq!(one.run().unwrap(), other.run().unwrap());
    let within = texts.search().nearest("v", &vector).within(0.4).text("zebra").limit(300);
    let near = texts.search().nearest("v", &vector).within(0.4).limit(300).ids().unwrap();
    let found = within.ids().unwrap();
    assert_eq!(
        found.iter().filter(|hit| hit.by_vector.is_some()).count(),
        near.len(),
        "it holds for the vectors alone"
    );
}

#[test]
fn examples_are_no_hits_of_either_list() {
    let (_db, texts, naive) = collection();
    let with_vector = naive.documents.iter().find(|(_, document)| document.get("v").is_some());
    let (example, _) = with_vector.unwrap();
    let search = texts.search().text("space moon star").similar_to("v", [*example]).limit(300).candidates(300);
    assert!(search.ids().unwrap().iter().all(|hit| hit.id.to_string() != example.to_string()));
    let like = texts.search().more_like([7]).nearest("v", &[0.1, 0.2, 0.3, 0.4]).limit(300).candidates(300);
    assert!(like.ids().unwrap().iter().all(|hit| hit.id.to_string() != "7"));
}

#[test]
fn both_lists_are_of_one_moment() {
    let (db, texts, _) = collection();
    let vector = vec![0.1, 0.2, 0.3, 0.4];
    let view = db.snapshot().unwrap();
    let document = Document::new().with("title", "zebra zebra").with("v", Vector::F32(vector.clone()));
    let first = |texts: &Texts| {
        let hits = texts.search().text("zebra").nearest("v", &vector).limit(1).run().unwrap();
        let hit = &hits[0];
        (hit.id.to_string(), hit.by_text.map(|rank| rank.rank), hit.by_vector.map(|rank| rank.rank))
    };
    let tx = db.begin().unwrap();
    let own = tx.collection::<Document>("texts").unwrap();
    own.put("new", &document).unwrap();
    let expected = ("new".to_owned(), Some(1), Some(1));
    assert_eq!(first(&own), expected);
    assert_ne!(first(&texts).0, "new");
    tx.commit().unwrap();
    assert_eq!(first(&texts), expected);
    assert_ne!(first(&view.collection("texts").unwrap()).0, "new");
    texts.delete("new").unwrap();
    assert_ne!(first(&texts).0, "new");
}

#[test]
fn a_text_that_finds_nothing_leaves_the_order_to_the_vectors() {
    let (_db, texts, _) = collection();
    let vector = [0.1, 0.2, 0.3, 0.4];
    let hits = texts.search().text("nowhere").nearest("v", &vector).limit(5).ids().unwrap();
    let near = texts.search().nearest("v", &vector).limit(5).ids().unwrap();
    assert!(hits.iter().map(|hit| &hit.id).eq(near.iter().map(|hit| &hit.id)));
    assert_eq!(texts.search().text("nowhere").nearest("v", &vector).count().unwrap(), 0, "the text is what counts");
}

#[test]
fn it_is_explained_why_each_hit_stands_where_it_does() {
    let (_db, texts, _) = collection();
    let search = texts.search().text("space moon").nearest("v", &[0.1, 0.2, 0.3, 0.4]).limit(5);
    let (explain, hits) = (search.explain().unwrap(), search.ids().unwrap());
    assert_eq!(explain.hits.len(), hits.len());
    for (explained, hit) in explain.hits.iter().zip(&hits) {
        assert_eq!((&explained.id, explained.score), (&hit.id, hit.score));
        assert_eq!((explained.by_text, explained.by_vector), (hit.by_text, hit.by_vector));
        let sum: f32 = explained.terms.iter().map(|term| term.score).sum();
        assert!((sum - hit.by_text.map_or(0.0, |rank| rank.score)).abs() < 1e-4, "{explain}");
    }
    assert_eq!(explain.vector.as_ref().map(|vector| vector.index.as_str()), Some("v"));
    assert!(explain.to_string().contains("reciprocal rank, k 60"), "{explain}");
    let near = &explain.vector.as_ref().unwrap().plan.operation;
    assert!(near.contains("vector index v") && explain.to_string().contains(near.as_str()), "{near:?} in {explain}");
}

#[test]
fn what_a_hybrid_search_cannot_do_is_refused() {
    let (_db, texts, _) = collection();
    let search = || texts.search().text("space").nearest("v", &[0.1, 0.2, 0.3, 0.4]);
    let refused = [
        texts.search().nearest("v", &[0.1, 0.2, 0.3, 0.4]).diverse(0.5).text("space").ids().map(drop),
        search().fusion(Fusion::Weighted { text: -1.0, vector: 1.0 }).ids().map(drop),
        search().nearest("v", &[0.1]).ids().map(drop),
        search().nearest("w", &[0.1]).ids().map(drop),
        search().min_score(0.1).count().map(drop),
    ];
    for (at, outcome) in refused.into_iter().enumerate() {
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Invalid, "{at}");
    }
}
