//! The choice of links: near ones that lead in different directions.

use crate::code::Probe;
use crate::graph::Graph;
use crate::graph::layer::Layer;
use crate::graph::search::Batch;

/// While there is room, a node is also linked to if one that was chosen is nearer to it than the origin, but by less than
/// this factor (of squared distances): with more ways to everything, less depends on what is deleted later.
const ALPHA: f32 = 1.2;

/// A node that may be linked to, nearest first.
#[derive(Clone, Copy)]
struct Choice {
    distance: f32,
    node: u32,
    /// One that was chosen is a little nearer.
    is_second: bool,
}

impl Graph {
    /// Chooses at most `limit` of `candidates`, which are in the order of their distances: first those to which none that
    /// was chosen is nearer, then those to which none is nearer by [`ALPHA`] (robust pruning of Vamana, in two rounds).
    /// Choosing by [`ALPHA`] at once fills the lists with near nodes and leaves no room for far ones.
    ///
    /// Where all lie in one direction, such as in a heap of equal vectors, the nearest fill up to `least`.
    pub(super) fn prune(
        &self,
        layer: &Layer,
        candidates: &[(f32, u32)],
        limit: usize,
        least: usize,
        (batch, probe): (&mut Batch, &mut Probe),
        chosen: &mut Vec<u32>,
    ) {
        chosen.clear();
        let choice = |&(distance, node): &(f32, u32)| Choice { distance, node, is_second: false };
        let mut rest: Vec<Choice> = candidates.iter().map(choice).collect();
        let mut passed_over: Vec<Choice> = Vec::new();
        while !rest.is_empty() && chosen.len() < limit {
            let next = rest.iter().position(|choice| !choice.is_second).unwrap_or(0);
            let Choice { node, .. } = rest.remove(next);
            chosen.push(node);
            if chosen.len() == limit || rest.is_empty() {
                break;
            }
            self.codes.probe_slot(layer.slot(node), probe);
            batch.nodes.clear();
            batch.nodes.extend(rest.iter().map(|choice| choice.node));
            batch.measure(&self.codes, layer, probe);
            let mut between = batch.distances.iter();
            rest.retain_mut(|choice| {
                let between = between.next().copied().unwrap_or(f32::INFINITY);
                choice.is_second |= between <= choice.distance;
                let stays = ALPHA * between > choice.distance;
                if !stays {
                    passed_over.push(*choice);
                }
                stays
            });
        }
        if chosen.len() < least {
            passed_over.sort_unstable_by(|a, b| a.distance.total_cmp(&b.distance).then(a.node.cmp(&b.node)));
            chosen.extend(passed_over.iter().map(|choice| choice.node).take(least - chosen.len()));
        }
    }
}
