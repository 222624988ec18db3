//! An index that takes the place of another one has its graph by then.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use blaze::{Copies, ErrorKind};

use super::*;

/// So many that it takes a while to make their graph, and that what closing cuts short is worth keeping.
const COUNT: usize = 8_000;

fn new() -> Index {
    Index::vector("v", DIMENSION).metric(Metric::L2).copies(Copies::F16)
}

fn open(path: &Path) -> Database {
    Database::builder().durability(Durability::Buffered).open(path).unwrap()
}

fn points(db: &Database) -> Collection<Document> {
    db.collection("points").unwrap()
}

fn definition(points: &Collection<Document>) -> String {
    points.indexes().unwrap()[0].definition.clone()
}

fn is_by_graph(points: &Collection<Document>, query: &[f32]) -> bool {
    search(points, query, 1).0
}

#[test]
fn searches_have_a_graph_before_an_index_is_replaced_while_it_is_and_afterwards() {
    for db in [Database::temporary().unwrap(), Database::in_memory().unwrap()] {
        let rows = vectors(1, COUNT);
        let points = fill(&db, &rows);
        let far = |n: u64| vec![100.0 + n as f32; DIMENSION];
        let mut steps = 0;
        points
            .replace_index_with("v", new(), |progress| {
                assert!(is_by_graph(&points, &rows[5]) && !definition(&points).contains("f16"), "{progress:?}");
                if progress.linked > 0 {
                    assert_eq!(progress.documents, COUNT as u64, "the graph is made last");
                    // What is written meanwhile is in the graph or comes after it.
                    points.put(steps, &document(&far(steps), 0)).unwrap();
                    assert!(points.delete(COUNT as u64 - 1 - steps).unwrap());
                    steps += 1;
                }
                ControlFlow::Continue(())
            })
            .unwrap();
        assert!(steps > 0, "it was told of no step of the graph");
        assert!(definition(&points).contains("f16"), "{}", definition(&points));
        assert!(is_by_graph(&points, &rows[COUNT / 2]), "without waiting for anything");
        for step in 0..steps {
            assert_eq!(search(&points, &far(step), 1), (true, vec![step.into()]));
            let gone = COUNT as u64 - 1 - step;
            let found = search(&points, &rows[gone as usize], 3).1;
            assert!(!found.contains(&gone.into()), "{gone} was deleted");
        }
        assert_finds(&points, 2, true);
        db.settle().unwrap();
        let stats = db.stats().unwrap().vector_indexes;
        assert_eq!((stats.len(), stats[0].linked), (1, COUNT as u64 - steps), "{stats:?}");
        assert_eq!(db.verify().unwrap().problems, []);
    }
}

#[test]
fn a_replacement_that_is_stopped_while_its_graph_is_made_leaves_the_index_that_was_there() {
    let db = Database::temporary().unwrap();
    let rows = vectors(1, COUNT);
    let points = fill(&db, &rows);
    let stopped = points.replace_index_with("v", new(), |progress| match progress.linked {
        0 => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    });
    assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(!definition(&points).contains("f16") && points.indexes().unwrap()[0].replacement.is_none());
    db.settle().unwrap();
    assert_eq!(db.stats().unwrap().vector_indexes.len(), 1, "nothing is left of the other one");
    assert_finds(&points, 2, true);
    assert_eq!(db.verify().unwrap().problems, []);
}

#[test]
fn a_replacement_that_closing_cuts_short_goes_on_with_its_graph() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let rows = vectors(1, COUNT);
    {
        let db = open(&path);
        let points = fill(&db, &rows);
        // So that closing has the other graph to write before it ends.
        for (n, row) in vectors(3, 1_500).iter().enumerate() {
            points.put(n as u64, &document(row, n)).unwrap();
        }
        let linked = AtomicU64::new(0);
        let replaced = std::thread::scope(|scope| {
            let replacing = scope.spawn(|| {
                points.replace_index_with("v", new(), |progress| {
                    linked.store(progress.linked, Ordering::Release);
                    ControlFlow::Continue(())
                })
            });
            while linked.load(Ordering::Acquire) < 2_000 && !replacing.is_finished() {
                std::thread::park_timeout(std::time::Duration::from_millis(1));
            }
            db.clone().close().unwrap();
            replacing.join().unwrap()
        });
        assert_eq!(replaced.unwrap_err().kind(), ErrorKind::Closed);
    }
    let db = open(&path);
    let points = points(&db);
    assert!(!definition(&points).contains("f16") && points.indexes().unwrap()[0].replacement.is_some());
    // Of these, the index that is not used yet is told as well.
    points.put(3_u64, &document(&[70.0; DIMENSION], 3)).unwrap();
    points.delete(4_u64).unwrap();
    let (mut documents, mut first) = (0, None);
    points
        .replace_index_with("v", new(), |progress| {
            documents = documents.max(progress.documents);
            first = first.or(Some(progress.linked).filter(|linked| *linked > 0));
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(documents, 0, "it had all its vectors");
    assert!(first.is_none_or(|linked| linked >= 1_024), "{first:?} vectors need not be linked again");
    assert!(definition(&points).contains("f16"));
    assert_eq!(search(&points, &[70.0; DIMENSION], 1), (true, vec![3_u64.into()]));
    assert!(
        points
            .search()
            .nearest("v", rows[4].as_slice())
            .limit(3)
            .ids()
            .unwrap()
            .iter()
            .all(|hit| hit.id != 4_u64.into())
    );
    assert_finds(&points, 2, true);
    assert_eq!(db.verify().unwrap().problems, []);
}

#[test]
fn an_index_that_no_graph_is_of_use_to_takes_its_place_without_one() {
    for db in [Database::temporary().unwrap(), without_background()] {
        let points = points(&db);
        points.ensure_index(Index::vector("v", 2).metric(Metric::L2).model("old")).unwrap();
        let rows = heaps();
        points.bulk().insert_with_ids(rows.iter().enumerate().map(|(n, row)| (n as u64, document(row, n)))).unwrap();
        points.replace_index("v", Index::vector("v", 2).metric(Metric::L2).model("new")).unwrap();
        assert!(definition(&points).contains("new"));
        db.settle().unwrap();
        for query in rows.iter().step_by(600) {
            assert_eq!(search(&points, query, 10), (false, exactly(&points, query, 10)));
        }
    }
}
