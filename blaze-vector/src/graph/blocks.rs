//! A graph as numbered blocks of bytes, so that what changes can be written without the rest, and back.
//!
//! Blocks of one moment give the same graph again. Those of several moments give one that can be searched: links to what is
//! not there are dropped. Checksums are left to who keeps the blocks; nothing that is read here is trusted.

use blaze_core::{Error, Result};

use crate::code::{Code, Terms};
use crate::graph::layer::{Layer, NONE};
use crate::graph::pool::NODES_MAX;
use crate::graph::{Graph, GraphOptions, LEVELS_MAX, State};
use crate::metric::Metric;

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

impl Graph {
    /// True if the slot holds a node that is deleted and not yet reclaimed.
    #[must_use]
    pub fn is_tombstone(&self, slot: u32) -> bool {
        self.state.get(slot as usize) == Some(&State::Tombstone)
    }

    /// The numbers of the blocks of a kind, in the order in which they are read.
    #[must_use]
    pub fn block_numbers(&self, kind: BlockKind) -> Vec<u32> {
        let count = |nodes: usize| nodes.div_ceil(BLOCK_NODES) as u32;
        match kind {
            BlockKind::Nodes | BlockKind::Links => (0..count(self.slots())).collect(),
            BlockKind::Upper => (1..self.layers.len())
                .flat_map(|level| {
                    (0..count(self.layers[level].nodes())).map(move |number| (level as u32) << LEVEL_SHIFT | number)
                })
                .collect(),
        }
    }

    /// Appends what is to be known before the first block is read.
    pub fn write_head(&self, bytes: &mut Vec<u8>) {
        let GraphOptions { metric, dimension, code, m, seed, .. } = &self.options;
        bytes.push(VERSION);
        bytes.push(metric_number(*metric));
        bytes.push(code_number(*code));
        bytes.extend_from_slice(&(*dimension as u32).to_le_bytes());
        bytes.extend_from_slice(&(*m as u32).to_le_bytes());
        bytes.extend_from_slice(&seed.to_le_bytes());
        bytes.extend_from_slice(&self.tickets.load(std::sync::atomic::Ordering::Relaxed).to_le_bytes());
        bytes.push(u8::from(self.frame.rotation.is_some()));
        self.frame.centre.iter().for_each(|number| bytes.extend_from_slice(&number.to_le_bytes()));
    }

    /// Appends a block; nothing, if there is no such block.
    pub fn write_block(&self, kind: BlockKind, number: u32, bytes: &mut Vec<u8>) {
        match kind {
            BlockKind::Nodes => self.write_nodes(number, bytes),
            BlockKind::Links => {
                for slot in nodes_of(number, self.slots()) {
                    write_links(&self.layers[0], slot, bytes);
                }
            }
            BlockKind::Upper => {
                let (level, number) = level_of(number);
                let Some(layer) = self.layers.get(level).filter(|_| level > 0) else { return };
                for node in nodes_of(number, layer.nodes()) {
                    bytes.extend_from_slice(&layer.slots[node].to_le_bytes());
                    bytes.extend_from_slice(&layer.below[node].to_le_bytes());
                    write_links(layer, node, bytes);
                }
            }
        }
    }

    fn write_nodes(&self, number: u32, bytes: &mut Vec<u8>) {
        let codes = &self.codes;
        for slot in nodes_of(number, self.slots()) {
            bytes.push(self.state[slot] as u8);
            if self.state[slot] == State::Free {
                continue;
            }
            bytes.extend_from_slice(codes.high.row(slot));
            if codes.code == Code::Eight {
                bytes.extend_from_slice(codes.low.row(slot));
            }
            if codes.code != Code::Bits {
                let Terms { offset, scale, square, fine_square } = codes.terms.row(slot)[0];
                [offset, scale, square, fine_square]
                    .iter()
                    .for_each(|term| bytes.extend_from_slice(&term.to_le_bytes()));
                bytes.extend_from_slice(&codes.totals.row(slot)[0].to_le_bytes());
            }
        }
    }
}

/// Makes a graph of its blocks.
#[derive(Debug)]
pub struct GraphReader {
    graph: Graph,
    /// Levels from 1 on, as they are read.
    upper: Vec<UpperLevel>,
    links: Vec<u32>,
}

#[derive(Debug, Default)]
struct UpperLevel {
    slots: Vec<u32>,
    below: Vec<u32>,
    links: Vec<u32>,
}

