//! A subcollection beside its model, a map of maps: random changes and questions, with and without indexes, in and outside of
//! transactions, which are kept or rolled back.

use std::collections::BTreeMap;

use blaze::{
    Collection, Database, Document, DocumentId, Entropy, Error, ErrorKind, Index, Result, SeededEntropy, asc, desc,
    field, set,
};

type Naive = BTreeMap<DocumentId, BTreeMap<DocumentId, i64>>;

struct Random(SeededEntropy);

impl Random {
    fn below(&self, bound: u64) -> i64 {
        (self.0.next_u64() % bound) as i64
    }

    /// An id of one of the kinds, some of which are hard to tell apart in keys.
    fn id(&self) -> DocumentId {
        match self.below(9) {
            0 => 0.into(),
            1 => 1.into(),
            2 => u64::MAX.into(),
            3 => "a".into(),
            4 => "a\0".into(),
            5 => "a\0\u{1}b".into(),
            6 => vec![0].into(),
            7 => vec![0, 0].into(),
            _ => "ab".into(),
        }
    }
}

fn line(price: i64) -> Document {
    Document::new().with("price", price)
}

fn price(document: &Document) -> i64 {
    document.get("price").unwrap().as_i64().unwrap()
}

/// Makes one change on both sides.
fn change(random: &Random, orders: &Collection<Document>, naive: &mut Naive) -> Result<String> {
    let (parent, own, new) = (random.id(), random.id(), random.below(5));
    let lines = orders.subcollection::<Document>(&parent, "lines")?;
    let below = naive.entry(parent.clone()).or_default();
    let there = below.contains_key(&own);
    let told = match random.below(7) {
        0 | 1 => {
            let inserted = lines.insert_with_id(&own, &line(new));
            assert_eq!(inserted.is_err(), there, "{inserted:?}");
            below.entry(own.clone()).or_insert(new);
            "insert"
        }
        2 => {
            lines.put(&own, &line(new))?;
            below.insert(own.clone(), new);
            "put"
        }
        3 => {
            let updated = lines.update(&own, set("price", new));
            assert_eq!(updated.is_ok(), there, "{updated:?}");
            below.entry(own.clone()).and_modify(|price| *price = new);
            "update"
        }
        4 => {
            assert_eq!(lines.delete(&own)?, below.remove(&own).is_some());
            "delete"
        }
        5 => {
            let removed = lines.find(field("price").eq(new)).delete().run()?;
            let before = below.len();
            below.retain(|_, price| *price != new);
            assert_eq!(removed as usize, before - below.len());
            "delete at a price"
        }
        _ if random.below(4) == 0 => {
            assert_eq!(orders.delete_with_children(&parent)?, !below.is_empty());
            below.clear();
            "delete with children"
        }
        _ => "nothing",
    };
    Ok(format!("{told} {parent:?}/{own:?}: {new}"))
}

/// Compares what both sides have.
fn compare(random: &Random, orders: &Collection<Document>, naive: &Naive, told: &str) {
    let group = orders.group::<Document>("lines").unwrap();
    let (parent, bound) = (random.id(), random.below(5));
    let lines = orders.subcollection::<Document>(&parent, "lines").unwrap();
    let below = naive.get(&parent).cloned().unwrap_or_default();
    let all: Vec<(DocumentId, i64)> = naive
        .iter()
        .flat_map(|(parent, below)| below.iter().map(move |(own, price)| (DocumentId::child(parent, own), *price)))
        .collect();
    assert_eq!(lines.count().unwrap() as usize, below.len(), "{told}");
    assert_eq!(group.count().unwrap() as usize, all.len(), "{told}");
    let shown = |query: blaze::Query<Document>| -> Vec<(DocumentId, i64)> {
        query.run().unwrap().into_iter().map(|found| (found.id.clone(), price(&found.value))).collect()
    };
    let asked = field("price").ge(bound);
    let mut expected: Vec<(DocumentId, i64)> =
        all.iter().filter(|(id, price)| id.parent() == Some(&parent) && *price >= bound).cloned().collect();
    expected.sort_by(|(a, price_a), (b, price_b)| price_b.cmp(price_a).then(b.cmp(a)));
    let sorted = lines.find(asked.clone()).sort(desc("price"));
    assert_eq!(shown(sorted.clone()), expected, "{told}: below {parent:?}, from {bound} on");
    assert_eq!(shown(sorted.limit(2)), expected[..expected.len().min(2)], "{told}");
    let mut expected: Vec<(DocumentId, i64)> = all.iter().filter(|(_, price)| *price >= bound).cloned().collect();
    let mut found = shown(group.find(asked.clone()));
    found.sort();
    assert_eq!(found, expected, "{told}: the group from {bound} on");
    expected.sort_by(|(a, price_a), (b, price_b)| price_a.cmp(price_b).then(a.cmp(b)));
    assert_eq!(shown(group.find(asked).sort(asc("price"))), expected, "{told}");
    let own = random.id();
    assert_eq!(lines.get(&own).unwrap().map(|found| price(&found.value)), below.get(&own).copied(), "{told}");
    let of_all = shown(group.find(field("_id").eq(blaze::Value::from(&own))));
    let expected: Vec<(DocumentId, i64)> = all.iter().filter(|(id, _)| *id.own() == own).cloned().collect();
    assert_eq!(of_all, expected, "{told}: {own:?} below any parent");
}

#[test]
fn a_subcollection_is_a_map_of_maps() {
    for seed in 0..12 {
        let random = Random(SeededEntropy::new(seed));
        let db = if seed % 4 == 0 { Database::temporary() } else { Database::in_memory() }.unwrap();
        let orders = db.collection::<Document>("orders").unwrap();
        let group = orders.group::<Document>("lines").unwrap();
        if seed % 2 == 0 {
            group.ensure_index(Index::on("price")).unwrap();
        }
        if seed % 3 == 0 {
            group.ensure_index(Index::on("_parent").then_desc("price")).unwrap();
        }
        let mut naive = Naive::new();
        for step in 0..60 {
            let told = match random.below(3) {
                0 => {
                    let (mut inside, keeps) = (naive.clone(), random.below(2) == 0);
                    let done = db.transaction(|tx| {
                        let orders = tx.collection::<Document>("orders")?;
                        for part in 0..4 {
                            let told = change(&random, &orders, &mut inside)?;
                            compare(&random, &orders, &inside, &format!("seed {seed}, step {step}.{part}, {told}"));
                        }
                        if keeps { Ok(()) } else { Err(Error::cancelled("rolled back")) }
                    });
                    match keeps {
                        true => (done.unwrap(), naive = inside).0,
                        false => assert_eq!(done.unwrap_err().kind(), ErrorKind::Cancelled),
                    }
                    "a transaction".to_owned()
                }
                _ => change(&random, &orders, &mut naive).unwrap(),
            };
            compare(&random, &orders, &naive, &format!("seed {seed}, step {step}, {told}"));
        }
        let report = db.verify().unwrap();
        assert!(report.is_healthy(), "seed {seed}: {report:?}");
    }
}
