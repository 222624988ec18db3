//! Queries: filter, sort, skip, limit, with and without indexes.

#![expect(clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

mod counts;
mod examined;
mod pages;
mod plans;
mod terminals;

use std::cmp::Ordering;

use blaze::{
    Collection, Database, Document, Entropy, Filter, Found, Index, SeededEntropy, Value, Vector, asc, desc, field,
};

fn ids(found: &[Found<Document>]) -> Vec<String> {
    found.iter().map(|found| found.id.to_string()).collect()
}

fn films() -> (Database, Collection<Document>) {
    let db = Database::in_memory().unwrap();
    let films = db.collection::<Document>("films").unwrap();
    for (id, title, year) in
        [("s", "Solaris", 1972), ("t", "Stalker", 1979), ("a", "Alien", 1979), ("m", "Mirror", 1975)]
    {
        films.insert_with_id(id, &Document::new().with("title", title).with("year", year)).unwrap();
    }
    (db, films)
}

#[test]
fn sort_skip_and_limit_choose_a_window() {
    let (_db, films) = films();
    for indexed in [false, true] {
        if indexed {
            films.ensure_index(Index::on("year").then("title")).unwrap();
        }
        let all = films.find_all();
        assert_eq!(ids(&all.clone().sort([asc("year"), asc("title")]).run().unwrap()), ["s", "m", "a", "t"]);
        assert_eq!(ids(&all.clone().sort([desc("year"), desc("title")]).limit(2).run().unwrap()), ["t", "a"]);
        assert_eq!(ids(&all.clone().sort([desc("year"), asc("title")]).skip(1).limit(2).run().unwrap()), ["t", "m"]);
        assert_eq!(ids(&all.clone().sort(asc("title")).skip(3).run().unwrap()), ["t"]);
        assert_eq!(all.clone().sort(asc("title")).skip(4).run().unwrap().len(), 0);
        assert_eq!(all.clone().skip(1).limit(2).count().unwrap(), 2);
        assert_eq!(all.sort(desc("title")).first().unwrap().unwrap().get("title").unwrap().as_str(), Some("Stalker"));
    }
}

#[test]
fn equal_documents_are_ordered_by_id_in_the_direction_of_the_last_key() {
    let (_db, films) = films();
    for indexed in [false, true] {
        if indexed {
            films.ensure_index(Index::on("year")).unwrap();
        }
        assert_eq!(ids(&films.find(field("year").ge(1979)).sort(asc("year")).run().unwrap()), ["a", "t"]);
        assert_eq!(ids(&films.find(field("year").ge(1979)).sort(desc("year")).run().unwrap()), ["t", "a"]);
    }
}

