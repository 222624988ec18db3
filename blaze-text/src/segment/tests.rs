//! Segments against a map of maps.

use std::collections::{BTreeMap, BTreeSet};

use blaze_core::{ErrorKind, Result};
use proptest::collection::vec;
use proptest::prelude::*;

use super::page::{PAYLOAD_BYTES_MAX, checksum};
use super::*;
use crate::batch::tests::assert_goes_in_batches;
use crate::{DocumentBuilder, DocumentPostings, END, FieldTotals, Impact, Postings, TermKey};

const FIELDS: u8 = 2;

/// What a segment keeps.
#[derive(Default)]
struct Model {
    documents: BTreeMap<Vec<u8>, DocumentPostings>,
}

type ModelTerms = BTreeMap<TermKey, BTreeMap<u32, Vec<u32>>>;

impl Model {
    fn terms(&self) -> ModelTerms {
        let mut terms = ModelTerms::new();
        for (number, document) in (0..).zip(self.documents.values()) {
            for (field, term, positions) in document.iter() {
                terms.entry(TermKey::new(field, term)).or_default().insert(number, positions.to_vec());
            }
        }
        terms
    }

    fn totals(&self, field: u8) -> FieldTotals {
        let lengths = self.documents.values().map(|document| i64::from(document.terms().length(field)));
        lengths.fold(FieldTotals::default(), |all, tokens| {
            all.plus(FieldTotals { documents: i64::from(tokens > 0), tokens })
        })
    }
}

struct Stored {
    segment: Segment,
    pages: MemoryPages,
}