impl GraphReader {
    /// Begins with the head.
    ///
    /// # Errors
    /// [`Corruption`](blaze_core::ErrorKind::Corruption) if the bytes are no head, or that of a graph with other options.
    pub fn new(options: GraphOptions, head: &[u8]) -> Result<GraphReader> {
        let mut graph = Graph::new(options)?;
        let mut expected = Vec::new();
        graph.write_head(&mut expected);
        let fixed = expected.len() - 9; // all but the tickets and whether vectors are rotated
        let Some((rest, centre)) = head.split_at_checked(expected.len()) else {
            return Err(damaged("the head is too short"));
        };
        let (options, rest) = rest.split_at(fixed);
        if options != &expected[..fixed] {
            return Err(damaged("it was made with other options"));
        }
        let Some((tickets, [is_rotated @ 0..=1])) = rest.split_first_chunk::<8>() else {
            return Err(damaged("the head does not parse"));
        };
        let (centre, behind) = centre.as_chunks::<4>();
        let centre: Vec<f32> = centre.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        let is_centre = centre.is_empty() || centre.len() == graph.options.dimension;
        if !behind.is_empty() || !is_centre || !centre.iter().all(|number| number.is_finite()) {
            return Err(damaged("the head does not parse"));
        }
        graph.frame.centre = centre;
        if *is_rotated == 0 {
            graph.frame.rotation = None;
        }
        graph.tickets = u64::from_le_bytes(*tickets).into();
        Ok(GraphReader { graph, upper: Vec::new(), links: Vec::new() })
    }

    /// Takes in a block: of each kind, the numbers in ascending order and none left out.
    ///
    /// # Errors
    /// [`Corruption`](blaze_core::ErrorKind::Corruption) if the bytes are no such block, or not the next one.
    pub fn read_block(&mut self, kind: BlockKind, number: u32, bytes: &[u8]) -> Result<()> {
        let room = 2 * self.graph.options.m;
        let (there, number_of_level) = match kind {
            BlockKind::Nodes => (self.graph.slots(), number),
            BlockKind::Links => (self.links.len() / room, number),
            BlockKind::Upper => {
                let (level, number) = level_of(number);
                let is_next = level == self.upper.len() + 1 && number == 0 && level <= LEVELS_MAX;
                if is_next {
                    self.upper.push(UpperLevel::default());
                }
                if level == 0 || level != self.upper.len() {
                    return Err(damaged(format!(
                        "a block of level {level} does not follow level {}",
                        self.upper.len()
                    )));
                }
                (self.upper[level - 1].slots.len(), number)
            }
        };
        let begins_at = number_of_level as usize * BLOCK_NODES;
        if there != begins_at || begins_at > NODES_MAX - BLOCK_NODES || bytes.is_empty() {
            return Err(damaged(format!("the block {kind:?} {number} does not follow {there} nodes")));
        }
        match kind {
            BlockKind::Nodes => self.read_nodes(bytes),
            BlockKind::Links => read_rows(bytes, 4 * room, |row| self.links.extend(numbers(row))),
            BlockKind::Upper => {
                let level = self.upper.len() - 1;
                let upper = &mut self.upper[level];
                read_rows(bytes, 8 + 4 * self.graph.options.m, |row| {
                    let mut row = numbers(row);
                    upper.slots.extend(row.next());
                    upper.below.extend(row.next());
                    upper.links.extend(row);
                })
            }
        }
    }

    fn read_nodes(&mut self, mut bytes: &[u8]) -> Result<()> {
        let graph = &mut self.graph;
        let (begin, stride) = (graph.slots(), graph.codes.high.stride());
        let code = graph.codes.code;
        while let Some((state, rest)) = bytes.split_first() {
            let slot = graph.slots();
            if slot == begin + BLOCK_NODES {
                return Err(damaged("a block of nodes has too many"));
            }
            let state = match state {
                0 => State::Free,
                1 => State::Live,
                2 => State::Tombstone,
                _ => return Err(damaged(format!("a node has the state {state}"))),
            };
            graph.make_room(slot + 1);
            graph.state[slot] = state;
            bytes = rest;
            if state == State::Free {
                continue;
            }
            let mut take = |count: usize| -> Result<&[u8]> {
                let (taken, rest) =
                    bytes.split_at_checked(count).ok_or_else(|| damaged("a block of nodes ends within one"))?;
                bytes = rest;
                Ok(taken)
            };
            graph.codes.high.row_mut(slot).copy_from_slice(take(stride)?);
            if code == Code::Eight {
                graph.codes.low.row_mut(slot).copy_from_slice(take(stride)?);
            }
            if code != Code::Bits {
                let terms = take(16)?.as_chunks::<4>().0;
                let term = |at: usize| terms.get(at).map_or(f32::NAN, |bytes| f32::from_le_bytes(*bytes));
                let read = Terms { offset: term(0), scale: term(1), square: term(2), fine_square: term(3) };
                if ![read.offset, read.scale, read.square, read.fine_square].iter().all(|term| term.is_finite()) {
                    return Err(damaged("a code of a node means no number"));
                }
                graph.codes.terms.row_mut(slot)[0] = read;
                graph.codes.totals.row_mut(slot)[0] = u16::from_le_bytes(take(2)?.try_into().unwrap_or_default());
            }
        }
        Ok(())
    }

