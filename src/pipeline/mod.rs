//! Pipelines: documents go through stages that filter, reshape, join and summarise them.
//!
//! A [`Pipeline`] starts with [`Collection::pipeline`] and runs at one moment, in a transaction as it stands. Filters and a
//! sort at its beginning are a query, which uses indexes; groups that only count by an indexed field read the index alone.
//! What comes later streams, except where the table says otherwise. All stages together hold at most
//! [`PIPELINE_MEMORY_BYTES`], or what [`memory_limit`](Pipeline::memory_limit) says.
//!
//! | stage | rows that come out | holds in memory |
//! |---|---|---|
//! | [`filter`](Pipeline::filter) | those that match | nothing |
//! | [`project`](Pipeline::project) | chosen and computed fields, in the order in which they are named | nothing |
//! | [`set`](Pipeline::set), [`unset`](Pipeline::unset) | with fields added or taken away; a missing value takes the field away | nothing |
//! | [`unwind`](Pipeline::unwind) | one for each element of an array | nothing |
//! | [`lookup`](Pipeline::lookup) | with the documents that join | the other collection, where no index helps |
//! | [`sort`](Pipeline::sort) | in order; equal ones by id in the direction of the last key, then as they came | all rows, or as many as a skip and a limit right behind it let through |
//! | [`skip`](Pipeline::skip), [`limit`](Pipeline::limit) | a window | nothing |
//! | [`group`](Pipeline::group) | one for each key, ascending by key | keys and results |
//! | [`bucket_auto`](Pipeline::bucket_auto) | one for each bucket, ascending | all rows, as far as they are needed |
//! | [`aggregate`](Pipeline::aggregate), [`count`](Pipeline::count) | one, of an empty input, too | the results |
//! | [`facet`](Pipeline::facet) | one, with an array for each of its pipelines | those arrays |
//!
//! Keys of a group are equal as [`Value`](crate::Value)s are: `1` and `1.0` are one group, shown in the plainest form, `1`,
//! whatever was stored. A missing key is a group of its own, before null, and its field is left out; an array is one key, see
//! [`unwind`](Pipeline::unwind). What sums and other results make of missing values, null and strings stands in
//! [`aggregate`](crate::aggregate), what expressions make of them in [`expression`](crate::expression).
//!
//! Without a sort before them, `first`, `last`, `push`, `skip` and `limit` go by the order of the plan.

mod bucket_auto;
mod compile;
mod explain;
mod facet;
mod filter;
mod group;
mod lookup;
mod memory;
mod needs;
mod place;
mod project;
mod row;
mod rows;
mod set;
mod slice;
mod sort;
mod source;
mod stage;
mod unwind;

use blaze_core::limits::{MEMORY_BYTES_MAX, PIPELINE_MEMORY_BYTES, PIPELINE_MEMORY_BYTES_MIN, PIPELINE_STAGES_MAX};
use blaze_core::{Document, Error, Expression, Filter, Path, Result, from_document};
use serde::de::DeserializeOwned;

pub use explain::PipelineExplain;
pub use group::{Aggregate, GroupKey, GroupKeys, add_to_set, avg, by, count, first, last, max, min, push, sum};
pub use lookup::Lookup;
pub use project::{Projection, computed, exclude, include};
pub use rows::PipelineRows;
pub use unwind::Unwind;

use crate::collection::Collection;
use crate::query::SortKeys;
use bucket_auto::BucketAuto;
use facet::Branch;
use group::Group;
use stage::Stage;

/// Stages that the documents of a collection go through; the [module](self) has the table of them.
///
/// Nothing happens before [`run`](Pipeline::run), [`run_as`](Pipeline::run_as), [`iter`](Pipeline::iter) or
/// [`explain`](Pipeline::explain).
///
/// ```
/// use blaze::pipeline::{avg, count};
/// use blaze::{Database, Document, desc, field};
///
/// let db = Database::temporary()?;
/// let films = db.collection::<Document>("films")?;
/// for (title, genres, rating) in [
///     ("Solaris", ["Drama", "Mystery"], 8.0),
///     ("Stalker", ["Drama", "Adventure"], 8.5),
///     ("Alien", ["Horror", "Adventure"], 8.4),
/// ] {
///     films.insert(&Document::new().with("title", title).with("genres", genres).with("rating", rating))?;
/// }
/// let rows = films
///     .pipeline()
///     .filter(field("genres").contains("Drama"))
///     .unwind("genres")
///     .group("genres", [count().named("films"), avg("rating")])
///     .sort(desc("films"))
///     .limit(1)
///     .run()?;
/// let drama = Document::new().with("genres", "Drama").with("films", 2).with("avg_rating", 8.25);
/// assert_eq!(rows, [drama]);
/// # Ok::<(), blaze::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a pipeline does nothing until it is run"]
pub struct Pipeline<S = Collection<Document>> {
    source: S,
    stages: Vec<Stage>,
    memory_bytes: usize,
}