fn store(write: impl FnOnce(SegmentWriter<'_>) -> Result<SegmentMeta>) -> Stored {
    let mut pages = MemoryPages::default();
    let mut sink = |stream, number, page: Vec<u8>| {
        assert!(page.len() <= PAGE_BYTES_MAX);
        pages.put(stream, number, page)
    };
    let meta = write(SegmentWriter::new(FIELDS, &mut sink)).unwrap();
    let meta = SegmentMeta::from_bytes(&meta.to_bytes()).unwrap();
    let segment = Segment::open(meta, &pages).unwrap();
    check(&segment, &pages).unwrap();
    Stored { segment, pages }
}

fn folded(changes: Vec<FoldedChange>) -> Stored {
    store(|writer| fold(changes, writer))
}

/// A number from a seed.
fn mix(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ mixed >> 31
}

/// A document of words that are the rarer the higher their number is.
fn document(seed: u64, tokens: u64) -> DocumentPostings {
    let mut builder = DocumentBuilder::new(FIELDS);
    let mut position = 0;
    for token in 0..tokens {
        let random = mix(seed ^ mix(token));
        let word = (random % 3_000 + 1) * ((random >> 20) % 3_000 + 1) / 3_000 * ((random >> 40) % 64) / 64;
        position += 1 + (random >> 60) as u32;
        let field = u8::from(random >> 50 & 3 == 0);
        builder.add(field, format!("word{word}").as_bytes(), position).unwrap();
    }
    builder.finish()
}

fn id(number: u64) -> Vec<u8> {
    let number = format!("{number:05}");
    if number.ends_with('7') { number.repeat(9).into_bytes() } else { number.into_bytes() }
}

fn change(id: &[u8], before: Option<&DocumentPostings>, after: Option<DocumentPostings>) -> FoldedChange {
    FoldedChange { id: id.into(), before: before.map(|before| before.terms().clone()), after }
}

fn assert_postings(stored: &Stored, entry: &TermEntry, model: &BTreeMap<u32, Vec<u32>>, field: u8, seed: u64) {
    let Stored { segment, pages } = stored;
    let mut postings = segment.postings(pages, entry).unwrap();
    assert_eq!((postings.len() as usize, postings.is_empty()), (model.len(), model.is_empty()));
    let (mut positions, all) = (Vec::new(), postings.impacts().to_vec());
    let covers = |impacts: &[Impact], document: u32, frequency: usize| {
        let length = segment.length(field, document);
        impacts.iter().any(|impact| impact.frequency as usize >= frequency && impact.length <= length)
    };
    for (document, expected) in model {
        assert_eq!(postings.document(), *document);
        assert_eq!(postings.frequency().unwrap() as usize, expected.len());
        if !mix(seed ^ u64::from(*document)).is_multiple_of(3) {
            postings.positions(&mut positions).unwrap();
            assert_eq!(&positions, expected);
        }
        assert!(covers(&all, *document, expected.len()));
        postings.next().unwrap();
    }
    assert_eq!((postings.document(), postings.next().unwrap(), postings.seek(END - 1).unwrap()), (END, END, END));
    assert_goes_in_batches(|| segment.postings(pages, entry).unwrap(), |step| mix(seed ^ step));
    assert_finds_blocks(stored, entry, seed);
    let mut postings = segment.postings(pages, entry).unwrap();
    let (mut target, mut step) = (0_u32, 0);
    while postings.document() != END {
        step += 1;
        let random = mix(seed ^ step);
        let ahead = target.saturating_add((random >> 32) as u32 % 3_000);
        let (last, impacts) = postings.block(ahead).unwrap();
        let in_block = model.range(ahead..).next().map_or(END - 1, |(document, _)| *document);
        assert!(
            last >= in_block.min(END - 1) && last >= ahead.min(END - 1),
            "the block of {ahead} ends at {last}, {in_block}"
        );
        for (document, positions) in model.range(ahead..=last) {
            assert!(covers(impacts, *document, positions.len()));
        }
        target = target.max(postings.document()) + (random as u32 % (1 << (random >> 8 & 15)));
        let expected = model.range(target..).next();
        assert_eq!(postings.seek(target).unwrap(), expected.map_or(END, |(document, _)| *document));
        if let Some((_, expected)) = expected.filter(|_| random >> 30 & 1 > 0) {
            postings.positions(&mut positions).unwrap();
            assert_eq!(&positions, expected);
            assert_eq!(postings.frequency().unwrap() as usize, expected.len());
        }
    }
    let (last, impacts) =
        segment.postings(pages, entry).unwrap().block(END - 1).map(|(last, all)| (last, all.len())).unwrap();
    assert_eq!((last, impacts), (END - 1, 0));
}

/// Blocks that are worth it are found where looking at each block finds them.
fn assert_finds_blocks(stored: &Stored, entry: &TermEntry, seed: u64) {
    let Stored { segment, pages } = stored;
    for step in 0..20 {
        let random = mix(seed ^ step);
        let (often, short) = (random as u32 % 4, (random >> 8) as u32 % (1 << (random >> 40 & 15)));
        let is_worth = |impact: Impact| impact.frequency.saturating_add(short) >= often.saturating_add(impact.length);
        let mut target = (random >> 20) as u32 % (segment.documents() + 1);
        let mut looking = segment.postings(pages, entry).unwrap();
        let found = segment.postings(pages, entry).unwrap().find_block(target, is_worth).unwrap();
        let expected = loop {
            let (last, impacts) = looking.block(target).unwrap();
            if impacts.iter().copied().any(is_worth) {
                break (target, last);
            }
            target = last + 1;
            if target == END {
                break (END, END);
            }
        };
        assert_eq!(found, expected);
    }
}

fn assert_is(stored: &Stored, model: &Model, removed: &BTreeMap<TermKey, i32>, seed: u64) {
    let Stored { segment, pages } = stored;
    assert_eq!(segment.documents() as usize, model.documents.len());
    for (number, (id, document)) in (0..).zip(&model.documents) {
        assert_eq!(&*segment.id(pages, number).unwrap(), id.as_slice());
        assert_eq!(segment.find_document(pages, id).unwrap(), Some(number));
        assert_eq!(segment.find_document(pages, &[id.as_slice(), b"!"].concat()).unwrap(), None);
        assert!((0..FIELDS).map(|field| segment.length(field, number)).eq(document.terms().lengths()));
    }
    assert!(segment.id(pages, segment.documents()).is_err());
    let terms = model.terms();
    let keys: BTreeSet<&TermKey> = terms.keys().chain(removed.keys()).collect();
    let mut cursor = segment.terms(pages, &TermKey::new(0, "")).unwrap();
    for key in keys {
        let (found, entry) = cursor.next().unwrap().unwrap();
        assert_eq!(&found, key);
        let postings = terms.get(key).cloned().unwrap_or_default();
        for entry in [entry, segment.find(pages, key).unwrap().unwrap()] {
            assert_eq!(
                (entry.documents as usize, entry.removed),
                (postings.len(), removed.get(key).copied().unwrap_or(0))
            );
            assert_postings(stored, &entry, &postings, key.field, seed);
        }
        let behind = TermKey::new(key.field, [&key.term[..], b"!"].concat());
        assert!(segment.find(pages, &behind).unwrap().is_none());
        let next = segment.terms(pages, &behind).unwrap().next().unwrap().map(|(key, _)| key);
        assert!(next.is_none_or(|next| next > behind));
    }
    assert!(cursor.next().unwrap().is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_folded_segment_is_its_changes(seed: u64, count in prop_oneof![0_u64..40, 0_u64..700], tokens in 0_u64..60) {
        let (mut changes, mut model, mut removed) = (Vec::new(), Model::default(), BTreeMap::new());
        let mut totals = [FieldTotals::default(); FIELDS as usize];
        for number in 0..count {
            let random = mix(seed ^ mix(number));
            let before = (random & 3 == 0).then(|| document(random, tokens));
            let after = (random >> 8 & 7 > 0).then(|| document(random + 1, tokens * (random >> 30 & 3)));
            for (field, term, _) in before.iter().flat_map(DocumentPostings::iter) {
                *removed.entry(TermKey::new(field, term)).or_default() += 1;
            }
            for (field, length) in before.iter().flat_map(|before| before.terms().lengths().enumerate()) {
                totals[field] = totals[field].plus(FieldTotals { documents: i64::from(length > 0), tokens: i64::from(length) });
            }
            model.documents.extend(after.clone().map(|after| (id(number), after)));
            changes.push(change(&id(number), before.as_ref(), after));
        }
        changes.sort_by_key(|change| mix(seed ^ u64::from(change.id[3])));
        let stored = folded(changes);
        for field in 0..FIELDS {
            let added = stored.segment.meta().added(field);
            prop_assert_eq!(added, model.totals(field));
            prop_assert_eq!(stored.segment.totals(field), added.minus(totals[usize::from(field)]));
        }
        assert_is(&stored, &model, &removed, seed);
    }

    #[test]
    fn merged_segments_count_what_all_of_them_counted_and_in_the_end_are_one_fold(
        seed: u64, batches in vec(1_u64..150, 1..6), merges in vec((any::<prop::sample::Index>(), 1_usize..4), 0..4), tokens in 1_u64..40,
    ) {
        let (mut model, mut parts) = (Model::default(), Vec::<(Stored, BTreeSet<u32>)>::new());
        for (batch, changed) in (1_u64..).zip(&batches) {
            let mut changes = BTreeMap::new();
            for number in 0..*changed {
                let random = mix(seed ^ mix(batch << 32 | number));
                let id = id(random % 300);
                let before = model.documents.get(&id).cloned();
                let after = (random >> 8 & 3 > 0).then(|| document(random, tokens));
                changes.entry(id.clone()).or_insert_with(|| change(&id, before.as_ref(), after));
            }
            for (id, change) in &changes {
                for (part, dead) in &mut parts {
                    dead.extend(part.segment.find_document(&part.pages, id).unwrap());
                }
                model.documents.remove(id);
                model.documents.extend(change.after.clone().map(|after| (id.clone(), after)));
            }
            parts.push((folded(changes.into_values().collect()), BTreeSet::new()));
        }
        for (from, count) in merges {
            assert_counts(&parts, &model);
            let from = from.index(parts.len());
            let to = (from + count).min(parts.len());
            let merged: Vec<_> = parts.splice(from..to, None).collect();
            parts.insert(from, (merge_all(&merged), BTreeSet::new()));
        }
        assert_counts(&parts, &model);
        parts = vec![(merge_all(&parts), BTreeSet::new())];
        assert_counts(&parts, &model);
        let whole = parts.pop().unwrap().0;
        assert_is(&whole, &model, &BTreeMap::new(), seed);
        let afresh = model.documents.iter().map(|(id, document)| change(id, None, Some(document.clone())));
        let afresh = folded(afresh.collect());
        prop_assert_eq!(afresh.segment.meta(), whole.segment.meta());
        for stream in Stream::ALL {
            for number in 0..afresh.segment.meta().pages(stream) {
                let pages = [&afresh, &whole].map(|stored| stored.pages.page(stream, number).unwrap());
                prop_assert_eq!(pages[0].payload(), pages[1].payload());
            }
        }
    }

    #[test]
    fn damaged_pages_are_refused_by_their_checksum_and_without_it_never_panic(
        seed: u64, damages in vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 1_u8.., 0_u8..8), 200),
    ) {
        let changes = (0..400).map(|number| {
            let before = (number % 9 == 0).then(|| document(seed ^ number, 10));
            change(&id(number), before.as_ref(), Some(document(seed ^ mix(number), 30)))
        });
        let stored = folded(changes.collect());
        let meta = stored.segment.meta();
        for (stream, at, flip, kind) in damages {
            let stream = Stream::ALL[stream.index(Stream::ALL.len())];
            let number = at.index(meta.pages(stream) as usize) as u32;
            let mut payload = stored.pages.page(stream, number).unwrap().payload().to_vec();
            let at = at.index(payload.len());
            match kind {
                0 => payload.truncate(at),
                1 => payload[at..].fill(flip),
                2 => payload.insert(at, flip),
                _ => payload[at] ^= flip,
            }
            payload.truncate(PAYLOAD_BYTES_MAX);
            let sound = stored.pages.page(stream, number).unwrap();
            let sum = checksum(stream, number, sound.payload());
            if payload != sound.payload() {
                let error = Page::read(stream, number, [payload.as_slice(), &sum].concat()).unwrap_err();
                prop_assert_eq!(error.kind(), ErrorKind::Corruption);
            }
            let mut pages = stored.pages.clone();
            let sealed = [payload.as_slice(), &checksum(stream, number, &payload)].concat();
            pages.put(stream, number, sealed).unwrap();
            if let Err(error) = read_all(meta, &pages) {
                prop_assert_eq!(error.kind(), ErrorKind::Corruption, "{}", error);
            }
        }
    }

    #[test]
    fn what_is_known_of_a_segment_is_read_as_written_or_refused(seed: u64, bytes: Vec<u8>, at: prop::sample::Index, flip in 1_u8..) {
        let meta = folded(vec![change(b"a", Some(&document(seed, 9)), Some(document(seed, 20)))]).segment.meta().clone();
        let mut damaged = meta.to_bytes();
        prop_assert!(SegmentMeta::from_bytes(&damaged[..at.index(damaged.len())]).is_err());
        let at = at.index(damaged.len());
        damaged[at] ^= flip;
        for bytes in [damaged, bytes] {
            if let Ok(meta) = SegmentMeta::from_bytes(&bytes) {
                prop_assert_eq!(meta.to_bytes(), bytes);
            }
        }
    }
}

