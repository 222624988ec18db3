//! The operations of the model test, and how they are drawn: few names, keys and values, so that many of them meet.

use std::ops::Bound;

use blaze::{Decimal, Document, DocumentId, Filter, Index, Metric, Predicate, Sort, Update, Value, Vector};
use blaze::{inc, set, unset};
use blaze_core::filter::{TypeName, element, field};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// A range of keys.
pub(super) type Keys = (Bound<Vec<u8>>, Bound<Vec<u8>>);

/// What can be asked of a collection.
#[derive(Clone, Debug)]
pub(super) enum OnCollection {
    Insert(DocumentId, Document),
    InsertMany(Vec<Document>),
    Put(DocumentId, Document),
    Replace(DocumentId, Document),
    Update(DocumentId, Update),
    Upsert(DocumentId, Update),
    UpdateMany(Filter, Update),
    DeleteMany(Filter),
    /// The first of those that match, in the order of `a` and the id.
    DeleteFirst(Filter),
    Delete(DocumentId),
    Get(DocumentId),
    GetMany(Vec<DocumentId>),
    Contains(DocumentId),
    Count,
    EnsureIndex(Box<(Index, IndexSpec)>),
    DropIndex(&'static str),
    Indexes,
    Find(Find),
    Search(Search),
}

/// What an index is on, as the model needs it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct IndexSpec {
    pub(super) name: String,
    /// Tells apart what is indexed, whatever the name.
    pub(super) on: String,
    pub(super) vector: Option<(&'static str, usize, Metric)>,
    /// The fields of a unique index.
    pub(super) unique: Option<Vec<&'static str>>,
    pub(super) only: Option<Filter>,
}

/// A query with everything that changes its answer.
#[derive(Clone, Debug)]
pub(super) struct Find {
    pub(super) filter: Filter,
    pub(super) sort: Vec<(&'static str, bool)>,
    pub(super) skip: usize,
    pub(super) limit: Option<usize>,
}

impl Find {
    pub(super) fn sort_keys(&self) -> Vec<Sort> {
        let key = |(path, descending): &(&'static str, bool)| match descending {
            true => blaze::desc(*path),
            false => blaze::asc(*path),
        };
        self.sort.iter().map(key).collect()
    }
}

/// A search by similarity.
#[derive(Clone, Debug)]
pub(super) struct Search {
    pub(super) path: &'static str,
    pub(super) vector: Vec<f32>,
    pub(super) filter: Filter,
    pub(super) limit: usize,
    pub(super) within: Option<f32>,
}

/// What can be asked of a keyspace.
#[derive(Clone, Debug)]
pub(super) enum OnKeyspace {
    Put(Vec<u8>, Vec<u8>),
    Delete(Vec<u8>),
    DeleteRange(Keys),
    Get(Vec<u8>),
    Range(Keys),
    RangeReverse(Keys),
    Prefix(Vec<u8>),
    Count,
}

/// What works on the database, in a transaction and in a snapshot.
#[derive(Clone, Debug)]
pub(super) enum Operation {
    /// `stale`: through a handle from before, which does not create the collection.
    Collection {
        name: &'static str,
        stale: bool,
        on: OnCollection,
    },
    Keyspace {
        name: &'static str,
        on: OnKeyspace,
    },
}

/// One step of a run.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Do(Operation),
    DropCollection(&'static str),
    DropKeyspace(&'static str),
    Names,
    /// Operations in a transaction; before those of `meanwhile`, the others of `inside` have been done.
    Transaction {
        inside: Vec<Operation>,
        meanwhile: Vec<Operation>,
        after: Vec<Operation>,
        end: End,
    },
    Snapshot,
    ReadSnapshot(usize, Operation),
    ForgetSnapshot(usize),
    AdvanceClock(u64),
    /// Iterators that are kept until the database closes.
    Leak(Operation),
    Reopen {
        explicit: bool,
    },
    CompareAll,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum End {
    Commit,
    Rollback,
    Drop,
}

pub(super) const PATHS: [&str; 10] =
    ["a", "b", "c", "c.d", "tags", "tags.0", "items", "items.k", "items.n", "items.0.k"];

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    (vec(step(), 1..30), any::<prop::sample::Index>(), vec(populated(), 0..6)).prop_map(|(mut steps, at, beginning)| {
        let films = |on| Step::Do(Operation::Collection { name: "films", stale: false, on });
        let at = at.index(steps.len().min(4));
        steps.splice(at..at, beginning.into_iter().flatten().map(films));
        steps
    })
}

/// An index and documents, so that queries meet something.
fn populated() -> impl Strategy<Value = Vec<OnCollection>> {
    (index(), vec((id(), document()), 1..6)).prop_map(|((index, spec), documents)| {
        let index = OnCollection::EnsureIndex(Box::new((index, spec)));
        let puts = documents.into_iter().map(|(id, document)| OnCollection::Put(id, document));
        std::iter::once(index).chain(puts).collect()
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        40 => operation().prop_map(Step::Do),
        1 => collection_name().prop_map(Step::DropCollection),
        1 => keyspace_name().prop_map(Step::DropKeyspace),
        1 => Just(Step::Names),
        10 => (vec(operation(), 0..7), vec(operation(), 0..3), vec(operation(), 0..3), select(vec![0, 0, 0, 1, 2]), any::<bool>())
            .prop_map(|(inside, meanwhile, after, end, alone)| Step::Transaction {
                inside,
                meanwhile: if alone { Vec::new() } else { meanwhile },
                after,
                end: [End::Commit, End::Rollback, End::Drop][end],
            }),
        3 => Just(Step::Snapshot),
        8 => (0..4_usize, operation()).prop_map(|(which, operation)| Step::ReadSnapshot(which, operation)),
        1 => (0..4_usize).prop_map(Step::ForgetSnapshot),
        2 => (0..2_000_u64).prop_map(Step::AdvanceClock),
        2 => operation().prop_map(Step::Leak),
        2 => any::<bool>().prop_map(|explicit| Step::Reopen { explicit }),
        1 => Just(Step::CompareAll),
    ]
}

pub(super) fn operation() -> impl Strategy<Value = Operation> {
    let on_collection = (collection_name(), prop::bool::weighted(0.2), on_collection())
        .prop_map(|(name, stale, on)| Operation::Collection { name, stale, on });
    let on_keyspace = (keyspace_name(), on_keyspace()).prop_map(|(name, on)| Operation::Keyspace { name, on });
    prop_oneof![4 => on_collection, 1 => on_keyspace]
}

fn collection_name() -> impl Strategy<Value = &'static str> {
    prop_oneof![20 => Just("films"), 8 => Just("people"), 1 => Just("either")]
}

fn keyspace_name() -> impl Strategy<Value = &'static str> {
    prop_oneof![10 => Just("settings"), 1 => Just("either")]
}

fn on_collection() -> impl Strategy<Value = OnCollection> {
    prop_oneof![
        12 => (id(), document()).prop_map(|(id, document)| OnCollection::Insert(id, document)),
        3 => vec(document(), 0..4).prop_map(OnCollection::InsertMany),
        8 => (id(), document()).prop_map(|(id, document)| OnCollection::Put(id, document)),
        4 => (id(), document()).prop_map(|(id, document)| OnCollection::Replace(id, document)),
        8 => (id(), update()).prop_map(|(id, update)| OnCollection::Update(id, update)),
        4 => (id(), update()).prop_map(|(id, update)| OnCollection::Upsert(id, update)),
        6 => (filter(), update()).prop_map(|(filter, update)| OnCollection::UpdateMany(filter, update)),
        1 => filter().prop_map(OnCollection::DeleteMany),
        2 => filter().prop_map(OnCollection::DeleteFirst),
        5 => id().prop_map(OnCollection::Delete),
        1 => id().prop_map(OnCollection::Get),
        1 => vec(id(), 0..4).prop_map(OnCollection::GetMany),
        1 => id().prop_map(OnCollection::Contains),
        1 => Just(OnCollection::Count),
        9 => index().prop_map(|(index, spec)| OnCollection::EnsureIndex(Box::new((index, spec)))),
        1 => select(vec!["a", "x", "tags", "v", "a_b_desc", "items.k_items.n", "unique", "only a"]).prop_map(OnCollection::DropIndex),
        1 => Just(OnCollection::Indexes),
        20 => find().prop_map(OnCollection::Find),
        8 => search().prop_map(OnCollection::Search),
    ]
}

fn on_keyspace() -> impl Strategy<Value = OnKeyspace> {
    prop_oneof![
        8 => (key(), value_bytes()).prop_map(|(key, value)| OnKeyspace::Put(key, value)),
        2 => key().prop_map(OnKeyspace::Delete),
        2 => keys().prop_map(OnKeyspace::DeleteRange),
        1 => key().prop_map(OnKeyspace::Get),
        2 => keys().prop_map(OnKeyspace::Range),
        2 => keys().prop_map(OnKeyspace::RangeReverse),
        2 => key().prop_map(OnKeyspace::Prefix),
        1 => Just(OnKeyspace::Count),
    ]
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    let hard: [&[u8]; 10] = [b"", b"a", b"a\0", b"aa", b"ab", b"b", b"\xFE\xFF", b"\xFF", b"\xFF\xFF", b"\0"];
    select(hard.map(<[u8]>::to_vec).to_vec())
}

fn keys() -> impl Strategy<Value = Keys> {
    let bound = || {
        (key(), 0..3).prop_map(|(key, kind)| match kind {
            0 => Bound::Included(key),
            1 => Bound::Excluded(key),
            _ => Bound::Unbounded,
        })
    };
    (bound(), bound())
}

fn value_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![6 => vec(any::<u8>(), 0..3), 1 => any::<u8>().prop_map(|byte| vec![byte; 5_000])]
}

fn id() -> impl Strategy<Value = DocumentId> {
    let ids = [
        DocumentId::from(1),
        2.into(),
        (-1).into(),
        u64::MAX.into(),
        "1".into(),
        "a".into(),
        "a\0".into(),
        "b".into(),
        vec![1_u8].into(),
        vec![0xFF_u8, 0].into(),
    ];
    select(ids.to_vec())
}

pub(super) fn scalar() -> impl Strategy<Value = Value> + Clone {
    let hard = [
        Value::from(0.5),
        Value::from(1.0),
        Value::from(2.0),
        Value::from(-0.0),
        Value::from(f64::NAN),
        Value::from(f64::INFINITY),
        Value::from(u64::MAX),
        Value::from((1_i64 << 53) + 1),
        Value::from(Decimal::new(false, 100, 2)),
        Value::from(vec![1_u8]),
        Value::from(""),
        Value::from("a\0b"),
    ];
    prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        5 => (-1..4_i64).prop_map(Value::from),
        3 => select(hard.to_vec()),
        3 => "[ab]{1,2}".prop_map(Value::from),
    ]
}

