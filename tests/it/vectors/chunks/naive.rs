//! Searches for documents of several vectors against a naive evaluation, in each kind of view.

use std::collections::{BTreeMap, BTreeSet};

use blaze::{Filter, History, Search};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index as Chosen, select};

use super::*;

const SIZE: usize = 3;

type Numbers = [i8; SIZE];
type Points = BTreeMap<i64, Point>;

#[derive(Clone, Debug)]
struct Point {
    /// None where a chunk has no vector.
    chunks: Vec<Option<Numbers>>,
    group: i64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum View {
    Database,
    Transaction,
    Snapshot,
    Past,
}

#[derive(Clone, Debug)]
enum Change {
    Put(Point),
    Delete,
    /// Of one chunk.
    Set(Chosen, Numbers),
}

#[derive(Clone, Debug)]
struct Question {
    near: Numbers,
    like: Option<Vec<Chosen>>,
    filter: Filter,
    limit: usize,
    within: Option<f32>,
    groups: bool,
}

/// Small numbers, so that distances are exact and often equal.
fn numbers() -> impl Strategy<Value = Numbers> {
    [-3i8..4, -3i8..4, -3i8..4].prop_map(|numbers| if numbers == [0; 3] { [1, 0, 0] } else { numbers })
}

fn point() -> impl Strategy<Value = Point> {
    (vec(option::weighted(0.9, numbers()), 0..6), 0i64..4).prop_map(|(chunks, group)| Point { chunks, group })
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        point().prop_map(Change::Put),
        Just(Change::Delete),
        (any::<Chosen>(), numbers()).prop_map(|(chosen, numbers)| Change::Set(chosen, numbers)),
    ]
}

fn question() -> impl Strategy<Value = Question> {
    let filter = prop_oneof![Just(Filter::everything()), (0i64..4).prop_map(|group| field("group").eq(group))];
    let like = option::weighted(0.3, vec(any::<Chosen>(), 1..4));
    (numbers(), like, filter, 1usize..9, option::weighted(0.3, -5f32..6.0), any::<bool>())
        .prop_map(|(near, like, filter, limit, within, groups)| Question { near, like, filter, limit, within, groups })
}

fn vector(metric: Metric, numbers: Numbers) -> Vector {
    match metric {
        Metric::Hamming => Vector::Bits(numbers.map(|number| number as u8).to_vec()),
        _ => Vector::F32(numbers.map(f32::from).to_vec()),
    }
}

fn document(metric: Metric, point: &Point) -> Document {
    let chunk = |numbers: &Option<Numbers>| {
        let chunk = Document::new().with("text", "some");
        Value::from(numbers.map_or(chunk.clone(), |numbers| chunk.with("embedding", vector(metric, numbers))))
    };
    Document::new().with("group", point.group).with("chunks", point.chunks.iter().map(chunk).collect::<Vec<_>>())
}

fn distance(metric: Metric, a: &[f64], b: &[f64]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    match metric {
        Metric::Cosine => 1.0 - dot(a, b) / (dot(a, a) * dot(b, b)).sqrt(),
        Metric::Dot => 0.0 - dot(a, b),
        Metric::L2 => a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt(),
        _ => a.iter().zip(b).map(|(a, b)| f64::from((*a as i8 as u8 ^ *b as i8 as u8).count_ones())).sum(),
    }
}

fn wide(numbers: Numbers) -> Vec<f64> {
    numbers.map(f64::from).to_vec()
}

/// The average of the averages of the vectors of these, each vector of a document once.
fn average(metric: Metric, points: &Points, ids: &[i64]) -> Vec<f64> {
    let mut average = vec![0.0; SIZE];
    for id in ids {
        let distinct: BTreeSet<Numbers> = points[id].chunks.iter().flatten().copied().collect();
        for numbers in &distinct {
            let numbers = wide(*numbers);
            let length = numbers.iter().map(|number| number * number).sum::<f64>().sqrt();
            let by = if metric == Metric::Cosine { length } else { 1.0 } * (distinct.len() * ids.len()) as f64;
            average.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += number / by);
        }
    }
    average
}

