//! Object stores beside their model, a map of vectors.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom, Write};

use blaze::{Database, Durability, ObjectReader, Objects};
use proptest::prelude::*;

use super::{CHUNK, content, read};

/// What can be done to objects. Keys and open readers are chosen by number.
#[derive(Clone, Debug)]
pub(super) enum Operation {
    /// Writes an object in pieces, and finishes it or not.
    Write {
        key: u8,
        bytes: usize,
        piece: usize,
        finish: bool,
    },
    Delete {
        key: u8,
    },
    /// Opens a reader, which stays open.
    Open {
        key: u8,
    },
    /// Reads from a place in the object of an open reader, in thousandths of its size.
    Read {
        reader: usize,
        at: u16,
        bytes: usize,
    },
    /// Reads the rest of an open reader.
    ReadRest {
        reader: usize,
    },
    ReadRange {
        key: u8,
        start: u64,
        bytes: u64,
    },
    List {
        prefix: u8,
    },
}

impl Operation {
    /// Whether it opens a reader that stays open, or needs one.
    pub(super) fn is_of_a_reader(&self) -> bool {
        matches!(self, Operation::Open { .. } | Operation::Read { .. } | Operation::ReadRest { .. })
    }
}

/// A reader and what it must read.
pub(super) struct Opened {
    reader: ObjectReader,
    expected: Vec<u8>,
}

fn size() -> impl Strategy<Value = usize> {
    let around = |bytes: usize| bytes - 1..=bytes + 1;
    prop_oneof![Just(0), 1..2000_usize, around(CHUNK), around(2 * CHUNK), 0..4 * CHUNK]
}

pub(super) fn operation() -> impl Strategy<Value = Operation> {
    let key = || 0..4_u8;
    prop_oneof![
        4 => (key(), size(), 1..2 * CHUNK, prop::bool::weighted(0.8))
            .prop_map(|(key, bytes, piece, finish)| Operation::Write { key, bytes, piece, finish }),
        1 => key().prop_map(|key| Operation::Delete { key }),
        2 => key().prop_map(|key| Operation::Open { key }),
        3 => (any::<usize>(), 0..1100_u16, 0..2 * CHUNK)
            .prop_map(|(reader, at, bytes)| Operation::Read { reader, at, bytes }),
        1 => any::<usize>().prop_map(|reader| Operation::ReadRest { reader }),
        2 => (key(), 0..5 * CHUNK as u64, 0..2 * CHUNK as u64)
            .prop_map(|(key, start, bytes)| Operation::ReadRange { key, start, bytes }),
        1 => (0..3_u8).prop_map(|prefix| Operation::List { prefix }),
    ]
}

/// Keys of which one begins like the other.
pub(super) fn key_of(number: u8) -> String {
    ["a", "ab", "b", "c/d"][number as usize].to_owned()
}

pub(super) fn apply(
    objects: &Objects,
    model: &mut BTreeMap<String, Vec<u8>>,
    opened: &mut Vec<Opened>,
    number: u64,
    operation: &Operation,
) {
    match operation {
        Operation::Write { key, bytes, piece, finish } => {
            let (key, bytes) = (key_of(*key), content(*bytes, number));
            let mut writer = objects.create(&key).unwrap();
            for piece in bytes.chunks(*piece) {
                writer.write_all(piece).unwrap();
            }
            if *finish {
                assert_eq!(writer.finish().unwrap().bytes, bytes.len() as u64);
                model.insert(key, bytes);
            }
        }
        Operation::Delete { key } => {
            assert_eq!(objects.delete(key_of(*key)).unwrap(), model.remove(&key_of(*key)).is_some());
        }
        Operation::Open { key } => {
            let reader = objects.open(key_of(*key)).unwrap();
            assert_eq!(reader.is_some(), model.contains_key(&key_of(*key)));
            opened.extend(reader.map(|reader| Opened { reader, expected: model[&key_of(*key)].clone() }));
        }
        Operation::Read { reader, at, bytes } if !opened.is_empty() => {
            let reader = reader % opened.len();
            let Opened { reader, expected } = &mut opened[reader];
            let at = expected.len() * usize::from(*at) / 1000;
            reader.seek(SeekFrom::Start(at as u64)).unwrap();
            let mut read = Vec::new();
            reader.take(*bytes as u64).read_to_end(&mut read).unwrap();
            assert!(read == expected[at.min(expected.len())..(at + bytes).min(expected.len())]);
        }
        Operation::ReadRest { reader } if !opened.is_empty() => {
            let Opened { mut reader, expected } = opened.swap_remove(reader % opened.len());
            let at = reader.stream_position().unwrap() as usize;
            let mut rest = Vec::new();
            reader.read_to_end(&mut rest).unwrap();
            assert!(rest == expected[at.min(expected.len())..]);
        }
        Operation::Read { .. } | Operation::ReadRest { .. } => {}
        Operation::ReadRange { key, start, bytes } => {
            let read = objects.read_range(key_of(*key), *start..start + bytes).unwrap();
            let clip = |position: u64, all: &Vec<u8>| (position as usize).min(all.len());
            let expected =
                model.get(&key_of(*key)).map(|all| all[clip(*start, all)..clip(start + bytes, all)].to_vec());
            assert!(read == expected);
        }
        Operation::List { prefix } => {
            let prefix = ["", "a", "c/"][*prefix as usize];
            let listed = objects.list(prefix).unwrap().map(|entry| entry.unwrap());
            let listed: Vec<_> = listed.map(|(key, info)| (key, info.bytes, info.checksum)).collect();
            let expected = model.iter().filter(|(key, _)| key.starts_with(prefix));
            let expected =
                expected.map(|(key, bytes)| (key.clone().into_bytes(), bytes.len() as u64, crc32fast::hash(bytes)));
            assert_eq!(listed, expected.collect::<Vec<_>>());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn an_object_store_does_what_a_map_of_vectors_does(
        operations in prop::collection::vec(operation(), 1..25),
        on_disk in any::<bool>(),
    ) {
        let builder = Database::builder().durability(Durability::Buffered);
        let db = if on_disk { builder.temporary() } else { builder.in_memory() }.unwrap();
        let objects = db.objects("objects").unwrap();
        let (mut model, mut opened) = (BTreeMap::new(), Vec::new());
        for (number, operation) in operations.iter().enumerate() {
            apply(&objects, &mut model, &mut opened, number as u64, operation);
        }
        for number in 0..4 {
            prop_assert!(read(&objects, &key_of(number)) == model.get(&key_of(number)).cloned());
        }
    }
}