#[test]
fn an_iterator_outlives_its_handle_and_sees_one_moment() {
    for db in [Database::in_memory().unwrap(), Database::temporary().unwrap()] {
        let numbers = db.collection::<Document>("numbers").unwrap();
        numbers.ensure_index(Index::on("n")).unwrap();
        numbers.bulk().insert_with_ids((0..10).map(|n| (n, Document::new().with("n", n)))).unwrap();
        let rows = [numbers.find_all(), numbers.find(field("n").ge(0))].map(|query| query.iter().unwrap());
        numbers.put(5, &Document::new().with("n", 50)).unwrap();
        numbers.delete(7).unwrap();
        db.drop_collection("numbers").unwrap();
        drop((numbers, db));
        for rows in rows {
            let seen: Vec<_> = rows.map(|row| row.unwrap().get("n").unwrap().as_i64().unwrap()).collect();
            assert_eq!(seen, (0..10).collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_missing_field_sorts_before_null_and_null_before_values() {
    let db = Database::in_memory().unwrap();
    let things = db.collection::<Document>("things").unwrap();
    let values = [("c", Some(Value::from(1))), ("b", Some(Value::Null)), ("a", None), ("d", Some("text".into()))];
    for (id, value) in values {
        let document = value.into_iter().fold(Document::new(), |document, value| document.with("x", value));
        things.insert_with_id(id, &document).unwrap();
    }
    for indexed in [false, true] {
        if indexed {
            things.ensure_index(Index::on("x")).unwrap();
        }
        assert_eq!(ids(&things.find_all().sort(asc("x")).limit(9).run().unwrap()), ["a", "b", "c", "d"]);
        assert_eq!(ids(&things.find_all().sort(desc("x")).limit(9).run().unwrap()), ["d", "c", "b", "a"]);
        assert_eq!(ids(&things.find(field("x").exists(false)).run().unwrap()), ["a"]);
        assert_eq!(ids(&things.find(field("x").eq(Value::Null)).run().unwrap()), ["b"]);
        assert_eq!(things.find(field("x").ne(1)).count().unwrap(), 3);
    }
}

/// A value of any kind, small enough to be met again.
fn any_value(random: &dyn Entropy, depth: u32) -> Value {
    let small = (random.next_u64() % 5) as i64;
    match random.next_u64() % if depth == 0 { 8 } else { 11 } {
        0 => Value::Null,
        1 => Value::Bool(small % 2 == 0),
        2 => small.into(),
        3 => (small as f64 / 2.0).into(),
        4 => f64::NAN.into(),
        5 => ["", "a", "ab", "b", "a\0"][small as usize].into(),
        6 => vec![small as u8].into(),
        7 => Vector::F32(vec![small as f32]).into(),
        8 => Document::new().with("y", any_value(random, depth - 1)).into(),
        _ => (0..small % 3).map(|_| any_value(random, depth - 1)).collect(),
    }
}

fn any_term(random: &dyn Entropy) -> Filter {
    let field = field(["x", "x.y", "z", "x.0"][(random.next_u64() % 4) as usize]);
    let value = || any_value(random, 1);
    match random.next_u64() % 14 {
        0 => field.eq(value()),
        1 => field.ne(value()),
        2 => field.lt(value()),
        3 => field.le(value()),
        4 => field.gt(value()),
        5 => field.ge(value()),
        6 => field.between(value(), value()),
        7 => field.is_in([value(), value()]),
        8 => field.not_in([value(), value()]),
        9 => field.exists(random.next_u64().is_multiple_of(2)),
        10 => field.starts_with("a"),
        11 => field.contains(value()),
        12 => field.all([value(), value()]),
        _ => field.all(Vec::<Value>::new()),
    }
}

#[test]
fn every_plan_answers_as_the_filter_says() {
    let db = Database::in_memory().unwrap();
    let things = db.collection::<Document>("things").unwrap();
    let random = SeededEntropy::new(42);
    let documents: Vec<Document> = (0..120)
        .map(|_| {
            let keep = random.next_u64();
            let document =
                if keep.is_multiple_of(5) { Document::new() } else { Document::new().with("x", any_value(&random, 2)) };
            if keep.is_multiple_of(3) { document } else { document.with("z", any_value(&random, 1)) }
        })
        .collect();
    things.bulk().insert_with_ids(documents.iter().cloned().enumerate().map(|(n, d)| (n as u64, d))).unwrap();
    let indexes = [
        Index::on("x"),
        Index::on_desc("x").then("z").named("xz"),
        Index::on("z").then_desc("x.y").named("zxy"),
        Index::on_desc("x.y"),
        Index::on("x.0"),
    ];
    for index in indexes {
        for _ in 0..150 {
            let filter = match random.next_u64() % 4 {
                0 => any_term(&random),
                1 | 2 => any_term(&random).and(any_term(&random)),
                _ => any_term(&random).or(any_term(&random)).and(any_term(&random)),
            };
            check(&db, &things, &documents, &filter);
        }
        things.ensure_index(index).unwrap();
    }
}

fn check(db: &Database, things: &Collection<Document>, documents: &[Document], filter: &Filter) {
    let matching = |(n, document): (usize, &Document)| filter.matches(document).then_some(n as i64);
    let mut expected: Vec<_> = documents.iter().enumerate().filter_map(matching).collect();
    let id = |found: &Found<Document>| found.id.to_string().parse::<i64>().unwrap();
    let query = things.find(filter.clone());
    let mut found: Vec<_> = query.run().unwrap().iter().map(id).collect();
    found.sort_unstable();
    assert_eq!(found, expected, "{filter}\n{}", query.explain().unwrap());
    assert_eq!(query.count().unwrap(), expected.len() as u64, "count of {filter}\n{}", query.explain().unwrap());
    let tx = db.begin().unwrap();
    let own = tx.collection::<Document>("things").unwrap().find(filter.clone());
    assert_eq!(own.count().unwrap(), expected.len() as u64, "count in a transaction of {filter}");

    // With a sort, the same documents in the order of their smallest or largest value.
    let sorted = query.clone().sort([asc("x.y"), desc("z")]);
    let all: Vec<_> = sorted.run().unwrap().iter().map(id).collect();
    let part: Vec<_> = sorted.clone().skip(2).limit(5).run().unwrap().iter().map(id).collect();
    assert_eq!(part, all.iter().copied().skip(2).take(5).collect::<Vec<_>>(), "window of {filter}");
    for order in [asc("z"), desc("z"), asc("x"), desc("x")] {
        let limited = query.clone().sort(order.clone()).limit(200);
        let unlimited = query.clone().sort(order);
        assert_eq!(
            ids(&limited.run().unwrap()),
            ids(&unlimited.run().unwrap()),
            "{filter}\n{}",
            limited.explain().unwrap()
        );
    }
    let mut again = all;
    again.sort_by(Ord::cmp);
    expected.sort_by(|a, b| if a == b { Ordering::Equal } else { a.cmp(b) });
    assert_eq!(again, expected, "sorted {filter}");
}
