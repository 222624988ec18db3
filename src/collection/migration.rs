//! Migrating a collection.

use std::ops::ControlFlow;

use blaze_core::Result;

use super::Collection;
use crate::migration::{self, DryRun, MigrationProgress, MigrationReport, Migrations};

impl<T> Collection<T> {
    /// Brings all documents to the version of the last step, each by the steps that it lacks, in small transactions; in a
    /// transaction, in that. The collection keeps the version; a collection without documents is merely given it.
    ///
    /// A call that is cut short, by an error, by the caller or by the end of the process, leaves what it has done, and the
    /// next one goes on from there: no step is ever applied to a document twice.
    ///
    /// Other threads may go on writing meanwhile. Documents that they insert, put or replace are taken for ones of the new
    /// form; documents that they update stay of the form that they have, so updates must fit both until this returns. A
    /// program calls it before it writes.
    ///
    /// ```
    /// use blaze::{Database, Document, Migrations};
    ///
    /// let db = Database::temporary()?;
    /// let people = db.collection::<Document>("people")?;
    /// people.insert_with_id(1, &Document::new().with("name", "Andrei Tarkovsky"))?;
    /// let migrations = Migrations::new().step(1, "split name", |person: &mut Document| {
    ///     let name = person.remove("name");
    ///     let (first, last) = name.as_ref().and_then(|name| name.as_str()?.split_once(' ')).unwrap_or_default();
    ///     person.insert("first", first);
    ///     person.insert("last", last);
    ///     Ok(())
    /// });
    /// assert_eq!(people.migrate_dry_run(&migrations)?.changed, 1);
    /// people.migrate(&migrations)?;
    /// assert_eq!(people.get(1)?.unwrap().get("last").unwrap().as_str(), Some("Tarkovsky"));
    /// assert_eq!((people.migration_version()?, people.migrate(&migrations)?.changed), (1, 0));
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when the numbers of the steps do not follow one another, the collection is at a
    /// later version than the last step or at one too early for the first, or a document does not fit the schema or an index
    /// any more; in a transaction that is not serializable; what a step returns, with the id of the document. Else as
    /// [`insert`](Collection::insert).
    pub fn migrate(&self, migrations: &Migrations<'_>) -> Result<MigrationReport> {
        self.migrate_with(migrations, |_| ControlFlow::Continue(()))
    }

    /// As [`migrate`](Collection::migrate), telling after each transaction how far it has come; with
    /// [`ControlFlow::Break`] it stops there. In a transaction, what `progress` or a step writes to that
    /// transaction from their own thread, which is waiting for them, is refused as [`Invalid`](crate::ErrorKind::Invalid).
    ///
    /// # Errors
    /// As [`migrate`](Collection::migrate); [`Cancelled`](crate::ErrorKind::Cancelled).
    pub fn migrate_with(
        &self,
        migrations: &Migrations<'_>,
        mut progress: impl FnMut(MigrationProgress) -> ControlFlow<()>,
    ) -> Result<MigrationReport> {
        migration::run(&self.scope, self.name(), migrations, &mut progress)
            .map_err(|error| error.context(format!("collection {:?}", self.name())))
    }

    /// What [`migrate`](Collection::migrate) would do, as far as one view tells; writes nothing.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) as [`migrate`](Collection::migrate) for the steps as such; else as
    /// [`get`](Collection::get). Documents that would stop it are told in the answer.
    pub fn migrate_dry_run(&self, migrations: &Migrations<'_>) -> Result<DryRun> {
        let told = self.read(|session, definition| migration::dry_run(session, definition, migrations));
        told.map_err(|error| error.context(format!("collection {:?}", self.name())))
    }

    /// The number of the last step that all documents have gone through; 0 at first.
    ///
    /// # Errors
    /// As [`count`](Collection::count).
    pub fn migration_version(&self) -> Result<u32> {
        self.read(|_, definition| Ok(definition.migration.version()))
    }
}
