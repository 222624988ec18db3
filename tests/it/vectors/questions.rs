//! Every kind of question to a graph that is asked widely has the answer that comparing all vectors gives.

mod asking;

use std::cell::{Cell, RefCell};

use blaze::{Isolation, Snapshot, Transaction, TransactionOptions, Value, VectorCode, set, unset};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;

use self::asking::Asking;
use super::*;

/// Candidates of each search: so many that hardly any of the nearest is missed.
const EF: usize = 1_000;

/// Documents that stay as they are, and have vectors: examples are of them.
const UNCHANGED: u64 = 200;

/// The indexes that are asked: by each metric, by coarse codes, and of several vectors for each document.
const INDEXES: [&str; 5] = ["l2", "cosine", "dot", "coarse", "several"];

/// How many of a hundred documents match a filter: so many that the graph proposes enough of them.
const PERCENTS: [i64; 2] = [50, 90];

const CASES: u32 = 400;

/// One of so many questions may have another answer: of some vectors, codes tell too little.
const CASES_OF_ONE_MISSED: usize = 100;

#[derive(Clone, Copy, Debug)]
enum View {
    Database,
    /// Of before the last changes.
    Snapshot,
    /// With changes of its own.
    Transaction,
    /// The same, where what is read counts as well.
    Serializable,
}

/// Where something is looked for.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// Where vectors are.
    Among(u64),
    /// Where that of a document is.
    At(u64),
    /// Where none is.
    Outside(u64),
}

#[derive(Clone, Debug)]
enum Asked {
    Nearest(Place),
    /// Not farther than the answer of this rank, or of no less a score.
    Within(Place, usize),
    AsGood(Place, usize),
    Like(Vec<u64>, Vec<u64>),
    Diverse(Place, f32),
    Groups(Place, usize, usize),
}

#[derive(Clone, Debug)]
struct Question {
    index: &'static str,
    view: View,
    asked: Asked,
    percent: Option<i64>,
    offset: usize,
    limit: usize,
}

fn question() -> impl Strategy<Value = Question> {
    let place = || {
        prop_oneof![
            4 => any::<u64>().prop_map(Place::Among),
            1 => (0..UNCHANGED).prop_map(Place::At),
            1 => any::<u64>().prop_map(Place::Outside),
        ]
    };
    let lambda = prop_oneof![Just(0.0f32), Just(1.0), 0.0f32..1.0];
    let asked = prop_oneof![
        3 => place().prop_map(Asked::Nearest),
        1 => (place(), 0usize..16).prop_map(|(place, rank)| Asked::Within(place, rank)),
        1 => (place(), 0usize..16).prop_map(|(place, rank)| Asked::AsGood(place, rank)),
        2 => (vec(0..UNCHANGED, 1..4), vec(0..UNCHANGED, 0..3)).prop_map(|(like, unlike)| Asked::Like(like, unlike)),
        2 => (place(), lambda).prop_map(|(place, lambda)| Asked::Diverse(place, lambda)),
        2 => (place(), 1usize..8, 1usize..5).prop_map(|(place, groups, each)| Asked::Groups(place, groups, each)),
    ];
    let view = select(vec![View::Database, View::Snapshot, View::Transaction, View::Serializable]);
    let percent = option::of(select(PERCENTS.to_vec()));
    (select(INDEXES.to_vec()), view, asked, percent, 0usize..5, 1usize..12).prop_map(
        |(index, view, asked, percent, offset, limit)| Question { index, view, asked, percent, offset, limit },
    )
}

/// A document of a vector, of up to three chunks with one each, of up to two groups, and of one of a hundred parts.
fn random_document(random: &dyn Entropy) -> Document {
    let chunks = (0..1 + random.next_u64() % 3)
        .map(|_| Value::from(Document::new().with("v", Vector::F32(random_vector(random)))));
    let chunks: Vec<Value> = chunks.collect();
    let groups: Vec<Value> =
        (0..random.next_u64() % 10).take(2).map(|_| ((random.next_u64() % 30) as i64).into()).collect();
    let document = document(&random_vector(random), 0).with("chunks", chunks).with("group", groups);
    document.with("part", (random.next_u64() % 100) as i64)
}

