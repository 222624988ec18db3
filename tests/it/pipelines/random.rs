//! Random pipelines over random documents, with no, some and all indexes, against the naive evaluation.

use blaze::expression::{Expression, bucket, document_id, if_else, literal, path};
use blaze::pipeline::{
    Aggregate, GroupKey, Lookup, Pipeline, Unwind, add_to_set, avg, by, count, first, last, max, min, push, stages, sum,
};
use blaze::{
    Collation, Collection, Database, Document, DocumentId, Entropy, Filter, History, Index, SeededEntropy, Value, asc,
    desc, field,
};

use super::naive::{Formula, Row, Step, Summary, run};

struct Random(SeededEntropy);

impl Random {
    fn below(&self, count: u64) -> u64 {
        self.0.next_u64() % count
    }

    fn one_of<T: Copy>(&self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    fn number(&self) -> Value {
        match self.below(4) {
            0 => Value::from(self.below(16) as f64 / 2.0 - 1.0),
            _ => Value::from(self.below(8) as i64 - 1),
        }
    }

    fn scalar(&self) -> Value {
        match self.below(6) {
            0 => Value::Null,
            1 | 2 => Value::from(self.one_of(&["", "a", "A", "ab", "AC", "b\0c"])),
            _ => self.number(),
        }
    }

    fn map(&self) -> Document {
        if self.below(4) == 0 { Document::new() } else { Document::new().with("x", self.scalar()) }
    }

    /// `a` is any scalar, `b` a number or null, `tags` mostly an array, `n` a map or an array of maps; all may be missing.
    fn document(&self) -> Document {
        let mut document = Document::new();
        if self.below(5) > 0 {
            document.insert("a", self.scalar());
        }
        if self.below(5) > 0 {
            document.insert("b", if self.below(6) == 0 { Value::Null } else { self.number() });
        }
        match self.below(6) {
            0 => {}
            1 => drop(document.insert("tags", self.scalar())),
            _ => drop(document.insert("tags", (0..self.below(4)).map(|_| self.scalar()).collect::<Value>())),
        }
        match self.below(4) {
            0 => {}
            1 => drop(document.insert("n", (0..self.below(3)).map(|_| self.map()).collect::<Value>())),
            _ => drop(document.insert("n", self.map())),
        }
        document
    }

    fn filter(&self) -> Filter {
        let term = || {
            let of = field(self.one_of(&["a", "b", "tags", "n.x", "count"]));
            match self.below(6) {
                0 => of.eq(self.scalar()),
                1 => of.ge(self.number()),
                2 => of.lt(self.number()),
                3 => of.exists(self.below(2) == 0),
                4 => of.contains(self.scalar()),
                _ => of.ne(self.scalar()),
            }
        };
        match self.below(3) {
            0 => term(),
            1 => term().and(term()),
            _ => term().or(term()),
        }
    }

    fn formula(&self) -> Formula {
        match self.below(6) {
            0 => Formula::Plus("b", self.below(5) as i64),
            1 => Formula::Or(self.one_of(&["a", "b", "n.x"]), 7),
            2 => Formula::Bucket(self.one_of(&["a", "b"])),
            3 => Formula::IfMatches(self.filter(), self.one_of(&["a", "n.x"]), 5),
            4 => Formula::Id,
            _ => Formula::Field(self.one_of(&["a", "b", "tags", "n.x", "n"])),
        }
    }

    fn group(&self, ordered: bool) -> Step {
        let keys = match self.below(6) {
            0 => Vec::new(),
            1 => vec![("k", self.formula()), ("l", self.formula())],
            2 => vec![("k", self.formula())],
            _ => vec![("a", Formula::Field("a"))],
        };
        Step::Group(keys, self.summaries(ordered))
    }

    fn summaries(&self, ordered: bool) -> Vec<(&'static str, Summary)> {
        let names = ["r0", "r1", "r2"];
        let of = || self.one_of(&["a", "b", "tags", "n.x"]);
        let kinds = if ordered { 9 } else { 6 };
        let mut summaries: Vec<_> = names[..self.below(4) as usize]
            .iter()
            .map(|name| {
                (
                    *name,
                    match self.below(kinds) {
                        0 => Summary::Count,
                        1 => Summary::Sum("b"),
                        2 => Summary::Average("b"),
                        3 => Summary::Min(of()),
                        4 => Summary::Max(of()),
                        5 => Summary::AddToSet(of()),
                        6 => Summary::First(of()),
                        7 => Summary::Last(of()),
                        _ => Summary::Push(of()),
                    },
                )
            })
            .collect();
        summaries.push(("count", Summary::Count));
        if self.below(2) == 0 {
            summaries.drain(..summaries.len() - 1);
        }
        summaries
    }

    fn sort(&self) -> Step {
        let keys = ["a", "b", "count", "tags", "c"];
        Step::Sort((0..=self.below(2)).map(|_| (self.one_of(&keys), self.below(2) == 0)).collect())
    }

    /// A stage whose outcome has a defined order if its input has one.
    fn step(&self, facets: bool) -> Step {
        match self.below(if facets { 14 } else { 13 }) {
            0 => Step::Filter(self.filter()),
            1 => Step::Set("c", self.formula()),
            2 => Step::Unset(self.one_of(&["a", "n", "tags"])),
            3 => Step::Include(vec!["b", self.one_of(&["a", "count"]), "tags"]),
            4 | 5 => Step::Unwind { field: "tags", keep_empty: self.below(2) == 0, index: self.below(2) == 0 },
            6 => self.group(true),
            7 => self.sort(),
            8 => Step::Skip(self.below(6) as usize),
            9 => Step::Limit(1 + self.below(20) as usize),
            10 => Step::SortWithoutCase(self.one_of(&["a", "k", "c"])),
            11 => Step::BucketAuto(self.formula(), 1 + self.below(6) as usize, self.summaries(true)),
            12 => Step::Lookup(self.one_of(&["a", "b", "tags"]), self.one_of(&[None, Some("key"), Some("other")])),
            _ => Step::Facet(vec![("f", self.steps(2, false)), ("g", self.steps(2, false))]),
        }
    }

    fn steps(&self, most: u64, facets: bool) -> Vec<Step> {
        (0..self.below(most + 1)).map(|_| self.step(facets)).collect()
    }

    /// A pipeline whose rows have one order, whatever the plan.
    fn pipeline(&self) -> Vec<Step> {
        let mut steps: Vec<_> = (0..self.below(2)).map(|_| Step::Filter(self.filter())).collect();
        if self.below(4) == 0 {
            steps.push(Step::SortWithoutCase(self.one_of(&["a", "b"])));
        } else if self.below(2) == 0 {
            steps.push(self.sort());
        } else {
            for _ in 0..self.below(2) {
                steps.push(Step::Unwind { field: "tags", keep_empty: self.below(2) == 0, index: false });
            }
            steps.push(self.group(false));
        }
        steps.extend(self.steps(4, true));
        steps
    }
}

fn expression(formula: &Formula) -> Expression {
    match formula {
        Formula::Field(text) => path(*text),
        // What is no number is left alone by the model, and refused by the real one.
        Formula::Plus(text, by) => {
            if_else(field(*text).exists(true).and(!field(*text).ge(f64::NAN)), literal(()), path(*text) + *by)
        }
        Formula::Or(text, default) => path(*text).or(*default),
        Formula::Bucket(text) => bucket(*text, [0, 3, 6]),
        Formula::IfMatches(filter, text, otherwise) => if_else(filter.clone(), *text, *otherwise),
        Formula::Id => document_id(),
    }
}

fn aggregate((name, summary): &(&'static str, Summary)) -> Aggregate {
    match summary {
        Summary::Count => count(),
        Summary::Sum(of) => sum(*of),
        Summary::Average(of) => avg(*of),
        Summary::Min(of) => min(*of),
        Summary::Max(of) => max(*of),
        Summary::First(of) => first(*of),
        Summary::Last(of) => last(*of),
        Summary::Push(of) => push(*of),
        Summary::AddToSet(of) => add_to_set(*of),
    }
    .named(*name)
}

fn with_step<S>(pipeline: Pipeline<S>, step: &Step) -> Pipeline<S> {
    match step {
        Step::Filter(filter) => pipeline.filter(filter.clone()),
        Step::Set(name, formula) => pipeline.set(*name, expression(formula)),
        Step::Unset(name) => pipeline.unset([*name]),
        Step::Include(names) => pipeline.project(names.clone()),
        Step::Unwind { field, keep_empty, index } => {
            let mut unwind = Unwind::path(*field);
            if *keep_empty {
                unwind = unwind.keep_empty();
            }
            pipeline.unwind(if *index { unwind.index("position") } else { unwind })
        }
        Step::Group(keys, summaries) if keys.is_empty() => pipeline.aggregate(summaries.iter().map(aggregate)),
        Step::Group(keys, summaries) => {
            let keys: Vec<GroupKey> = keys.iter().map(|(name, formula)| by(expression(formula)).named(*name)).collect();
            pipeline.group(keys, summaries.iter().map(aggregate))
        }
        Step::Sort(keys) => pipeline
            .sort(keys.iter().map(|(of, descends)| if *descends { desc(*of) } else { asc(*of) }).collect::<Vec<_>>()),
        Step::SortWithoutCase(of) => pipeline.sort(asc(*of).collation(Collation::new().ignore_case())),
        Step::BucketAuto(of, buckets, summaries) => {
            pipeline.bucket_auto(expression(of), *buckets, summaries.iter().map(aggregate))
        }
        Step::Skip(rows) => pipeline.skip(*rows),
        Step::Limit(rows) => pipeline.limit(*rows),
        Step::Lookup(local, foreign) => pipeline.lookup(match foreign {
            Some(foreign) => Lookup::from("others").on(*local, *foreign).named("joined"),
            None => Lookup::from("others").by_id(*local).named("joined"),
        }),
        Step::Facet(branches) => {
            pipeline.facet(branches.iter().map(|(name, steps)| (*name, steps.iter().fold(stages(), with_step))))
        }
    }
}

type Documents = Vec<(DocumentId, Document)>;

fn put_all(collection: &Collection<Document>, documents: &Documents) {
    collection.bulk().insert_with_ids(documents.iter().cloned()).unwrap();
}

fn check(what: &str, things: &Collection<Document>, documents: &Documents, others: &Documents, steps: &[Step]) {
    let rows =
        documents.iter().map(|(id, document)| Row { id: Some(id.clone()), document: document.clone() }).collect();
    let expected: Vec<_> = run(steps, rows, others).into_iter().map(|row| row.document).collect();
    let pipeline = steps.iter().fold(things.pipeline(), with_step);
    let found = pipeline.run().unwrap_or_else(|error| panic!("{what}: {error}\n{steps:#?}"));
    let explain = pipeline.explain().unwrap();
    assert_eq!(found, expected, "{what}\n{steps:#?}\n{explain}");
    assert_eq!(explain.rows, expected.len() as u64, "{what}: {explain}");
}

#[test]
fn every_way_of_running_a_pipeline_gives_the_rows_of_the_naive_one() {
    for seed in [11, 12, 13] {
        let random = Random(SeededEntropy::new(seed));
        let db = Database::in_memory().unwrap();
        let things = db.collection::<Document>("things").unwrap();
        let other_things = db.collection::<Document>("others").unwrap();
        things.set_history(History::Forever).unwrap();
        other_things.set_history(History::Forever).unwrap();
        let documents: Documents = (0..50_i64).map(|id| (id.into(), random.document())).collect();
        let foreign = || Document::new().with("key", random.scalar()).with("other", random.number());
        let others: Documents = (0..6_i64).map(|id| (id.into(), foreign())).collect();
        put_all(&things, &documents);
        put_all(&other_things, &others);
        let before = db.snapshot().unwrap().read_ts();
        let indexes = [
            vec![],
            vec![Index::on("a"), Index::on("tags")],
            vec![Index::on_desc("b").then("a").named("ba"), Index::on_desc("a").named("down"), Index::on("n.x")],
        ];
        for (round, some) in indexes.into_iter().enumerate() {
            for index in some {
                things.ensure_index(index).unwrap();
            }
            if round > 0 {
                other_things.ensure_index(Index::on("key")).unwrap();
            }
            for case in 0..250 {
                let steps = random.pipeline();
                let what = format!("seed {seed}, round {round}, case {case}");
                check(&what, &things, &documents, &others, &steps);
                if case % 10 == 0 {
                    check_elsewhere(&what, &db, &random, before, &documents, &others, &steps);
                }
            }
        }
    }
}

/// In a transaction with writes of its own, in a snapshot, and in the past.
fn check_elsewhere(
    what: &str,
    db: &Database,
    random: &Random,
    before: blaze::Timestamp,
    documents: &Documents,
    others: &Documents,
    steps: &[Step],
) {
    let snapshot = db.snapshot().unwrap();
    check(&format!("{what}, snapshot"), &snapshot.collection("things").unwrap(), documents, others, steps);
    let past = db.as_of(before).unwrap();
    check(&format!("{what}, past"), &past.collection("things").unwrap(), documents, others, steps);

    let tx = db.begin().unwrap();
    let (things, mut changed) = (tx.collection::<Document>("things").unwrap(), documents.clone());
    for _ in 0..5 {
        let (at, document) = (random.below(50) as usize, random.document());
        things.put(at as i64, &document).unwrap();
        changed[at].1 = document;
    }
    let removed = random.below(50) as usize;
    things.delete(removed as i64).unwrap();
    changed.remove(removed);
    check(&format!("{what}, transaction"), &things, &changed, others, steps);
}
