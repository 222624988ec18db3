use std::collections::BTreeMap;

use blaze_core::{Analyzer, Direction, KeyRange};
use blaze_text::DocumentPostings;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::catalog::{self, Kind, prefix};
use crate::text::split_change;
use crate::{Collection, Database, Index};

/// What is stored of an index on text: the entries by id, and the changes in their order.
#[derive(Debug, Default, PartialEq)]
struct Rows {
    entries: BTreeMap<DocumentId, Vec<u8>>,
    changes: Vec<Change>,
}

#[derive(Clone, Debug, PartialEq)]
struct Change {
    id: DocumentId,
    ts: Timestamp,
    before: Option<Vec<u8>>,
    after: Option<Vec<u8>>,
}

fn definition(db: &Database) -> IndexDefinition {
    let session = Session::read_only(&db.core).unwrap();
    catalog::get(&session, "texts", Kind::Collection).unwrap().indexes[0].clone()
}

fn rows(db: &Database) -> Rows {
    let session = Session::read_only(&db.core).unwrap();
    let index = definition(db);
    let mut cursor = session.cursor(Family::Text, &KeyRange::prefix(&prefix(index.id)), Direction::Forward).unwrap();
    let mut rows = Rows::default();
    while let Some((key, value)) = cursor.next().unwrap() {
        match split_change(&key[4..]).unwrap() {
            Some((id, begun)) => {
                let ChangeRow { ts, before, after } = ChangeRow::read(value).unwrap();
                assert!(begun < ts, "a session begins before its commit");
                let (id, copy) = (DocumentId::read_key(id).unwrap(), |part: &[u8]| part.to_vec());
                rows.changes.push(Change { id, ts, before: before.map(copy), after: after.map(copy) });
            }
            None if key[4] == 0xFF => {}
            None => drop(rows.entries.insert(DocumentId::read_key(&key[4..]).unwrap(), value.to_vec())),
        }
    }
    rows.changes.sort_by_key(|change| change.ts);
    rows
}

/// The terms of a document and where they are.
fn entry_of(index: &IndexDefinition, document: &Document) -> Option<(Vec<u8>, Vec<u8>)> {
    let entries = Entries::of(index, &1.into(), document).unwrap();
    let occurrences = entries.occurrences().map(<[u8]>::to_vec);
    Some((entries.into_iter().next()?.1, occurrences?))
}

fn texts(db: &Database) -> Collection<Document> {
    let texts = db.collection::<Document>("texts").unwrap();
    texts.ensure_index(Index::text(["title", "body"]).only(blaze_core::field("hidden").ne(true))).unwrap();
    texts
}

fn titled(title: &str) -> Document {
    Document::new().with("title", title)
}

#[test]
fn a_change_that_leaves_the_text_as_it_was_writes_nothing_to_the_index() {
    let db = Database::in_memory().unwrap();
    let texts = texts(&db);
    texts.insert_with_id(1, &titled("old fish").with("year", 1)).unwrap();
    let before = rows(&db);
    assert_eq!((before.entries.len(), before.changes.len()), (1, 1));
    texts.update(1, blaze_core::set("year", 2)).unwrap();
    texts.insert_with_id(2, &Document::new().with("year", 3)).unwrap();
    texts.delete(2).unwrap();
    assert_eq!(rows(&db), before);
    texts.update(1, blaze_core::set("title", "fish old")).unwrap();
    let after = rows(&db);
    assert_eq!(after.entries, before.entries, "the same terms");
    assert_eq!(after.changes.len(), 2, "at other places");
}

#[test]
fn a_document_that_is_left_out_has_no_rows() {
    let db = Database::in_memory().unwrap();
    let texts = texts(&db);
    texts.insert_with_id(1, &titled("fish").with("hidden", true)).unwrap();
    assert_eq!(rows(&db), Rows::default());
    texts.update(1, blaze_core::set("hidden", false)).unwrap();
    assert_eq!(rows(&db).entries.len(), 1);
    texts.update(1, blaze_core::set("hidden", true)).unwrap();
    let rows = rows(&db);
    assert_eq!((rows.entries.len(), rows.changes.len()), (0, 2));
    assert!(rows.changes[1].before.is_some() && rows.changes[1].after.is_none());
}