/// One of so few values that documents and filters agree on it.
fn common() -> impl Strategy<Value = Value> + Clone {
    select(vec![Value::from(0), Value::from(1), Value::from(1.0), Value::from(2), Value::from("a"), Value::from("b")])
}

fn value() -> impl Strategy<Value = Value> + Clone {
    let nested = scalar().prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            2 => vec(inner.clone(), 0..3).prop_map(Value::Array),
            1 => vec((select(vec!["d", "k", "0"]), inner), 0..3)
                .prop_map(|entries| Value::Map(entries.into_iter().collect())),
        ]
    });
    prop_oneof![4 => common(), 2 => scalar(), 1 => nested]
}

fn tags() -> impl Strategy<Value = Value> {
    vec("[ab]{1,2}", 0..3).prop_map(Value::from)
}

fn items() -> impl Strategy<Value = Value> {
    let item = (option::of(scalar()), option::weighted(0.7, value())).prop_map(|(k, n)| {
        let mut item = Document::new();
        k.map(|k| item.insert("k", k));
        n.map(|n| item.insert("n", n));
        Value::Map(item)
    });
    vec(prop_oneof![6 => item, 1 => value()], 0..3).prop_map(Value::Array)
}

fn vector_value() -> impl Strategy<Value = Value> {
    let numbers = || vec(-2..3_i8, 2);
    prop_oneof![
        20 => numbers().prop_map(|numbers| Vector::F32(numbers.into_iter().map(f32::from).collect()).into()),
        2 => numbers().prop_map(|numbers| numbers.into_iter().map(|number| Value::from(i64::from(number))).collect()),
        1 => numbers().prop_map(|numbers| Vector::I8(numbers).into()),
        1 => numbers().prop_map(|numbers| numbers.into_iter().map(|number| Value::from(f64::from(number))).collect()),
        1 => prop_oneof![4 => Just(Value::Null), 1 => Just(Value::from("a")), 1 => Just(Value::from([1.0_f32, 2.0, 3.0])),
            1 => Just(Value::from([f32::NAN, 1.0])), 1 => Just(Value::from(Vector::Bits(vec![1])))],
    ]
}

