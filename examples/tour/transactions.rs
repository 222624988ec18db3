//! What transactions promise: all or nothing over collections, and no lost update.

use blaze::{Database, Document, DocumentId, Error, ErrorKind, Result, Value, inc};

use crate::Outcome;
use crate::stopwatch::timed;
use crate::terminal::Screen;

/// Where a review of a document goes.
const REVIEWS: &str = "reviews";

/// The field of the reviewed document that counts its reviews.
const COUNT: &str = "review_count";

/// A document of the loaded ones.
pub(crate) struct Subject {
    pub(crate) collection: String,
    pub(crate) id: DocumentId,
}

/// Shows the promises on one document.
pub(crate) fn show(screen: &mut Screen, db: &Database, subject: &Subject) -> Outcome<()> {
    two_collections(screen, db, subject)?;
    lost_update(screen, db, subject)
}

fn two_collections(screen: &mut Screen, db: &Database, subject: &Subject) -> Outcome<()> {
    let Subject { collection, id } = subject;
    screen.ask(
        &format!("One transaction: add a review of {id}, and count it in the document"),
        &format!(
            "db.transaction(|tx| {{\n    \
             tx.collection::<Document>(\"{REVIEWS}\")?.insert(&review)?;\n    \
             tx.collection::<Document>(\"{collection}\")?.update(&id, inc(\"{COUNT}\", 1))\n}})?"
        ),
    );
    let review = Document::new().with("of", id.to_string()).with("text", "Reads well.");
    let add_review = |fail: bool| {
        db.transaction(|tx| -> Result<()> {
            tx.collection::<Document>(REVIEWS)?.insert(&review)?;
            if fail {
                return Err(Error::invalid("the application changed its mind"));
            }
            tx.collection::<Document>(collection)?.update(id, inc(COUNT, 1))
        })
    };
    let (committed, elapsed) = timed(|| add_review(false));
    committed?;
    screen.time(elapsed);
    let state = || -> Outcome<(u64, i64)> {
        let reviews = db.collection::<Document>(REVIEWS)?.count()?;
        Ok((reviews, review_count(&document(db, subject)?)))
    };
    screen.check(state()? == (1, 1), "Both collections changed together: 1 review, and the document counts 1.");
    let refused = add_review(true);
    screen.check(
        refused.is_err() && state()? == (1, 1),
        "A second one failed half-way and left nothing behind: still 1 review, still counted once.",
    );
    Ok(())
}

/// Two transactions read the same count and both want to add one: if both succeeded, one addition would be lost.
fn lost_update(screen: &mut Screen, db: &Database, subject: &Subject) -> Outcome<()> {
    let Subject { collection, id } = subject;
    screen.ask(
        "Two transactions read the same count, and each writes it back plus one",
        "first.commit()?;\nsecond.commit()  // answers ErrorKind::Conflict",
    );
    let (first, second) = (db.begin()?, db.begin()?);
    for transaction in [&first, &second] {
        let documents = transaction.collection::<Document>(collection)?;
        let mut document = documents.get(id)?.ok_or("the document is gone")?.value;
        let count = review_count(&document);
        document.insert(COUNT, count + 1);
        documents.replace(id, &document)?;
    }
    first.commit()?;
    let second = second.commit();
    match &second {
        Ok(_) => screen.labelled("answer", "the second commit went through"),
        Err(error) => screen.labelled("answer", &format!("{:?}: {error}", error.kind())),
    }
    let refused = second.is_err_and(|error| error.kind() == ErrorKind::Conflict);
    screen.check(refused, "The second commit was refused, so the first one's update was not lost.");
    // The closure form begins again after a conflict, so an application rarely sees one.
    db.transaction(|tx| tx.collection::<Document>(collection)?.update(id, inc(COUNT, 1)))?;
    let count = review_count(&document(db, subject)?);
    screen.check(count == 3, &format!("Tried again, it succeeds: the count is {count}, and no addition is missing."));
    Ok(())
}

fn document(db: &Database, subject: &Subject) -> Outcome<Document> {
    Ok(db.collection::<Document>(&subject.collection)?.get(&subject.id)?.ok_or("the document is gone")?.value)
}

fn review_count(document: &Document) -> i64 {
    document.get(COUNT).and_then(Value::as_i64).unwrap_or(0)
}