/// Stages without a collection, for a [`facet`](Pipeline::facet).
///
/// ```
/// use blaze::pipeline::{count, stages};
/// use blaze::{Database, Document, asc};
///
/// let db = Database::temporary()?;
/// let films = db.collection::<Document>("films")?;
/// films.insert_many([1979, 1972, 1979].map(|year| Document::new().with("year", year)))?;
/// let facets = [("by_year", stages().group("year", [count()])), ("oldest", stages().sort(asc("year")).limit(1))];
/// let rows = films.pipeline().facet(facets).run()?;
/// assert_eq!(rows[0].get("by_year").unwrap().as_array().unwrap().len(), 2);
/// assert_eq!(rows[0].get("oldest").unwrap().as_array().unwrap().len(), 1);
/// # Ok::<(), blaze::Error>(())
/// ```
pub fn stages() -> Pipeline<()> {
    Pipeline { source: (), stages: Vec::new(), memory_bytes: PIPELINE_MEMORY_BYTES }
}

impl<T> Collection<T> {
    /// Begins a pipeline over all documents; see [`Pipeline`].
    pub fn pipeline(&self) -> Pipeline {
        Pipeline { source: self.typed(), stages: Vec::new(), memory_bytes: PIPELINE_MEMORY_BYTES }
    }
}

impl<S> Pipeline<S> {
    /// Lets through the rows that match; see [`filter`](crate::filter).
    pub fn filter(self, filter: impl Into<Filter>) -> Pipeline<S> {
        self.stage(Stage::Filter(filter.into()))
    }