fn document() -> impl Strategy<Value = Document> {
    (
        option::weighted(0.8, value()),
        option::weighted(0.6, value()),
        option::weighted(
            0.4,
            prop_oneof![2 => scalar().prop_map(|d| Document::new().with("d", d).into()), 1 => value()],
        ),
        option::weighted(0.4, prop_oneof![5 => tags(), 1 => value()]),
        option::weighted(0.4, prop_oneof![5 => items(), 1 => value()]),
        option::weighted(0.5, vector_value()),
        prop::bool::weighted(0.03),
        any::<bool>(),
    )
        .prop_map(|(a, b, c, tags, items, v, long, reverse)| {
            let long = long.then(|| Value::from("long ".repeat(1_000)));
            let fields = [("a", a), ("b", b), ("c", c), ("tags", tags), ("items", items), ("v", v), ("long", long)];
            let fields = fields.into_iter().filter_map(|(key, value)| Some((key, value?)));
            let fields: Vec<_> = if reverse { fields.rev().collect() } else { fields.collect() };
            fields.into_iter().collect()
        })
}

fn update() -> impl Strategy<Value = Update> {
    let path = || select(vec!["a", "b", "c", "c.d", "tags.0", "tags.2", "items.0.k", "items.1", "v", "new"]);
    let change = prop_oneof![
        4 => (path(), value()).prop_map(|(path, value)| set(path, value)),
        2 => path().prop_map(unset),
        2 => (path(), scalar()).prop_map(|(path, number)| inc(path, number)),
        1 => vector_value().prop_map(|vector| set("v", vector)),
    ];
    vec(change, 1..3).prop_map(|changes| changes.into_iter().reduce(Update::and).unwrap_or_default())
}

