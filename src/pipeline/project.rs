//! Stage: project makes documents of chosen and computed fields.

use std::fmt;

use blaze_core::{Document, Error, Expression, Path, Result, Segment, Value};

use super::needs::Reads;
use super::row::{Flow, Next, Operator, Row};
use super::set::{UnsetFields, validate_apart};
use super::stage::validate_name;

/// What [`Pipeline::project`](super::Pipeline::project) keeps, leaves out or computes; made by [`include()`], [`exclude`] and
/// [`computed`].
#[derive(Clone, Debug, PartialEq)]
pub struct Projection(Kind);

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Include(Path),
    Exclude(Path),
    Computed(String, Expression),
}

/// Keeps the field at a path, with the maps that it stands in; of an array on the way, the field of each map in it.
///
/// ```
/// use blaze::pipeline::{Projection, include};
///
/// assert_eq!(Projection::from("title"), include("title"));
/// ```
pub fn include(path: impl Into<Path>) -> Projection {
    Projection(Kind::Include(path.into()))
}

/// Leaves out the field at a path and keeps all others; stands beside other exclusions only.
///
/// ```
/// use blaze::pipeline::exclude;
/// use blaze::{Database, Document};
///
/// let db = Database::temporary()?;
/// let films = db.collection::<Document>("films")?;
/// films.insert(&Document::new().with("title", "Solaris").with("plot", "long"))?;
/// let short = films.pipeline().project([exclude("plot")]).run()?;
/// assert_eq!(short, [Document::new().with("title", "Solaris")]);
/// # Ok::<(), blaze::Error>(())
/// ```
pub fn exclude(path: impl Into<Path>) -> Projection {
    Projection(Kind::Exclude(path.into()))
}

/// Puts what an expression gives under a name; with a path, that renames a field.
///
/// ```
/// use blaze::expression::path;
/// use blaze::pipeline::{computed, include};
/// use blaze::{Database, Document};
///
/// let db = Database::temporary()?;
/// let films = db.collection::<Document>("films")?;
/// films.insert(&Document::new().with("title", "Solaris").with("minutes", 167))?;
/// let rows = films.pipeline().project([include("title"), computed("hours", path("minutes") / 60)]).run()?;
/// assert_eq!(rows, [Document::new().with("title", "Solaris").with("hours", 167.0 / 60.0)]);
/// # Ok::<(), blaze::Error>(())
/// ```
pub fn computed(name: impl Into<String>, expression: impl Into<Expression>) -> Projection {
    Projection(Kind::Computed(name.into(), expression.into()))
}

macro_rules! includes {
    ($($type:ty),*) => {
        $(impl From<$type> for Projection {
            fn from(path: $type) -> Projection {
                include(path)
            }
        })*
    };
}

includes! { &str, String, Path, &Path }

impl fmt::Display for Projection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Include(path) => write!(f, "{path}"),
            Kind::Exclude(path) => write!(f, "without {path}"),
            Kind::Computed(name, expression) => write!(f, "{name}: {expression}"),
        }
    }
}

fn excluded(projections: &[Projection]) -> Option<Vec<Path>> {
    let path = |projection: &Projection| match &projection.0 {
        Kind::Exclude(path) => Some(path.clone()),
        _ => None,
    };
    projections.iter().map(path).collect()
}

pub(super) fn validate(projections: &[Projection]) -> Result<()> {
    if projections.is_empty() {
        return Err(Error::invalid("there is no field, at least 1 is needed"));
    }
    let mut places = Vec::with_capacity(projections.len());
    for projection in projections {
        match &projection.0 {
            Kind::Include(path) | Kind::Exclude(path) => {
                path.validate()?;
                places.push(path.clone());
            }
            Kind::Computed(name, expression) => {
                validate_name(name, "a computed field")?;
                expression.validate().map_err(|error| error.context(name))?;
                places.push(Path::from_keys([name.as_str()]));
            }
        }
    }
    let excluded = projections.iter().find(|projection| matches!(projection.0, Kind::Exclude(_)));
    match (excluded, projections.iter().find(|projection| !matches!(projection.0, Kind::Exclude(_)))) {
        (Some(left_out), Some(kept)) => Err(Error::invalid(format!(
            "\"{left_out}\" and \"{kept}\" exclude each other: leave out or keep, not both"
        ))),
        _ => validate_apart(&places),
    }
}

