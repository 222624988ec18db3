//! Indexes: what they answer, how they are built, and that they agree with the documents.

#![expect(clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

mod drops;
mod life;
mod long_values;
mod partial;
mod replacement;
mod ttl;
mod unique;

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use blaze::{
    Collection, Database, Document, Durability, Entropy, ErrorKind, Explain, Filter, Hint, Index, IndexState,
    SeededEntropy, Value, asc, desc, field, inc, set,
};

fn film(year: i64, title: &str, genres: &[&str]) -> Document {
    let genres = genres.iter().map(|genre| Value::from(*genre)).collect::<Value>();
    Document::new().with("year", year).with("title", title).with("genres", genres)
}

/// 100 films: ten of each year from 1970 to 1979, titles a to j, of the genre "even" or "odd".
fn films() -> (Database, Collection<Document>) {
    let db = Database::in_memory().unwrap();
    let films = db.collection::<Document>("films").unwrap();
    let titles = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    let all =
        (0..100).map(|n| film(1970 + n % 10, titles[n as usize / 10], &[["even", "odd"][n as usize % 2], "film"]));
    films.insert_many(all).unwrap();
    (db, films)
}

#[track_caller]
fn examined(explain: &Explain, index: Option<&str>, keys: u64, documents: u64, rows: u64) {
    let found = (explain.index(), explain.keys_examined, explain.documents_examined, explain.rows);
    assert_eq!(found, (index, keys, documents, rows), "index, keys, documents, rows of\n{explain}");
}

#[test]
fn a_fitting_index_examines_what_it_returns() {
    let (_db, films) = films();
    let find = |filter: Filter| films.find(filter).explain().unwrap();
    examined(&find(field("year").eq(1975)), None, 100, 100, 10);
    films.ensure_index(Index::on("year")).unwrap();
    examined(&find(field("year").eq(1975)), Some("year"), 10, 10, 10);
    examined(&find(field("year").between(1975, 1976)), Some("year"), 20, 20, 20);
    examined(&find(field("year").is_in([1970, 1979, 2000])), Some("year"), 20, 20, 20);
    examined(&find(field("year").gt(1978)), Some("year"), 10, 10, 10);
    examined(&find(field("year").exists(false)), Some("year"), 0, 0, 0);
    examined(&find(field("year").eq(1975).and(field("title").eq("a"))), Some("year"), 10, 10, 1);
    examined(&find(field("year").ge(1979).and(field("year").lt(1970))), Some("year"), 0, 0, 0);
    examined(&find(field("title").eq("a")), None, 100, 100, 10);
    examined(&films.find_all().explain().unwrap(), None, 100, 100, 100);
    examined(&films.find(field("year").ge(1975)).limit(3).explain().unwrap(), Some("year"), 3, 3, 3);
}

