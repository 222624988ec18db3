//! Stage: group makes one document of all those that have the same key.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use blaze_core::aggregate::{Accumulation, Accumulator};
use blaze_core::expression::Input;
use blaze_core::key::{self, Order};
use blaze_core::{Document, Error, Expression, Path, Result};

use super::memory::Memory;
use super::needs::Reads;
use super::row::{Context, Flow, Next, Operator, Row};
use super::stage::{joined, validate_distinct, validate_name};

/// Bytes that a group takes in memory besides its key and its accumulations.
const GROUP_BYTES: usize = 64;

/// One key of a [`group`](super::Pipeline::group): an expression and the name that it has in the result. Made by [`by`].
#[derive(Clone, Debug)]
pub struct GroupKey {
    expression: Expression,
    name: Option<String>,
}

/// The keys of a [`group`](super::Pipeline::group): one path or [`GroupKey`], or an array or vector of these.
#[derive(Clone, Debug)]
pub struct GroupKeys(pub(super) Vec<GroupKey>);

/// One result of a [`group`](super::Pipeline::group), made by [`count`], [`sum`], [`avg`] and their like.
#[derive(Clone, Debug)]
pub struct Aggregate {
    accumulator: Accumulator,
    name: Option<String>,
}

/// The documents are grouped by the value of a path or of an expression. In the result a path has the name of its last step;
/// an expression needs [`named`](GroupKey::named).
///
/// ```
/// use blaze::expression::path;
/// use blaze::pipeline::{by, count};
/// use blaze::{Database, Document};
///
/// let db = Database::temporary()?;
/// let films = db.collection::<Document>("films")?;
/// films.insert_many([1972, 1979, 1986].map(|year| Document::new().with("year", year)))?;
/// let rows = films.pipeline().group(by(path("year") - 1970).named("since"), [count()]).limit(1).run()?;
/// assert_eq!(rows, [Document::new().with("since", 2).with("count", 1)]);
/// # Ok::<(), blaze::Error>(())
/// ```
pub fn by(expression: impl Into<Expression>) -> GroupKey {
    GroupKey { expression: expression.into(), name: None }
}

impl GroupKey {
    /// The same key under a name.
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> GroupKey {
        GroupKey { name: Some(name.into()), ..self }
    }
}

macro_rules! keys {
    ($($type:ty),*) => {
        $(
            impl From<$type> for GroupKey {
                fn from(key: $type) -> GroupKey {
                    by(key)
                }
            }

            impl From<$type> for GroupKeys {
                fn from(key: $type) -> GroupKeys {
                    GroupKeys(vec![by(key)])
                }
            }
        )*
    };
}

keys! { &str, String, Path, &Path, Expression }

impl From<GroupKey> for GroupKeys {
    fn from(key: GroupKey) -> GroupKeys {
        GroupKeys(vec![key])
    }
}

impl<K: Into<GroupKey>, const N: usize> From<[K; N]> for GroupKeys {
    fn from(keys: [K; N]) -> GroupKeys {
        GroupKeys(keys.into_iter().map(Into::into).collect())
    }
}

impl<K: Into<GroupKey>> From<Vec<K>> for GroupKeys {
    fn from(keys: Vec<K>) -> GroupKeys {
        GroupKeys(keys.into_iter().map(Into::into).collect())
    }
}

impl Aggregate {
    fn new(accumulator: Accumulator) -> Aggregate {
        Aggregate { accumulator, name: None }
    }

    /// The same result under a name.
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Aggregate {
        Aggregate { name: Some(name.into()), ..self }
    }
}

/// How many documents there are; named `count`.
///
/// ```
/// use blaze::pipeline::{avg, count, max};
/// use blaze::{Database, Document};
///
/// let db = Database::temporary()?;
/// let films = db.collection::<Document>("films")?;
/// films.insert_many([7, 8].map(|rating| Document::new().with("rating", rating)))?;
/// let rows = films.pipeline().aggregate([count(), avg("rating"), max("rating").named("best")]).run()?;
/// assert_eq!(rows, [Document::new().with("count", 2).with("avg_rating", 7.5).with("best", 8)]);
/// # Ok::<(), blaze::Error>(())
/// ```
#[must_use]
pub fn count() -> Aggregate {
    Aggregate::new(Accumulator::Count)
}

