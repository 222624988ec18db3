//! What an index says of its graph, and what a search asks of it.

use blaze::{
    Collection, Copies, Database, Document, DocumentId, ErrorKind, Index, Metric, SearchPath, Vector, VectorCode,
};

use super::{DIMENSION, MANY, document, exactly, vectors};

fn filled(index: Index) -> (Database, Collection<Document>) {
    let db = Database::temporary().unwrap();
    let points = db.collection::<Document>("points").unwrap();
    points.ensure_index(index).unwrap();
    let rows = vectors(1, MANY);
    points.bulk().insert_with_ids(rows.iter().enumerate().map(|(n, row)| (n as u64, document(row, n)))).unwrap();
    db.settle().unwrap();
    (db, points)
}

fn l2() -> Index {
    Index::vector("v", DIMENSION).metric(Metric::L2)
}

/// Which part of the ten nearest is found, with `ef` candidates or what the index says.
fn recall(points: &Collection<Document>, ef: Option<usize>) -> f64 {
    let mut found = 0;
    for query in vectors(2, 20) {
        let search = points.search().nearest("v", query.as_slice());
        let search = ef.map_or(search.clone(), |ef| search.ef(ef));
        let expected = exactly(points, &query, 10);
        found += search.ids().unwrap().iter().filter(|hit| expected.contains(&hit.id)).count();
    }
    found as f64 / 200.0
}

#[test]
fn every_code_and_every_precision_finds_the_nearest() {
    for (index, least) in [
        (l2().code(VectorCode::Eight), 0.97),
        (l2().code(VectorCode::Four), 0.95),
        (l2().copies(Copies::F16), 0.97),
        (l2().copies(Copies::Bf16), 0.85), // whose eight bits do not tell all of them apart
        (l2().m(8).ef_construction(60).ef(200), 0.95),
    ] {
        let (_db, points) = filled(index.clone());
        let explain = points.search().nearest("v", vectors(3, 1)[0].as_slice()).explain().unwrap();
        assert!(explain.nodes_visited > 0, "{explain}");
        let recall = recall(&points, None);
        assert!(recall >= least, "{recall} with {index:?}");
    }
}

#[test]
fn every_vector_finds_itself_however_narrow_the_search_also_where_half_of_them_were_replaced() {
    let all = vectors(1, MANY);
    let cosine = Index::vector("v", DIMENSION).metric(Metric::Cosine);
    for index in [l2(), l2().copies(Copies::F16), cosine.clone(), cosine.copies(Copies::F16)] {
        let (db, points) = filled(index.clone());
        let replaced = || (0..MANY).filter(|n| n * 7 % 10 < 5);
        replaced().for_each(|n| assert!(points.delete(n as u64).unwrap()));
        db.settle().unwrap();
        points.bulk().insert_with_ids(replaced().map(|n| (n as u64, document(&all[n], n)))).unwrap();
        db.settle().unwrap();
        for (n, vector) in all.iter().enumerate() {
            let search = points.search().nearest("v", vector).ef(1).limit(1);
            let found: Vec<DocumentId> = search.ids().unwrap().into_iter().map(|hit| hit.id).collect();
            assert_eq!(found, [DocumentId::from(n as u64)], "vector {n} looks for itself, {index:?}");
        }
        let explain = points.search().nearest("v", &all[7]).ef(1).limit(1).explain().unwrap();
        assert!(explain.path == SearchPath::Graph && explain.vectors_examined < 10, "{explain}");
    }
}

#[test]
fn wider_searches_visit_more_and_find_more() {
    let (_db, points) = filled(l2().ef(12));
    let query = &vectors(3, 1)[0];
    let search = points.search().nearest("v", query.as_slice());
    let visited = |search: &blaze::Search<Document>| search.explain().unwrap().nodes_visited;
    assert!(search.explain().unwrap().to_string().contains("ef 12"), "what the index says");
    let (narrow, wide) = (visited(&search), visited(&search.clone().ef(400)));
    assert!(2 * narrow < wide, "{narrow} nodes, {wide} nodes");
    assert!(recall(&points, Some(400)) >= recall(&points, None));
    assert!(recall(&points, Some(400)) > 0.99);
}

#[test]
fn bits_have_a_graph_too() {
    let db = Database::temporary().unwrap();
    let prints = db.collection::<Document>("prints").unwrap();
    prints.ensure_index(Index::vector("v", 64).metric(Metric::Hamming)).unwrap();
    let bits = |n: u64| Vector::Bits((n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 3).to_le_bytes().to_vec());
    let document = |n: u64| (n, Document::new().with("v", bits(n)));
    prints.bulk().insert_with_ids((0..MANY as u64).map(document)).unwrap();
    db.settle().unwrap();
    for n in (0..MANY as u64).step_by(250) {
        let search = prints.search().nearest("v", bits(n)).limit(5);
        assert!(search.explain().unwrap().nodes_visited > 0);
        let (found, exact) = (search.ids().unwrap(), search.clone().exact().ids().unwrap());
        assert_eq!((&found[0].id, found[0].distance), (&DocumentId::from(n), 0.0));
        let farthest = exact[4].distance;
        assert!(found.iter().all(|hit| hit.distance <= farthest + 2.0), "{found:?}, exactly {exact:?}");
    }
}

#[test]
fn options_are_kept_and_others_under_the_same_name_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let wanted = || l2().m(24).ef_construction(300).ef(64).code(VectorCode::Four);
    for opening in 0..2 {
        let db = Database::open(directory.path().join("db")).unwrap();
        let points = db.collection::<Document>("points").unwrap();
        points.ensure_index(wanted()).unwrap();
        let info = points.indexes().unwrap();
        let text = format!("{:?}", info[0]);
        for part in ["m 24", "ef_construction 300", "ef 64", "code four"] {
            assert!(text.contains(part), "{part:?} at opening {opening}: {text}");
        }
        let other = points.ensure_index(wanted().m(16)).unwrap_err();
        assert_eq!(other.kind(), ErrorKind::Invalid, "{other}");
    }
}

#[test]
fn options_out_of_range_are_refused_by_their_names_before_anything_is_written() {
    let db = Database::in_memory().unwrap();
    let points = db.collection::<Document>("points").unwrap();
    for (index, words) in [
        (l2().m(1), "m is 1, not 2 to 128"),
        (l2().m(129), "m is 129, not 2 to 128"),
        (l2().ef_construction(8), "ef_construction is 8, not 16 (m) to 4096"),
        (l2().ef(0), "ef is 0, 1 to 8192 are possible"),
        (l2().ef(8_193), "ef is 8193, 1 to 8192 are possible"),
        (l2().code(VectorCode::Bits), "code bits does not go with metric l2"),
        (
            Index::vector("v", 16).metric(Metric::Hamming).code(VectorCode::Four),
            "code four does not go with metric hamming",
        ),
    ] {
        let error = points.ensure_index(index).unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string()),
            (ErrorKind::Invalid, format!("collection \"points\": the index on v: {words}"))
        );
    }
    assert_eq!(points.indexes().unwrap().len(), 0);
    points.ensure_index(l2()).unwrap();
    let search = points.search().nearest("v", vectors(1, 1)[0].as_slice());
    let error = search.ef(0).ids().unwrap_err();
    assert_eq!(error.to_string(), "a search: ef is 0, 1 to 8192 are possible");
}
