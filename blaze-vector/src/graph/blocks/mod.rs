//! A graph as numbered blocks of bytes, so that what changes can be written without the rest, and back.
//!
//! Blocks of one moment give the same graph again. Those of several moments give one that can be searched: links to what is
//! not there are dropped. Checksums are left to who keeps the blocks; nothing that is read here is trusted.

mod read;
mod write;

pub use read::GraphReader;

/// Nodes that go into one block.
pub const BLOCK_NODES: usize = 256;

/// The form in which a head is written.
const VERSION: u8 = 1;

/// Where the level stands in the number of a block of upper levels.
const LEVEL_SHIFT: u32 = 24;

/// What a block holds. In this order they are written best: what a link leads to comes before the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum BlockKind {
    /// Codes of slots.
    Nodes = 0,
    /// Nodes of the upper levels, with their links.
    Upper = 1,
    /// Links of slots.
    Links = 2,
}

impl BlockKind {
    /// All kinds, in the order in which they are written best.
    pub const ALL: [BlockKind; 3] = [BlockKind::Nodes, BlockKind::Upper, BlockKind::Links];

    /// The kind with this number.
    #[must_use]
    pub fn of(number: u8) -> Option<BlockKind> {
        BlockKind::ALL.into_iter().find(|kind| *kind as u8 == number)
    }
}
fn nodes_of(number: u32, nodes: usize) -> std::ops::Range<usize> {
    let begin = (number as usize).saturating_mul(BLOCK_NODES).min(nodes);
    begin..(begin + BLOCK_NODES).min(nodes)
}

