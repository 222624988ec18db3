//! Answers page by page.

use std::collections::BTreeMap;

use blaze::{Database, Document, ErrorKind, Index, PageToken, SeededEntropy, asc, desc, field};

use super::plans::{Random, naive};

#[test]
fn pages_together_are_the_whole_answer() {
    for seed in 0..6 {
        let random = Random(SeededEntropy::new(seed));
        let db = Database::in_memory().unwrap();
        let things = db.collection::<Document>("things").unwrap();
        let all: BTreeMap<i64, Document> = (0..100).map(|id| (id, random.document())).collect();
        things.bulk().insert_with_ids(all.iter().map(|(id, document)| (*id, document.clone()))).unwrap();
        for index in
            [Index::on("a").then("b"), Index::on_desc("s").then("a"), Index::on("b").then_desc("a"), Index::on("b")]
        {
            for _ in 0..12 {
                let (filter, sort, size) = (random.filter(2), random.sort(), 1 + random.below(9));
                let query = things.find(filter.clone()).sort(sort.clone());
                let (mut found, mut token) = (Vec::new(), None::<PageToken>);
                loop {
                    let page = query.page(size, token.as_ref()).unwrap();
                    found.extend(page.rows.iter().map(|row| row.id.to_string().parse::<i64>().unwrap()));
                    assert!(page.rows.len() == size || page.next.is_none());
                    token = page.next.map(|token| token.to_string().parse().unwrap());
                    if token.is_none() {
                        break;
                    }
                }
                assert_eq!(found, naive(&all, &filter, &sort), "seed {seed}: {filter} by {sort:?}, pages of {size}");
            }
            things.ensure_index(index).unwrap();
        }
    }
}

#[test]
fn nothing_comes_twice_or_is_skipped_while_others_write_between_pages() {
    for (indexed, descending) in [(false, false), (true, false), (true, true), (false, true)] {
        let db = Database::in_memory().unwrap();
        let numbers = db.collection::<Document>("numbers").unwrap();
        if indexed {
            numbers.ensure_index(Index::on("kind").then("n")).unwrap();
        }
        let document = |n: i64| Document::new().with("kind", "stays").with("n", n);
        // Even ones stay; odd ones come and go.
        numbers.bulk().insert_with_ids((0..100).map(|n| (2 * n, document(2 * n)))).unwrap();
        let sort = if descending { desc("n") } else { asc("n") };
        let query = numbers.find(field("kind").eq("stays")).sort(sort);
        let random = Random(SeededEntropy::new(9));
        let (mut found, mut token) = (Vec::new(), None);
        loop {
            let page = query.page(7, token.as_ref()).unwrap();
            found.extend(page.rows.iter().map(|row| row.get("n").unwrap().as_i64().unwrap()));
            token = page.next;
            for _ in 0..10 {
                let n = 1 + 2 * random.below(100) as i64;
                match numbers.delete(n).unwrap() {
                    true => {}
                    false => numbers.insert_with_id(n, &document(n)).unwrap(),
                }
            }
            if token.is_none() {
                break;
            }
        }
        let ascending: Vec<i64> = if descending { found.iter().rev().copied().collect() } else { found.clone() };
        assert!(ascending.is_sorted_by(|a, b| a < b), "{found:?}");
        let stayed: Vec<i64> = ascending.into_iter().filter(|n| n % 2 == 0).collect();
        assert_eq!(stayed, (0..100).map(|n| 2 * n).collect::<Vec<_>>(), "indexed {indexed}");
    }
}

#[test]
fn a_token_of_another_query_or_a_damaged_one_is_refused() {
    let db = Database::in_memory().unwrap();
    let numbers = db.collection::<Document>("numbers").unwrap();
    numbers.insert_many((0..10).map(|n| Document::new().with("n", n))).unwrap();
    let query = numbers.find(field("n").ge(1)).sort(asc("n"));
    let token = query.page(2, None).unwrap().next.unwrap();
    let others = db.collection::<Document>("others").unwrap();
    for other in [
        numbers.find(field("n").ge(2)).sort(asc("n")),
        numbers.find(field("n").ge(1)).sort(desc("n")),
        numbers.find(field("n").ge(1)),
        others.find(field("n").ge(1)).sort(asc("n")),
    ] {
        let error = other.page(2, Some(&token)).unwrap_err();
        assert!(error.kind() == ErrorKind::Invalid && error.to_string().contains("another collection"), "{error}");
    }
    let text = token.to_string();
    for (damaged, words) in [
        (text[1..].to_owned(), "damaged"),
        (format!("{text}="), "not base64url"),
        (String::new(), "too short"),
        ("AAAAAAAAAAAAAAAAAAAAAAAA".to_owned(), "checksum"),
    ] {
        let error = damaged.parse::<PageToken>().unwrap_err();
        assert!(error.kind() == ErrorKind::Invalid && error.to_string().contains(words), "{damaged}: {error}");
    }
    for query in [query.clone().skip(1), query.clone().limit(5)] {
        assert_eq!(query.page(2, None).unwrap_err().kind(), ErrorKind::Invalid);
    }
    assert_eq!(query.page(0, None).unwrap_err().kind(), ErrorKind::Invalid);
    assert!(numbers.find(field("n").ge(1.0)).sort(asc("n")).page(2, Some(&token)).is_ok(), "1 and 1.0 are equal");
}

#[test]
fn a_list_with_a_value_that_is_longer_than_entries_hold_has_its_pages_too() {
    let db = Database::in_memory().unwrap();
    let things = db.collection::<Document>("things").unwrap();
    things.ensure_index(Index::on("a").then("b")).unwrap();
    things.insert_many_with_ids((0..5).map(|n| (n, Document::new().with("a", "y").with("b", n)))).unwrap();
    let query = things.find(field("a").is_in(["x".repeat(2_000), "y".to_owned()])).sort(asc("b"));
    let first = query.page(2, None).unwrap();
    let second = query.page(2, first.next.as_ref()).unwrap();
    assert_eq!(second.rows.iter().map(|row| row.id.to_string()).collect::<Vec<_>>(), ["2", "3"]);
}

#[test]
fn pages_by_a_unique_index_repeat_nothing_in_either_direction() {
    let db = Database::in_memory().unwrap();
    let things = db.collection::<Document>("things").unwrap();
    things.ensure_index(Index::on("n").unique()).unwrap();
    // Some have no value, or null: these are told apart by their ids.
    let document = |n: i64| match n % 4 {
        0 => Document::new(),
        1 => Document::new().with("n", blaze::Value::Null),
        _ => Document::new().with("n", n),
    };
    things.insert_many_with_ids((0..40).map(|n| (n, document(n)))).unwrap();
    for sort in [asc("n"), desc("n")] {
        let query = things.find_all().sort(sort);
        let whole: Vec<_> = query.run().unwrap().into_iter().map(|row| row.id).collect();
        let (mut found, mut token) = (Vec::new(), None);
        loop {
            let page = query.page(3, token.as_ref()).unwrap();
            found.extend(page.rows.into_iter().map(|row| row.id));
            token = page.next;
            if token.is_none() {
                break;
            }
        }
        assert_eq!(found, whole);
        assert_eq!(found.len(), 40);
    }
}
