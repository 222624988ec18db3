//! A collection whose schema changes, to one that its documents do not fit, too.

use blaze::schema::{Schema, int, string};
use blaze::{Database, Document, Error, ErrorKind, SchemaState, Validation};

use super::{ensure, existing, number};
use crate::workload::persist;
use crate::{Finding, Result};

const NAME: &str = "ruled";
const INDEX: &str = "n";
const DOCUMENTS: i64 = 30;

/// Two that its documents fit, and one that they do not.
fn schemas() -> [Schema; 3] {
    let of = |field| Schema::new().required("n", field);
    [of(int()), of(int()).optional("more", string()), of(string())]
}

/// Changes its schema again and again.
///
/// # Errors
/// What the database does not do as it has to.
pub fn work(db: &Database) -> Result<()> {
    let collection = db.collection::<Document>(NAME)?;
    let [one, other, unfit] = schemas();
    // A schema that they do not fit may be in force: it was being checked when a process before this one died.
    if collection.count()? == 0 {
        persist(|| {
            db.transaction(|tx| {
                let collection = tx.collection::<Document>(NAME)?;
                (0..DOCUMENTS).try_for_each(|n| collection.put(n, &Document::new().with("n", n)))
            })
        })?;
    }
    loop {
        persist(|| collection.set_schema(&one, Validation::Strict))?;
        persist(|| collection.set_schema(&other, Validation::Strict))?;
        let refused = persist(|| collection.set_schema(&unfit, Validation::Strict));
        ensure(refused.as_ref().map_err(Error::kind) == Err(ErrorKind::Invalid), || {
            format!("a schema that no document fits was answered with {refused:?}")
        })?;
        let there = collection.schema()?;
        ensure(
            there.as_ref().is_some_and(|there| (&there.schema, there.state) == (&other, SchemaState::Checked)),
            || format!("after one that was refused the schema is {there:?}"),
        )?;
        // What goes within a transaction goes with its commit.
        persist(|| {
            db.transaction(|tx| {
                let collection = tx.collection::<Document>(NAME)?;
                collection.drop_index(INDEX)?;
                collection.ensure_index(blaze::Index::on("n").unique().named(INDEX))
            })
        })?;
    }
}

/// All documents are there, and a document that fits no schema is refused as soon as there is one.
pub(super) fn check(db: &Database) -> Result<()> {
    let Some(collection) = existing(db, NAME)? else { return Ok(()) };
    let found = collection.find_all().run()?;
    let is_whole = found.len() as i64 == DOCUMENTS && found.iter().zip(0..).all(|(found, n)| number(found, "n") == n);
    ensure(found.is_empty() || is_whole, || format!("its documents are {found:?}"))?;
    let Some(there) = collection.schema()? else { return Ok(()) };
    let known = schemas();
    let is_unfit = there.schema == known[2];
    let is_known = known.contains(&there.schema) && (!is_unfit || there.state == SchemaState::Checking);
    ensure(is_known, || format!("its schema is {there:?}"))?;
    let answered = persist(|| {
        db.transaction(|tx| {
            tx.collection::<Document>(NAME)?.insert_with_id("unfit", &Document::new().with("n", true))?;
            Err::<(), _>(Error::cancelled("nothing is to stay"))
        })
    });
    match answered.as_ref().map_err(Error::kind) {
        Err(ErrorKind::Invalid) => Ok(()),
        _ => Err(Finding::new(format!("a document that fits no schema was answered with {answered:?}"))),
    }
}
