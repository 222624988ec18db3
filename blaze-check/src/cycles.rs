//! Finds cycles: strongly connected parts first (Tarjan, "Depth-First Search and Linear Graph Algorithms", SIAM Journal on Computing
//! 1972), then the cheapest cycle through each dependency that goes back in time (Dijkstra, 1959).

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use crate::graph::{Edge, Node, Why};

/// Steps that the search for cheapest cycles takes at most, all cycles together.
const STEPS_MAX: u64 = 50_000_000;

/// No node, no part.
const NONE: u32 = u32::MAX;

/// A part of the graph, by its edges from each node.
#[derive(Debug)]
pub(crate) struct Graph {
    /// By node: where its edges begin.
    starts: Vec<u32>,
    edges: Vec<(Node, Why)>,
}

impl Graph {
    pub(crate) fn of(nodes: u32, all: &[Edge]) -> Graph {
        let mut starts = vec![0_u32; nodes as usize + 1];
        all.iter().for_each(|edge| starts[edge.from as usize + 1] += 1);
        for node in 0..nodes as usize {
            starts[node + 1] += starts[node];
        }
        let mut next = starts.clone();
        let mut edges = vec![(0, Why::Along); all.len()];
        for edge in all {
            let at = &mut next[edge.from as usize];
            edges[*at as usize] = (edge.to, edge.why);
            *at += 1;
        }
        Graph { starts, edges }
    }

    fn from(&self, node: Node) -> &[(Node, Why)] {
        &self.edges[self.starts[node as usize] as usize..self.starts[node as usize + 1] as usize]
    }

    /// By node: the number of the strongly connected part that it belongs to.
    fn parts(&self) -> Vec<u32> {
        let nodes = self.starts.len() - 1;
        let (mut parts, mut numbers, mut lowest) = (vec![NONE; nodes], vec![NONE; nodes], vec![0_u32; nodes]);
        let (mut next, mut next_part) = (0_u32, 0_u32);
        let mut open: Vec<Node> = Vec::new();
        let mut path: Vec<(Node, u32)> = Vec::new();
        for root in 0..nodes as u32 {
            if numbers[root as usize] != NONE || self.from(root).is_empty() {
                continue;
            }
            path.push((root, 0));
            while let Some((node, edge)) = path.pop() {
                let at = node as usize;
                if edge == 0 {
                    (numbers[at], lowest[at]) = (next, next);
                    next += 1;
                    open.push(node);
                }
                if let Some((to, _)) = self.from(node).get(edge as usize) {
                    path.push((node, edge + 1));
                    match (numbers[*to as usize], parts[*to as usize]) {
                        (NONE, _) => path.push((*to, 0)),
                        (number, NONE) => lowest[at] = lowest[at].min(number),
                        _ => {}
                    }
                    continue;
                }
                if lowest[at] == numbers[at] {
                    while let Some(member) = open.pop() {
                        parts[member as usize] = next_part;
                        if member == node {
                            break;
                        }
                    }
                    next_part += 1;
                }
                if let Some((above, _)) = path.last() {
                    lowest[*above as usize] = lowest[*above as usize].min(lowest[at]);
                }
            }
        }
        parts
    }

    /// For each edge that is on a cycle, the cheapest one through it, beginning with the edge.
    pub(crate) fn cycles_through(&self, edges: &[Edge]) -> Vec<Vec<Edge>> {
        let parts = self.parts();
        let mut steps = STEPS_MAX;
        let mut cycles = Vec::new();
        for edge in edges {
            let part = parts[edge.from as usize];
            if part == NONE || part != parts[edge.to as usize] {
                continue;
            }
            if let Some(path) = self.cheapest(edge.to, edge.from, &parts, &mut steps) {
                cycles.push(std::iter::once(*edge).chain(path).collect());
            }
            if steps == 0 {
                break;
            }
        }
        cycles
    }

    fn cheapest(&self, from: Node, to: Node, parts: &[u32], steps: &mut u64) -> Option<Vec<Edge>> {
        let part = parts[from as usize];
        // By node: what it costs to get there, and from where.
        let mut known: HashMap<Node, (u64, Option<Edge>)> = HashMap::from([(from, (0, None))]);
        let mut next = BinaryHeap::from([Reverse((0_u64, from))]);
        while let Some(Reverse((cost, node))) = next.pop() {
            if node == to {
                break;
            }
            if known.get(&node).is_some_and(|(least, _)| *least < cost) {
                continue;
            }
            for (target, why) in self.from(node).iter().filter(|(target, _)| parts[*target as usize] == part) {
                *steps = steps.checked_sub(1)?;
                let cost = cost + why.cost();
                if known.get(target).is_none_or(|(least, _)| cost < *least) {
                    known.insert(*target, (cost, Some(Edge { from: node, to: *target, why: *why })));
                    next.push(Reverse((cost, *target)));
                }
            }
        }
        let mut path = Vec::new();
        let mut at = to;
        while let Some(edge) = known.get(&at)?.1 {
            path.push(edge);
            at = edge.from;
        }
        path.reverse();
        Some(path)
    }
}
