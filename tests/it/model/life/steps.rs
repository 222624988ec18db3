//! What happens in a life, and how it is drawn.

use blaze::{Copies, Document, Index, Value, Vector, field};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index as Which, select};

use super::changes::Change;

/// Indexes of every kind, each in two forms.
pub(super) const KINDS: u8 = 6;
/// The kind that is unique.
pub(super) const UNIQUE: u8 = 1;
/// Words that notes are made of; no analyzer changes one of them.
pub(super) const WORDS: [&str; 5] = ["ocean", "river", "stone", "cloud", "tower"];

#[derive(Clone, Debug)]
pub(super) enum Step {
    Do(Change),
    /// Operations in a transaction, which is committed or not.
    Transaction(Vec<InTransaction>, bool),
    Build(u8, u8),
    Replace(u8, u8),
    Drop(u8),
    Load(u8),
    Hold,
    ReadHeld(Which),
    Past(Which),
    Follow(Which),
    Advance(u16),
    Settle,
    Compact,
    Retain,
    Reopen,
    Kill,
    Compare,
}

#[derive(Clone, Debug)]
pub(super) enum InTransaction {
    Do(Change),
    Save,
    Back(Which),
    Compare,
}

/// The index of a kind in a form, with its name.
pub(super) fn index(kind: u8, form: u8) -> (String, Index) {
    let (name, index) = match (kind, form) {
        (0, 0) => ("place", Index::on("n").then_desc("city")),
        (0, _) => ("place", Index::on_desc("city").then("n")),
        (1, 0) => ("code", Index::on("code").unique()),
        (1, _) => ("code", Index::on_desc("code").unique()),
        (2, 0) => ("tags", Index::on("tags")),
        (2, _) => ("tags", Index::on("tags").then("n")),
        (3, 0) => ("some", Index::on("n").only(field("city").exists(true))),
        (3, _) => ("some", Index::on("n").only(field("n").ge(0))),
        (4, 0) => ("text", Index::text(["title", "body"])),
        (4, _) => ("text", Index::text(["title", "body"]).field_boost("title", 3.0)),
        (_, 0) => ("near", Index::vector("at", 2)),
        (_, _) => ("near", Index::vector("at", 2).copies(Copies::F16)),
    };
    (name.to_owned(), index.named(name))
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    vec(step(), 1..40)
}

fn step() -> impl Strategy<Value = Step> {
    let form = || (0..KINDS, 0..2_u8);
    prop_oneof![
        30 => change().prop_map(Step::Do),
        10 => (vec(in_transaction(), 1..8), prop::bool::weighted(0.8))
            .prop_map(|(inside, commits)| Step::Transaction(inside, commits)),
        8 => form().prop_map(|(kind, form)| Step::Build(kind, form)),
        3 => form().prop_map(|(kind, form)| Step::Replace(kind, form)),
        3 => (0..KINDS).prop_map(Step::Drop),
        2 => (0..20_u8).prop_map(Step::Load),
        3 => Just(Step::Hold),
        4 => any::<Which>().prop_map(Step::ReadHeld),
        5 => any::<Which>().prop_map(Step::Past),
        4 => any::<Which>().prop_map(Step::Follow),
        3 => any::<u16>().prop_map(Step::Advance),
        2 => Just(Step::Settle),
        1 => Just(Step::Compact),
        2 => Just(Step::Retain),
        2 => Just(Step::Reopen),
        3 => Just(Step::Kill),
        3 => Just(Step::Compare),
    ]
}

fn in_transaction() -> impl Strategy<Value = InTransaction> {
    prop_oneof![
        8 => change().prop_map(InTransaction::Do),
        2 => Just(InTransaction::Save),
        2 => any::<Which>().prop_map(InTransaction::Back),
        1 => Just(InTransaction::Compare),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    let (id, key) = (|| 0..12_u8, || 0..6_u8);
    prop_oneof![
        10 => (id(), document()).prop_map(|(id, document)| Change::Put(id, document)),
        6 => (id(), document()).prop_map(|(id, document)| Change::Insert(id, document)),
        8 => (id(), value()).prop_map(|(id, (field, value))| Change::Set(id, field, value)),
        2 => id().prop_map(Change::Count),
        4 => id().prop_map(Change::Delete),
        1 => id().prop_map(Change::DeleteWith),
        4 => (id(), key(), 0..4_i64).prop_map(|(parent, id, n)| Change::Comment(parent, id, n)),
        1 => (id(), key()).prop_map(|(parent, id)| Change::DeleteComment(parent, id)),
        4 => (key(), any::<u8>()).prop_map(|(key, value)| Change::PutPair(key, value)),
        1 => key().prop_map(Change::DeletePair),
        1 => (key(), key()).prop_map(|(one, other)| Change::DeletePairs(one.min(other), one.max(other))),
        3 => (key(), -3..4_i64).prop_map(|(key, delta)| Change::Add(key, delta)),
        3 => (key(), any::<u8>(), option::weighted(0.8, 1..50_000_u16))
            .prop_map(|(key, value, ms)| Change::Session(key, value, ms)),
        1 => key().prop_map(Change::EndSession),
        2 => (key(), file()).prop_map(|(key, bytes)| Change::PutFile(key, bytes)),
        1 => key().prop_map(Change::DeleteFile),
    ]
}

/// Objects of a chunk, and of several.
fn file() -> impl Strategy<Value = Vec<u8>> {
    (prop_oneof![4 => 0..2_000_usize, 1 => 100_000..300_000_usize], any::<u8>())
        .prop_map(|(length, seed)| (0..length).map(|at| (at / 251 + at * 7) as u8 ^ seed).collect())
}

fn words() -> impl Strategy<Value = String> {
    vec(select(WORDS.to_vec()), 0..5).prop_map(|words| words.join(" "))
}

/// A field with a value that it may have.
fn value() -> impl Strategy<Value = (&'static str, Value)> {
    prop_oneof![
        3 => (0..5_i64).prop_map(|n| ("n", n.into())),
        2 => select(vec!["Oslo", "Lima"]).prop_map(|city| ("city", city.into())),
        2 => (0..40_i64).prop_map(|code| ("code", code.into())),
        2 => vec(select(vec!["red", "green", "blue"]), 0..3).prop_map(|tags| ("tags", tags.into_iter().collect())),
        2 => words().prop_map(|title| ("title", title.into())),
        3 => words().prop_map(|body| ("body", body.into())),
        3 => (-3..4_i8, -3..4_i8).prop_filter("a direction", |at| *at != (0, 0))
            .prop_map(|(x, y)| ("at", Vector::F32(vec![f32::from(x), f32::from(y)]).into())),
    ]
}

fn document() -> impl Strategy<Value = Document> {
    vec(value(), 0..7).prop_map(|fields| {
        let mut document = Document::new();
        fields.into_iter().for_each(|(field, value)| drop(document.insert(field, value)));
        document
    })
}
