//! A collection whose documents go from one form to the next, each of them once.

use blaze::{Database, Document, Error, Index, Migrations, field};

use super::{ensure, existing, number};
use crate::Result;
use crate::workload::persist;

const NAME: &str = "migrated";

/// More than one transaction of a migration takes.
const DOCUMENTS: i64 = 700;

/// Migrates again and again.
///
/// # Errors
/// What the database does not do as it has to.
pub fn work(db: &Database) -> Result<()> {
    let collection = db.collection::<Document>(NAME)?;
    if collection.count()? == 0 {
        persist(|| collection.ensure_index(Index::on("form").named("form")))?;
        persist(|| {
            db.transaction(|tx| {
                let collection = tx.collection::<Document>(NAME)?;
                (0..DOCUMENTS).try_for_each(|n| collection.insert_with_id(n, &Document::new().with("form", 0)))
            })
        })?;
    }
    loop {
        let form = collection.migration_version()?;
        let step = |document: &mut Document| match number(document, "form") {
            there if there == i64::from(form) => {
                document.insert("form", there + 1);
                Ok(())
            }
            there => Err(Error::corruption(format!("a document of form {there} comes to the step after {form}"))),
        };
        persist(|| collection.migrate(&Migrations::new().step(form + 1, "the next form", step)))?;
    }
}

/// All documents are of one form, but for those at the beginning, which may be of the next one.
pub(super) fn check(db: &Database) -> Result<()> {
    let Some(collection) = existing(db, NAME)? else { return Ok(()) };
    let found = collection.find_all().run()?;
    if found.is_empty() {
        return Ok(());
    }
    let form = i64::from(collection.migration_version()?);
    let next = found.iter().take_while(|found| number(found, "form") == form + 1).count();
    let rest = found.iter().skip(next).filter(|found| number(found, "form") == form).count();
    ensure((next + rest) as i64 == DOCUMENTS && found.len() as i64 == DOCUMENTS, || {
        format!("of form {form} there are {rest} behind {next} of the next one, of {} documents", found.len())
    })?;
    let by_index = collection.find(field("form").eq(form)).count()?;
    ensure(by_index == rest as u64, || format!("the index finds {by_index} of form {form}, and there are {rest}"))
}
