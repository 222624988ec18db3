//! Every kind of search against a naive evaluation, over random documents, filters and changes, in each kind of view.

use std::collections::{BTreeMap, BTreeSet};

use blaze::{
    Copies, Database, Document, DocumentId, Filter, History, Index, Metric, Search, SearchPath, Value, Vector, field,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

const DIMENSION: usize = 4;

type Numbers = [i8; DIMENSION];
type Points = BTreeMap<i64, Point>;

#[derive(Clone, Debug)]
struct Point {
    numbers: Option<Numbers>,
    groups: BTreeSet<i64>,
    rare: bool,
}

/// Where the search runs, the changes being made by then or not to be seen.
#[derive(Clone, Copy, Debug, PartialEq)]
enum View {
    Database,
    Transaction,
    Snapshot,
    Past,
}

#[derive(Clone, Debug)]
enum Asked {
    Nearest(Numbers),
    Like(Vec<prop::sample::Index>, Vec<prop::sample::Index>),
    Groups(Numbers, usize, usize),
    Diverse(Numbers, f32),
}

#[derive(Clone, Debug)]
struct Question {
    asked: Asked,
    filter: Filter,
    offset: usize,
    limit: usize,
    within: Option<f32>,
    min_score: Option<f32>,
    exact: bool,
}

/// Small numbers, so that distances are exact and often equal.
fn numbers() -> impl Strategy<Value = Numbers> {
    [-3i8..4, -3i8..4, -3i8..4, -3i8..4].prop_map(|numbers| if numbers == [0; 4] { [1, 0, 0, 0] } else { numbers })
}

fn point() -> impl Strategy<Value = Point> {
    let groups = prop::collection::btree_set(0i64..6, 0..3);
    (option::weighted(0.9, numbers()), groups, any::<bool>()).prop_map(|(numbers, groups, rare)| Point {
        numbers,
        groups,
        rare,
    })
}

fn question() -> impl Strategy<Value = Question> {
    let lambda = prop_oneof![Just(0.0f32), Just(1.0), 0.0f32..1.0];
    let asked = prop_oneof![
        3 => numbers().prop_map(Asked::Nearest),
        2 => (vec(any::<prop::sample::Index>(), 1..4), vec(any::<prop::sample::Index>(), 0..3))
            .prop_map(|(like, unlike)| Asked::Like(like, unlike)),
        2 => (numbers(), 1usize..6, 1usize..5).prop_map(|(near, groups, each)| Asked::Groups(near, groups, each)),
        1 => (numbers(), lambda).prop_map(|(near, lambda)| Asked::Diverse(near, lambda)),
    ];
    let filter = prop_oneof![
        Just(Filter::everything()),
        any::<bool>().prop_map(|rare| field("rare").eq(rare)),
        (0i64..6).prop_map(|group| field("group").eq(group).or(field("group").contains(group))),
        Just(field("group").exists(false)),
    ];
    let thresholds = (option::weighted(0.3, -5f32..10.0), option::weighted(0.3, -3f32..1.0));
    (asked, filter, 0usize..5, 1usize..9, thresholds, any::<bool>()).prop_map(
        |(asked, filter, offset, limit, (within, min_score), exact)| Question {
            asked,
            filter,
            offset,
            limit,
            within,
            min_score,
            exact,
        },
    )
}

fn vector(metric: Metric, numbers: Numbers) -> Vector {
    match metric {
        Metric::Hamming => Vector::Bits(numbers.map(|number| number as u8).to_vec()),
        _ => Vector::F32(numbers.map(f32::from).to_vec()),
    }
}

fn document(metric: Metric, point: &Point) -> Document {
    let mut document = Document::new().with("rare", point.rare);
    if let Some(numbers) = point.numbers {
        document.insert("v", vector(metric, numbers));
    }
    match point.groups.len() {
        0 => {}
        1 => document.insert("group", Value::from(point.groups.first().copied().unwrap())).map_or((), drop),
        _ => document
            .insert("group", point.groups.iter().map(|group| Value::from(*group)).collect::<Value>())
            .map_or((), drop),
    }
    document
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

fn score(metric: Metric, distance: f64) -> f64 {
    match metric {
        Metric::Cosine => 1.0 - distance,
        Metric::Dot => -distance,
        Metric::L2 => 1.0 / (1.0 + distance),
        _ => 1.0 - distance / (8 * DIMENSION) as f64,
    }
}

fn wide(numbers: Numbers) -> Vec<f64> {
    numbers.map(f64::from).to_vec()
}

/// All points with vectors that match, but for some, by their distances and ids.
fn near(metric: Metric, points: &Points, query: &[f64], filter: &Filter, without: &[i64]) -> Vec<(f64, i64)> {
    let matches = |id: &i64, point: &Point| filter.matches(&document(metric, point)) && !without.contains(id);
    let matching = points.iter().filter(|(id, point)| matches(id, point));
    let mut near: Vec<_> =
        matching.filter_map(|(id, point)| Some((distance(metric, query, &wide(point.numbers?)), *id))).collect();
    near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    near
}

/// The example searched for, as the documentation defines it.
fn average(metric: Metric, points: &Points, like: &[i64], unlike: &[i64]) -> Vec<f64> {
    let mean = |ids: &[i64]| -> Vec<f64> {
        let mut sum = vec![0.0; DIMENSION];
        for id in ids {
            let numbers = wide(points[id].numbers.unwrap());
            let length = numbers.iter().map(|number| number * number).sum::<f64>().sqrt();
            let by = if metric == Metric::Cosine { length } else { 1.0 };
            sum.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += number / by);
        }
        sum.into_iter().map(|sum| sum / ids.len() as f64).collect()
    };
    let (near, far) = (mean(like), mean(unlike));
    match unlike.is_empty() {
        true => near,
        false => near.iter().zip(far).map(|(near, far)| 2.0 * near - far).collect(),
    }
}

fn number(id: &DocumentId) -> i64 {
    id.to_string().parse().unwrap()
}

/// Fails unless a search finds the window of what is near; distances may differ a little where they cannot be exact.
fn agree(search: &Search<Document>, metric: Metric, near: &[(f64, i64)], window: (usize, usize), is_exact: bool) {
    let expected: Vec<_> = near.iter().skip(window.0).take(window.1).collect();
    let hits = search.run().unwrap();
    assert_eq!(hits.len(), expected.len(), "{hits:?}\nexpected {expected:?}");
    let ids = search.ids().unwrap();
    assert_eq!(search.explain().unwrap().rows as usize, hits.len());
    let parts = search.clone().select(["rare"]).run().unwrap();
    for (place, hit) in hits.iter().enumerate() {
        let (own, _) = near.iter().find(|(_, id)| *id == number(&hit.id)).unwrap(); // a hit is wanted
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-4 * (1.0 + b.abs());
        assert!(close(f64::from(hit.distance), *own), "{} is not {own}", hit.distance);
        assert!(close(f64::from(hit.score), score(metric, *own)), "{} is not {}", hit.score, score(metric, *own));
        assert!(close(*own, expected[place].0), "{hit:?} is not as near as {:?}", expected[place]);
        assert!(!is_exact || number(&hit.id) == expected[place].1, "{hits:?}\nexpected {expected:?}");
        assert_eq!((&ids[place].id, ids[place].distance), (&hit.id, hit.distance));
        assert_eq!((&parts[place].id, parts[place].fields.get("rare")), (&hit.id, hit.value.get("rare")));
    }
    let distinct: BTreeSet<_> = hits.iter().map(|hit| number(&hit.id)).collect();
    assert_eq!(distinct.len(), hits.len());
}

/// A search in which the question's filter is set, and what it is asked of.
struct Searched<'a> {
    search: Search<Document>,
    metric: Metric,
    there: &'a Points,
    question: &'a Question,
    view: View,
}