macro_rules! accumulators {
    ($($(#[$doc:meta])* $name:ident $accumulator:ident),* $(,)?) => {
        $(
            $(#[$doc])*
            pub fn $name(expression: impl Into<Expression>) -> Aggregate {
                Aggregate::new(Accumulator::$accumulator(expression.into()))
            }
        )*
    };
}

accumulators! {
    /// The sum of numbers; of a path named `sum_` and its last step.
    sum Sum,
    /// The arithmetic mean of numbers; of a path named `avg_` and its last step.
    avg Average,
    /// The smallest value; of a path named `min_` and its last step.
    min Min,
    /// The largest value; of a path named `max_` and its last step.
    max Max,
    /// The value of the first document; of a path named `first_` and its last step.
    first First,
    /// The value of the last document; of a path named `last_` and its last step.
    last Last,
    /// An array of all values; of a path named `push_` and its last step.
    push Push,
    /// An array of all values, equal ones once; of a path named `add_to_set_` and its last step.
    add_to_set AddToSet,
}

/// The stage, with its names settled.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// An empty name stands for one that has to be given.
    keys: Vec<(String, Expression)>,
    aggregates: Vec<(String, Accumulator)>,
}

impl Group {
    pub(super) fn new(keys: GroupKeys, aggregates: impl IntoIterator<Item = Aggregate>) -> Group {
        let key = |key: GroupKey| {
            let name = key.name.unwrap_or_else(|| last_step(&key.expression).unwrap_or_default().to_owned());
            (name, key.expression)
        };
        let aggregate = |Aggregate { accumulator, name }: Aggregate| {
            let default = || match accumulator.expression() {
                None => accumulator.name().to_owned(),
                Some(of) => last_step(of).map_or(String::new(), |step| format!("{}_{step}", accumulator.name())),
            };
            (name.unwrap_or_else(default), accumulator)
        };
        Group {
            keys: keys.0.into_iter().map(key).collect(),
            aggregates: aggregates.into_iter().map(aggregate).collect(),
        }
    }

    pub(super) fn read(&self, reads: &mut Reads) {
        let aggregated = self.aggregates.iter().filter_map(|(_, accumulator)| accumulator.expression());
        for expression in self.keys.iter().map(|(_, expression)| expression).chain(aggregated) {
            expression.visit_paths(&mut |path| reads.path(path));
        }
    }

    /// What is computed.
    pub(super) fn results_in_words(&self) -> String {
        let results = self.aggregates.iter().map(|(name, accumulator)| match accumulator.expression() {
            Some(of) => format!("{name}: {}({of})", accumulator.name()),
            None => format!("{name}: {}", accumulator.name()),
        });
        results.collect::<Vec<_>>().join(", ")
    }

    /// The names of what is computed.
    pub(super) fn result_names(&self) -> impl Iterator<Item = &str> {
        self.aggregates.iter().map(|(name, _)| name.as_str())
    }

    /// What is computed of no rows yet.
    pub(super) fn begin(&self) -> Vec<Accumulation> {
        self.aggregates.iter().map(|(_, accumulator)| accumulator.begin()).collect()
    }

    /// Adds a row to what is computed.
    pub(super) fn accumulate(
        &self,
        input: Input<'_>,
        states: &mut [Accumulation],
        account: &mut Account<'_>,
    ) -> Result<()> {
        for ((name, accumulator), accumulation) in self.aggregates.iter().zip(states) {
            let value: Option<Cow<'_, _>> = match accumulator.expression() {
                Some(expression) => expression.evaluate_in(input).map_err(|error| error.context(name))?,
                None => None,
            };
            account.change(accumulation.add(value).map_err(|error| error.context(name))?)?;
        }
        Ok(())
    }

    /// Puts what was computed into a document.
    pub(super) fn finish_into(&self, document: &mut Document, states: Vec<Accumulation>) -> Result<()> {
        for ((name, _), accumulation) in self.aggregates.iter().zip(states) {
            if let Some(value) = accumulation.finish().map_err(|error| error.context(name))? {
                document.insert(name.as_str(), value);
            }
        }
        Ok(())
    }

    /// The path by which it counts and does nothing else: an index knows the answer.
    pub(super) fn counted_path(&self) -> Option<&Path> {
        let only_counts = self.aggregates.iter().all(|(_, accumulator)| *accumulator == Accumulator::Count);
        match self.keys.as_slice() {
            [(_, Expression::Path(path))] if only_counts => Some(path),
            _ => None,
        }
    }

    pub(super) fn operator(&self, label: String) -> GroupRows {
        GroupRows { label, group: self.clone(), groups: HashMap::new(), states: Vec::new(), key: Vec::new(), held: 0 }
    }
}

/// Where a stage that accumulates accounts for its memory.
pub(super) struct Account<'a> {
    pub(super) label: &'a str,
    pub(super) held: &'a mut usize,
    pub(super) memory: &'a mut Memory,
}

impl Account<'_> {
    fn change(&mut self, bytes: isize) -> Result<()> {
        let changed = bytes.unsigned_abs();
        match bytes {
            0 => {}
            1.. => {
                self.memory.hold(self.label, changed)?;
                *self.held += changed;
            }
            _ => {
                self.memory.release(changed);
                *self.held = self.held.saturating_sub(changed);
            }
        }
        Ok(())
    }
}