#[test]
fn several_changes_of_a_session_are_one() {
    let db = Database::in_memory().unwrap();
    let texts = texts(&db);
    texts.insert_with_id(1, &titled("first")).unwrap();
    let first = rows(&db);
    db.transaction(|tx| {
        let texts = tx.collection::<Document>("texts")?;
        texts.replace(1, &titled("second"))?;
        texts.delete(1)?;
        texts.insert_with_id(1, &titled("third"))?;
        texts.insert_with_id(2, &titled("comes and goes"))?;
        texts.delete(2).map(drop)
    })
    .unwrap();
    let after = rows(&db);
    assert_eq!((after.entries.len(), after.changes.len()), (1, 2));
    assert_eq!(after.changes[1].before, Some(first.entries[&1.into()].clone()));
    assert_eq!(after.entries[&1.into()], entry_of(&definition(&db), &titled("third")).unwrap().0);
}

#[derive(Clone, Debug)]
enum Step {
    Write(u8, Text),
    Delete(u8),
}

/// What a document holds: words, a year that is not indexed, and whether it is left out.
type Text = (Vec<u8>, u8, bool);

fn document((words, year, hidden): &Text) -> Document {
    let text = words.iter().map(|word| format!("w{word}")).collect::<Vec<_>>().join(" ");
    let body: Vec<String> = words.iter().take(2).map(|word| format!("b{word}, b{year}")).collect();
    titled(&text).with("body", body).with("year", i64::from(*year)).with("hidden", *hidden)
}

fn step() -> impl Strategy<Value = Step> {
    let text = (vec(0_u8..4, 0..4), 0_u8..2, prop::bool::weighted(0.2));
    prop_oneof![
        3 => (0_u8..4, text).prop_map(|(id, text)| Step::Write(id, text)),
        1 => (0_u8..4).prop_map(Step::Delete),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Entries are those of the documents, and changes lead from one commit to the next.
    #[test]
    fn rows_tell_what_every_commit_did(commits in vec((vec(step(), 1..5), any::<bool>()), 1..12), analyzer: bool) {
        let db = Database::in_memory().unwrap();
        let collection = db.collection::<Document>("texts").unwrap();
        let index = Index::text(["title", "body"]).only(blaze_core::field("hidden").ne(true));
        let index = if analyzer { index.analyzer(Analyzer::substring()) } else { index };
        let mut model: BTreeMap<DocumentId, Document> = BTreeMap::new();
        let mut before = Rows::default();
        for (at, (steps, keep)) in commits.iter().enumerate() {
            if at == 1 {
                collection.ensure_index(index.clone()).unwrap();
                before = rows(&db);
                for change in &before.changes {
                    prop_assert!(change.before.is_none() && change.after.is_some());
                }
                prop_assert_eq!(before.changes.len(), before.entries.len());
            }
            let mut changed = model.clone();
            let transaction = db.begin().unwrap();
            {
                let texts = transaction.collection::<Document>("texts").unwrap();
                for step in steps {
                    match step {
                        Step::Write(id, text) => {
                            texts.put(*id, &document(text)).unwrap();
                            changed.insert((*id).into(), document(text));
                        }
                        Step::Delete(id) => {
                            texts.delete(*id).unwrap();
                            changed.remove(&(*id).into());
                        }
                    }
                }
            }
            if !keep {
                drop(transaction);
                continue;
            }
            transaction.commit().unwrap();
            model = changed;
            if at == 0 {
                continue;
            }
            let after = rows(&db);
            check(&definition(&db), &model, &before, &after)?;
            before = after;
        }
        prop_assert!(db.verify().unwrap().is_healthy());
    }
}

fn check(
    index: &IndexDefinition,
    model: &BTreeMap<DocumentId, Document>,
    before: &Rows,
    after: &Rows,
) -> std::result::Result<(), TestCaseError> {
    let expected: BTreeMap<_, _> =
        model.iter().filter_map(|(id, document)| Some((id.clone(), entry_of(index, document)?))).collect();
    let entries: BTreeMap<_, _> = expected.iter().map(|(id, (terms, _))| (id.clone(), terms.clone())).collect();
    prop_assert_eq!(&after.entries, &entries);
    prop_assert!(after.changes.starts_with(&before.changes), "what was committed stays");
    let new = &after.changes[before.changes.len()..];
    for change in new {
        prop_assert_eq!(new.iter().filter(|other| other.id == change.id).count(), 1);
        prop_assert_eq!(&change.before, &before.entries.get(&change.id).cloned());
        prop_assert_eq!(&change.after, &expected.get(&change.id).map(|(_, occurrences)| occurrences.clone()));
        if let Some((terms, occurrences)) = expected.get(&change.id) {
            prop_assert!(DocumentPostings::read(terms, occurrences).is_ok());
        }
    }
    for id in before.entries.keys().chain(after.entries.keys()) {
        let is_told = new.iter().any(|change| change.id == *id);
        prop_assert!(is_told || before.entries.get(id) == after.entries.get(id), "{:?} changed silently", id);
    }
    Ok(())
}