    /// Keeps the fields that are named, in that order, or computes new ones; or keeps all but those that are excluded. See
    /// [`include()`], [`exclude`] and [`computed`].
    ///
    /// ```
    /// use blaze::{Database, Document};
    ///
    /// let db = Database::temporary()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.insert(&Document::new().with("title", "Solaris").with("year", 1972).with("plot", "long"))?;
    /// let rows = films.pipeline().project(["year", "title"]).run()?;
    /// assert_eq!(rows[0].keys().collect::<Vec<_>>(), ["year", "title"]);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn project(self, fields: impl IntoIterator<Item = impl Into<Projection>>) -> Pipeline<S> {
        self.stage(Stage::Project(fields.into_iter().map(Into::into).collect()))
    }

    /// Puts the value of an expression at a path, where maps are made as needed; where the expression is missing, the field
    /// is taken away.
    ///
    /// ```
    /// use blaze::expression::path;
    /// use blaze::{Database, Document};
    ///
    /// let db = Database::temporary()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.insert(&Document::new().with("year", 1972))?;
    /// let rows = films.pipeline().set("age.in_2000", path("year") * -1 + 2000).run()?;
    /// let age = Document::new().with("in_2000", 28);
    /// assert_eq!(rows, [Document::new().with("year", 1972).with("age", age)]);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn set(self, path: impl Into<Path>, expression: impl Into<Expression>) -> Pipeline<S> {
        self.set_many([(path, expression)])
    }

    /// As [`set`](Pipeline::set) for several fields, each computed of the row as it was before.
    pub fn set_many(self, fields: impl IntoIterator<Item = (impl Into<Path>, impl Into<Expression>)>) -> Pipeline<S> {
        let fields = fields.into_iter().map(|(path, expression)| (path.into(), expression.into()));
        self.stage(Stage::Set(fields.collect()))
    }

    /// Takes fields away, in the maps of an array, too.
    pub fn unset(self, paths: impl IntoIterator<Item = impl Into<Path>>) -> Pipeline<S> {
        self.stage(Stage::Unset(paths.into_iter().map(Into::into).collect()))
    }

    /// Makes a row of each element of an array; a value that is no array stays as it is. Rows without an element go, unless
    /// [`Unwind::keep_empty`] keeps them.
    pub fn unwind(self, unwind: impl Into<Unwind>) -> Pipeline<S> {
        self.stage(Stage::Unwind(unwind.into()))
    }

    /// Makes one row of all those with equal keys: its fields are the keys and the results, its place is by the keys,
    /// ascending. Without results, it answers the distinct keys.
    ///
    /// ```
    /// use blaze::pipeline::{by, count, sum};
    /// use blaze::{Database, Document};
    ///
    /// let db = Database::temporary()?;
    /// let sales = db.collection::<Document>("sales")?;
    /// for (city, year, amount) in [("Rome", 2024, 5), ("Oslo", 2024, 7), ("Rome", 2024, 6), ("Rome", 2025, 1)] {
    ///     sales.insert(&Document::new().with("city", city).with("year", year).with("amount", amount))?;
    /// }
    /// let rows = sales.pipeline().group(["city", "year"], [count(), sum("amount").named("total")]).run()?;
    /// assert_eq!(rows.len(), 3);
    /// let rome = Document::new().with("city", "Rome").with("year", 2024).with("count", 2).with("total", 11);
    /// assert_eq!(rows[1], rome);
    /// assert_eq!(sales.pipeline().group("city", []).run()?.len(), 2);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn group(self, keys: impl Into<GroupKeys>, aggregates: impl IntoIterator<Item = Aggregate>) -> Pipeline<S> {
        self.stage(Stage::Group(Group::new(keys.into(), aggregates)))
    }

    /// Puts the rows into buckets by a value, each with about the same number of rows, and makes one row of each: `min` and
    /// `max`, the first and the last value in it, and the results.
    ///
    /// Rows with equal values are in one bucket, which may therefore have more than its share; so there may be fewer buckets
    /// than asked for, as there are where rows are fewer. A missing value counts, before null, and as an end it is left out.
    /// For buckets with ends of your own, group by a [`bucket`](crate::expression::bucket).
    ///
    /// ```
    /// use blaze::pipeline::count;
    /// use blaze::{Database, Document};
    ///
    /// let db = Database::temporary()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.insert_many([1925, 1966, 1972, 1972, 1979, 1983].map(|year| Document::new().with("year", year)))?;
    /// let rows = films.pipeline().bucket_auto("year", 2, [count()]).run()?;
    /// let bucket = |min: i32, max: i32, count: i32| Document::new().with("min", min).with("max", max).with("count", count);
    /// assert_eq!(rows, [bucket(1925, 1972, 4), bucket(1979, 1983, 2)]);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn bucket_auto(
        self,
        of: impl Into<Expression>,
        buckets: usize,
        aggregates: impl IntoIterator<Item = Aggregate>,
    ) -> Pipeline<S> {
        self.stage(Stage::BucketAuto(BucketAuto::new(of.into(), buckets, aggregates)))
    }

    /// Makes one row of all rows.
    pub fn aggregate(self, aggregates: impl IntoIterator<Item = Aggregate>) -> Pipeline<S> {
        self.stage(Stage::Group(Group::new(GroupKeys(Vec::new()), aggregates)))
    }

    /// Makes one row of all rows, with their number under a name.
    pub fn count(self, name: impl Into<String>) -> Pipeline<S> {
        self.aggregate([count().named(name)])
    }

    /// Puts the rows in order, as [`Query::sort`](crate::Query::sort) does.
    pub fn sort(self, keys: impl Into<SortKeys>) -> Pipeline<S> {
        self.stage(Stage::Sort(keys.into().0))
    }

    /// Leaves out so many rows at the beginning.
    pub fn skip(self, rows: usize) -> Pipeline<S> {
        self.stage(Stage::Skip(rows))
    }

    /// Lets through so many rows, at least 1, and then no more.
    pub fn limit(self, rows: usize) -> Pipeline<S> {
        self.stage(Stage::Limit(rows))
    }

    /// Joins documents of another collection; see [`Lookup`].
    pub fn lookup(self, lookup: Lookup) -> Pipeline<S> {
        self.stage(Stage::Lookup(lookup))
    }

    /// Gives the rows to several pipelines, made by [`stages`], and makes one row of an array for each of them.
    pub fn facet<N: Into<String>>(self, facets: impl IntoIterator<Item = (N, Pipeline<()>)>) -> Pipeline<S> {
        let branch = |(name, pipeline): (N, Pipeline<()>)| Branch { name: name.into(), stages: pipeline.stages };
        self.stage(Stage::Facet(facets.into_iter().map(branch).collect()))
    }

    fn stage(mut self, stage: Stage) -> Pipeline<S> {
        self.stages.push(stage);
        self
    }

    fn validate(&self) -> Result<()> {
        let (least, most, bytes) = (PIPELINE_MEMORY_BYTES_MIN, MEMORY_BYTES_MAX, self.memory_bytes);
        if !(least..=most).contains(&bytes) {
            return Err(Error::invalid(format!("memory_limit is {bytes} bytes, it must be in {least}..={most}")));
        }
        let count: usize = self.stages.iter().map(Stage::count).sum();
        if count > PIPELINE_STAGES_MAX {
            let limit = PIPELINE_STAGES_MAX;
            return Err(Error::limit_exceeded(format!("the pipeline has {count} stages, the limit is {limit}")));
        }
        for (position, stage) in self.stages.iter().enumerate() {
            stage.validate().map_err(|error| error.context(compile::label(position + 1, stage)))?;
        }
        Ok(())
    }
}

