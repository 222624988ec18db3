//! Verification: everything is read at one moment, and what must hold between its parts is checked.

mod contents;
mod fingerprint;
mod index;
mod report;
mod source;

use std::ops::ControlFlow;

use blaze_core::{ErrorKind, Result};

use crate::database::Database;
use crate::database::core::Storage;
use crate::index::IndexFields;
use crate::text;
use contents::Contents;
use report::Notes;
pub use report::{Problem, VerifyProgress, VerifyReport};
use source::{Source, TextRows};

impl Database {
    /// Reads everything, verifies every checksum, and checks that every row and document decodes and that every
    /// complete index has exactly the entries of its documents, that text indexes agree with these, that collections have as many documents as they count, and values that expire will be found then. Damage is in the report, not an error.
    ///
    /// Reads and commits go on meanwhile; it sees the database at one moment and puts nothing into the caches. It takes
    /// the time of reading all files twice: once block by block from the disk, once in order. Where files cannot be
    /// read, nothing is said of the indexes concerned.
    ///
    /// ```
    /// let db = blaze::Database::temporary()?;
    /// db.keyspace("settings")?.put("theme", "dark")?;
    /// let report = db.verify()?;
    /// assert!(report.is_healthy());
    /// assert_eq!(report.keys, 1);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Closed`](crate::ErrorKind::Closed) when the database is closed meanwhile.
    pub fn verify(&self) -> Result<VerifyReport> {
        self.verify_with(|_| ControlFlow::Continue(()))
    }

    /// As [`verify`](Database::verify), telling how far it has come. With [`ControlFlow::Break`] it ends; only while
    /// blocks are verified at the beginning is nobody asked. `progress` must not close the database, which waits for
    /// the verification.
    ///
    /// # Errors
    /// As [`verify`](Database::verify), and [`Cancelled`](crate::ErrorKind::Cancelled) when `progress` asked for it.
    pub fn verify_with(&self, mut progress: impl FnMut(VerifyProgress) -> ControlFlow<()>) -> Result<VerifyReport> {
        let _span = tracing::info_span!("verify").entered();
        let mut notes = Notes::new(&mut progress);
        notes.tell()?;
        match &self.core.storage {
            Storage::Memory => read_through(&self.core.store.read_point()?, &mut notes)?,
            Storage::Directory { store, .. } => {
                match store.verify_sorted_files() {
                    Err(error) if error.kind() == ErrorKind::Closed => return Err(error),
                    Err(error) => notes.problem(None, None, &[], error),
                    Ok(()) => {}
                }
                read_through(&store.scrub()?, &mut notes)?;
            }
        }
        Ok(notes.report)
    }
}

fn read_through(source: &dyn Source, notes: &mut Notes<'_>) -> Result<()> {
    let mut contents = Contents::read_catalog(source, notes)?;
    contents.read_data(source, notes)?;
    contents.collections.values().for_each(|collection| collection.check_count(notes));
    contents.read_indexes(source, notes)?;
    for (id, collection) in contents.collections.iter().filter(|(_, collection)| !collection.has_holes) {
        for index in collection.indexes.iter().filter(|index| !index.has_holes) {
            let known = notes.report.problem_count;
            index::compare(source, *id, collection, index, notes)?;
            if known < notes.report.problem_count {
                continue; // what is made of the entries differs for the same reason
            }
            if let IndexFields::Text(fields) = index.definition.parts()?
                && let Err(error) = text::check(&TextRows(source), index.definition.id, fields.count())
            {
                if error.kind() != ErrorKind::Corruption {
                    return Err(error);
                }
                notes.problem(Some(&collection.name), Some(&index.definition.name), &[], error);
            }
        }
    }
    Ok(())
}