/// Reads all there is in every way.
fn read_all(meta: &SegmentMeta, pages: &dyn Pages) -> Result<()> {
    let segment = Segment::open(meta.clone(), pages)?;
    let mut terms = segment.terms(pages, &TermKey::new(0, ""))?;
    while let Some((key, entry)) = terms.next()? {
        segment.find(pages, &key)?;
        let Ok(mut postings) = segment.postings(pages, &entry) else { continue };
        let mut positions = Vec::new();
        for step in 0..1_000 {
            let target = postings.document();
            if target == END || postings.block(target + step).is_err() || postings.seek(target + step).is_err() {
                break;
            }
            let _ = postings.positions(&mut positions);
            if postings.next().is_err() {
                break;
            }
        }
    }
    for document in 0..segment.documents() {
        let _ = segment.id(pages, document);
    }
    let mut sink = |_, _, _| Ok(());
    let _ =
        merge(&[MergePart { segment: &segment, pages, is_dead: &|_| false }], SegmentWriter::new(FIELDS, &mut sink));
    check(&segment, pages)
}

fn merge_all(parts: &[(Stored, BTreeSet<u32>)]) -> Stored {
    let is_dead: Vec<Box<dyn Fn(u32) -> bool>> = parts
        .iter()
        .map(|(_, dead)| Box::new(|document| dead.contains(&document)) as Box<dyn Fn(u32) -> bool>)
        .collect();
    let merged: Vec<_> = parts
        .iter()
        .zip(&is_dead)
        .map(|((part, _), is_dead)| MergePart { segment: &part.segment, pages: &part.pages, is_dead })
        .collect();
    store(|writer| merge(&merged, writer))
}

