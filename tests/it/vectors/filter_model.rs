//! Searches with filters whose matches are known, beside what the documents of their views say, whatever happens.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use blaze::{FilterStrategy, Isolation, TransactionOptions, desc, set, unset};

use super::filter_cache::{check, fill_parts, in_part};
use super::*;

/// One change by chance.
fn change(db: &Database, points: &Collection<Document>, random: &dyn Entropy) {
    let id = random.next_u64() % (MANY as u64 + 200);
    let part = random.next_u64() % 100;
    match random.next_u64() % 16 {
        0..=5 => drop(points.update(id, set("part", part as i64))),
        6..=8 => points.put(id, &in_part(&random_vector(random), part)).unwrap(),
        9 => drop(points.update(id, set("v", Vector::F32(random_vector(random))))),
        10 | 11 => drop(points.delete(id)),
        12 => points.put(id, &Document::new().with("part", part as i64)).unwrap(),
        13 => drop(points.update_many(field("part").eq(part), set("part", (part as i64 + 1) % 100)).unwrap()),
        14 if part < 10 => drop(points.delete_many(field("part").eq(part)).unwrap()),
        _ => db
            .transaction(|tx| {
                let own = tx.collection::<Document>("points")?;
                (0..40u64).try_for_each(|n| {
                    own.put((id + n) % MANY as u64, &in_part(&random_vector(random), (part + n) % 100))
                })
            })
            .unwrap(),
    }
}

#[test]
fn searches_agree_with_documents_whatever_changes() {
    let seed = 20;
    for (is_indexed, has_background) in [(false, false), (true, false), (false, true)] {
        let random = SeededEntropy::new(seed);
        let db = match has_background {
            true => Database::builder().durability(Durability::Buffered).temporary().unwrap(),
            false => without_background(),
        };
        let points = fill_parts(&db, is_indexed);
        let filters = [field("part").lt(50), field("part").lt(10), field("part").eq(7), field("n").eq(1)];
        let mut views = Vec::new();
        let (mut found, mut all, mut cached, mut searches) = (0, 0, 0, 0);
        for step in 0..300 {
            (0..8).for_each(|_| change(&db, &points, &random));
            match random.next_u64() % 12 {
                0 => db.settle().unwrap(),
                1 => views.push(db.snapshot().unwrap()),
                2..=4 if !views.is_empty() => drop(views.remove(random.next_u64() as usize % views.len())),
                _ => {}
            }
            let query = random_vector(&random);
            let filter = &filters[random.next_u64() as usize % filters.len()];
            let checked = match (random.next_u64() % 4, views.last()) {
                (0, Some(view)) => check(&view.collection("points").unwrap(), &query, filter),
                (1, _) => {
                    let tx = db.begin_with(TransactionOptions::default().isolation(Isolation::Snapshot)).unwrap();
                    let own = tx.collection("points").unwrap();
                    (0..5).for_each(|_| {
                        let id = random.next_u64() % MANY as u64;
                        drop(own.update(id, set("part", (random.next_u64() % 100) as i64)));
                        own.put(id + 7, &in_part(&random_vector(&random), random.next_u64() % 100)).unwrap();
                        own.delete(id + 9).unwrap();
                    });
                    check(&own, &query, filter)
                }
                _ => check(&points, &query, filter),
            };
            found += checked.1;
            all += checked.2;
            searches += 1;
            cached += usize::from(checked.0 == FilterStrategy::Cached);
            assert!(found as f64 >= 0.9 * all as f64, "{found} of {all} at step {step}, seed {seed}");
        }
        assert!(3 * cached > searches, "{cached} of {searches} by what is known, indexed: {is_indexed}");
        drop(views);
        points.insert_with_id("last", &in_part(&random_vector(&random), 1)).unwrap();
        db.settle().unwrap();
        let stats = &db.stats().unwrap().vector_indexes[0];
        assert!(stats.removed < stats.linked / 4 + 600, "slots are used again: {stats:?}");
        assert_eq!(db.verify().unwrap().problems, []);
    }
}

#[test]
fn marks_that_move_from_document_to_document_are_all_found_by_every_view() {
    const MARKS: u64 = 6;
    let db = Database::builder().durability(Durability::Buffered).temporary().unwrap();
    let points = fill_parts(&db, false);
    (0..MARKS).for_each(|n| points.update(n, set("mark", 1)).unwrap());
    let filter = field("mark").eq(1);
    let (done, cached, searches) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..2)
            .map(|writer| {
                let db = &db;
                scope.spawn(move || {
                    let random = SeededEntropy::new(300 + writer);
                    for _ in 0..600 {
                        let (to, with_vector) = (random.next_u64() % MANY as u64, random.next_u64().is_multiple_of(3));
                        let vector = random_vector(&random);
                        db.transaction(|tx| {
                            let points = tx.collection::<Document>("points")?;
                            let marked = points.find(field("mark").eq(1)).sort(desc("n")).run()?;
                            let from = &marked[to as usize % marked.len()];
                            if points.get(to)?.is_none_or(|found| found.value.get("mark").is_some()) {
                                return Ok(());
                            }
                            match with_vector {
                                true => points.put(from.id.clone(), &in_part(&vector, 1))?,
                                false => points.update(from.id.clone(), unset("mark"))?,
                            }
                            points.update(to, set("mark", 1))
                        })
                        .unwrap();
                    }
                })
            })
            .collect();
        for searcher in 0..2 {
            let (db, filter, done, cached, searches) = (&db, &filter, &done, &cached, &searches);
            scope.spawn(move || {
                let random = SeededEntropy::new(400 + searcher);
                while !done.load(Ordering::Relaxed) {
                    let view = db.snapshot().unwrap();
                    let points = view.collection::<Document>("points").unwrap();
                    let (way, found, all) = check(&points, &random_vector(&random), filter);
                    assert_eq!((found, all), (MARKS as usize, MARKS as usize), "{way:?}");
                    cached.fetch_add(u64::from(way == FilterStrategy::Cached), Ordering::Relaxed);
                    searches.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let ended: Vec<_> = writers.into_iter().map(|writer| writer.join()).collect();
        done.store(true, Ordering::Relaxed);
        assert!(ended.iter().all(Result::is_ok));
    });
    let (cached, searches) = (cached.into_inner(), searches.into_inner());
    assert!(2 * cached > searches, "{cached} of {searches} by what is known");
}