struct Searched<'a> {
    search: Search<Document>,
    metric: Metric,
    there: &'a Points,
    question: &'a Question,
}

impl Searched<'_> {
    /// Documents with vectors that match, but for some, by their nearest chunks.
    fn near(&self, query: &[f64], without: &[i64]) -> Vec<(f64, i64)> {
        let of = |(id, point): (&i64, &Point)| {
            let distances = point.chunks.iter().flatten().map(|numbers| distance(self.metric, query, &wide(*numbers)));
            Some((distances.min_by(f64::total_cmp)?, *id))
        };
        let is_wanted = |(id, point): &(&i64, &Point)| {
            self.question.filter.matches(&document(self.metric, point)) && !without.contains(id)
        };
        let mut near: Vec<_> = self.there.iter().filter(is_wanted).filter_map(of).collect();
        near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        near
    }

    fn ask(&self) {
        let near = wide(self.question.near);
        let search = self.search.clone().nearest("chunks.embedding", vector(self.metric, self.question.near));
        match &self.question.like {
            _ if self.question.groups => self.ask_groups(&search),
            Some(like) if self.metric != Metric::Hamming => self.ask_like(like),
            _ => self.agree(&search, &near, self.near(&near, &[]), self.metric != Metric::Cosine),
        }
    }

    fn ask_like(&self, like: &[Chosen]) {
        let with: Vec<i64> = self
            .there
            .iter()
            .filter(|(_, point)| point.chunks.iter().any(Option::is_some))
            .map(|(id, _)| *id)
            .collect();
        if with.is_empty() {
            return;
        }
        let like: Vec<i64> = like.iter().map(|chosen| *chosen.get(&with)).collect();
        let query = average(self.metric, self.there, &like);
        if self.metric == Metric::Cosine && query.iter().map(|number| number * number).sum::<f64>() < 1e-3 {
            return; // no direction to speak of
        }
        let search = self.search.clone().similar_to("chunks.embedding", like.clone());
        self.agree(&search, &query, self.near(&query, &like), false);
    }

    fn ask_groups(&self, search: &Search<Document>) {
        if self.metric == Metric::Cosine {
            return; // equal ones may differ in their last bits
        }
        let mut expected: Vec<(i64, Vec<i64>)> = Vec::new();
        for (_, id) in self.near(&wide(self.question.near), &[]) {
            let group = self.there[&id].group;
            match expected.iter().position(|(key, _)| *key == group) {
                Some(place) => expected[place].1.push(id),
                None if expected.len() < 2 => expected.push((group, vec![id])),
                None => {}
            }
        }
        expected.iter_mut().for_each(|(_, ids)| ids.truncate(3));
        let found = search.clone().group_by("group", 2, 3).run().unwrap().into_iter();
        let ids = |hits: &[blaze::Hit<Document>]| hits.iter().map(|hit| number(&hit.id)).collect::<Vec<_>>();
        let found: Vec<_> = found.map(|group| (group.key.as_i64().unwrap(), ids(&group.hits))).collect();
        assert_eq!(found, expected);
    }

    fn agree(&self, search: &Search<Document>, query: &[f64], mut near: Vec<(f64, i64)>, is_exact: bool) {
        let limit = self.question.limit;
        let mut search = search.clone().limit(limit);
        if let (true, Some(within)) = (is_exact, self.question.within) {
            search = search.within(within);
            near.retain(|(distance, _)| *distance as f32 <= within);
        }
        let hits = search.run().unwrap();
        assert_eq!(hits.len(), near.len().min(limit), "{hits:?}\nexpected {near:?}");
        let distinct: BTreeSet<_> = hits.iter().map(|hit| number(&hit.id)).collect();
        assert_eq!(distinct.len(), hits.len(), "no document twice");
        let ids = search.ids().unwrap();
        for (place, hit) in hits.iter().enumerate() {
            let (own, _) = near.iter().find(|(_, id)| *id == number(&hit.id)).unwrap();
            let close = |a: f64, b: f64| (a - b).abs() <= 1e-4 * (1.0 + b.abs());
            assert!(close(f64::from(hit.distance), *own), "{} is not {own}", hit.distance);
            assert!(close(*own, near[place].0), "{hit:?} is not as near as {:?}", near[place]);
            assert!(!is_exact || number(&hit.id) == near[place].1, "{hits:?}\nexpected {near:?}");
            assert_eq!((&ids[place].id, ids[place].distance, ids[place].chunk), (&hit.id, hit.distance, hit.chunk));
            let chunks = &self.there[&number(&hit.id)].chunks;
            let to = |numbers: &Numbers| distance(self.metric, query, &wide(*numbers));
            let chunk = hit.chunk.unwrap();
            assert!(close(to(&chunks[chunk].unwrap()), *own), "{chunk} of {chunks:?} is not the nearest");
            let first = chunks.iter().position(|chunk| chunk.as_ref().is_some_and(|chunk| to(chunk) == *own));
            assert!(!is_exact || first == Some(chunk), "{chunk} is not the first of {chunks:?}");
        }
    }
}

