//! A graph of its blocks.

use std::thread;

use blaze_core::{Error, Result};

use crate::code::{Code, Codes, Terms};
use crate::graph::blocks::{BLOCK_NODES, BlockKind, level_of};
use crate::graph::layer::{Layer, NONE};
use crate::graph::pool::NODES_MAX;
use crate::graph::same_code::SameCode;
use crate::graph::{Graph, GraphOptions, LEVELS_MAX, State};

/// Bytes of the terms of a code and of its total.
const TERMS_BYTES: usize = 16 + 2;

/// Makes a graph of its blocks.
///
/// Nothing of what is read is trusted: links that lead nowhere are left out, and the graph holds together
/// ([`Graph::check`]) whatever the bytes were.
///
/// ```
/// use blaze_vector::{BlockKind, Graph, GraphOptions, GraphReader, Metric};
///
/// let mut graph = Graph::new(GraphOptions::new(Metric::L2, 1))?;
/// for position in 0..99u8 {
///     let insertion = graph.prepare(&[f32::from(position)])?;
///     graph.insert(insertion);
/// }
/// let mut head = Vec::new();
/// graph.write_head(&mut head);
/// let mut reader = GraphReader::new(graph.options().clone(), &head)?;
/// for kind in BlockKind::ALL {
///     for number in graph.block_numbers(kind) {
///         let mut block = Vec::new();
///         graph.write_block(kind, number, &mut block);
///         reader.read_block(kind, number, &block)?;
///     }
/// }
/// let read = reader.finish();
/// let near = |graph: &Graph| Ok::<_, blaze_core::Error>(graph.search(&graph.query(&[41.7])?, 50, 5, |_| true));
/// assert_eq!(near(&read)?, near(&graph)?);
/// # Ok::<(), blaze_core::Error>(())
/// ```
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
            BlockKind::Links => {
                if begins_at == 0 {
                    self.links.reserve_exact(self.graph.slots() * room); // nodes come before links
                }
                read_rows(bytes, 4 * room, |row| self.links.extend(numbers(row)))
            }
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
        let code_bytes = match code {
            Code::Bits => stride,
            Code::Four => stride + TERMS_BYTES,
            Code::Eight => 2 * stride + TERMS_BYTES,
        };
        // Room for all at once: for one after the other it took a tenth of the time of loading a graph.
        graph.make_room(begin + nodes_in(bytes, code_bytes)?);
        for slot in begin..graph.slots() {
            let Some((state, rest)) = bytes.split_first() else { break };
            let state = match state {
                0 => State::Free,
                1 => State::Live,
                2 => State::Tombstone,
                _ => return Err(damaged(format!("a node has the state {state}"))),
            };
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
        let slots = graph.slots();
        let room = 2 * graph.options.m;
        // Links are written last: nodes without were being added.
        (links.len() / room..slots).for_each(|slot| graph.state[slot] = State::Free);
        leave_out_loose(&mut graph.state, &links, room);
        let is_there: Vec<bool> = graph.state.iter().map(|state| *state != State::Free).collect();
        let codes = std::mem::replace(&mut graph.codes, Codes::new(graph.options.code, graph.options.dimension));
        let is_live: Vec<bool> = graph.state.iter().map(|state| *state == State::Live).collect();
        let list = || SameCode::of(&codes, (0..slots as u32).filter(|slot| is_live[*slot as usize]));
        let (mut is_whole, same_code) = thread::scope(|scope| {
            // Beside the links, which need no codes: one after the other took a third longer for a million nodes.
            let listing = thread::Builder::new().name("blaze-graph-load".to_owned()).spawn_scoped(scope, list);
            let is_whole = take_in_links(&mut graph, upper, &links, &is_there);
            (is_whole, listing.ok().and_then(|listing| listing.join().ok()).unwrap_or_else(list))
        });
        graph.codes = codes;
        graph.same_code = same_code;
        let count = |graph: &Graph, wanted| graph.state.iter().filter(|state| **state == wanted).count();
        graph.len = count(&graph, State::Live);
        graph.tombstones = count(&graph, State::Tombstone);
        graph.free = (0..slots as u32).rev().filter(|slot| graph.state[*slot as usize] == State::Free).collect();
        is_whole &= !graph.link_the_linkless();
        if !is_whole {
            graph.repair();
        }
        graph
    }
}

/// Gives the nodes that are there their links on all levels; false if some were left out.
fn take_in_links(graph: &mut Graph, upper: Vec<UpperLevel>, links: &[u32], is_there: &[bool]) -> bool {
    let (mut is_whole, mut kept) = (true, Vec::new());
    let (slots, room) = (graph.slots(), 2 * graph.options.m);
    for (slot, row) in links.chunks_exact(room).take(slots).enumerate() {
        if is_there[slot] {
            graph.layers[0].set_links(slot as u32, known(row, slot as u32, is_there, &mut is_whole, &mut kept));
        }
    }
    let mut below: Vec<u32> = (0..slots as u32).map(|slot| if is_there[slot as usize] { slot } else { NONE }).collect();
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
            layer.set_links(node as u32, known(row, node as u32, &is_there, &mut is_whole, &mut kept));
        }
        below.clone_from(&layer.slots);
        graph.layers.push(layer);
    }
    graph.entry = below.iter().position(|slot| *slot != NONE).map(|node| node as u32);
    is_whole
}

/// Leaves out nodes whose links were not written: they lead nowhere, and a walk that comes upon one ends there.
fn leave_out_loose(states: &mut [State], links: &[u32], room: usize) {
    let has_links = |slot: usize| links.get(slot * room).is_some_and(|link| *link != NONE);
    let is_linked = |(slot, state): (usize, &State)| *state != State::Free && has_links(slot);
    // Where no node has links, one may have been alone and linked: then who adds the others does not know it for a new one.
    if states.iter().enumerate().any(is_linked) {
        let loose = states.iter_mut().enumerate().filter(|(slot, _)| !has_links(*slot));
        loose.for_each(|(_, state)| *state = State::Free);
    }
}

/// How many nodes a block has, each of which is a state, and for those that are there so many bytes.
fn nodes_in(mut bytes: &[u8], code_bytes: usize) -> Result<usize> {
    let mut nodes = 0;
    while let Some((state, rest)) = bytes.split_first() {
        nodes += 1;
        bytes = rest.get(if *state == 0 { 0 } else { code_bytes }..).unwrap_or_default();
    }
    match nodes {
        0..=BLOCK_NODES => Ok(nodes),
        _ => Err(damaged("a block of nodes has too many")),
    }
}

/// The links of a row that lead to other nodes, each once.
fn known<'a>(row: &[u32], node: u32, is_there: &[bool], is_whole: &mut bool, links: &'a mut Vec<u32>) -> &'a [u32] {
    links.clear();
    for &link in row.iter().take_while(|link| **link != NONE) {
        if link != node && is_there.get(link as usize) == Some(&true) && !links.contains(&link) {
            links.push(link);
        } else {
            *is_whole = false;
        }
    }
    links
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
fn damaged(message: impl Into<String>) -> Error {
    Error::corruption(format!("a stored graph: {}", message.into()))
}
