//! Repair: what records say is made true of the indexes again, while the database is in use.

mod index;
mod report;
mod text;

use std::ops::ControlFlow;
use std::sync::Arc;

use blaze_core::fault::{self, Point};
use blaze_core::{Direction, Durability, Error, ErrorKind, Isolation, KeyRange, Result};

use crate::catalog::{self, Definition, Kind, prefix};
use crate::database::Database;
use crate::database::core::Core;
use crate::expiry::Rebuild;
use crate::index::{self as indexes, IndexDefinition};
use crate::session::{Session, commit_alone};
use index::{Batch, check_documents, check_entries};
pub use report::{IndexRepair, RepairProgress, RepairReport};

impl Database {
    /// Verifies the database as [`verify`](Database::verify) does, and repairs what its documents and values say how to
    /// repair: entries that indexes lack, have in excess or have with another value, counts of documents, and the entries by
    /// which values expire. An index whose files cannot be read is built anew, and a text index that differs from its
    /// documents.
    ///
    /// Reads and commits go on meanwhile; an index that is built anew is not used until it is complete. Nothing is done to a
    /// database without problems. What was repaired is durable when this returns, whatever the durability of the database.
    /// Documents and values are never removed: those that do not decode are in the report, as are documents that have the same
    /// values in a unique index. For what files have lost, see [`salvage`](Database::salvage). It takes the time of verifying,
    /// and of reading all documents and indexes once more.
    ///
    /// ```
    /// let db = blaze::Database::temporary()?;
    /// db.collection::<blaze::Document>("films")?.ensure_index(blaze::Index::on("year"))?;
    /// let report = db.repair()?;
    /// assert!(report.verified.is_healthy() && report.indexes.is_empty());
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when the database is open read-only;
    /// [`Corruption`](crate::ErrorKind::Corruption) when the catalog does not decode;
    /// [`Closed`](crate::ErrorKind::Closed); [`Unavailable`](crate::ErrorKind::Unavailable). What was repaired by then stays.
    pub fn repair(&self) -> Result<RepairReport> {
        self.repair_with(|_| ControlFlow::Continue(()))
    }

    /// As [`repair`](Database::repair), telling how far it has come. With [`ControlFlow::Break`] it ends; what was repaired by
    /// then stays.
    ///
    /// # Errors
    /// As [`repair`](Database::repair), and [`Cancelled`](crate::ErrorKind::Cancelled) when `progress` asked for it.
    pub fn repair_with(&self, mut progress: impl FnMut(RepairProgress) -> ControlFlow<()>) -> Result<RepairReport> {
        let _span = tracing::info_span!("repair").entered();
        self.core.check_writable()?;
        let verified =
            self.verify_with(|verified| progress(RepairProgress { entries: verified.entries, repaired: 0 }))?;
        let report = RepairReport { verified, ..RepairReport::default() };
        if report.verified.is_healthy() {
            return Ok(report);
        }
        let mut repair = Repair { core: &self.core, entries: 0, progress: &mut progress, report };
        repair.run()?;
        // Whatever the database's durability: what the report says is repaired must not be found damaged after a loss of power.
        self.core.store.sync()?;
        Ok(repair.report)
    }
}

struct Repair<'a> {
    core: &'a Arc<Core>,
    /// Documents and entries that were compared.
    entries: u64,
    progress: &'a mut dyn FnMut(RepairProgress) -> ControlFlow<()>,
    report: RepairReport,
}

impl Repair<'_> {
    fn run(&mut self) -> Result<()> {
        let definitions = catalog::definitions(&*Session::read_only(self.core)?)?;
        for (name, definition) in &definitions {
            let repaired = match definition.kind {
                Kind::Collection => self.repair_collection(name, definition),
                Kind::Keyspace if definition.expiring => Rebuild::of(name).run(self.core),
                Kind::Keyspace | Kind::Objects => Ok(()),
            };
            match repaired {
                // What cannot be read here does not hold up the rest.
                Err(error) if error.kind() == ErrorKind::Corruption => self.report.problem(name, None, &[], &error),
                Err(error) if error.kind() == ErrorKind::NotFound => {} // it was dropped meanwhile
                repaired => repaired?,
            }
        }
        Ok(())
    }

    fn repair_collection(&mut self, name: &str, definition: &Definition) -> Result<()> {
        for index in definition.indexes.iter().filter(|index| index.ready) {
            if !is_readable(self.core, index)? || (index.is_on_text() && !text::is_whole(self.core, name, index)?) {
                match indexes::rebuild(self.core, name, index.id) {
                    Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                        self.report.problem(name, Some(&index.name), &[], &error);
                    }
                    rebuilt => {
                        rebuilt?;
                        self.report.index(name, &index.name).is_rebuilt = true;
                    }
                }
            }
        }
        self.in_batches(name, |session, from| check_documents(session, name, from))?;
        for index in definition.indexes.iter().filter(|index| index.ready && !index.is_on_text()) {
            self.in_batches(name, |session, from| check_entries(session, name, index.id, from))?;
        }
        if catalog::correct_count(self.core, name)? != 0 {
            self.report.counts.push(name.to_owned());
        }
        Ok(())
    }

    /// Runs a check that answers where it goes on, each time in a transaction of its own.
    fn in_batches(
        &mut self,
        collection: &str,
        mut check: impl FnMut(&Session, Option<&[u8]>) -> Result<Batch>,
    ) -> Result<()> {
        let mut next: Option<Vec<u8>> = None;
        loop {
            // Whatever the database's isolation: entries must be those of the documents that they are compared with.
            let batch = commit_alone(self.core, Isolation::Serializable, Durability::Buffered, |session| {
                check(session, next.as_deref())
            })?;
            fault::reached(Point::RepairBatchDone);
            self.entries += batch.entries;
            self.report.take(collection, &batch);
            let entries = self.report.verified_entries() + self.entries;
            match (self.progress)(RepairProgress { entries, repaired: self.report.repaired_entries() }) {
                ControlFlow::Continue(()) => {}
                ControlFlow::Break(()) => return Err(Error::cancelled("the repair was stopped by its caller")),
            }
            match batch.next {
                Some(key) => next = Some(key),
                None => return Ok(()),
            }
        }
    }
}

/// True if all entries of an index can be read, whatever they say.
fn is_readable(core: &Arc<Core>, index: &IndexDefinition) -> Result<bool> {
    let session = Session::read_only(core)?;
    let range = KeyRange::prefix(&prefix(index.id));
    let read_through = || -> Result<()> {
        let mut cursor = session.cursor(index.family(), &range, Direction::Forward)?;
        while cursor.next()?.is_some() {}
        Ok(())
    };
    match read_through() {
        Err(error) if error.kind() == ErrorKind::Corruption => Ok(false),
        read => read.map(|()| true),
    }
}
