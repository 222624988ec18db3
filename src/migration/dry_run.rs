//! What a migration would do.

use std::ops::ControlFlow;
use std::sync::Arc;

use blaze_core::{Document, DocumentId, Error, Result};

use super::definition::Position;
use super::{Migrations, differ, migrated};
use crate::catalog::Definition;
use crate::collection::{to_stored_under, walk};
use crate::index::Entries;
use crate::session::Session;

/// Failures and examples that are told.
const TOLD_MAX: usize = 10;

/// What a migration would do, as seen in one view: nothing was written.
#[derive(Debug)]
#[non_exhaustive]
pub struct DryRun {
    /// The version that the collection is at.
    pub from: u32,
    /// The version that it would be at.
    pub to: u32,
    /// Documents that were gone through.
    pub documents: u64,
    /// Documents that would be changed.
    pub changed: u64,
    /// Documents at which the migration would stop: a step fails, or what it makes does not fit the schema or an index.
    pub failed: u64,
    /// The first of these, with the reason.
    pub failures: Vec<(DocumentId, Error)>,
    /// The first documents that would be changed.
    pub examples: Vec<MigrationExample>,
}

/// A document that a migration would change.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MigrationExample {
    /// Its id.
    pub id: DocumentId,
    /// The document as it is.
    pub before: Document,
    /// The document as it would be.
    pub after: Document,
}

pub(crate) fn dry_run(session: &Arc<Session>, definition: &Definition, migrations: &Migrations<'_>) -> Result<DryRun> {
    migrations.validate()?;
    let state = definition.migration;
    migrations.check_reach(state.version, state.to)?;
    let behind = match state.to {
        Some(_) => Position::read(session, definition.id)?.last,
        None => None,
    };
    let (from, to) = (state.version, migrations.version());
    let mut dry = DryRun { from, to, documents: 0, changed: 0, failed: 0, failures: Vec::new(), examples: Vec::new() };
    if from == to {
        return Ok(dry);
    }
    walk(session, definition, None, None, &mut |walked| {
        dry.documents += 1;
        let is_behind = behind.as_ref().is_some_and(|behind| walked.key <= *behind);
        let (id, before) = (walked.id, walked.document);
        let after = migrated(session, definition, migrations, &id, &before, is_behind);
        let checked = after.and_then(|after| {
            check(definition, &id, &to_stored_under(&id, &after)?)?;
            Ok(after)
        });
        match checked {
            Ok(after) if differ(&before, &after)? => {
                dry.changed += 1;
                if dry.examples.len() < TOLD_MAX {
                    dry.examples.push(MigrationExample { id, before, after });
                }
            }
            Ok(_) => {}
            Err(error) => {
                dry.failed += 1;
                if dry.failures.len() < TOLD_MAX {
                    dry.failures.push((id, error));
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(dry)
}

fn check(definition: &Definition, id: &DocumentId, document: &Document) -> Result<()> {
    definition.schema.as_ref().map_or(Ok(()), |schema| schema.check(id, document))?;
    definition.indexes.iter().try_for_each(|index| Entries::of(index, id, document).map(drop))
}
