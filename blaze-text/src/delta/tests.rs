//! A delta is what its changes make, as of each of them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use proptest::prelude::*;

use super::{Delta, DeltaView};
use crate::batch::tests::assert_goes_in_batches;
use crate::{DocumentBuilder, DocumentPostings, END, FieldTotals, Postings, TermKey};

const FIELDS: u8 = 2;

fn document(words: &[(u8, u8)]) -> DocumentPostings {
    let mut builder = DocumentBuilder::new(FIELDS);
    for (position, (field, word)) in (0..).zip(words) {
        builder.add(*field, &[b'a' + word], position).unwrap();
    }
    builder.finish()
}

/// A document's id, what it is changed to, and whether the commit is another one than that of the change before.
type Change = (u8, Option<DocumentPostings>, bool);

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let words = prop::collection::vec((0..FIELDS, 0..6_u8), 0..12);
    let after = prop::option::weighted(0.8, words.prop_map(|words| document(&words)));
    prop::collection::vec((0..12_u8, after, any::<bool>()), 0..60)
}

/// The documents of a moment, those of others that count no more, and what of the latter the delta knew.
#[derive(Clone, Default)]
struct Model {
    documents: BTreeMap<u8, DocumentPostings>,
    masked: BTreeSet<u8>,
}

fn totals<'a>(documents: impl Iterator<Item = &'a DocumentPostings>, field: u8) -> FieldTotals {
    documents.map(|document| document.terms().length(field)).fold(FieldTotals::default(), |sum, length| {
        sum.plus(FieldTotals { documents: i64::from(length > 0), tokens: i64::from(length) })
    })
}

fn having(document: &DocumentPostings, key: &TermKey) -> Option<Vec<u32>> {
    document.field(key.field).find(|(term, _)| **term == *key.term).map(|(_, positions)| positions.to_vec())
}

fn assert_is(view: DeltaView<'_>, model: &Model, elsewhere: &BTreeMap<u8, DocumentPostings>) {
    for id in 0..12 {
        assert_eq!(view.masks(&[id]), model.masked.contains(&id), "of {id}");
        let found = view.find_document(&[id]);
        assert_eq!(found.is_some(), model.documents.contains_key(&id), "of {id}");
        if let Some(number) = found {
            assert_eq!(view.id(number), [id]);
            assert!((0..FIELDS).all(|field| view.length(field, number) == model.documents[&id].terms().length(field)));
        }
    }
    let masked: BTreeSet<u8> = view.masked_after(None).map(|(_, id)| id[0]).collect();
    assert_eq!(masked, model.masked);
    let gone: Vec<&DocumentPostings> = model.masked.iter().map(|id| &elsewhere[id]).collect();
    for field in 0..FIELDS {
        let added = totals(model.documents.values(), field);
        assert_eq!(view.totals(field), added.minus(totals(gone.iter().copied(), field)));
        for word in 0..6 {
            assert_postings(view, model, &gone, &TermKey::new(field, [b'a' + word]));
        }
    }
    let mut listed = Vec::new();
    let mut visit = |field: u8, term: &[u8], added: i64| {
        listed.push(TermKey::new(field, term));
        assert_eq!(view.find(&listed[listed.len() - 1]).map(|term| term.added()), Some(added));
        Ok(ControlFlow::Continue(()))
    };
    view.terms_from(&TermKey::new(0, "b"), &mut visit).unwrap();
    assert!(listed.is_sorted());
    for key in model.documents.values().flat_map(|document| document.iter().map(|(field, term, _)| (field, term))) {
        let key = TermKey::new(key.0, key.1);
        assert_eq!(listed.contains(&key), key >= TermKey::new(0, "b"), "{key:?}");
    }
}