fn level_of(number: u32) -> (usize, u32) {
    ((number >> LEVEL_SHIFT) as usize, number & ((1 << LEVEL_SHIFT) - 1))
}
#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use blaze_core::Result;

    use super::*;
    use crate::code::Code;
    use crate::graph::{Graph, GraphOptions};
    use crate::metric::Metric;

    const DIMENSION: usize = 8;

    fn options(code: Code) -> GraphOptions {
        let metric = if code == Code::Bits { Metric::Hamming } else { Metric::L2 };
        GraphOptions { code, m: 4, ef_construction: 16, ..GraphOptions::new(metric, DIMENSION) }
    }

    fn vector(n: u64) -> ([f32; DIMENSION], [u8; 1]) {
        let number = |i: usize| (crate::graph::mix(n * 31 + i as u64) % 1_000) as f32 / 100.0;
        (std::array::from_fn(number), [crate::graph::mix(n) as u8])
    }

    /// Any graph: some nodes are deleted.
    fn graph(code: Code, nodes: u64, deleted: &[u32]) -> Graph {
        let mut graph = Graph::new(options(code)).unwrap();
        for n in 0..nodes {
            let (numbers, bits) = vector(n);
            let insertion = if code == Code::Bits { graph.prepare(&bits) } else { graph.prepare(&numbers) };
            graph.insert(insertion.unwrap());
        }
        for slot in deleted {
            graph.delete(*slot);
        }
        graph
    }

    type Blocks = Vec<(BlockKind, u32, Vec<u8>)>;

    fn blocks(graph: &Graph) -> (Vec<u8>, Blocks) {
        let (mut head, mut blocks) = (Vec::new(), Vec::new());
        graph.write_head(&mut head);
        for kind in BlockKind::ALL {
            for number in graph.block_numbers(kind) {
                let mut bytes = Vec::new();
                graph.write_block(kind, number, &mut bytes);
                blocks.push((kind, number, bytes));
            }
        }
        (head, blocks)
    }

    fn read(options: GraphOptions, head: &[u8], blocks: &Blocks) -> Result<Graph> {
        let mut reader = GraphReader::new(options, head)?;
        blocks.iter().try_for_each(|(kind, number, bytes)| reader.read_block(*kind, *number, bytes))?;
        Ok(reader.finish())
    }

    fn found(graph: &Graph, code: Code, n: u64) -> Vec<u32> {
        let (numbers, bits) = vector(n);
        let query = if code == Code::Bits { graph.query(&bits) } else { graph.query(&numbers) };
        graph.search(&query.unwrap(), 20, 10, |_| true).candidates.iter().map(|candidate| candidate.slot).collect()
    }

    struct Grey(Vec<Vec<f32>>);

    impl crate::graph::VectorSource for Grey {
        fn len(&self) -> usize {
            self.0.len()
        }

        fn vector<'a>(&'a self, index: usize, _: &'a mut crate::graph::VectorBuffer) -> Result<crate::VectorRef<'a>> {
            Ok(crate::VectorRef::F32(&self.0[index]))
        }
    }

    #[test]
    fn a_graph_whose_vectors_are_coded_as_they_are_comes_back_so() {
        // Black or white: a rotation would only blur it.
        let dimension = options(Code::Eight).dimension;
        let pixel = |n: u64, i: usize| f32::from(u8::from(crate::chance::mix((n << 20) | i as u64) & 1 == 1));
        let grey = Grey((0..600).map(|n| (0..dimension).map(|i| pixel(n, i)).collect()).collect());
        let built = Graph::build(options(Code::Eight), &grey, 1, &mut |_| std::ops::ControlFlow::Continue(())).unwrap();
        assert!(built.frame.rotation.is_none());
        let (head, written) = blocks(&built);
        let back = read(options(Code::Eight), &head, &written).unwrap();
        for vector in &grey.0[..50] {
            let found = |graph: &Graph| graph.search(&graph.query(vector).unwrap(), 20, 5, |_| true);
            assert_eq!(found(&back), found(&built));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn a_graph_comes_back_as_it_was(
            nodes in 0_u64..700, deleted in vec(0_u32..700, 0..20), code in prop::sample::select(vec![Code::Eight, Code::Four, Code::Bits]),
        ) {
            let graph = graph(code, nodes, &deleted);
            let (head, written) = blocks(&graph);
            let back = read(options(code), &head, &written).unwrap();
            prop_assert_eq!((back.len(), back.slots(), back.tombstones()), (graph.len(), graph.slots(), graph.tombstones()));
            prop_assert_eq!(blocks(&back), (head, written));
            for n in 0..20 {
                prop_assert_eq!(found(&back, code, n), found(&graph, code, n));
            }
        }

        #[test]
        fn blocks_of_two_moments_make_a_graph_that_can_be_searched_and_changed(
            early in 1_u64..300, late in 0_u64..600, chosen in vec(any::<bool>(), 40), n: u64,
        ) {
            let (earlier, later) = (graph(Code::Eight, early, &[]), graph(Code::Eight, early + late, &[0]));
            let (head, mut mixed) = blocks(&earlier);
            for (at, (kind, number, bytes)) in blocks(&later).1.into_iter().enumerate() {
                match mixed.iter().position(|(k, of, _)| (*k, *of) == (kind, number)) {
                    Some(there) if chosen[at % chosen.len()] => mixed[there].2 = bytes,
                    Some(_) => {}
                    None => mixed.push((kind, number, bytes)),
                }
            }
            mixed.sort_by_key(|(kind, number, _)| (*kind, *number));
            if let Ok(mut graph) = read(options(Code::Eight), &head, &mixed) {
                graph.check().unwrap();
                let insertion = graph.prepare(&vector(n % 10_000).0).unwrap();
                let slot = graph.insert(insertion);
                prop_assert!(found(&graph, Code::Eight, n % 10_000).contains(&slot) || graph.len() > 10);
            }
        }

        #[test]
        fn damaged_blocks_are_read_or_refused(
            flips in vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0_u8..8), 1..6), cut: Option<prop::sample::Index>,
        ) {
            let (mut head, mut written) = blocks(&graph(Code::Eight, 600, &[3]));
            for (block, byte, bit) in flips {
                let at = block.index(written.len() + 1);
                let bytes = written.get_mut(at).map_or(&mut head, |(_, _, bytes)| bytes);
                let byte = byte.index(bytes.len());
                bytes[byte] ^= 1 << bit;
            }
            if let Some(cut) = cut {
                let at = cut.index(written.len());
                let bytes = &mut written[at].2;
                bytes.truncate(cut.index(bytes.len()));
            }
            if let Ok(graph) = read(options(Code::Eight), &head, &written) {
                graph.check().unwrap();
                found(&graph, Code::Eight, 1);
            }
        }
    }
}