pub(super) fn read(projections: &[Projection], reads: &mut Reads) {
    for projection in projections {
        match &projection.0 {
            Kind::Include(path) => reads.path(path),
            Kind::Exclude(_) => {}
            Kind::Computed(_, expression) => expression.visit_paths(&mut |path| reads.path(path)),
        }
    }
    if excluded(projections).is_none() {
        reads.close();
    }
}

pub(super) fn operator(projections: &[Projection]) -> Box<dyn Operator> {
    if let Some(paths) = excluded(projections) {
        return Box::new(UnsetFields(paths));
    }
    let mut fields: Vec<(String, Field)> = Vec::new();
    for projection in projections {
        match &projection.0 {
            Kind::Include(path) | Kind::Exclude(path) => include_at(&mut fields, path.segments()),
            Kind::Computed(name, expression) => fields.push((name.clone(), Field::Computed(expression.clone()))),
        }
    }
    let at = |(name, field)| (Path::from_keys([String::as_str(&name)]), name, field);
    Box::new(ProjectFields(fields.into_iter().map(at).collect()))
}

/// What a field of the result is made of.
enum Field {
    Whole,
    Within(Vec<(String, Field)>),
    Computed(Expression),
}

fn include_at(fields: &mut Vec<(String, Field)>, segments: &[Segment]) {
    let Some((first, rest)) = segments.split_first() else { return };
    let known = fields.iter().position(|(name, _)| name == first.key());
    let at = known.unwrap_or_else(|| {
        let field = if rest.is_empty() { Field::Whole } else { Field::Within(Vec::new()) };
        fields.push((first.key().to_owned(), field));
        fields.len() - 1
    });
    if let Some((_, Field::Within(inner))) = fields.get_mut(at) {
        include_at(inner, rest);
    }
}

struct ProjectFields(Vec<(Path, String, Field)>);

impl Operator for ProjectFields {
    fn push(&mut self, row: Row<'_>, next: &mut Next<'_>) -> Result<Flow> {
        let mut document = Document::new();
        for (path, name, field) in &self.0 {
            let value = match field {
                Field::Computed(expression) => {
                    let value = expression.evaluate_in(row.input());
                    value.map_err(|error| error.context(format!("project {name}")))?.map(std::borrow::Cow::into_owned)
                }
                Field::Whole => row.input().reach(path)?.map(std::borrow::Cow::into_owned),
                Field::Within(inner) => {
                    let whole = row.input().reach(path)?;
                    whole.and_then(|whole| within(&whole, inner))
                }
            };
            if let Some(value) = value {
                document.insert(name.as_str(), value);
            }
        }
        next.push(Row::Made { id: row.id().cloned(), document })
    }
}

/// What is kept of a value: of a map the chosen fields, of an array its maps; nothing of anything else.
fn within(value: &Value, fields: &[(String, Field)]) -> Option<Value> {
    match value {
        Value::Map(map) => Some(within_map(map, fields)),
        Value::Array(array) => {
            Some(Value::Array(array.iter().filter_map(Value::as_map).map(|map| within_map(map, fields)).collect()))
        }
        _ => None,
    }
}

fn within_map(map: &Document, fields: &[(String, Field)]) -> Value {
    let kept = fields.iter().filter_map(|(name, field)| {
        let value = map.get(name)?;
        let value = if let Field::Within(inner) = field { within(value, inner)? } else { value.clone() };
        Some((name.as_str(), value))
    });
    Value::Map(kept.collect())
}
