//! Hints: the caller chooses the plan.

use blaze_core::{Error, Result};

use super::fit::fit;
use super::terms::Parts;
use super::{Access, Considered, Plan, Question};
use crate::catalog::Definition;
use crate::index::IndexFields;
use crate::query::implication::implies;
use crate::session::Session;

/// How a query is to find its documents, where its caller knows better than the planner. The answer is the same.
///
/// ```
/// use blaze::{Database, Document, Hint, Index, field};
///
/// let db = Database::in_memory()?;
/// let films = db.collection::<Document>("films")?;
/// films.ensure_index(Index::on("year"))?;
/// films.insert(&Document::new().with("year", 1972))?;
/// let query = films.find(field("year").ge(1970));
/// assert_eq!(query.clone().hint(Hint::Scan).explain()?.index(), None);
/// assert_eq!(query.hint(Hint::index("year")).explain()?.index(), Some("year"));
/// # Ok::<(), blaze::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hint {
    /// All documents are read.
    Scan,
    /// The index of this name is read, all of it if the filter does not bound it.
    Index(String),
}

impl Hint {
    /// The index of this name is read.
    pub fn index(name: impl Into<String>) -> Hint {
        Hint::Index(name.into())
    }
}

/// The plan that a hint asks for, or why it is not possible.
pub(super) fn follow(
    session: &Session,
    definition: &Definition,
    parts: &Parts,
    question: Question<'_>,
    hint: &Hint,
) -> Result<Plan> {
    let chosen = |plan: String| Considered { plan, estimate: None, chosen: true, reason: "the hint".to_owned() };
    let Hint::Index(name) = hint else {
        return Ok(Plan::scan(parts, question.told(|| vec![chosen("scan".to_owned())])));
    };
    let refused = |why: &str| Error::invalid(format!("the hint asks for the index {name:?}, {why}"));
    if session.is_as_of() {
        return Err(refused("and indexes tell of the present only"));
    }
    let Some(index) = definition.indexes.iter().find(|index| index.name == *name) else {
        let names: Vec<&str> = definition.indexes.iter().map(|index| index.name.as_str()).collect();
        return Err(refused(&match names.as_slice() {
            [] => "but the collection has no index".to_owned(),
            names => format!("which the collection does not have; it has {}", names.join(", ")),
        }));
    };
    if !index.ready {
        return Err(refused("which is not complete yet"));
    }
    match index.parts()? {
        IndexFields::Fields(_) => {}
        IndexFields::Vector(_) => return Err(refused("which is on vectors and serves searches only")),
        IndexFields::Text(_) => return Err(refused("which is on text and serves searches only")),
    }
    if index.only()?.is_some_and(|only| !implies(question.filter, only)) {
        return Err(refused("which is partial and may lack documents that match the filter"));
    }
    let terms = parts.terms();
    let scan = fit(session, index, &terms, question.sort, true)?.ok_or_else(|| refused("which cannot answer this"))?;
    let (residual, sorted) = (parts.without(&scan.answered), scan.order.is_some());
    let considered = question.told(|| vec![chosen(format!("index {}", scan.name))]);
    Ok(Plan { access: Access::Index(Box::new(scan)), residual, sorted, considered })
}
