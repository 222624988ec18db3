//! Rows that are kept in memory for later searches are those of the view that searches.

use blaze::{Collection, Database, Document, DocumentId, Entropy, SeededEntropy, Snapshot, Vector};

use super::{MANY, document, fill, vectors};

const STEPS: usize = 12;
const CHANGED_IN_A_STEP: usize = 120;

/// Has every hit be as far as its document says.
#[track_caller]
fn check(points: &Collection<Document>, queries: &[Vec<f32>], when: &str) {
    for query in queries {
        for hit in points.search().nearest("v", query).limit(10).run().unwrap() {
            let Some(blaze::Value::Vector(Vector::F32(vector))) = hit.value.get("v") else {
                panic!("{when}: {:?} has no vector", hit.id)
            };
            let distance = vector.iter().zip(query).map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt();
            assert!(
                (hit.distance - distance).abs() < 1e-3,
                "{when}: {:?} is at {distance}, not {}",
                hit.id,
                hit.distance
            );
        }
    }
}

#[test]
fn what_is_compared_is_never_another_version_than_the_view_sees() {
    let (db, seed) = (Database::in_memory().unwrap(), 8);
    println!("seed {seed}");
    let random = SeededEntropy::new(seed);
    let points = fill(&db, &vectors(seed, MANY));
    let queries = vectors(seed, 30); // near to what is there
    check(&points, &queries, "at first");
    assert!(cached_bytes(&db) > 0, "rows that were read are kept");
    let mut before: Option<Snapshot> = None;
    for step in 0..STEPS {
        for _ in 0..CHANGED_IN_A_STEP {
            let n = random.next_u64() % 60;
            // Near to a query, so that its row comes into memory.
            let near = &queries[random.next_u64() as usize % queries.len()];
            let vector: Vec<f32> = near.iter().map(|x| x + (random.next_u64() % 100) as f32 / 1_000.0).collect();
            let id = DocumentId::from(n);
            match random.next_u64() % 4 {
                0 => drop(points.delete(&id).unwrap()),
                _ => {
                    points.delete(&id).unwrap();
                    points.insert_with_id(id, &document(&vector, n as usize)).unwrap();
                }
            }
        }
        check(&points, &queries, &format!("step {step}, not linked yet"));
        db.settle().unwrap();
        check(&points, &queries, &format!("step {step}"));
        if let Some(before) = &before {
            let there = before.collection::<Document>("points").unwrap();
            check(&there, &queries, &format!("step {step}, as it was the step before"));
        }
        // Every other step nobody has an old view, so that slots are reclaimed and used again.
        before = (step % 2 == 0).then(|| db.snapshot().unwrap());
    }
}

#[test]
fn rows_are_kept_only_in_what_the_graphs_leave_of_the_memory() {
    let db = Database::builder().vector_memory_bytes(1).in_memory().unwrap();
    let points = fill(&db, &vectors(9, MANY));
    check(&points, &vectors(9, 10), "with memory for nothing");
    assert_eq!(cached_bytes(&db), 0);
}

fn cached_bytes(db: &Database) -> u64 {
    db.stats().unwrap().vector_indexes.iter().map(|index| index.cached_bytes).sum()
}