/// Puts, moves and deletes some documents.
fn change(points: &Collection<Document>, random: &dyn Entropy, count: usize) {
    for _ in 0..count {
        let id = UNCHANGED + random.next_u64() % (MANY as u64);
        let is_there = points.get(id).unwrap().is_some();
        match random.next_u64() % 4 {
            0 if is_there => points.update(id, set("v", Vector::F32(random_vector(random)))).unwrap(),
            1 if is_there => points.update(id, unset("v")).unwrap(),
            2 => drop(points.delete(id).unwrap()),
            _ => points.put(id, &random_document(random)).unwrap(),
        }
    }
}

/// A database whose graphs have all that is committed, and views of it.
struct Shared {
    db: Database,
    snapshot: Snapshot,
    transactions: [Transaction; 2],
}

impl Shared {
    fn new(seed: u64) -> Shared {
        let random = SeededEntropy::new(seed);
        let db = without_background();
        let points = db.collection::<Document>("points").unwrap();
        let index = |metric| Index::vector("v", DIMENSION).metric(metric);
        for index in [
            index(Metric::L2).named("l2"),
            index(Metric::Cosine).named("cosine"),
            index(Metric::Dot).named("dot"),
            index(Metric::L2).code(VectorCode::Four).named("coarse"),
            Index::vectors("chunks.v", DIMENSION).metric(Metric::L2).named("several"),
        ] {
            points.ensure_index(index).unwrap();
        }
        let documents = (0..MANY as u64).map(|id| (id, random_document(&random)));
        points.bulk().insert_with_ids(documents.collect::<Vec<_>>()).unwrap();
        db.settle().unwrap();
        // What matches is known from then on, where it is kept at all.
        for index in INDEXES {
            let near = |percent| Asking { points: points.clone(), index, percent: Some(percent) }.near(Place::Among(1));
            PERCENTS.into_iter().chain(PERCENTS).for_each(|percent| drop(near(percent).explain().unwrap()));
        }
        db.settle().unwrap();
        let snapshot = db.snapshot().unwrap();
        change(&points, &random, 300);
        db.settle().unwrap();
        let transactions = [Isolation::Snapshot, Isolation::Serializable].map(|isolation| {
            let transaction = db.begin_with(TransactionOptions::default().isolation(isolation)).unwrap();
            change(&transaction.collection("points").unwrap(), &random, 60);
            transaction
        });
        Shared { db, snapshot, transactions }
    }

    fn points(&self, view: View) -> Collection<Document> {
        match view {
            View::Database => self.db.collection("points"),
            View::Snapshot => self.snapshot.collection("points"),
            View::Transaction => self.transactions[0].collection("points"),
            View::Serializable => self.transactions[1].collection("points"),
        }
        .unwrap()
    }
}

#[test]
fn any_question_has_the_same_answer_by_the_graph_and_by_comparing_all_vectors() {
    let shared = Shared::new(31);
    let linked = shared.db.stats().unwrap().vector_indexes;
    assert_eq!(linked.iter().filter(|stats| stats.is_complete && stats.tail == 0).count(), INDEXES.len(), "{linked:?}");
    let (hits, missed) = (Cell::new(0), RefCell::new(Vec::new()));
    let cases = CASES.max(ProptestConfig::default().cases); // the environment may ask for more
    let config = ProptestConfig {
        cases,
        source_file: Some(file!()),
        test_name: Some("vectors::questions"),
        ..ProptestConfig::default()
    };
    let ran = TestRunner::new(config).run(&question(), |question| {
        let Question { index, view, percent, .. } = question;
        let (found, has_all) = Asking { points: shared.points(view), index, percent }.ask(&question);
        hits.set(hits.get() + found);
        if !has_all {
            missed.borrow_mut().push(question);
        }
        Ok(())
    });
    ran.unwrap_or_else(|failure| panic!("{failure}"));
    let (hits, missed) = (hits.get(), missed.into_inner());
    println!("{hits} hits of {cases} questions, of which {} have another answer: {missed:#?}", missed.len());
    assert!(hits > 2 * cases as usize, "{hits} hits of {cases} questions");
    assert!(
        missed.len() <= cases as usize / CASES_OF_ONE_MISSED,
        "of {cases} questions, too many have another answer: {missed:#?}"
    );
}
