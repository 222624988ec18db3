//! The schema of a collection: kept in the catalog, checked with every write.
//!
//! A catalog commit declares the schema; from then on every write is checked, since all transactions validate the catalog
//! row. Then the documents that were there are checked in small views, and a last catalog commit says so. Whoever is
//! interrupted in between by the end of the process leaves a schema that is in force for what is written.

use std::ops::ControlFlow;
use std::sync::Arc;

use blaze_core::fault::{self, Point};
use blaze_core::limits::VIOLATIONS_MAX;
use blaze_core::{Document, DocumentId, Error, ID_FIELD, Isolation, PARENT_FIELD, Result, Schema, Value, fill_id};
use serde::{Deserialize, Serialize};

use crate::catalog::{self, Definition, Kind};
use crate::collection::walk;
use crate::database::core::Core;
use crate::session::{Scope, Session, commit_alone};

/// Documents that are checked in one view.
const BATCH_DOCUMENTS: u64 = 1_000;

/// Whatever the database's isolation: a catalog row is read and written.
const ISOLATION: Isolation = Isolation::Serializable;

/// What a schema that is being set asks of the documents that are there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Validation {
    /// They must fit, else there is no such schema.
    #[default]
    Strict,
    /// Nothing, until they are written again.
    WritesOnly,
}

/// How far the documents that were there before a schema are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SchemaProgress {
    /// Documents that were checked.
    pub documents: u64,
}

/// The schema of a collection and what is known of its documents.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SchemaInfo {
    /// What is written has to look like this.
    pub schema: Schema,
    /// What is known of the documents that were there before it.
    pub state: SchemaState,
}

/// What is known of the documents that were there before a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SchemaState {
    /// They are being checked, or the process ended meanwhile: setting the schema again checks them anew.
    Checking,
    /// They fit.
    Checked,
    /// Nothing.
    WritesOnly,
}

/// What the catalog keeps of a schema.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SchemaDefinition {
    /// Tells it from every other.
    pub(crate) number: u32,
    schema: Schema,
    state: SchemaState,
    /// The one in whose place it comes, in force for as long as this one is being checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<Previous>,
}

/// A schema that stays if its successor does not.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Previous {
    number: u32,
    schema: Schema,
    state: SchemaState,
}

impl SchemaDefinition {
    /// Refuses a document that does not fit.
    pub(crate) fn check(&self, id: &DocumentId, document: &Document) -> Result<()> {
        let is_place = |field| id.held_in(field).is_some() && document.get(field) == Some(&Value::Null);
        if is_place(ID_FIELD) || is_place(PARENT_FIELD) {
            let mut whole = document.clone();
            fill_id(&mut whole, id);
            return self.check_whole(id, &whole);
        }
        self.check_whole(id, document)
    }

    /// Refuses a document that does not fit, whose id is in the field for it.
    fn check_whole(&self, id: &DocumentId, document: &Document) -> Result<()> {
        let previous = self.previous.as_ref().map_or(Ok(()), |previous| previous.schema.check_under(id, document));
        let checked = previous.and_then(|()| self.schema.check_under(id, document));
        checked.map_err(|error| error.context(format!("document {id:?} does not fit the schema")))
    }

    pub(crate) fn info(&self) -> SchemaInfo {
        SchemaInfo { schema: self.schema.clone(), state: self.state }
    }

    /// What comes back if this one does not stay.
    fn successor(there: Option<SchemaDefinition>) -> Option<Previous> {
        let there = there?;
        match there.state {
            SchemaState::Checking => there.previous,
            state => Some(Previous { number: there.number, schema: there.schema, state }),
        }
    }
}

/// Sets the schema of a collection.
pub(crate) fn set(
    scope: &Scope,
    collection: &str,
    schema: &Schema,
    validation: Validation,
    progress: &mut dyn FnMut(SchemaProgress) -> ControlFlow<()>,
) -> Result<()> {
    schema.validate()?;
    let declare_in = |session: &Session, state| {
        let number = catalog::allocate(session.core())?;
        declare(session, collection, SchemaDefinition { number, schema: schema.clone(), state, previous: None })
    };
    match (scope, validation) {
        (_, Validation::WritesOnly) => scope.write(|session| declare_in(session, SchemaState::WritesOnly).map(drop)),
        (Scope::Session(session), Validation::Strict) => session.atomically(|| {
            if !session.is_read_only() && !session.is_serializable() {
                let message = "documents are checked in a serializable transaction or outside of any";
                return Err(Error::invalid(message));
            }
            let number = declare_in(session, SchemaState::Checked)?;
            let mut checked = Checked::default();
            checked.advance(session, collection, number, u64::MAX)?;
            checked.report(progress)
        }),
        (Scope::Database(core), Validation::Strict) => {
            let declare_here = |session: &Arc<Session>| declare_in(session, SchemaState::Checking);
            let number = commit_alone(core, ISOLATION, core.durability, declare_here)?;
            fault::reached(Point::SchemaDeclared);
            check_and_complete(core, collection, number, progress).inspect_err(|_| {
                fault::reached(Point::SchemaRefused);
                // The first error is the one to be told.
                let _ = commit_alone(core, ISOLATION, core.durability, |session| restore(session, collection, number));
            })
        }
    }
}

