//! Blocks of a vector graph: arbitrary bytes never panic, and what is read is a graph that holds together.

#![no_main]

use blaze_vector::{BlockKind, Code, Graph, GraphOptions, GraphReader, Metric};
use libfuzzer_sys::fuzz_target;

fn options() -> GraphOptions {
    GraphOptions { code: Code::Four, m: 2, ef_construction: 4, ..GraphOptions::new(Metric::L2, 2) }
}

fuzz_target!(|bytes: &[u8]| {
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
    let query = graph.query(&[1.0, 2.0]).expect("a vector");
    let _ = graph.search(&query, 8, 4, |_| true);
    let insertion = graph.prepare(&[1.0, 2.0]).expect("a vector");
    graph.insert(insertion);
    graph.check().expect("a graph holds together after an insertion");
});
