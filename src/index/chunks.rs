//! The vectors of a document in an index of several: where they are, and by what numbers they are told apart.
//!
//! A number comes from what the vector is and not from where it stands, so that a document whose vectors are put in another
//! order, or of which one is changed, keeps the entries of the others.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use blaze_core::{Segment, Value};

/// The vectors that a path reaches from a value on, each with its place.
///
/// Places count what stands in the arrays on the way, one that holds no vector too: through one array, it is the place there.
pub(super) fn vectors_in<'a>(value: &'a Value, segments: &[Segment]) -> Vec<(usize, &'a Value)> {
    let mut walk = Walk { place: 0, vectors: Vec::new() };
    walk.value(value, segments);
    walk.vectors
}

struct Walk<'a> {
    place: usize,
    vectors: Vec<(usize, &'a Value)>,
}

impl<'a> Walk<'a> {
    /// Goes where [`traverse::visit`](blaze_core::traverse::visit) does.
    fn value(&mut self, value: &'a Value, segments: &[Segment]) {
        let Some((first, rest)) = segments.split_first() else { return self.end(value) };
        match value {
            Value::Map(map) => match map.get(first.key()) {
                Some(next) => self.value(next, rest),
                None => self.place += 1,
            },
            Value::Array(array) => match first.index() {
                None => array.iter().for_each(|element| match element {
                    Value::Map(_) => self.value(element, segments),
                    _ => self.place += 1,
                }),
                Some(index) => {
                    let chosen = array.get(index).into_iter();
                    let named = array.iter().filter_map(|element| element.as_map()?.get(first.key()));
                    chosen.chain(named).for_each(|next| self.value(next, rest));
                }
            },
            _ => self.place += 1,
        }
    }

    /// An array that begins with a number is a vector; of another one, each element is.
    fn end(&mut self, value: &'a Value) {
        match value.as_array() {
            Some([]) => self.place += 1,
            Some(elements) if !elements.first().is_some_and(is_number) => {
                elements.iter().for_each(|element| self.one(element));
            }
            _ => self.one(value),
        }
    }

    fn one(&mut self, value: &'a Value) {
        if !value.is_null() {
            self.vectors.push((self.place, value));
        }
        self.place += 1;
    }
}

fn is_number(value: &Value) -> bool {
    matches!(value, Value::Int(_) | Value::UInt(_) | Value::Float(_))
}

/// The rows of a document under their numbers, equal ones once.
///
/// The number of a row is its hash, or, where another row has that, the next that is free: of the rows in their order.
pub(super) fn numbered(rows: impl Iterator<Item = Vec<u8>>, hash: impl Fn(&[u8]) -> u64) -> BTreeMap<u64, Vec<u8>> {
    let mut numbered = BTreeMap::new();
    for row in rows {
        let mut number = hash(&row);
        loop {
            match numbered.entry(number) {
                Entry::Vacant(free) => {
                    free.insert(row);
                    break;
                }
                Entry::Occupied(there) if *there.get() == row => break,
                Entry::Occupied(_) => number = number.wrapping_add(1),
            }
        }
    }
    numbered
}

