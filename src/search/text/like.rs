//! The words that tell most of some documents.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use blaze_core::record::Record;
use blaze_core::{DocumentId, Error, Family, Result};
use blaze_text::{Node, TermKey, TermsRead};

use super::words::Words;
use crate::catalog::Definition;
use crate::collection::document_key;
use crate::index::{IndexDefinition, TextFields};
use crate::session::Session;
use crate::text::{self, TextView};

/// Words that are searched for.
const TERMS: usize = 25;

/// Words of which it is looked up how many documents have them: those that the examples have most often.
const LOOKED_UP: usize = 10_000;

/// From how often on it hardly matters that a word is more frequent in the examples: that of BM25.
const SATURATION: f64 = 1.2;

/// Documents that must have a word at least: one that no other document has finds none.
const DOCUMENTS_MIN: u64 = 2;

/// A query for the words that tell most of these documents: those that are frequent in them and rare in the others. None if no
/// word of theirs is in another document.
pub(super) fn like(
    session: &Session,
    (collection, definition): (&str, &Definition),
    (index, fields): (&IndexDefinition, &TextFields),
    view: &TextView,
    ids: &[DocumentId],
) -> Result<Option<Node>> {
    let mut counts: BTreeMap<TermKey, u32> = BTreeMap::new();
    let mut words = Words::new(fields);
    let dictionary = session.core().catalog.dictionaries.get(session.core(), definition.id)?;
    for id in ids {
        let is_there = session.visit(Family::Data, &document_key(definition.id, id), &mut |bytes| {
            let counted = Record::open(bytes, &dictionary).and_then(|record| {
                let record = record.document().with_id(id);
                words.of_record(&record, &mut |field, token| {
                    *counts.entry(TermKey::new(field, token.term)).or_default() += 1;
                })
            });
            counted.map_err(|error| error.context(format!("document {id:?}")))
        })?;
        if !is_there {
            return Err(Error::not_found(format!("collection {collection:?} has no document {id:?} to be an example")));
        }
    }
    let mut counts: Vec<(TermKey, u32)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| Reverse(*count));
    counts.truncate(LOOKED_UP);
    // Which words tell most depends on how frequent each of them is, whether or not it is chosen.
    let read: Vec<TermsRead> = counts.iter().map(|(key, _)| TermsRead::Term(key.clone())).collect();
    text::track(session, index.id, &read)?;
    let mut telling = view.read().search(|searcher| {
        let mut telling = Vec::with_capacity(counts.len());
        for (key, count) in counts {
            let documents = searcher.documents_with(&key)?;
            if documents >= DOCUMENTS_MIN {
                let of_field = searcher.totals(key.field).documents.max(0).unsigned_abs();
                telling.push((frequency(count) * rarity(of_field, documents), key));
            }
        }
        Ok(telling)
    })?;
    telling.sort_by(|(a, first), (b, second)| b.total_cmp(a).then_with(|| first.cmp(second)));
    telling.truncate(TERMS);
    let boost = |key: &TermKey| fields.fields.get(usize::from(key.field)).map_or(1.0, |field| field.boost);
    let term = |(_, key): (f64, TermKey)| Node::Term { boost: boost(&key), key };
    let should: Vec<Node> = telling.into_iter().map(term).collect();
    Ok(match should.is_empty() {
        true => None,
        false => Some(Node::Boolean { must: Vec::new(), should, must_not: Vec::new(), least_should: 1 }),
    })
}

/// How much it says of documents that they have a term so often.
fn frequency(count: u32) -> f64 {
    let count = f64::from(count);
    count / (count + SATURATION)
}

/// How much it says of a document that it has a term: as BM25 says, next to nothing of one that all have.
fn rarity(documents: u64, having: u64) -> f64 {
    let (documents, having) = (documents.max(having) as f64, having as f64);
    ((documents - having + 0.5) / (having + 0.5)).ln_1p()
}
