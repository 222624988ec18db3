//! Building indexes.
//!
//! A catalog commit declares the index (`ensure.rs`); from then on every write keeps it up to date, since all transactions validate
//! the catalog row. Then it is filled in small transactions, each of which keeps how far it came, and a last catalog commit
//! makes it ready. Whoever is interrupted in between leaves an index that is kept up to date, is not used, and is completed by
//! the next call from there on.
//!
//! An index that replaces another one is built beside it, under the same name and behind it; the last commit puts it in its
//! place. One on vectors has its graph by then: a commit before says that it has all its vectors, and from then on marks are
//! kept of what changes, as they are of indexes that are used.

use std::ops::ControlFlow;
use std::sync::Arc;

use blaze_core::fault::{self, Mistake, Point};
use blaze_core::{Error, ErrorKind, Family, Isolation, Result};

use super::entries::BUILD_POSITION;
use super::fill::{ALL_DOCUMENTS, Fill};
use super::remove::remove_at_once;
use super::{IndexDefinition, IndexProgress};
use crate::catalog::{self, Definition, Kind, Orphan, prefix, prefixed};
use crate::database::core::Core;
use crate::session::{RetryLimits, Session, retry};

/// Whatever the database's isolation: a document that goes away while its entry is made must be noticed.
pub(super) const BUILD_ISOLATION: Isolation = Isolation::Serializable;

/// Asked now and then whether to go on.
pub(super) type Progress<'a> = dyn FnMut(IndexProgress) -> ControlFlow<()> + 'a;

pub(super) fn check_within(session: &Session) -> Result<()> {
    match session.is_read_only() || session.is_serializable() {
        true => Ok(()),
        false => Err(Error::invalid("an index is built in a serializable transaction or outside of any")),
    }
}

/// Fills a declared index as a part of a transaction.
pub(super) fn build_within(
    session: &Session,
    collection: &str,
    declared: &IndexDefinition,
    progress: &mut Progress<'_>,
) -> Result<()> {
    let definition = definition_with(session, collection, declared.id)?;
    let expected = Fill::expected(session, &definition, None)?;
    let mut fill = Fill { batch_documents: ALL_DOCUMENTS, expected, ..Fill::default() };
    fill.advance(session, collection, declared)?;
    if let Some(replaced) = complete(session, collection, declared.id)? {
        session.reclaim_once_committed(replaced)?; // the transaction may be rolled back yet
    }
    tell(progress, &fill)
}

/// Fills a declared index in small transactions and makes it ready.
pub(super) fn build(
    core: &Arc<Core>,
    collection: &str,
    declared: &IndexDefinition,
    progress: &mut Progress<'_>,
) -> Result<()> {
    fill(core, collection, declared, progress).inspect_err(|error| {
        // A document does not fit, or nobody wants it any more. After other failures the index stays declared, and the next
        // call completes it.
        if is_misfit(error) || error.kind() == ErrorKind::Cancelled {
            // The first error is the one to be told.
            let _ = remove_at_once(core, collection, BUILD_ISOLATION, |index| index.id == declared.id && !index.ready);
        }
    })
}

fn fill(core: &Arc<Core>, collection: &str, declared: &IndexDefinition, progress: &mut Progress<'_>) -> Result<()> {
    let _span = tracing::info_span!("build index", index = declared.id).entered();
    let mut fill = match declared.is_filled() {
        true => Fill { expected: Some(0), complete: true, ..Fill::default() },
        false => Fill::of_all_before(core, collection, declared)?,
    };
    let swaps_at_once = fault::makes(Mistake::SwapWithoutOld) && declared.replaces();
    if !swaps_at_once {
        fill = fill.commit_all(core, collection, declared, &mut |fill| {
            fault::reached(Point::IndexBatchFilled);
            tell(progress, fill)
        })?;
    }
    if declared.replaces() {
        core.embedding.embed_all(core, declared.id, &mut |documents| {
            fill.embedded += documents;
            tell(progress, &fill)
        })?;
    }
    if declared.replaces() && declared.family() == Family::Vector && !swaps_at_once {
        make_graph(core, collection, declared, &mut fill, progress)?;
    }
    fault::reached(Point::IndexFilled);
    let (completed_at, replaced) = retry(core, RetryLimits::default(), || {
        let session = Session::read_write(core, BUILD_ISOLATION, core.durability)?;
        let replaced = complete(&session, collection, declared.id)?;
        Ok((session.commit()?, replaced))
    })?;
    fault::reached(Point::IndexCompleted);
    if let Some(replaced) = replaced {
        // No name leads there. Where this fails, the next opening sees to it.
        let _ = replaced.reclaim(core, completed_at);
    }
    Ok(())
}

