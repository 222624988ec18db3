//! Blocks of a vector graph: arbitrary bytes never panic, and what is read is a graph that holds together.
//!
//! The first byte says of which code and metric the graph is.

#![no_main]

use blaze_vector::{BlockKind, Code, Found, Graph, GraphOptions, GraphReader, Metric, SlotSet, VectorRef};
use libfuzzer_sys::fuzz_target;

/// The first is what every input had before there were others.
const KINDS: [(Code, Metric); 7] = [
    (Code::Four, Metric::L2),
    (Code::Eight, Metric::L2),
    (Code::Bits, Metric::Hamming),
    (Code::Four, Metric::Cosine),
    (Code::Eight, Metric::Cosine),
    (Code::Four, Metric::Dot),
    (Code::Eight, Metric::Dot),
];

fn options(kind: u8) -> GraphOptions {
    let (code, metric) = KINDS[usize::from(kind) % KINDS.len()];
    let dimension = if metric.is_binary() { 16 } else { 2 };
    GraphOptions { code, m: 2, ef_construction: 4, ..GraphOptions::new(metric, dimension) }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&kind, bytes)) = bytes.split_first() else { return };
    let options = || options(kind);
    let mut head = Vec::new();
    Graph::new(options()).expect("valid options").write_head(&mut head);
    let _ = GraphReader::new(options(), bytes);
    let mut reader = GraphReader::new(options(), &head).expect("a head that was just written");
    // Each block begins with its kind, its number and its length.
    let mut rest = bytes;
    while let Some(([kind, level, number, high, low], behind)) = rest.split_first_chunk::<5>() {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(behind.len());
        let (block, behind) = behind.split_at(length);
        rest = behind;
        let number = u32::from(*level) << 24 | u32::from(*number);
        if let Some(kind) = BlockKind::of(kind % 3)
            && reader.read_block(kind, number, block).is_err()
        {
            return;
        }
    }
    let mut graph = reader.finish();
    graph.check().expect("a graph that was read holds together");
    let vector = match options().metric.is_binary() {
        true => VectorRef::Bits(&[0b1010_0000, 1]),
        false => VectorRef::F32(&[1.0, 2.0]),
    };
    let query = graph.query(vector).expect("a vector");
    let _ = graph.search(&query, 8, 4, |_| true);
    let live: SlotSet = (0..graph.slots() as u32).filter(|slot| graph.contains(*slot)).collect();
    for among in [&live, &live.iter().step_by(2).collect()] {
        let found = graph.search_among(&query, 1, 4, among);
        // There may be fewer than are wanted: a code can say that it is infinitely far.
        assert!(found.candidates.len() <= among.len().min(4), "no more than there are");
        assert!(found.candidates.iter().all(|candidate| among.contains(candidate.slot)), "none but those");
        if let Some(gathered) = graph.gather(among) {
            let slots = |found: Found| found.candidates.into_iter().map(|near| near.slot).collect::<Vec<_>>();
            let scanned = slots(graph.scan(&query, 4, 4, among));
            assert_eq!(slots(graph.scan_gathered(&query, 4, 4, &gathered)), scanned, "the same of what was copied");
        }
    }
    let insertion = graph.prepare(vector).expect("a vector");
    let slot = graph.insert(insertion);
    graph.check().expect("a graph holds together after an insertion");
    let removed: Vec<u32> = live.iter().take(2).chain([slot]).filter(|slot| graph.delete(*slot)).collect();
    assert_eq!(graph.reclaim(&removed), removed.len());
    graph.check().expect("a graph holds together after deletions");
});