fn last_step(expression: &Expression) -> Option<&str> {
    match expression {
        Expression::Path(path) => path.segments().last().map(|segment| segment.key()),
        _ => None,
    }
}

pub(super) fn validate(group: &Group) -> Result<()> {
    let unnamed = |name: &str, what: &dyn fmt::Display| match name.is_empty() {
        true => Err(Error::invalid(format!("\"{what}\" has no name: give it one with named"))),
        false => Ok(()),
    };
    for (name, expression) in &group.keys {
        expression.validate()?;
        unnamed(name, expression)?;
        validate_name(name, "a key")?;
    }
    for (name, accumulator) in &group.aggregates {
        if let Some(expression) = accumulator.expression() {
            expression.validate().map_err(|error| error.context(accumulator.name()))?;
            unnamed(name, &format_args!("{}({expression})", accumulator.name()))?;
        }
        validate_name(name, accumulator.name())?;
    }
    if group.keys.is_empty() && group.aggregates.is_empty() {
        return Err(Error::invalid("there is neither a key nor anything to be computed"));
    }
    let names = group.keys.iter().map(|(name, _)| name).chain(group.aggregates.iter().map(|(name, _)| name));
    validate_distinct(names.map(String::as_str))
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.keys.iter().map(|(_, expression)| expression).collect();
        let aggregates = self.results_in_words();
        match keys.is_empty() {
            true => write!(f, "all rows ({aggregates})"),
            false => write!(f, "by {} ({aggregates})", joined(&keys)),
        }
    }
}

/// The running stage. Groups are found by the encoding of their keys, which is looked up in a buffer that is used again:
/// a row of a known group allocates nothing.
pub(super) struct GroupRows {
    label: String,
    group: Group,
    /// Where in `states` the group of each encoded key is.
    groups: HashMap<Vec<u8>, usize>,
    states: Vec<Vec<Accumulation>>,
    key: Vec<u8>,
    held: usize,
}

impl GroupRows {
    /// Counts so many documents under an encoded key.
    pub(super) fn add_counted(&mut self, key: &[u8], documents: u64, context: &mut Context) -> Result<()> {
        self.key.clear();
        self.key.extend_from_slice(key);
        let at = self.find(context)?;
        self.states[at].iter_mut().for_each(|accumulation| accumulation.add_count(documents));
        Ok(())
    }

    /// Where the group of the key in the buffer is; it is begun if it is new.
    fn find(&mut self, context: &mut Context) -> Result<usize> {
        if let Some(at) = self.groups.get(self.key.as_slice()) {
            return Ok(*at);
        }
        let bytes = GROUP_BYTES + self.key.len() + size_of::<Accumulation>() * self.group.aggregates.len();
        context.memory.hold(&self.label, bytes)?;
        self.held += bytes;
        let at = self.states.len();
        self.states.push(self.group.begin());
        self.groups.insert(self.key.clone(), at);
        Ok(at)
    }

    fn add(&mut self, row: &Row<'_>, context: &mut Context) -> Result<()> {
        self.key.clear();
        for (_, expression) in &self.group.keys {
            expression.write_key(row.input(), &mut self.key)?;
        }
        let at = self.find(context)?;
        let mut account = Account { label: &self.label, held: &mut self.held, memory: &mut context.memory };
        self.group.accumulate(row.input(), &mut self.states[at], &mut account)
    }

    fn document(&self, key: &[u8], accumulations: Vec<Accumulation>) -> Result<Document> {
        let (mut document, mut rest) = (Document::new(), key);
        for (name, _) in &self.group.keys {
            if let Some(value) = key::read_value(&mut rest, Order::Ascending)? {
                document.insert(name.as_str(), value);
            }
        }
        self.group.finish_into(&mut document, accumulations)?;
        Ok(document)
    }
}

impl Operator for GroupRows {
    fn push(&mut self, row: Row<'_>, next: &mut Next<'_>) -> Result<Flow> {
        self.add(&row, next.context).map(|()| Flow::More)
    }

    fn finish(&mut self, next: &mut Next<'_>) -> Result<()> {
        if self.group.keys.is_empty() && self.groups.is_empty() {
            self.groups.insert(Vec::new(), 0);
            self.states.push(self.group.begin());
        }
        let mut groups: Vec<_> = std::mem::take(&mut self.groups).into_iter().collect();
        groups.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let mut states = std::mem::take(&mut self.states);
        for (key, at) in groups {
            let document =
                self.document(&key, std::mem::take(&mut states[at])).map_err(|error| error.context(&self.label))?;
            if next.push_made(document)? == Flow::Done {
                break;
            }
        }
        next.context.memory.release(self.held);
        self.held = 0;
        Ok(())
    }
}