fn index() -> impl Strategy<Value = (Index, IndexSpec)> {
    let fields = |index: Index, name: &str, on: &str| {
        (index, IndexSpec { name: name.to_owned(), on: on.to_owned(), vector: None, unique: None, only: None })
    };
    let vector = |name: Option<&str>, path: &'static str, dimension: usize, metric: Metric| {
        let index = Index::vector(path, dimension).metric(metric);
        let index = name.map_or(index.clone(), |name| index.named(name));
        let spec = IndexSpec {
            name: name.unwrap_or(path).to_owned(),
            on: format!("{path} {dimension} {metric}"),
            vector: Some((path, dimension, metric)),
            unique: None,
            only: None,
        };
        (index, spec)
    };
    let unique = |(index, spec): (Index, IndexSpec), name: &str, paths: &[&'static str]| {
        let (name, on) = (name.to_owned(), format!("{}, unique", spec.on));
        (index.unique().named(name.clone()), IndexSpec { name, on, unique: Some(paths.to_vec()), ..spec })
    };
    let only = |(index, spec): (Index, IndexSpec), name: &str, filter: Filter| {
        let (name, on) = (name.to_owned(), format!("{}, only {filter}", spec.on));
        (index.only(filter.clone()).named(name.clone()), IndexSpec { name, on, only: Some(filter), ..spec })
    };
    select(vec![
        fields(Index::on("a"), "a", "a"),
        fields(Index::on("a").named("x"), "x", "a"),
        fields(Index::on("b").named("x"), "x", "b"),
        fields(Index::on_desc("a"), "a_desc", "a desc"),
        fields(Index::on("a").then_desc("b"), "a_b_desc", "a, b desc"),
        fields(Index::on_desc("b").then("a"), "b_desc_a", "b desc, a"),
        fields(Index::on("a").then("b").then("c.d"), "a_b_c.d", "a, b, c.d"),
        fields(Index::on("c.d"), "c.d", "c.d"),
        fields(Index::on("tags"), "tags", "tags"),
        fields(Index::on_desc("tags").then("a"), "tags_desc_a", "tags desc, a"),
        fields(Index::on("items.k").then("items.n"), "items.k_items.n", "items.k, items.n"),
        fields(Index::on_desc("items.n"), "items.n_desc", "items.n desc"),
        fields(Index::on("items.0.k"), "items.0.k", "items.0.k"),
        fields(Index::on("long").then("a"), "long_a", "long, a"),
        unique(fields(Index::on("a").then("b"), "", "a, b"), "unique", &["a", "b"]),
        unique(fields(Index::on_desc("items.n"), "", "items.n desc"), "unique items", &["items.n"]),
        unique(fields(Index::on("tags").then("a"), "", "tags, a"), "unique tags", &["tags", "a"]),
        only(fields(Index::on("a"), "", "a"), "only b", field("b").exists(true)),
        only(fields(Index::on_desc("b").then("a"), "", "b desc, a"), "only a", field("a").ge(0)),
        only(unique(fields(Index::on("a"), "", "a"), "", &["a"]), "only unique", field("b").is_in([0, 1])),
        vector(None, "v", 2, Metric::L2),
        vector(None, "v", 2, Metric::L2),
        vector(None, "v", 2, Metric::L2),
        vector(Some("cosine"), "v", 2, Metric::Cosine),
        vector(Some("dot"), "v", 2, Metric::Dot),
        vector(Some("dot"), "v", 3, Metric::Dot),
    ])
}

