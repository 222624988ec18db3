//! Documents against a map of maps.

use std::collections::{BTreeMap, BTreeSet};

use blaze_core::ErrorKind;
use proptest::collection::vec;
use proptest::prelude::*;

use super::{DocumentBuilder, DocumentPostings, DocumentTerms};

type Tokens = Vec<(u8, Vec<u8>, u32)>;

fn tokens() -> impl Strategy<Value = Tokens> {
    let term = prop_oneof![
        4 => vec(b'a'..=b'c', 1..4),
        2 => vec(any::<u8>(), 1..12),
        1 => (vec(b'a'..=b'b', 0..3), 12_usize..250).prop_map(|(end, length)| [vec![b'x'; length], end].concat()),
    ];
    vec((0_u8..3, term, prop_oneof![0_u32..300, any::<u32>()]), 0..60)
}

fn build(tokens: &Tokens) -> DocumentPostings {
    let mut builder = DocumentBuilder::new(3);
    for (field, term, position) in tokens {
        builder.add(*field, term, *position).unwrap();
    }
    builder.finish()
}

proptest! {
    #[test]
    fn a_document_has_the_terms_of_its_tokens_in_order(tokens in tokens()) {
        let mut model: BTreeMap<(u8, Vec<u8>), BTreeSet<u32>> = BTreeMap::new();
        for (field, term, position) in tokens.clone() {
            model.entry((field, term)).or_default().insert(position);
        }
        let document = build(&tokens);
        let all = document.iter().map(|(field, term, positions)| ((field, term.to_vec()), positions.iter().copied().collect()));
        prop_assert_eq!(all.collect::<Vec<_>>(), model.clone().into_iter().collect::<Vec<_>>());
        prop_assert!(document.terms().iter().eq(model.keys().map(|(field, term)| (*field, term.as_slice()))));
        for field in 0..3 {
            let positions: usize = model.iter().filter(|(key, _)| key.0 == field).map(|(_, positions)| positions.len()).sum();
            prop_assert_eq!(document.terms().length(field) as usize, positions);
            prop_assert_eq!(document.terms().terms(field).len(), document.field(field).count());
        }
        prop_assert_eq!(document.terms().length(3), 0);
        prop_assert_eq!(document.terms().terms(3).count(), 0);
    }

    #[test]
    fn a_document_is_read_as_it_was_written(tokens in tokens()) {
        let document = build(&tokens);
        let (terms, occurrences) = (document.terms().to_bytes(), document.occurrences());
        prop_assert_eq!(&DocumentTerms::from_bytes(&terms).unwrap(), document.terms());
        prop_assert_eq!(DocumentPostings::read(&terms, &occurrences).unwrap(), document);
    }

    #[test]
    fn any_bytes_are_refused_or_the_one_form_of_a_document(
        tokens in tokens(), terms: Vec<u8>, occurrences: Vec<u8>, at: prop::sample::Index, flip in 1_u8.., cut: bool,
    ) {
        let read = |terms: &[u8], occurrences: &[u8]| match DocumentPostings::read(terms, occurrences) {
            Ok(document) => {
                assert_eq!(document.terms().to_bytes(), terms);
                assert_eq!(document.occurrences(), occurrences);
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::Corruption),
        };
        read(&terms, &occurrences);
        let document = build(&tokens);
        let mut damaged = document.terms().to_bytes();
        let at_term = at.index(damaged.len());
        damaged[at_term] ^= flip;
        damaged.truncate(if cut { at_term } else { damaged.len() });
        read(&damaged, &document.occurrences());
        let mut damaged = document.occurrences();
        if !damaged.is_empty() {
            let at = at.index(damaged.len());
            damaged[at] ^= flip;
            damaged.truncate(if cut { at } else { damaged.len() });
            read(&document.terms().to_bytes(), &damaged);
        }
    }
}

#[test]
fn a_builder_begins_anew_after_each_document() {
    let mut builder = DocumentBuilder::new(1);
    builder.add(0, b"one", 0).unwrap();
    assert_eq!(builder.finish().terms().len(), 1);
    assert_eq!(builder.finish(), DocumentBuilder::new(1).finish());
}

#[test]
fn a_term_of_another_field_or_of_no_or_too_many_bytes_is_refused() {
    let mut builder = DocumentBuilder::new(1);
    assert_eq!(builder.add(1, b"a", 0).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(builder.add(0, b"", 0).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(builder.add(0, &[b'a'; 256], 0).unwrap_err().kind(), ErrorKind::LimitExceeded);
    builder.add(0, &[b'a'; 255], 0).unwrap();
    assert_eq!(builder.finish().terms().length(0), 1);
}

#[test]
fn a_term_that_repeats_long_prefixes_does_not_grow_without_bound() {
    let mut bytes = vec![0x7F, 0x7F, 0x0F, 0x80 + 112, 0x01];
    bytes.extend([b'a'; 255]);
    assert!(DocumentTerms::from_bytes(&bytes).is_err(), "126 terms are missing");
    bytes[..2].copy_from_slice(&[2, 2]);
    bytes.extend([0xF1, 0x80 + 112, 0x01, b'a']);
    assert!(DocumentTerms::from_bytes(&bytes).is_err(), "the second term has 256 bytes");
    bytes.truncate(bytes.len() - 4);
    bytes[..2].copy_from_slice(&[1, 1]);
    assert!(DocumentTerms::from_bytes(&bytes).is_ok());
}
