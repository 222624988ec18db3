mod brute_force;
mod details;
mod equality;
mod memory_leaf;
mod random;
mod world;

use crate::{DocumentBuilder, DocumentPostings, TermKey};

/// Fields of the indexes of all tests.
const FIELDS: u8 = 2;

/// A document of these words in each field.
fn document(fields: &[&str]) -> DocumentPostings {
    let mut builder = DocumentBuilder::new(FIELDS);
    for (field, text) in (0..).zip(fields) {
        for (position, word) in (0..).zip(text.split_whitespace()) {
            builder.add(field, word.as_bytes(), position).unwrap();
        }
    }
    builder.finish()
}

fn key(field: u8, term: &str) -> TermKey {
    TermKey::new(field, term)
}
