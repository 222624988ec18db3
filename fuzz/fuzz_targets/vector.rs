//! Rows of vectors and the keys of a graph's slots: arbitrary bytes never panic, and what is read is written as it was.

#![no_main]

use blaze_vector::{BLOCK_NODES, Copies, Metric, Query, VectorRef};
use libfuzzer_sys::fuzz_target;

#[allow(dead_code, unreachable_pub, reason = "only blocks are read; the database around it needs RocksDB")]
#[path = "../../src/vector"]
mod stored {
    mod ids;

    /// Reads blocks one behind the other, and writes them again.
    pub(super) fn read(bytes: &[u8], split: usize) {
        let mut read = ids::Ids::new();
        let (first, second) = bytes.split_at(bytes.len().min(split));
        if read.read_block(0, first).is_err() {
            return;
        }
        let mut written = Vec::new();
        read.write_block(0, &mut written);
        assert_eq!(written, first, "the keys of slots read back as others");
        let _ = read.read_block(1, second);
        let slots = 2 * super::BLOCK_NODES as u32 + 1;
        let others = read.adopt_all(slots, |slot| slot % 5 != 3);
        for slot in (0..slots).filter(|slot| slot % 5 != 3).chain([u32::MAX]) {
            let key = read.key(slot).map(<[u8]>::to_vec);
            let found = key.as_deref().and_then(|key| read.slot(key));
            if slot < slots && !others.contains(&slot) {
                assert_eq!(found, Some(slot), "a slot has the key");
            } else {
                assert_ne!(found, Some(slot), "a slot has no key, or one before it has the same");
            }
        }
        let adopted = read.len();
        for slot in (0..slots).step_by(7) {
            if let Some(key) = read.key(slot).map(<[u8]>::to_vec) {
                read.set(slot, &key);
                assert_eq!(read.slot(&key), Some(slot), "a slot that was set has the key");
            }
        }
        assert!(read.len() >= adopted, "no key was lost");
    }
}

const METRICS: [Metric; 4] = [Metric::Cosine, Metric::Dot, Metric::L2, Metric::Hamming];

fn rows(bytes: &[u8], copies: Copies, metric: Metric) {
    let mut numbers = Vec::new();
    let dimension = bytes.len() / copies.bytes(1);
    if copies.read(bytes, dimension, &mut numbers).is_ok()
        && copies.validate(metric, dimension, numbers.as_slice()).is_ok()
    {
        let mut written = Vec::new();
        copies.write(numbers.as_slice(), &mut written);
        assert_eq!(written, bytes, "{numbers:?} reads back as others");
    }
    let vector = match metric.is_binary() {
        true => VectorRef::Bits(bytes),
        false => VectorRef::F32(&numbers),
    };
    let Ok(query) = Query::new(metric, vector) else { return };
    let query = query.over(copies);
    let near = query.distance_to_stored(bytes, &mut Vec::new());
    assert!(near.map_or(true, |distance| !distance.is_nan()), "{numbers:?} has no distance to itself");
    let _ = query.distance_to_stored(&bytes[..bytes.len() / 2], &mut Vec::new());
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&[kind, split], bytes)) = bytes.split_first_chunk::<2>() else { return };
    stored::read(bytes, usize::from(split) * 8);
    let copies = Copies::ALL[usize::from(kind) % Copies::ALL.len()];
    rows(bytes, copies, METRICS[usize::from(kind) / 4 % METRICS.len()]);
});