/// The hash of a row: MurmurHash64A. It is a part of keys, and stays what it is.
pub(super) fn hash(row: &[u8]) -> u64 {
    const FACTOR: u64 = 0xC6A4_A793_5BD1_E995;
    const SHIFT: u32 = 47;
    let mix = |hash: u64, word: u64| {
        let word = word.wrapping_mul(FACTOR);
        let word = (word ^ (word >> SHIFT)).wrapping_mul(FACTOR);
        (hash ^ word).wrapping_mul(FACTOR)
    };
    let (words, rest) = row.as_chunks::<8>();
    let begin = (row.len() as u64).wrapping_mul(FACTOR);
    let mut hash = words.iter().fold(begin, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    if !rest.is_empty() {
        let mut word = [0; 8];
        word[..rest.len()].copy_from_slice(rest);
        hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(FACTOR);
    }
    hash = (hash ^ (hash >> SHIFT)).wrapping_mul(FACTOR);
    hash ^ (hash >> SHIFT)
}

#[cfg(test)]
mod tests {
    use blaze_core::{Document, Path, Vector, traverse};
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn places(document: &Document, path: &str) -> Vec<(usize, i64)> {
        let number = |value: &Value| value.as_i64().or_else(|| value.as_array()?.first()?.as_i64()).unwrap();
        let whole = Value::from(document.clone());
        let vectors = vectors_in(&whole, Path::from(path).segments());
        vectors.into_iter().map(|(place, value)| (place, number(value))).collect()
    }

    fn chunk(value: impl Into<Value>) -> Value {
        Document::new().with("v", value).into()
    }

    #[test]
    fn through_an_array_a_place_is_that_in_the_array_whatever_else_stands_there() {
        let chunks =
            vec![chunk(7), Value::Null, Document::new().with("w", 1).into(), chunk(Value::Null), chunk(8), 3.into()];
        let document = Document::new().with("chunks", chunks);
        assert_eq!(places(&document, "chunks.v"), [(0, 7), (4, 8)]);
        assert_eq!(places(&document, "chunks.4.v"), [(0, 8)]);
        assert_eq!(places(&document, "chunks.w"), [(2, 1)]);
        assert_eq!(places(&document, "other"), []);
    }

    #[test]
    fn an_array_that_begins_with_a_number_is_a_vector_and_of_others_each_element_is() {
        let of = |value: Vec<Value>| Document::new().with("v", value);
        assert_eq!(places(&of(vec![7.into(), 1.into()]), "v"), [(0, 7)]);
        let pair = |n: i64| Value::from(vec![Value::from(n), 0.into()]);
        assert_eq!(places(&of(vec![pair(7), Value::Null, pair(8)]), "v"), [(0, 7), (2, 8)]);
        assert_eq!(places(&of(vec![]), "v"), []);
        let nested =
            Document::new().with("c", vec![chunk(vec![pair(1), pair(2)]), chunk(vec![0; 0]), chunk(vec![pair(3)])]);
        assert_eq!(places(&nested, "c.v"), [(0, 1), (1, 2), (3, 3)]);
    }

    #[test]
    fn equal_rows_are_one_and_others_with_the_same_hash_take_the_next_free_number() {
        let rows = || ["b", "a", "b", "c", "a"].map(|row| row.as_bytes().to_vec()).into_iter();
        let same = numbered(rows(), |_| u64::MAX);
        let of = |row: &str| Some(row.as_bytes().to_vec());
        assert_eq!([u64::MAX, 0, 1].map(|number| same.get(&number).cloned()), [of("b"), of("a"), of("c")]);
        assert_eq!(same.len(), 3);
        assert_eq!(numbered(rows(), hash).len(), 3);
    }

    #[test]
    fn the_hash_is_what_it_always_was() {
        // As the reference computes it, with the seed 0.
        let known: [(&[u8], u64); 6] = [
            (b"", 0),
            (b"a", 0x0717_17D2_D36B_6B11),
            (b"hello", 0x1E68_D17C_457B_F117),
            (b"hello, world", 0x9659_AD06_99A8_465F),
            (&[0; 8], 0x7208_F7FA_198A_2D81),
            (&[0; 16], 0xFCDE_A51A_023E_4390),
        ];
        known.iter().for_each(|(bytes, expected)| assert_eq!(hash(bytes), *expected, "{bytes:?}"));
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            (1i64..9).prop_map(Value::from),
            Just(Value::Vector(Vector::F32(vec![1.0]))),
            vec(1i64..9, 0..3).prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 4, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..4).prop_map(Value::Array),
                vec((prop::sample::select(vec!["a", "b", "0", "1"]), inner), 0..3)
                    .prop_map(|fields| Value::Map(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_walk_goes_where_paths_lead(value in value(), path in prop::sample::select(vec!["a", "a.b", "a.0", "a.b.1", "a.b.a"])) {
            let document = Document::new().with("a", value);
            let path = Path::from(path);
            let mut expected = Vec::new();
            traverse::visit(&document, &path, &mut |value| match value {
                Value::Array(elements) if !elements.first().is_some_and(is_number) => expected.extend(elements),
                value => expected.push(value),
            });
            expected.retain(|value| !value.is_null());
            let whole = Value::from(document.clone());
            let found = vectors_in(&whole, path.segments());
            prop_assert!(found.is_sorted_by(|a, b| a.0 < b.0), "no place twice: {found:?}");
            let found: Vec<&Value> = found.into_iter().map(|(_, value)| value).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
