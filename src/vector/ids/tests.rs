use std::collections::{BTreeMap, HashMap};

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn key(n: u16) -> Vec<u8> {
    // Some are long.
    vec![n as u8; 1 + usize::from(n % 5) * if n.is_multiple_of(7) { 100 } else { 1 }]
        .into_iter()
        .chain(n.to_be_bytes())
        .collect()
}

proptest! {
    #[test]
    fn ids_are_what_two_maps_say(steps in vec((0_u16..60, 0_u32..200, 0_u8..4), 0..400)) {
        let mut ids = Ids::new();
        let (mut slots, mut keys): (HashMap<Vec<u8>, u32>, BTreeMap<u32, Vec<u8>>) = Default::default();
        for (n, slot, step) in steps {
            let key = key(n);
            match step {
                0 | 1 if !keys.contains_key(&slot) => {
                    ids.set(slot, &key);
                    slots.insert(key.clone(), slot);
                    keys.insert(slot, key);
                }
                2 => prop_assert_eq!(ids.remove(&key), slots.remove(&key)),
                3 if !slots.values().any(|used| *used == slot) => {
                    ids.clear(slot);
                    keys.remove(&slot);
                }
                _ => {}
            }
            prop_assert_eq!(ids.len(), slots.len());
        }
        for slot in 0..200 {
            prop_assert_eq!(ids.key(slot), keys.get(&slot).map(Vec::as_slice));
        }
        for n in 0..60 {
            prop_assert_eq!(ids.slot(&key(n)), slots.get(&key(n)).copied());
        }
    }
}

proptest! {
    #[test]
    fn keys_come_back_from_their_blocks_and_no_bytes_panic(keys in vec(0_u16..999, 0..600), bytes: Vec<u8>) {
        let mut ids = Ids::new();
        keys.iter().enumerate().for_each(|(slot, n)| ids.write(slot as u32, &key(*n)));
        let mut back = Ids::new();
        for number in 0..keys.len().div_ceil(BLOCK_NODES) as u32 {
            let mut block = Vec::new();
            ids.write_block(number, &mut block);
            back.read_block(number, &block).unwrap();
        }
        prop_assert_eq!(&back.groups, &ids.groups);
        prop_assert_eq!(back.bytes() >= back.key_bytes, true);
        // Every third slot has no vector, and there are more slots than keys.
        let has_vector = |slot: u32| slot % 3 != 1;
        let slots = keys.len() as u32 + 40;
        let mut newest: HashMap<Vec<u8>, u32> = HashMap::new();
        let expected: Vec<u32> = (0..slots)
            .filter(|slot| has_vector(*slot))
            .filter(|slot| match keys.get(*slot as usize) {
                Some(n) => *newest.entry(key(*n)).or_insert(*slot) != *slot,
                None => true,
            })
            .collect();
        prop_assert_eq!(back.adopt_all(slots, has_vector), expected, "not the first of its key, or of none");
        prop_assert_eq!(back.len(), newest.len());
        for n in 0..999 {
            prop_assert_eq!(back.slot(&key(n)), newest.get(&key(n)).copied());
        }
        // The table goes on from there.
        newest.keys().for_each(|key| assert!(back.remove(key).is_some()));
        prop_assert_eq!(back.len(), 0);
        let _ = Ids::new().read_block(0, &bytes);
    }
}

#[test]
fn an_automatic_id_takes_less_than_thirty_bytes() {
    let mut ids = Ids::new();
    const COUNT: u32 = 100_000;
    (0..COUNT).for_each(|slot| ids.set(slot, &[&[0x40; 13][..], &slot.to_be_bytes()].concat()));
    let bytes = ids.bytes() as f64 / f64::from(COUNT);
    assert!(bytes < 30.0, "{bytes:.1} bytes each");
}