    /// The graph, without what leads nowhere. Where something was left out, nodes that no walk reaches are led to again.
    #[must_use]
    pub fn finish(self) -> Graph {
        let GraphReader { mut graph, upper, links } = self;
        let mut is_whole = true;
        let slots = graph.slots();
        let room = 2 * graph.options.m;
        // Links are written last: nodes without were being added.
        (links.len() / room..slots).for_each(|slot| graph.state[slot] = State::Free);
        let is_there: Vec<bool> = graph.state.iter().map(|state| *state != State::Free).collect();
        for (slot, row) in links.chunks_exact(room).take(slots).enumerate() {
            if is_there[slot] {
                graph.layers[0].set_links(slot as u32, &known(row, slot as u32, &is_there, &mut is_whole));
            }
        }
        let mut below: Vec<u32> =
            (0..slots as u32).map(|slot| if is_there[slot as usize] { slot } else { NONE }).collect();
        for UpperLevel { slots: own, below: nodes_below, links } in upper {
            let mut layer = Layer::new(graph.options.m);
            let mut has_node = vec![false; slots];
            // A node is there if its slot is, on the level below, too, and no other one on its level.
            let is_there: Vec<bool> = own
                .iter()
                .zip(&nodes_below)
                .map(|(slot, node)| {
                    let leads_down = *slot != NONE && below.get(*node as usize) == Some(slot);
                    leads_down && !std::mem::replace(&mut has_node[*slot as usize], true)
                })
                .collect();
            if !is_there.contains(&true) {
                break;
            }
            for (node, (slot, under)) in own.iter().zip(&nodes_below).enumerate() {
                let (slot, under) = if is_there[node] { (*slot, *under) } else { (NONE, NONE) };
                layer.add(slot, under);
            }
            // Only now: `add` would take them.
            layer.free = (0..own.len() as u32).rev().filter(|node| !is_there[*node as usize]).collect();
            for (node, row) in links.chunks_exact(graph.options.m).enumerate().filter(|(node, _)| is_there[*node]) {
                layer.set_links(node as u32, &known(row, node as u32, &is_there, &mut is_whole));
            }
            below.clone_from(&layer.slots);
            graph.layers.push(layer);
        }
        graph.entry = below.iter().position(|slot| *slot != NONE).map(|node| node as u32);
        let count = |graph: &Graph, wanted| graph.state.iter().filter(|state| **state == wanted).count();
        graph.len = count(&graph, State::Live);
        graph.tombstones = count(&graph, State::Tombstone);
        graph.free = (0..slots as u32).rev().filter(|slot| graph.state[*slot as usize] == State::Free).collect();
        if !is_whole {
            graph.repair();
        }
        graph
    }
}

/// The links of a row that lead to other nodes, each once.
fn known(row: &[u32], node: u32, is_there: &[bool], is_whole: &mut bool) -> Vec<u32> {
    let mut links: Vec<u32> = Vec::with_capacity(row.len());
    for &link in row.iter().take_while(|link| **link != NONE) {
        if link != node && is_there.get(link as usize) == Some(&true) && !links.contains(&link) {
            links.push(link);
        } else {
            *is_whole = false;
        }
    }
    links
}

fn nodes_of(number: u32, nodes: usize) -> std::ops::Range<usize> {
    let begin = (number as usize).saturating_mul(BLOCK_NODES).min(nodes);
    begin..(begin + BLOCK_NODES).min(nodes)
}

fn level_of(number: u32) -> (usize, u32) {
    ((number >> LEVEL_SHIFT) as usize, number & ((1 << LEVEL_SHIFT) - 1))
}

fn write_links(layer: &Layer, node: usize, bytes: &mut Vec<u8>) {
    layer.links.row(node).iter().for_each(|link| bytes.extend_from_slice(&link.to_le_bytes()));
}

fn numbers(row: &[u8]) -> impl Iterator<Item = u32> {
    row.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes))
}

/// Reads rows of equal length, as many as a block may have.
fn read_rows(bytes: &[u8], row_bytes: usize, mut read: impl FnMut(&[u8])) -> Result<()> {
    if !bytes.len().is_multiple_of(row_bytes) || bytes.len() > BLOCK_NODES * row_bytes {
        let length = bytes.len();
        return Err(damaged(format!("a block has {length} bytes, which are no rows of {row_bytes}")));
    }
    bytes.chunks_exact(row_bytes).for_each(&mut read);
    Ok(())
}

fn metric_number(metric: Metric) -> u8 {
    match metric {
        Metric::Cosine => 0,
        Metric::L2 => 1,
        Metric::Dot => 2,
        Metric::Hamming => 3,
    }
}

fn code_number(code: Code) -> u8 {
    match code {
        Code::Eight => 0,
        Code::Four => 1,
        Code::Bits => 2,
    }
}

fn damaged(message: impl Into<String>) -> Error {
    Error::corruption(format!("a stored graph: {}", message.into()))
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

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