#[test]
fn a_compound_index_serves_its_first_fields_and_their_order() {
    let (_db, films) = films();
    films.ensure_index(Index::on("year").then_desc("title").named("both")).unwrap();
    let find = |filter: Filter| films.find(filter);
    let both = field("year").eq(1975).and(field("title").eq("c"));
    examined(&find(both).explain().unwrap(), Some("both"), 1, 1, 1);
    let range = field("year").eq(1975).and(field("title").ge("h"));
    examined(&find(range).explain().unwrap(), Some("both"), 3, 3, 3);
    examined(&find(field("year").eq(1975)).explain().unwrap(), Some("both"), 10, 10, 10);
    examined(&find(field("title").eq("c")).explain().unwrap(), None, 100, 100, 10);

    let sorted = films.find(field("year").eq(1975)).sort(desc("title")).limit(2);
    examined(&sorted.explain().unwrap(), Some("both"), 2, 2, 2);
    assert!(!sorted.explain().unwrap().to_string().contains("in memory"), "{}", sorted.explain().unwrap());
    let titles = |query: &blaze::Query<Document>| {
        let rows = query.run().unwrap();
        rows.iter().map(|film| film.get("title").unwrap().as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(titles(&sorted), ["j", "i"]);
    let reverse = films.find_all().sort([desc("year"), asc("title")]).limit(2);
    examined(&reverse.explain().unwrap(), Some("both"), 2, 2, 2);
    assert_eq!(titles(&reverse), ["a", "b"]);
    let other = films.find_all().sort([asc("year"), asc("title")]).limit(2);
    assert!(other.explain().unwrap().to_string().contains("in memory"), "{}", other.explain().unwrap());
    assert_eq!(titles(&other), ["a", "b"]);
}

#[test]
fn counting_reads_no_documents_where_the_index_can_tell() {
    let (_db, films) = films();
    films.ensure_index(Index::on("year")).unwrap();
    // What is not of type u32 cannot be read as it: a count that answers has read no document.
    let unreadable = films.typed::<u32>();
    assert_eq!(unreadable.find(field("year").ge(1975)).count().unwrap(), 50);
    assert_eq!(unreadable.find(field("year").ge(1975)).skip(45).limit(10).count().unwrap(), 5);
    assert_eq!(unreadable.find(field("year").ge(1975)).limit(7).count().unwrap(), 7);
    let explain = films.find(field("year").ge(1975)).explain().unwrap();
    assert!(!explain.to_string().contains("checked"), "{explain}");
}

#[test]
fn an_array_index_answers_contains() {
    let (_db, films) = films();
    films.ensure_index(Index::on("genres")).unwrap();
    examined(&films.find(field("genres").contains("odd")).explain().unwrap(), Some("genres"), 50, 50, 50);
    let both = films.find(field("genres").all(["odd", "film"]));
    examined(&both.explain().unwrap(), Some("genres"), 50, 50, 50);
    assert_eq!(both.count().unwrap(), 50);
    examined(&films.find(field("genres").contains("absent")).explain().unwrap(), Some("genres"), 0, 0, 0);
    let whole = Value::Array(vec!["odd".into(), "film".into()]);
    examined(&films.find(field("genres").eq(whole)).explain().unwrap(), Some("genres"), 50, 50, 50);
    let id = films.find(field("genres").contains("odd")).first().unwrap().unwrap().id;
    films.update(&id, set("genres", "oddity")).unwrap();
    assert_eq!(films.find(field("genres").contains("odd")).count().unwrap(), 50, "a string contains its parts");
    films.update(&id, set("genres", vec![Value::from("even")])).unwrap();
    assert_eq!(films.find(field("genres").contains("odd")).count().unwrap(), 49);
}

#[test]
fn a_path_through_an_array_reaches_each_of_its_maps() {
    let db = Database::in_memory().unwrap();
    let papers = db.collection::<Document>("papers").unwrap();
    papers.ensure_index(Index::on("authors.name")).unwrap();
    let authors = |names: &[&str]| names.iter().map(|name| Document::new().with("name", *name)).collect::<Value>();
    papers.insert_with_id(1, &Document::new().with("authors", authors(&["ann", "bob"]))).unwrap();
    papers.insert_with_id(2, &Document::new().with("authors", authors(&["bob", "bob", "eve"]))).unwrap();
    papers.insert_with_id(3, &Document::new()).unwrap();
    let of = |filter: Filter| {
        assert_eq!(papers.find(filter.clone()).explain().unwrap().index(), Some("authors.name"));
        let rows = papers.find(filter).run().unwrap();
        rows.iter().map(|found| found.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(of(field("authors.name").eq("bob")), ["1", "2"]);
    assert_eq!(of(field("authors.name").ge("a")), ["1", "2"], "each once");
    assert_eq!(of(field("authors.name").ge("c")), ["2"]);
    assert_eq!(of(field("authors.name").exists(false)), ["3"]);
    assert_eq!(of(field("authors.name").gt("ann").and(field("authors.name").lt("bob"))), ["1"], "as without an index");
    assert_eq!(papers.find(field("authors.name").is_in(["ann", "eve"])).count().unwrap(), 2);
}

#[test]
fn building_tells_how_far_it_is() {
    let db = Database::temporary().unwrap();
    let numbers = db.collection::<Document>("numbers").unwrap();
    numbers.bulk().insert((0..2_500).map(|n| Document::new().with("n", n))).unwrap();
    let mut told = Vec::new();
    numbers
        .ensure_index_with(Index::on("n"), |progress| {
            told.push((progress.documents, progress.expected));
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(told, [(1_000, Some(2_500)), (2_000, Some(2_500)), (2_500, Some(2_500))]);
    let told_within = db.transaction(|tx| {
        let mut told = None;
        let numbers = tx.collection::<Document>("numbers")?;
        numbers.insert(&Document::new())?;
        numbers.ensure_index_with(Index::on_desc("n").named("down"), |progress| {
            told = Some((progress.documents, progress.expected));
            ControlFlow::Continue(())
        })?;
        numbers.drop_index("down")?;
        numbers.find(field("n").exists(false)).delete().run()?;
        Ok(told)
    });
    assert_eq!(told_within.unwrap(), Some((2_501, Some(2_501))), "what the transaction itself has written counts");
    numbers.ensure_index_with(Index::on("n"), |_| panic!("it is there already")).unwrap();
    let info = &numbers.indexes().unwrap()[0];
    assert_eq!((info.name.as_str(), info.definition.as_str(), info.state), ("n", "n", IndexState::Ready));
    examined(&numbers.find(field("n").ge(2_400)).explain().unwrap(), Some("n"), 100, 100, 100);
}

#[test]
fn an_index_that_is_being_built_is_kept_up_to_date_and_not_used() {
    let db = Database::builder().durability(Durability::Buffered).temporary().unwrap();
    let numbers = db.collection::<Document>("numbers").unwrap();
    numbers.bulk().insert_with_ids((0..3_000).map(|n| (n, Document::new().with("n", n)))).unwrap();
    numbers
        .ensure_index_with(Index::on("n"), |progress| {
            assert_eq!(numbers.indexes().unwrap()[0].state, IndexState::Building);
            let documents = numbers.count().unwrap();
            examined(&numbers.find(field("n").eq(7)).explain().unwrap(), None, documents, documents, 1);
            // One behind, one ahead of the build, and one new.
            let done = progress.documents as i64;
            if done < 3_000 {
                // One behind the build, one ahead of it, and one new.
                numbers.update(done - 2, inc("n", 1_000_000)).unwrap();
                numbers.update(done + 2, inc("n", 1_000_000)).unwrap();
                numbers.insert_with_id(10_000 + done, &Document::new().with("n", -1)).unwrap();
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    agrees_with_a_scan(&numbers, "n");
    assert_eq!(numbers.find(field("n").eq(-1)).count().unwrap(), numbers.count().unwrap() - 3_000);
}

/// Compares the index `path` with all documents.
#[track_caller]
fn agrees_with_a_scan(collection: &Collection<Document>, path: &str) {
    let all = collection.find(field(path).exists(true).or(field("no such field").exists(true)));
    let by_index = collection.find(field(path).exists(true)).hint(Hint::index(path)); // most of it: it would be scanned
    assert_eq!(by_index.explain().unwrap().index(), Some(path));
    assert_eq!(all.explain().unwrap().index(), None);
    let key = |found: blaze::Found<Document>| (found.id, found.value);
    let mut indexed: Vec<_> = by_index.run().unwrap().into_iter().map(key).collect();
    let mut scanned: Vec<_> = all.run().unwrap().into_iter().map(key).collect();
    indexed.sort_by(|a, b| a.0.cmp(&b.0));
    scanned.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(indexed, scanned);
    for (id, document) in scanned {
        let value = document.get(path).unwrap().clone();
        let found = collection.find(field(path).eq(value)).run().unwrap();
        assert!(found.iter().any(|found| found.id == id), "{id:?} is not under its value");
    }
    assert_eq!(by_index.explain().unwrap().keys_examined, by_index.explain().unwrap().rows, "no entry is left over");
}

#[test]
fn an_index_built_among_writers_agrees_with_a_scan() {
    let db = Database::builder().durability(Durability::Buffered).temporary().unwrap();
    let numbers = db.collection::<Document>("numbers").unwrap();
    numbers.bulk().insert_with_ids((0..5_000).map(|n| (n, Document::new().with("n", n)))).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for seed in 0..3 {
            let (numbers, done) = (&numbers, &done);
            scope.spawn(move || {
                let random = SeededEntropy::new(seed);
                while !done.load(Ordering::Relaxed) {
                    let id = (random.next_u64() % 6_000) as i64;
                    match random.next_u64() % 3 {
                        0 => drop(numbers.delete(id).unwrap()),
                        1 => numbers.put(id, &Document::new().with("n", (random.next_u64() % 100) as i64)).unwrap(),
                        _ => match numbers.update(id, inc("n", 1)) {
                            Err(error) if error.kind() == ErrorKind::NotFound => {}
                            result => result.unwrap(),
                        },
                    }
                }
            });
        }
        let built = numbers.ensure_index(Index::on("n"));
        done.store(true, Ordering::Relaxed);
        built.unwrap();
    });
    agrees_with_a_scan(&numbers, "n");
}

#[test]
fn a_dropped_index_is_not_used_and_can_be_built_again() {
    let (_db, films) = films();
    films.ensure_index(Index::on("year")).unwrap();
    assert!(films.drop_index("year").unwrap() && !films.drop_index("year").unwrap());
    examined(&films.find(field("year").eq(1975)).explain().unwrap(), None, 100, 100, 10);
    films.delete(&films.find(field("year").eq(1975)).first().unwrap().unwrap().id).unwrap();
    films.ensure_index(Index::on_desc("year").named("year")).unwrap();
    examined(&films.find(field("year").eq(1975)).explain().unwrap(), Some("year"), 9, 9, 9);
}

#[test]
fn many_elements_of_an_array_are_indexed() {
    let db = Database::in_memory().unwrap();
    let lists = db.collection::<Document>("lists").unwrap();
    lists.ensure_index(Index::on("items.n")).unwrap();
    let list = |first: i64| (first..first + 9_000).map(|n| Document::new().with("n", n)).collect::<Value>();
    lists.insert_with_id(1, &Document::new().with("items", list(0))).unwrap();
    lists.update(1, set("items", list(5_000))).unwrap();
    assert_eq!(lists.find(field("items.n").eq(4_999)).count().unwrap(), 0);
    assert_eq!(lists.find(field("items.n").eq(13_999)).count().unwrap(), 1);
}
