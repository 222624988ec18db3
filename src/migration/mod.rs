//! Versioned migrations: the documents of a collection go through the steps that they lack.
//!
//! A catalog commit says that a migration is under way. Documents are then changed in small transactions, in the order of
//! their ids, and each commits with them how far it has come: whoever goes on after a crash goes on behind it, so that no
//! step is applied to a document twice. The last one puts the version into the catalog.
//!
//! Writers go on meanwhile. A document that they write whole (inserted, put or replaced) is of the new form, and a row beside it says so
//! until the migration ends; a document that they update stays what it was, of the old form ahead of the migration, of the
//! new one behind it. Both follow from the catalog row, which all transactions validate.

mod definition;
mod dry_run;
mod steps;

use std::ops::ControlFlow;
use std::sync::Arc;

use blaze_core::fault::{self, Point};
use blaze_core::{Document, DocumentId, Durability, Error, Family, Isolation, JsonForm, Result};

pub(crate) use definition::MigrationDefinition;
use definition::{Position, whole_key};
pub(crate) use dry_run::dry_run;
pub use dry_run::{DryRun, MigrationExample};
pub use steps::Migrations;

use crate::catalog::{self, Kind};
use crate::collection::{last_key, to_stored_under, walk, write_document};
use crate::database::core::Core;
use crate::session::{Scope, Session, back_off, commit_alone};

/// Documents that one transaction changes, when nobody gets in its way.
const BATCH_DOCUMENTS_MAX: u64 = 500;

/// Bytes of records after which a transaction takes no further document.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// Tries of one batch, which soon is one document.
const BATCH_TRIES_MAX: u32 = 1_000;

/// Whatever the database's isolation: what is read of the state must still hold when the batch is committed.
const ISOLATION: Isolation = Isolation::Serializable;

/// How far a migration has come, earlier runs included that were cut short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MigrationProgress {
    /// Documents that were gone through.
    pub documents: u64,
    /// Documents that were changed.
    pub changed: u64,
}

/// What a migration did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MigrationReport {
    /// The version before.
    pub from: u32,
    /// The version now.
    pub to: u32,
    /// Documents that were gone through, earlier runs included that were cut short.
    pub documents: u64,
    /// Documents that were changed, earlier runs included.
    pub changed: u64,
}

/// Brings the documents of a collection to the version of the last step.
pub(crate) fn run(
    scope: &Scope,
    collection: &str,
    migrations: &Migrations<'_>,
    progress: &mut dyn FnMut(MigrationProgress) -> ControlFlow<()>,
) -> Result<MigrationReport> {
    migrations.validate()?;
    let mut run = Run { collection, migrations, report: None };
    match scope {
        Scope::Session(session) => session.atomically(|| {
            if !session.is_read_only() && !session.is_serializable() {
                return Err(Error::invalid("documents are migrated in a serializable transaction or outside of any"));
            }
            while let Some(to) = run.start(session)? {
                while !run.advance(session, to, None, BATCH_DOCUMENTS_MAX)? {
                    run.tell(progress)?;
                }
            }
            Ok(())
        })?,
        Scope::Database(core) => {
            while let Some(to) = commit_alone(core, ISOLATION, core.durability, |session| run.start(session))? {
                fault::reached(Point::MigrationBegun);
                run.go_through(core, to, progress)?;
            }
        }
    }
    Ok(run.report.unwrap_or(MigrationReport {
        from: migrations.version(),
        to: migrations.version(),
        documents: 0,
        changed: 0,
    }))
}

struct Run<'a> {
    collection: &'a str,
    migrations: &'a Migrations<'a>,
    /// None as long as nothing was to be done.
    report: Option<MigrationReport>,
}