/// Has an index that is to take the place of another one get its graph, so that searches do not go without one.
fn make_graph(
    core: &Arc<Core>,
    collection: &str,
    declared: &IndexDefinition,
    fill: &mut Fill,
    progress: &mut Progress<'_>,
) -> Result<()> {
    retry(core, RetryLimits::default(), || {
        let session = Session::read_write(core, BUILD_ISOLATION, core.durability)?;
        let mut definition = (*definition_with(&session, collection, declared.id)?).clone();
        let mut unfilled = definition.indexes.iter_mut().filter(|index| index.id == declared.id && !index.is_filled());
        match unfilled.next() {
            Some(index) => index.note_filled(),
            None => return Ok(()), // it was cut short behind this
        }
        session.delete(declared.family(), prefixed(declared.id, BUILD_POSITION))?;
        catalog::put(&session, collection, &definition)?;
        session.commit().map(drop)
    })?;
    core.vectors.make_beside(core, declared.id, &mut |linked| {
        fill.linked = linked;
        tell(progress, fill)
    })
}

/// True for what says that a document does not fit an index.
fn is_misfit(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Invalid | ErrorKind::LimitExceeded | ErrorKind::AlreadyExists)
}

fn tell(progress: &mut Progress<'_>, fill: &Fill) -> Result<()> {
    let Fill { documents, embedded, expected, linked, .. } = *fill;
    match progress(IndexProgress { documents, embedded, expected, linked }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::cancelled("the building of the index was stopped by its caller")),
    }
}

/// Completes the indexes of a collection that are declared and not complete. Those that some document does not fit are
/// removed and answered.
pub(crate) fn complete_all(core: &Arc<Core>, collection: &str) -> Result<Vec<(String, Error)>> {
    let definition = catalog::get(&*Session::read_only(core)?, collection, Kind::Collection)?;
    let mut removed = Vec::new();
    for index in definition.indexes.iter().filter(|index| !index.ready) {
        match build(core, collection, index, &mut |_| ControlFlow::Continue(())) {
            Err(error) if is_misfit(&error) => {
                removed.push((index.name.clone(), error));
            }
            built => built?,
        }
    }
    Ok(removed)
}

/// Builds an index again, under another number: its entries cannot be read. It is not used meanwhile; nor afterwards, if two
/// documents have the same values in a unique one, until they do not and the index is ensured.
pub(crate) fn rebuild(core: &Arc<Core>, collection: &str, index: u32) -> Result<()> {
    let id = catalog::allocate(core)?;
    let embedder = core.embedding.embedder(index); // soon that of the old number is forgotten
    let (begun_at, (declared, orphan)) = retry(core, RetryLimits::default(), || {
        let session = Session::read_write(core, BUILD_ISOLATION, core.durability)?;
        let begun = begin_again(&session, collection, index, id)?;
        Ok((session.commit()?, begun))
    })?;
    fault::reached(Point::IndexBegunAnew);
    if let Some(embedder) = embedder {
        core.embedding.attach(declared.id, &embedder);
    }
    // No name leads there. Where this fails, the next opening sees to it.
    let _ = orphan.reclaim(core, begun_at);
    fill(core, collection, &declared, &mut |_| ControlFlow::Continue(()))
}

fn begin_again(session: &Session, collection: &str, index: u32, id: u32) -> Result<(IndexDefinition, Orphan)> {
    let mut definition = (*definition_with(session, collection, index)?).clone();
    let Some(declared) = definition.indexes.iter_mut().find(|declared| declared.id == index) else {
        return Err(Error::not_found("the index was dropped while it was repaired"));
    };
    let orphan = Orphan::new(declared.family(), prefix(index));
    declared.begin_anew();
    declared.id = id;
    let declared = declared.clone();
    orphan.declare(session)?;
    catalog::put(session, collection, &definition)?;
    Ok((declared, orphan))
}

/// The collection, as long as it has the index.
pub(super) fn definition_with(session: &Session, collection: &str, index: u32) -> Result<Arc<Definition>> {
    let definition = catalog::get(session, collection, Kind::Collection)?;
    match definition.indexes.iter().any(|declared| declared.id == index) {
        true => Ok(definition),
        false => Err(Error::not_found("the index was dropped while it was built")),
    }
}

/// Has an index be used from this commit on. The entries of the one that it replaces are an orphan then.
fn complete(session: &Session, collection: &str, index: u32) -> Result<Option<Orphan>> {
    let mut definition = (*definition_with(session, collection, index)?).clone();
    let Some(position) = definition.indexes.iter().position(|declared| declared.id == index) else {
        return Err(Error::internal("a collection has an index and lacks it"));
    };
    let mut done = definition.indexes.remove(position);
    session.delete(done.family(), prefixed(index, BUILD_POSITION))?;
    done.ready = true;
    let place = definition.indexes.iter().position(|other| done.replaces() && other.name == done.name);
    let replaced = match place {
        Some(place) => {
            done.take_place();
            let before = std::mem::replace(&mut definition.indexes[place], done);
            let orphan = Orphan::new(before.family(), prefix(before.id));
            orphan.declare(session)?;
            Some(orphan)
        }
        None => {
            done.take_place();
            definition.indexes.insert(position, done);
            None
        }
    };
    catalog::put(session, collection, &definition)?;
    Ok(replaced)
}