impl Pipeline {
    /// Bytes that all stages together may hold in memory;
    /// [`PIPELINE_MEMORY_BYTES`] by default. What they hold is estimated.
    pub fn memory_limit(self, bytes: usize) -> Pipeline {
        Pipeline { memory_bytes: bytes, ..self }
    }

    /// All rows.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when a stage is not well-formed, before anything is read, or when a value does
    /// not fit an expression, naming the document; [`LimitExceeded`](crate::ErrorKind::LimitExceeded) when the stages outgrow
    /// their memory, naming the stage, or are too many; [`NotFound`](crate::ErrorKind::NotFound) when the collection was
    /// dropped or a joined one is not there; [`Corruption`](crate::ErrorKind::Corruption);
    /// [`Closed`](crate::ErrorKind::Closed).
    pub fn run(&self) -> Result<Vec<Document>> {
        self.iter()?.collect()
    }

    /// All rows as a type of serde's.
    ///
    /// ```
    /// use blaze::pipeline::{avg, count};
    /// use blaze::{Database, Document};
    /// use serde::Deserialize;
    ///
    /// #[derive(Deserialize)]
    /// struct Year {
    ///     year: i32,
    ///     count: u64,
    ///     avg_rating: f64,
    /// }
    ///
    /// let db = Database::temporary()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.insert(&Document::new().with("year", 1972).with("rating", 8))?;
    /// let years: Vec<Year> = films.pipeline().group("year", [count(), avg("rating")]).run_as()?;
    /// assert_eq!((years[0].year, years[0].count, years[0].avg_rating), (1972, 1, 8.0));
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`run`](Pipeline::run); [`Invalid`](crate::ErrorKind::Invalid) when a row is not of type `T`.
    pub fn run_as<T: DeserializeOwned>(&self) -> Result<Vec<T>> {
        let typed = |(position, row): (usize, Result<Document>)| {
            from_document(row?).map_err(|error| error.context(format!("row {position}")))
        };
        self.iter()?.enumerate().map(typed).collect()
    }

    /// The rows, one after another; see [`PipelineRows`].
    ///
    /// # Errors
    /// As [`run`](Pipeline::run), here or in an item.
    pub fn iter(&self) -> Result<PipelineRows> {
        self.validate()?;
        self.source.read(|session, definition| PipelineRows::open(session, definition, &self.stages, self.memory_bytes))
    }

    /// Runs the pipeline and says how that was done and what it took.
    ///
    /// ```
    /// use blaze::pipeline::count;
    /// use blaze::{Database, Document, Index};
    ///
    /// let db = Database::temporary()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.ensure_index(Index::on("year"))?;
    /// films.insert_many([1972, 1979, 1979].map(|year| Document::new().with("year", year)))?;
    /// let explain = films.pipeline().group("year", [count()]).explain()?;
    /// assert_eq!((explain.index(), explain.documents_examined, explain.rows), (Some("year"), 0, 2));
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`run`](Pipeline::run).
    pub fn explain(&self) -> Result<PipelineExplain> {
        self.iter()?.into_explain()
    }
}
