//! Where imported documents go.

use std::sync::Arc;

use blaze_core::limits::TRANSACTION_BYTES_MAX;
use blaze_core::{Document, DocumentId, Durability, Error, ErrorKind, Result};

use super::options::{OnDuplicate, OnError};
use crate::catalog::{Definition, Named};
use crate::collection::{insert, read_stored, write_document};
use crate::load::{CollectionLoad, CollectionLoader};
use crate::session::{Scope, Session, commit_alone};

/// Bytes of text after which a batch takes no further document.
const BATCH_BYTES: u64 = 4 * 1024 * 1024;

/// Writes one document.
type Work<'a> = dyn FnMut() -> Result<()> + 'a;

/// How one document is written among others.
type Each = dyn Fn(&Session, &mut Work<'_>) -> Result<()>;

/// A document on its way in.
pub(super) struct Arrival {
    pub(super) line: u64,
    pub(super) bytes: u64,
    pub(super) id: Option<DocumentId>,
    pub(super) document: Document,
}

/// What became of documents.
#[derive(Debug, Default)]
pub(super) struct Arrived {
    pub(super) documents: u64,
    pub(super) replaced: u64,
    pub(super) skipped: u64,
    pub(super) bad: Vec<(u64, String)>,
}

/// Where imported documents go.
pub(super) struct Destination {
    way: Way,
    on_error: OnError,
    on_duplicate: OnDuplicate,
    batch_documents: usize,
}

enum Way {
    /// Commits, in batches or one of all.
    Commits {
        scope: Scope,
        named: Arc<Named>,
        pending: Vec<Arrival>,
        bytes: u64,
    },
    Loader(Box<CollectionLoader<'static, Document>>),
}

impl Destination {
    pub(super) fn commits(
        scope: &Scope,
        named: &Arc<Named>,
        on_error: OnError,
        on_duplicate: OnDuplicate,
        batch_documents: usize,
    ) -> Destination {
        let way = Way::Commits { scope: scope.clone(), named: Arc::clone(named), pending: Vec::new(), bytes: 0 };
        Destination { way, on_error, on_duplicate, batch_documents }
    }

    pub(super) fn loader(scope: &Scope, name: &str, on_error: OnError) -> Result<Destination> {
        let Scope::Database(core) = scope else {
            return Err(Error::invalid("a bulk load is no part of a transaction"));
        };
        let way = Way::Loader(Box::new(CollectionLoad::new(core, name).begin()?));
        Ok(Destination { way, on_error, on_duplicate: OnDuplicate::Refuse, batch_documents: 0 })
    }

    /// Takes in a document; says what became of those that are settled.
    pub(super) fn take(&mut self, arrival: Arrival) -> Result<Arrived> {
        match &mut self.way {
            Way::Loader(loader) => {
                let taken = match arrival.id {
                    Some(id) => loader.insert_with_id(id, &arrival.document),
                    None => loader.insert(&arrival.document).map(drop),
                };
                match taken {
                    Ok(()) => Ok(Arrived { documents: 1, ..Arrived::default() }),
                    Err(error) if self.on_error == OnError::Skip && is_of_the_document(&error) => {
                        Ok(Arrived { bad: vec![(arrival.line, at_line(arrival.line, &error))], ..Arrived::default() })
                    }
                    Err(error) => Err(error.context(format!("line {}", arrival.line))),
                }
            }
            Way::Commits { pending, bytes, .. } => {
                *bytes += arrival.bytes;
                pending.push(arrival);
                match self.on_error {
                    OnError::Refuse if *bytes > TRANSACTION_BYTES_MAX as u64 => Err(Error::limit_exceeded(format!(
                        "what is imported whole or not at all has more than {TRANSACTION_BYTES_MAX} bytes of text, the limit of \
                         one transaction: load it into an empty collection, or skip what is bad"
                    ))),
                    OnError::Skip if pending.len() >= self.batch_documents || *bytes >= BATCH_BYTES => self.settle(),
                    _ => Ok(Arrived::default()),
                }
            }
        }
    }

    /// Settles what is left.
    pub(super) fn finish(mut self) -> Result<Arrived> {
        let arrived = self.settle().inspect_err(|_| self.give_up())?;
        match self.way {
            Way::Loader(loader) => loader.finish().map(drop)?,
            Way::Commits { scope: Scope::Database(core), .. } if core.durability == Durability::Sync => {
                core.store.sync()?
            }
            Way::Commits { .. } => {}
        }
        Ok(arrived)
    }

    /// Makes what was committed durable when the rest fails: it stays.
    pub(super) fn give_up(&self) {
        if let (Way::Commits { scope: Scope::Database(core), .. }, OnError::Skip) = (&self.way, self.on_error)
            && core.durability == Durability::Sync
        {
            // The error that comes first is the one to be told.
            let _ = core.store.sync();
        }
    }

    fn settle(&mut self) -> Result<Arrived> {
        let Way::Commits { scope, named, pending, bytes } = &mut self.way else { return Ok(Arrived::default()) };
        let arrivals = std::mem::take(pending);
        *bytes = 0;
        if arrivals.is_empty() {
            return Ok(Arrived::default());
        }
        let (on_error, on_duplicate) = (self.on_error, self.on_duplicate);
        let write_all = |session: &Session, each: &Each| {
            let definition = named.definition(session)?;
            let mut arrived = Arrived::default();
            for arrival in &arrivals {
                let mut became = Became::Inserted;
                let written = each(session, &mut || {
                    became = write(session, &definition, arrival, on_duplicate)?;
                    Ok(())
                });
                match written {
                    Ok(()) => arrived.count(&became),
                    // A transaction that is full says nothing about the document.
                    Err(error) if on_error == OnError::Skip && is_of_the_document(&error) && !session.is_full() => {
                        arrived.bad.push((arrival.line, at_line(arrival.line, &error)));
                    }
                    Err(error) => return Err(error.context(format!("line {}", arrival.line))),
                }
            }
            Ok(arrived)
        };
        let alone = |session: &Session, work: &mut Work<'_>| session.atomically(work);
        let together = |_: &Session, work: &mut Work<'_>| work();
        match (&*scope, on_error) {
            (Scope::Database(core), OnError::Refuse) => {
                commit_alone(core, core.isolation, core.durability, |session| write_all(session, &together))
            }
            (Scope::Database(core), OnError::Skip) => {
                commit_alone(core, core.isolation, Durability::Buffered, |session| write_all(session, &alone))
            }
            (Scope::Session(session), OnError::Refuse) => session.atomically(|| write_all(session, &together)),
            (Scope::Session(session), OnError::Skip) => write_all(session, &alone),
        }
    }
}

enum Became {
    Inserted,
    Replaced,
    Skipped,
}

impl Arrived {
    fn count(&mut self, became: &Became) {
        match became {
            Became::Inserted => self.documents += 1,
            Became::Skipped => self.skipped += 1,
            Became::Replaced => {
                self.documents += 1;
                self.replaced += 1;
            }
        }
    }
}

fn write(session: &Session, definition: &Definition, arrival: &Arrival, on_duplicate: OnDuplicate) -> Result<Became> {
    let Arrival { id, document, .. } = arrival;
    if let (Some(id), OnDuplicate::Skip | OnDuplicate::Replace) = (id, on_duplicate)
        && let Some(before) = read_stored(session, definition, id)?
    {
        if on_duplicate == OnDuplicate::Skip {
            return Ok(Became::Skipped);
        }
        definition.migration.note_whole(session, definition.id, id)?;
        write_document(session, definition, id, Some(&before.document), Some(document))?;
        return Ok(Became::Replaced);
    }
    insert(session, definition, id.clone(), document).map(|_| Became::Inserted)
}

/// True for what is wrong with one document rather than with the import.
fn is_of_the_document(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Invalid | ErrorKind::AlreadyExists | ErrorKind::LimitExceeded)
}

fn at_line(line: u64, error: &Error) -> String {
    format!("line {line}: {error}")
}
