//! Stage: unwind makes a row of each element of an array.

use std::fmt;

use blaze_core::{Error, Path, Result, Value};

use super::needs::Reads;
use super::row::{Flow, Next, Operator, Row};
use super::stage::validate_name;
use super::{place, set};

/// What [`Pipeline::unwind`](super::Pipeline::unwind) does: a path, or with options.
///
/// ```
/// use blaze::pipeline::Unwind;
/// use blaze::{Database, Document};
///
/// let db = Database::temporary()?;
/// let films = db.collection::<Document>("films")?;
/// films.insert(&Document::new().with("title", "Solaris").with("genres", ["Drama", "Mystery"]))?;
/// let rows = films.pipeline().unwind(Unwind::path("genres").index("position")).run()?;
/// assert_eq!(rows[1].get("genres").unwrap().as_str(), Some("Mystery"));
/// assert_eq!(rows[1].get("position").unwrap().as_i64(), Some(1));
/// # Ok::<(), blaze::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Unwind {
    path: Path,
    keep_empty: bool,
    index: Option<String>,
}

impl Unwind {
    /// Unwinds the array at a path of maps: nothing fans out on the way.
    pub fn path(path: impl Into<Path>) -> Unwind {
        Unwind { path: path.into(), keep_empty: false, index: None }
    }

    /// Keeps a row that has no element: of an empty array the field is removed, null and missing stay as they are.
    #[must_use]
    pub fn keep_empty(self) -> Unwind {
        Unwind { keep_empty: true, ..self }
    }

    /// Puts the position of the element, from 0 on, under a name; null where there was no array.
    #[must_use]
    pub fn index(self, name: impl Into<String>) -> Unwind {
        Unwind { index: Some(name.into()), ..self }
    }

    pub(super) fn validate(&self) -> Result<()> {
        self.path.validate()?;
        let Some(name) = &self.index else { return Ok(()) };
        validate_name(name, "the index")?;
        if self.path.segments()[0].key() == name {
            return Err(Error::invalid(format!("the index {name:?} would take the place of the elements")));
        }
        set::validate_apart([&self.path, &Path::from_keys([name])])
    }

    pub(super) fn read(&self, reads: &mut Reads) {
        reads.path(&self.path);
    }

    pub(super) fn operator(&self) -> Box<dyn Operator> {
        Box::new(UnwindRows(self.clone()))
    }
}

macro_rules! paths {
    ($($type:ty),*) => {
        $(impl From<$type> for Unwind {
            fn from(path: $type) -> Unwind {
                Unwind::path(path)
            }
        })*
    };
}

paths! { &str, String, Path, &Path }

impl fmt::Display for Unwind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path)?;
        if self.keep_empty {
            f.write_str(", empty ones kept")?;
        }
        self.index.as_ref().map_or(Ok(()), |index| write!(f, ", index {index}"))
    }
}

struct UnwindRows(Unwind);

impl Operator for UnwindRows {
    fn push(&mut self, row: Row<'_>, next: &mut Next<'_>) -> Result<Flow> {
        let Unwind { path, keep_empty, index } = &self.0;
        let (id, mut document) = row.into_parts()?;
        let elements = match place::place(&mut document, path) {
            Some(Value::Array(elements)) => std::mem::take(elements),
            None | Some(Value::Null) if !keep_empty => return Ok(Flow::More),
            _ => {
                if let Some(name) = index {
                    document.insert(name.as_str(), Value::Null);
                }
                return next.push(Row::Made { id, document });
            }
        };
        if elements.is_empty() {
            if !keep_empty {
                return Ok(Flow::More);
            }
            place::remove(&mut document, path.segments());
            if let Some(name) = index {
                document.insert(name.as_str(), Value::Null);
            }
            return next.push(Row::Made { id, document });
        }
        let last = elements.len() - 1;
        for (position, element) in elements.into_iter().enumerate() {
            // The last row takes the document itself.
            let mut unwound = if position == last { std::mem::take(&mut document) } else { document.clone() };
            place::replace(&mut unwound, path, element);
            if let Some(name) = index {
                unwound.insert(name.as_str(), Value::from(position as u64));
            }
            if next.push(Row::Made { id: id.clone(), document: unwound })? == Flow::Done {
                return Ok(Flow::Done);
            }
        }
        Ok(Flow::More)
    }
}