fn number(id: &DocumentId) -> i64 {
    id.to_string().parse().unwrap()
}

fn apply(metric: Metric, books: &Collection<Document>, points: &mut Points, id: i64, change: Change) {
    match change {
        Change::Put(point) => {
            books.put(id, &document(metric, &point)).unwrap();
            points.insert(id, point);
        }
        Change::Delete => {
            books.delete(id).unwrap();
            points.remove(&id);
        }
        Change::Set(chosen, numbers) => {
            if let Some(point) = points.get_mut(&id).filter(|point| !point.chunks.is_empty()) {
                let place = chosen.index(point.chunks.len());
                let path = format!("chunks.{place}.embedding");
                books.update(id, blaze::set(path.as_str(), vector(metric, numbers))).unwrap();
                point.chunks[place] = Some(numbers);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]
    #[test]
    fn any_search_in_any_view_finds_the_documents_of_the_nearest_chunks(
        metric in select(Metric::ALL.to_vec()),
        view in select(vec![View::Database, View::Transaction, View::Snapshot, View::Past]),
        is_indexed in any::<bool>(),
        is_late in any::<bool>(),
        before in vec(point(), 0..50),
        changes in vec((any::<Chosen>(), change()), 0..20),
        questions in vec(question(), 1..6),
    ) {
        let db = Database::in_memory().unwrap();
        let books = db.collection::<Document>("books").unwrap();
        books.set_history(History::Forever).unwrap();
        let size = if metric == Metric::Hamming { 8 * SIZE } else { SIZE };
        let declare = || books.ensure_index(Index::vectors("chunks.embedding", size).metric(metric)).unwrap();
        if !is_late {
            declare();
        }
        let mut there: Points = (0..).zip(before).collect();
        books.bulk().insert_with_ids(there.iter().map(|(id, point)| (*id, document(metric, point)))).unwrap();
        declare();
        if is_indexed {
            books.ensure_index(Index::on("group")).unwrap();
        }
        let (snapshot, then) = (db.snapshot().unwrap(), db.snapshot().unwrap().read_ts());
        let tx = db.begin().unwrap();
        let own = tx.collection::<Document>("books").unwrap();
        let changed = if view == View::Transaction { &own } else { &books };
        let mut after = there.clone();
        for (id, change) in changes {
            apply(metric, changed, &mut after, id.index(60) as i64, change);
        }
        let past = db.as_of(then).unwrap();
        let searched = match view {
            View::Database => books,
            View::Transaction => own,
            View::Snapshot => snapshot.collection("books").unwrap(),
            View::Past => past.collection("books").unwrap(),
        };
        if matches!(view, View::Database | View::Transaction) {
            there = after;
        }
        for question in &questions {
            let search = searched.search().filter(question.filter.clone());
            Searched { search, metric, there: &there, question }.ask();
        }
        prop_assert!(db.verify().unwrap().is_healthy());
    }
}