/// Removes the schema of a collection; says whether there was one.
pub(crate) fn remove(scope: &Scope, collection: &str) -> Result<bool> {
    scope.write(|session| {
        let mut definition = (*catalog::get(session, collection, Kind::Collection)?).clone();
        if definition.schema.take().is_none() {
            return Ok(false);
        }
        catalog::put(session, collection, &definition).map(|()| true)
    })
}

fn declare(session: &Session, collection: &str, schema: SchemaDefinition) -> Result<u32> {
    let mut definition = (*catalog::get(session, collection, Kind::Collection)?).clone();
    let there = definition.schema.take().map(|there| *there);
    let previous = match schema.state {
        SchemaState::Checking => SchemaDefinition::successor(there),
        _ => None,
    };
    let number = schema.number;
    definition.schema = Some(Box::new(SchemaDefinition { previous, ..schema }));
    catalog::put(session, collection, &definition)?;
    Ok(number)
}

fn check_and_complete(
    core: &Arc<Core>,
    collection: &str,
    number: u32,
    progress: &mut dyn FnMut(SchemaProgress) -> ControlFlow<()>,
) -> Result<()> {
    let mut checked = Checked::default();
    while !checked.complete {
        // A later view has what was checked when it was written in place of what it replaced.
        checked.advance(&*Session::read_only(core)?, collection, number, BATCH_DOCUMENTS)?;
        fault::reached(Point::SchemaChecked);
        checked.report(progress)?;
    }
    commit_alone(core, ISOLATION, core.durability, |session| {
        let mut definition = (*definition_with(session, collection, number)?).clone();
        if let Some(schema) = &mut definition.schema {
            schema.state = SchemaState::Checked;
            schema.previous = None;
        }
        catalog::put(session, collection, &definition)
    })
}

/// Has the schema before it come back.
fn restore(session: &Session, collection: &str, number: u32) -> Result<()> {
    let mut definition = (*definition_with(session, collection, number)?).clone();
    let previous = definition.schema.take().and_then(|schema| schema.previous);
    definition.schema = previous
        .map(|Previous { number, schema, state }| Box::new(SchemaDefinition { number, schema, state, previous: None }));
    catalog::put(session, collection, &definition)
}

/// The collection, as long as it has the schema.
fn definition_with(session: &Session, collection: &str, number: u32) -> Result<Arc<Definition>> {
    let definition = catalog::get(session, collection, Kind::Collection)?;
    match definition.schema.as_ref().is_some_and(|schema| schema.number == number) {
        true => Ok(definition),
        false => Err(Error::invalid("the schema was changed or removed while documents were checked")),
    }
}

/// How far a collection is checked.
#[derive(Debug, Default)]
struct Checked {
    documents: u64,
    last: Option<Vec<u8>>,
    complete: bool,
}

impl Checked {
    /// Checks the next documents.
    fn advance(&mut self, session: &Session, collection: &str, number: u32, documents: u64) -> Result<()> {
        let definition = definition_with(session, collection, number)?;
        let Some(SchemaDefinition { schema, .. }) = definition.schema.as_deref() else { return Ok(()) };
        let mut remaining = documents;
        let mut unfit = Vec::new();
        let after = self.last.clone();
        self.complete = walk(session, &definition, after.as_deref(), None, &mut |walked| {
            if let Err(error) = schema.check_under(&walked.id, &walked.document) {
                unfit.push(format!("{:?}: {error}", walked.id));
            }
            self.documents += 1;
            self.last = Some(walked.key);
            remaining -= 1;
            Ok(match remaining == 0 || unfit.len() >= VIOLATIONS_MAX {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            })
        })?;
        match unfit.is_empty() {
            true => Ok(()),
            false => {
                let unfit = unfit.join("; document ");
                Err(Error::invalid(format!("documents do not fit the schema, the first ones are document {unfit}")))
            }
        }
    }

    fn report(&self, progress: &mut dyn FnMut(SchemaProgress) -> ControlFlow<()>) -> Result<()> {
        match progress(SchemaProgress { documents: self.documents }) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::cancelled("the check of documents was stopped by its caller")),
        }
    }
}