/// The parts together count what the model has, of each term and field.
fn assert_counts(parts: &[(Stored, BTreeSet<u32>)], model: &Model) {
    let mut counts: BTreeMap<TermKey, i64> = BTreeMap::new();
    for (part, _) in parts {
        let mut terms = part.segment.terms(&part.pages, &TermKey::new(0, "")).unwrap();
        while let Some((key, entry)) = terms.next().unwrap() {
            *counts.entry(key).or_default() += i64::from(entry.documents) - i64::from(entry.removed);
        }
    }
    counts.retain(|_, count| *count != 0);
    let expected = model.terms().into_iter().map(|(key, documents)| (key, documents.len() as i64));
    assert_eq!(counts, expected.collect());
    for field in 0..FIELDS {
        let totals = parts.iter().map(|(part, _)| part.segment.totals(field));
        assert_eq!(totals.fold(FieldTotals::default(), FieldTotals::plus), model.totals(field));
    }
}

/// Documents of which "all" has each, "half" every other one, "rare" every 500th, "many" one with 3,000 positions.
fn long_postings(count: u32) -> (Stored, ModelTerms) {
    let mut model = ModelTerms::new();
    for document in 0..count {
        let mut add = |term: &str, positions: Vec<u32>| {
            model.entry(TermKey::new(0, term)).or_default().insert(document, positions);
        };
        add("all", (0..=document % 3).map(|position| position * 7).collect());
        if mix(u64::from(document)).is_multiple_of(2) {
            add("half", vec![u32::MAX - 1, u32::MAX]);
        }
        if document % 500 == 499 {
            add("rare", vec![document]);
        }
        if document % 1_000 == 7 {
            add("many", (0..3_000).map(|position| position * position).collect());
        }
    }
    let stored = store(|mut writer| {
        for document in 0..count {
            let tokens =
                model.values().filter_map(|postings| postings.get(&document)).map(|positions| positions.len() as u32);
            writer.add_document(&document.to_be_bytes(), [tokens.sum(), 0])?;
        }
        for (key, postings) in &model {
            writer.begin_term(key, 0)?;
            for (document, positions) in postings {
                writer.add_posting(*document, positions)?;
            }
        }
        writer.finish()
    });
    (stored, model)
}