impl Searched<'_> {
    fn ask(&self) {
        match &self.question.asked {
            Asked::Nearest(query) => self.ask_nearest(*query),
            Asked::Like(like, unlike) if self.metric != Metric::Hamming => self.ask_like(like, unlike),
            Asked::Groups(query, groups, each) if self.is_exact() => self.ask_groups(*query, *groups, *each),
            Asked::Diverse(query, lambda) => self.ask_diverse(*query, *lambda),
            Asked::Like(..) | Asked::Groups(..) => {}
        }
    }

    /// Cosines that are equal on paper may differ in their last bits.
    fn is_exact(&self) -> bool {
        self.metric != Metric::Cosine
    }

    fn near_to(&self, numbers: Numbers) -> Search<Document> {
        self.search.clone().nearest("v", vector(self.metric, numbers))
    }

    fn near(&self, query: &[f64], without: &[i64]) -> Vec<(f64, i64)> {
        near(self.metric, self.there, query, &self.question.filter, without)
    }

    fn ask_nearest(&self, query: Numbers) {
        let Question { offset, limit, .. } = *self.question;
        let mut found = self.near(&wide(query), &[]);
        let mut search = self.near_to(query).offset(offset).limit(limit);
        if let (true, Some(within)) = (self.is_exact(), self.question.within) {
            search = search.within(within);
            found.retain(|(distance, _)| *distance as f32 <= within);
        }
        if let (true, Some(min_score)) = (self.is_exact(), self.question.min_score) {
            search = search.min_score(min_score);
            found.retain(|(distance, _)| self.metric.score(*distance as f32, 8 * DIMENSION) >= min_score);
        }
        agree(&search, self.metric, &found, (offset, limit), self.is_exact());
        let path = if self.view == View::Past { SearchPath::Documents } else { SearchPath::Exact };
        assert_eq!(search.explain().unwrap().path, path);
    }

    fn ask_like(&self, like: &[prop::sample::Index], unlike: &[prop::sample::Index]) {
        let Question { offset, limit, .. } = *self.question;
        let with: Vec<i64> =
            self.there.iter().filter(|(_, point)| point.numbers.is_some()).map(|(id, _)| *id).collect();
        if with.is_empty() {
            return;
        }
        let chosen = |from: &[prop::sample::Index]| from.iter().map(|at| *at.get(&with)).collect::<Vec<i64>>();
        let (like, unlike) = (chosen(like), chosen(unlike));
        let query = average(self.metric, self.there, &like, &unlike);
        if self.metric == Metric::Cosine && query.iter().map(|number| number * number).sum::<f64>() < 1e-3 {
            return; // no direction to speak of
        }
        let search = self.search.clone().similar_to("v", like.clone()).unlike(unlike.clone());
        let found = self.near(&query, &[like, unlike].concat());
        agree(&search.offset(offset).limit(limit), self.metric, &found, (offset, limit), false);
    }

    fn ask_groups(&self, query: Numbers, groups: usize, each: usize) {
        let mut expected: Vec<(i64, Vec<i64>)> = Vec::new();
        for (_, id) in self.near(&wide(query), &[]) {
            for group in &self.there[&id].groups {
                match expected.iter().position(|(key, _)| key == group) {
                    Some(place) => expected[place].1.push(id),
                    None if expected.len() < groups => expected.push((*group, vec![id])),
                    None => {}
                }
            }
        }
        expected.iter_mut().for_each(|(_, ids)| ids.truncate(each));
        let found = self.near_to(query).group_by("group", groups, each).run().unwrap().into_iter();
        let found: Vec<(i64, Vec<i64>)> = found
            .map(|group| (group.key.as_i64().unwrap(), group.hits.iter().map(|hit| number(&hit.id)).collect()))
            .collect();
        assert_eq!(found, expected);
    }

    fn ask_diverse(&self, query: Numbers, lambda: f32) {
        let Question { offset, limit, .. } = *self.question;
        let rows = offset + limit;
        let whole = self.near_to(query).diverse(lambda).limit(rows).ids().unwrap();
        let window = self.near_to(query).diverse(lambda).offset(offset).limit(limit).ids().unwrap();
        assert_eq!(window[..], whole[offset.min(whole.len())..]);
        let mut left = self.near(&wide(query), &[]);
        left.truncate((5 * rows).max(50));
        assert_eq!(whole.len(), rows.min(left.len()));
        let mut chosen: Vec<i64> = Vec::new();
        for hit in &whole {
            let of = |id: &i64| wide(self.there[id].numbers.unwrap());
            let worth = |(near, id): &(f64, i64)| {
                let likeness = |other: &i64| score(self.metric, distance(self.metric, &of(id), &of(other)));
                let (own, lambda) = (score(self.metric, *near), f64::from(lambda));
                let most = chosen.iter().map(likeness).max_by(f64::total_cmp);
                most.map_or(own, |most| lambda * own - (1.0 - lambda) * most)
            };
            let best = left.iter().map(worth).max_by(f64::total_cmp).unwrap();
            let at = left.iter().position(|(_, id)| *id == number(&hit.id));
            let own = worth(&left[at.unwrap()]); // unless it is chosen twice, or is not near
            assert!(own >= best - 1e-4 * (1.0 + best.abs()), "{hit:?} is worth {own}, another one {best}");
            chosen.push(left.remove(at.unwrap()).1);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]
    #[test]
    fn any_search_in_any_view_answers_what_looking_at_each_document_does(
        metric in select(Metric::ALL.to_vec()),
        copies in select(Copies::ALL.to_vec()),
        view in select(vec![View::Database, View::Transaction, View::Snapshot, View::Past]),
        indexed in any::<bool>(),
        before in vec(point(), 0..70),
        changes in vec((any::<prop::sample::Index>(), option::of(point())), 0..20),
        questions in vec(question(), 1..6),
    ) {
        let db = Database::in_memory().unwrap();
        let points = db.collection::<Document>("points").unwrap();
        points.set_history(History::Forever).unwrap();
        let (dimension, copies) = match metric {
            Metric::Hamming => (8 * DIMENSION, Copies::F32),
            _ => (DIMENSION, copies),
        };
        points.ensure_index(Index::vector("v", dimension).metric(metric).copies(copies)).unwrap();
        if indexed {
            points.ensure_index(Index::on("rare")).unwrap();
            points.ensure_index(Index::on("group")).unwrap();
        }
        let mut there: Points = (0..).zip(before).collect();
        points.bulk().insert_with_ids(there.iter().map(|(id, point)| (*id, document(metric, point)))).unwrap();
        let (snapshot, then) = (db.snapshot().unwrap(), db.snapshot().unwrap().read_ts());
        let tx = db.begin().unwrap();
        let own = tx.collection::<Document>("points").unwrap();
        let changed = if view == View::Transaction { &own } else { &points };
        let mut after = there.clone();
        for (id, point) in changes {
            let id = id.index(80) as i64;
            match point {
                Some(point) => {
                    changed.put(id, &document(metric, &point)).unwrap();
                    after.insert(id, point);
                }
                None => {
                    changed.delete(id).unwrap();
                    after.remove(&id);
                }
            }
        }
        let (snapshot, past) = (snapshot.collection("points").unwrap(), db.as_of(then).unwrap());
        let past = past.collection::<Document>("points").unwrap();
        let searched = match view {
            View::Database => points,
            View::Transaction => own,
            View::Snapshot => snapshot,
            View::Past => past,
        };
        if matches!(view, View::Database | View::Transaction) {
            there = after;
        }
        for question in &questions {
            let search = searched.search().filter(question.filter.clone());
            let search = if question.exact { search.exact() } else { search };
            Searched { search, metric, there: &there, question, view }.ask();
        }
    }
}