fn path() -> impl Strategy<Value = &'static str> {
    prop_oneof![3 => Just("a"), 3 => select(PATHS.to_vec())]
}

fn predicate() -> impl Strategy<Value = Predicate> {
    prop_oneof![
        6 => value().prop_map(Predicate::Eq),
        1 => value().prop_map(Predicate::Ne),
        2 => value().prop_map(Predicate::Lt),
        2 => value().prop_map(Predicate::Le),
        2 => value().prop_map(Predicate::Gt),
        2 => value().prop_map(Predicate::Ge),
        2 => (scalar(), scalar()).prop_map(|(low, high)| Predicate::Between(low, high)),
        2 => vec(value(), 0..3).prop_map(Predicate::In),
        1 => vec(value(), 0..3).prop_map(Predicate::Nin),
        2 => any::<bool>().prop_map(Predicate::Exists),
        1 => select(TypeName::ALL.to_vec()).prop_map(Predicate::Type),
        1 => "[ab]{0,2}".prop_map(Predicate::StartsWith),
        1 => "[ab%_]{0,3}".prop_map(|like| Predicate::Like(like.into())),
        3 => value().prop_map(Predicate::Contains),
        1 => vec(scalar(), 0..3).prop_map(Predicate::All),
        1 => (0..3_usize).prop_map(Predicate::Size),
        1 => scalar().prop_map(|value| Predicate::ElemMatch(Box::new(element().ge(value)))),
        1 => scalar().prop_map(|value| Predicate::ElemMatch(Box::new(field("k").eq(value)))),
    ]
}

fn term() -> impl Strategy<Value = Filter> {
    let accepts_most = prop_oneof![
        Just(Predicate::Exists(true)),
        select(vec![Value::from(0), Value::from(1), Value::from("a")]).prop_map(Predicate::Ge),
        select(vec![Value::from(2), Value::from("b")]).prop_map(Predicate::Le),
        Just(Predicate::In(vec![Value::from(0), Value::from(1), Value::from(2), Value::from("a")])),
    ];
    let predicate = prop_oneof![3 => predicate(), 2 => accepts_most];
    (path(), predicate).prop_map(|(path, predicate)| Filter::Field(path.into(), predicate))
}

pub(super) fn filter() -> impl Strategy<Value = Filter> {
    prop_oneof![
        2 => Just(Filter::everything()),
        8 => term(),
        5 => vec(term(), 2..4).prop_map(Filter::And),
        1 => vec(term(), 0..3).prop_map(Filter::Or),
        1 => term().prop_map(|term| !term),
        1 => (term(), vec(term(), 0..3)).prop_map(|(term, either)| Filter::And(vec![term, Filter::Or(either)])),
        1 => vec(term(), 1..3).prop_map(|terms| Filter::And(vec![Filter::And(terms)])),
    ]
}

fn find() -> impl Strategy<Value = Find> {
    let sort = prop_oneof![
        4 => vec((path(), any::<bool>()), 0..3),
        1 => select(vec![
            vec![("a", false), ("b", true)],
            vec![("a", true), ("b", false)],
            vec![("b", true), ("a", false)],
            vec![("items.k", false), ("items.n", false)],
        ]),
    ];
    (filter(), sort, prop_oneof![2 => Just(0), 1 => 0..4_usize], option::of(0..6_usize))
        .prop_map(|(filter, sort, skip, limit)| Find { filter, sort, skip, limit })
}

fn search() -> impl Strategy<Value = Search> {
    let number = || (-2..3_i8).prop_map(f32::from);
    let vector = prop_oneof![20 => vec(number(), 2), 1 => vec(number(), 3)];
    let path = prop_oneof![20 => Just("v"), 1 => Just("a")];
    let filter = prop_oneof![1 => Just(Filter::everything()), 2 => filter()];
    let within = option::weighted(0.3, select(vec![-1.0, 0.0, 1.0, 1.5, 3.0]));
    (path, vector, filter, 0..6_usize, within).prop_map(|(path, vector, filter, limit, within)| Search {
        path,
        vector,
        filter,
        limit,
        within,
    })
}