impl Run<'_> {
    /// Says that a migration is under way, or finds one; answers where it leads, unless there is nothing to be done.
    fn start(&mut self, session: &Session) -> Result<Option<u32>> {
        let definition = catalog::get(session, self.collection, Kind::Collection)?;
        let MigrationDefinition { version, to } = definition.migration;
        self.migrations.check_reach(version, to)?;
        let last = self.migrations.version();
        if to.is_some() || version == last {
            return Ok(to);
        }
        let mut definition = (*definition).clone();
        let is_empty = last_key(session, &definition)?.is_none();
        definition.migration = match is_empty {
            true => MigrationDefinition { version: last, to: None },
            false => MigrationDefinition { version, to: Some(last) },
        };
        match is_empty {
            true => self.report = Some(MigrationReport { from: version, to: last, documents: 0, changed: 0 }),
            false => Position::default().write(session, definition.id)?,
        }
        catalog::put(session, self.collection, &definition)?;
        Ok(definition.migration.to)
    }

    /// Goes through the documents in small transactions.
    fn go_through(
        &mut self,
        core: &Arc<Core>,
        to: u32,
        progress: &mut dyn FnMut(MigrationProgress) -> ControlFlow<()>,
    ) -> Result<()> {
        // What comes later is written whole. Writers at the end of the collection are not to be run after.
        let until = {
            let session = Session::read_only(core)?;
            last_key(&session, &*catalog::get(&session, self.collection, Kind::Collection)?)?
        };
        let mut batch_documents = BATCH_DOCUMENTS_MAX;
        let mut complete = false;
        while !complete {
            complete = self.commit_batch(core, to, until.as_deref(), &mut batch_documents)?;
            fault::reached(Point::MigrationBatchDone);
            let told = self.tell(progress);
            // What is complete cannot be stopped any more.
            if !complete {
                told?;
            }
        }
        match core.durability {
            Durability::Sync => core.store.sync(),
            _ => Ok(()),
        }
    }

    /// Changes the next documents in a transaction of its own, of fewer documents after each conflict.
    fn commit_batch(&mut self, core: &Arc<Core>, to: u32, until: Option<&[u8]>, documents: &mut u64) -> Result<bool> {
        let mut tries = 0;
        loop {
            let session = Session::read_write(core, ISOLATION, Durability::Buffered)?;
            let advanced = self.advance(&session, to, until, *documents);
            let advanced = advanced.and_then(|complete| session.commit().map(|_| complete));
            match advanced {
                Err(error) if error.kind().is_retryable() && tries < BATCH_TRIES_MAX => {
                    tries += 1;
                    *documents = (*documents / 2).max(1);
                    back_off(&*core.entropy, tries);
                }
                Err(error) => return Err(error),
                Ok(complete) => {
                    *documents = (*documents * 2).min(BATCH_DOCUMENTS_MAX);
                    return Ok(complete);
                }
            }
        }
    }

    /// Changes the next documents, and ends the migration behind the last one; says whether it did.
    fn advance(&mut self, session: &Session, to: u32, until: Option<&[u8]>, documents: u64) -> Result<bool> {
        let definition = catalog::get(session, self.collection, Kind::Collection)?;
        let MigrationDefinition { version, to: under_way } = definition.migration;
        if under_way != Some(to) {
            // Another call has completed it.
            return if version >= to {
                Ok(true)
            } else {
                Err(Error::invalid("the collection was made anew meanwhile"))
            };
        }
        let mut position = Position::read(session, definition.id)?;
        let (mut batch, mut bytes) = (Vec::new(), 0);
        let after = position.last.clone();
        let complete = walk(session, &definition, after.as_deref(), until, &mut |walked| {
            bytes += walked.bytes;
            batch.push(walked);
            let is_full = batch.len() as u64 >= documents || bytes >= BATCH_BYTES;
            Ok(if is_full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        for walked in batch {
            position.documents += 1;
            let is_new = session.visit(Family::Data, &whole_key(definition.id, &walked.id), &mut |_| Ok(()))?;
            if !is_new {
                let after = self.migrations.apply(&walked.id, &walked.document, version, to)?;
                if differ(&walked.document, &after)? {
                    position.changed += 1;
                    let after = to_stored_under(&walked.id, &after)?;
                    write_document(session, &definition, &walked.id, Some(&walked.document), Some(&after))?;
                }
            }
            position.last = Some(walked.key);
        }
        let from = self.report.map_or(version, |report| report.from);
        let Position { documents, changed, .. } = position;
        match complete {
            true => {
                definition.migration.forget(session, definition.id)?;
                let mut definition = (*definition).clone();
                definition.migration = MigrationDefinition { version: to, to: None };
                catalog::put(session, self.collection, &definition)?;
            }
            false => position.write(session, definition.id)?,
        }
        self.report = Some(MigrationReport { from, to, documents, changed });
        Ok(complete)
    }

    fn tell(&self, progress: &mut dyn FnMut(MigrationProgress) -> ControlFlow<()>) -> Result<()> {
        let Some(MigrationReport { documents, changed, .. }) = self.report else { return Ok(()) };
        match progress(MigrationProgress { documents, changed }) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::cancelled("the migration was stopped by its caller")),
        }
    }
}

/// True unless the two are the same to the type of each number and the order of keys, which equality does not tell.
fn differ(before: &Document, after: &Document) -> Result<bool> {
    Ok(JsonForm::Extended.write_document(before)? != JsonForm::Extended.write_document(after)?)
}

/// The document after the steps that it lacks, as they stand in one view.
fn migrated(
    session: &Session,
    definition: &catalog::Definition,
    migrations: &Migrations<'_>,
    id: &DocumentId,
    document: &Document,
    is_behind: bool,
) -> Result<Document> {
    let MigrationDefinition { version, to } = definition.migration;
    let whole = || session.visit(Family::Data, &whole_key(definition.id, id), &mut |_| Ok(()));
    let version = match to {
        Some(to) if is_behind || whole()? => to,
        _ => version,
    };
    migrations.apply(id, document, version, migrations.version())
}