#[test]
fn long_postings_are_found_over_many_pages() {
    let (stored, model) = long_postings(60_000);
    for (key, postings) in &model {
        let entry = stored.segment.find(&stored.pages, key).unwrap().unwrap();
        assert_postings(&stored, &entry, postings, 0, 1);
    }
}

#[test]
fn an_empty_segment_has_nothing() {
    let stored = folded(Vec::new());
    assert_eq!((stored.segment.documents(), stored.segment.meta().bytes()), (0, 0));
    assert_is(&stored, &Model::default(), &BTreeMap::new(), 0);
}

#[test]
fn what_does_not_ascend_or_fit_is_refused_by_a_writer() {
    let mut sink = |_, _, _| Ok(());
    let mut writer = SegmentWriter::new(1, &mut sink);
    assert_eq!(writer.add_document(b"", [1]).unwrap_err().kind(), ErrorKind::Invalid);
    writer.add_document(b"b", [1]).unwrap();
    for (id, lengths) in [(b"b".as_slice(), vec![1]), (b"a", vec![1]), (b"c", vec![]), (b"c", vec![1, 2])] {
        assert_eq!(writer.add_document(id, lengths).unwrap_err().kind(), ErrorKind::Invalid);
    }
    assert_eq!(writer.add_posting(0, &[1]).unwrap_err().kind(), ErrorKind::Invalid, "there is no term");
    assert!(writer.begin_term(&TermKey::new(1, "a"), 0).is_err(), "there is no such field");
    assert!(writer.begin_term(&TermKey::new(0, vec![b'a'; 1_025]), 0).is_err(), "it is too long");
    writer.begin_term(&TermKey::new(0, "m"), 0).unwrap();
    assert_eq!(writer.add_posting(1, &[1]).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(writer.add_posting(0, &[]).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(writer.add_posting(0, &[2, 2]).unwrap_err().kind(), ErrorKind::Invalid);
    writer.add_posting(0, &[1]).unwrap();
    assert_eq!(writer.add_posting(0, &[1]).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(writer.begin_term(&TermKey::new(0, "m"), 0).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(writer.add_document(b"z", [1]).unwrap_err().kind(), ErrorKind::Invalid, "terms have begun");
    assert_eq!(writer.finish().unwrap().postings(), 1);
}

#[test]
fn two_changes_of_one_document_and_one_that_lives_in_two_parts_are_refused() {
    let mut sink = |_, _, _| Ok(());
    let changes = vec![change(b"a", None, None), change(b"a", None, Some(document(1, 3)))];
    assert_eq!(fold(changes, SegmentWriter::new(FIELDS, &mut sink)).unwrap_err().kind(), ErrorKind::Invalid);
    let stored = folded(vec![change(b"a", None, Some(document(1, 3)))]);
    let part = MergePart { segment: &stored.segment, pages: &stored.pages, is_dead: &|_| false };
    assert_eq!(merge(&[part, part], SegmentWriter::new(FIELDS, &mut sink)).unwrap_err().kind(), ErrorKind::Invalid);
    assert!(merge(&[part, MergePart { is_dead: &|_| true, ..part }], SegmentWriter::new(FIELDS, &mut sink)).is_ok());
    assert_eq!(merge(&[part], SegmentWriter::new(1, &mut sink)).unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn a_damaged_segment_does_not_pass_the_check() {
    let stored = folded((0..50).map(|number| change(&id(number), None, Some(document(number, 30)))).collect());
    let mut meta = stored.segment.meta().clone();
    meta.postings += 1;
    let segment = Segment::open(meta, &stored.pages).unwrap();
    assert_eq!(check(&segment, &stored.pages).unwrap_err().kind(), ErrorKind::Corruption);
    let mut pages = stored.pages.clone();
    let mut payload = pages.page(Stream::Lengths, 0).unwrap().payload().to_vec();
    payload[5] ^= 1;
    let sealed = [payload.as_slice(), &checksum(Stream::Lengths, 0, &payload)].concat();
    pages.put(Stream::Lengths, 0, sealed).unwrap();
    let segment = Segment::open(stored.segment.meta().clone(), &pages).unwrap();
    assert_eq!(check(&segment, &pages).unwrap_err().kind(), ErrorKind::Corruption);
}