fn assert_postings(view: DeltaView<'_>, model: &Model, gone: &[&DocumentPostings], key: &TermKey) {
    let live: BTreeMap<u8, Vec<u32>> =
        model.documents.iter().filter_map(|(id, document)| Some((*id, having(document, key)?))).collect();
    let removed = gone.iter().filter(|document| having(document, key).is_some()).count();
    let Some(term) = view.find(key) else {
        assert!(live.is_empty() && removed == 0, "{key:?}");
        return;
    };
    assert_eq!(term.added(), live.len() as i64 - removed as i64, "{key:?}");
    let mut cursor = view.postings(&term);
    let (mut found, mut positions, mut before) = (BTreeMap::new(), Vec::new(), None);
    while cursor.document() != END {
        let document = cursor.document();
        assert!(document < view.documents() && before < Some(document));
        let (last, impacts) = cursor.block(document).unwrap();
        assert!(last >= document);
        let (most, least) = (impacts[0].frequency, impacts[0].length);
        assert!(most >= cursor.frequency().unwrap() && least <= view.length(key.field, document));
        cursor.positions(&mut positions).unwrap();
        assert_eq!(positions.len() as u32, cursor.frequency().unwrap());
        if view.is_live(document) {
            found.insert(view.id(document)[0], positions.clone());
        }
        before = Some(document);
        cursor.next().unwrap();
    }
    assert_eq!(found, live, "{key:?}");
    assert_goes_in_batches(|| view.postings(&term), |step| step % 5);
}

proptest! {
    #[test]
    fn a_view_has_what_the_changes_up_to_its_moment_make(elsewhere in changes(), changes in changes()) {
        let elsewhere: BTreeMap<u8, DocumentPostings> =
            elsewhere.into_iter().filter_map(|(id, document, _)| Some((id, document?))).collect();
        let mut delta = Delta::new(FIELDS);
        let mut model = Model::default();
        let mut moments = vec![(0, model.clone())];
        let mut known: BTreeSet<u8> = BTreeSet::new();
        for (id, after, is_next) in changes {
            let last = moments.len() as u64 - 1;
            let at = if is_next || last == 0 { last + 1 } else { last };
            let before = match known.insert(id) {
                true => elsewhere.get(&id),
                false => model.documents.get(&id),
            };
            delta.change(at, &[id], before.map(DocumentPostings::terms), after.as_ref()).unwrap();
            if elsewhere.contains_key(&id) {
                model.masked.insert(id);
            }
            match after {
                Some(after) => model.documents.insert(id, after),
                None => model.documents.remove(&id),
            };
            if at > last {
                moments.push((at, model.clone()));
            } else {
                moments.last_mut().unwrap().1 = model.clone();
            }
            for (at, model) in moments.iter().rev().take(3) {
                assert_is(delta.view(*at), model, &elsewhere);
            }
        }
        for (at, model) in &moments {
            assert_is(delta.view(*at), model, &elsewhere);
        }
    }

    #[test]
    fn a_cursor_seeks_as_it_walks(documents in prop::collection::vec(any::<bool>(), 0..700), steps in prop::collection::vec(0..90_u32, 0..60)) {
        let mut delta = Delta::new(FIELDS);
        for (number, has) in (0..).zip(&documents) {
            let words: &[(u8, u8)] = if *has { &[(0, 0), (0, 1)] } else { &[(0, 1)] };
            delta.change(number, &number.to_be_bytes(), None, Some(&document(words))).unwrap();
        }
        let view = delta.view(documents.len() as u64 * 3 / 4);
        let Some(term) = view.find(&TermKey::new(0, "a")) else { return Ok(()) };
        let having: Vec<u32> = (0..view.documents()).filter(|&number| documents[number as usize]).collect();
        let mut cursor = view.postings(&term);
        prop_assert_eq!(cursor.len() as usize, having.len());
        let mut target = 0;
        for step in steps {
            target += step;
            let expected = having.iter().copied().find(|&document| document >= target).unwrap_or(END);
            let place = having.iter().position(|&document| document >= target);
            let last = place.and_then(|place| having.get(place / 128 * 128 + 127)).copied();
            let block = cursor.block(target).unwrap().0;
            prop_assert_eq!(block, last.unwrap_or(END - 1));
            prop_assert_eq!(cursor.seek(target).unwrap(), expected);
            target = if expected == END { target } else { expected };
        }
    }
}

#[test]
fn a_change_before_the_last_one_is_refused() {
    let mut delta = Delta::new(FIELDS);
    delta.change(7, b"a", None, Some(&document(&[(0, 1)]))).unwrap();
    assert!(delta.change(6, b"a", None, None).is_err());
    let mut wide = DocumentBuilder::new(FIELDS + 1);
    wide.add(FIELDS, b"a", 0).unwrap();
    assert!(delta.change(8, b"b", None, Some(&wide.finish())).is_err());
    assert_eq!(delta.len(), 1);
    assert!(delta.memory_bytes() > 0);
}
