//! The choice of links: near ones that lead in different directions.

use crate::code::Probe;
use crate::graph::Graph;
use crate::graph::batch::Batch;
use crate::graph::layer::Layer;

/// While there is room, a node is also linked to if one that was chosen is nearer to it than the origin, but by less than
/// this factor (of squared distances): with more ways to everything, less depends on what is deleted later.
const ALPHA: f32 = 1.2;

/// How many candidates are compared with those that were chosen at a time. Mostly there are enough before the last ones.
const WINDOW: usize = 32;

/// Of how many that may be chosen next the codes are fetched.
const FETCHED: usize = 2;

/// Working memory of the choice of links.
#[derive(Debug, Default)]
pub(crate) struct Pruning {
    /// Of the nodes that were chosen, in order, and of some that were chosen another time.
    probes: Vec<Probe>,
    /// Candidates that are compared next.
    window: Vec<Choice>,
    /// Those to which one that was chosen is a little nearer.
    seconds: Vec<Choice>,
    /// Those to which one that was chosen is nearer by [`ALPHA`].
    passed_over: Vec<Choice>,
}

impl Pruning {
    pub(super) fn bytes(&self) -> usize {
        let choices = self.window.capacity() + self.seconds.capacity() + self.passed_over.capacity();
        choices * size_of::<Choice>()
            + self.probes.iter().map(|probe| size_of::<Probe>() + probe.bytes()).sum::<usize>()
    }
}

/// A node that may be linked to.
#[derive(Clone, Copy, Debug)]
struct Choice {
    distance: f32,
    node: u32,
    /// With how many of those that were chosen it was compared.
    compared: usize,
}

/// Whether candidates are those to which none that was chosen is nearer, or those to which one is, by less than [`ALPHA`].
#[derive(Clone, Copy, PartialEq)]
enum Round {
    First,
    Second,
}

impl Graph {
    /// Chooses at most `limit` of `candidates`, which are in the order of their distances: first those to which none that
    /// was chosen is nearer, then those to which none is nearer by [`ALPHA`] (robust pruning of Vamana, in two rounds).
    /// Choosing by [`ALPHA`] at once fills the lists with near nodes and leaves no room for far ones.
    ///
    /// Where all lie in one direction, such as in a heap of equal vectors, the nearest fill up to `least`.
    ///
    /// A candidate is compared no further than is needed to see that it is none of the first round. (2026-11-23: comparing all
    /// with each that is chosen took a third of the time of an insertion.)
    pub(super) fn prune(
        &self,
        layer: &Layer,
        candidates: &[(f32, u32)],
        limit: usize,
        least: usize,
        (batch, pruning): (&mut Batch, &mut Pruning),
        chosen: &mut Vec<u32>,
    ) {
        chosen.clear();
        pruning.seconds.clear();
        pruning.passed_over.clear();
        let mut prune = Prune { graph: self, layer, limit, batch, pruning, chosen };
        let firsts = candidates.iter().map(|&(distance, node)| Choice { distance, node, compared: 0 });
        prune.choose(firsts, Round::First);
        let mut seconds = std::mem::take(&mut prune.pruning.seconds);
        if prune.chosen.len() < limit {
            sort(&mut seconds);
            prune.choose(seconds.iter().copied(), Round::Second);
        }
        pruning.seconds = seconds;
        if chosen.len() < least {
            sort(&mut pruning.passed_over);
            chosen.extend(pruning.passed_over.iter().map(|choice| choice.node).take(least - chosen.len()));
        }
    }
}

/// The choice of links of one node.
struct Prune<'a> {
    graph: &'a Graph,
    layer: &'a Layer,
    limit: usize,
    batch: &'a mut Batch,
    pruning: &'a mut Pruning,
    chosen: &'a mut Vec<u32>,
}

impl Prune<'_> {
    /// Chooses of candidates that come in the order of their distances.
    fn choose(&mut self, mut candidates: impl Iterator<Item = Choice>, round: Round) {
        while self.chosen.len() < self.limit {
            self.pruning.window.clear();
            self.pruning.window.extend(candidates.by_ref().take(WINDOW));
            if self.pruning.window.is_empty() {
                return;
            }
            self.fetch_next();
            (0..self.chosen.len()).for_each(|number| self.compare(number, round));
            while self.chosen.len() < self.limit && !self.pruning.window.is_empty() {
                let Choice { node, .. } = self.pruning.window.remove(0);
                self.fetch_next();
                let number = self.chosen.len();
                self.chosen.push(node);
                if self.pruning.probes.len() == number {
                    self.pruning.probes.push(Probe::default());
                }
                self.graph.codes.probe_slot(self.layer.slot(node), &mut self.pruning.probes[number]);
                self.compare(number, round);
            }
        }
    }

    /// Starts to fetch what is needed of those that may be chosen next. (2026-11-23: waiting for it took 8 % of a build.)
    fn fetch_next(&self) {
        let next = self.pruning.window.iter().take(FETCHED);
        next.for_each(|choice| self.graph.codes.fetch_low(self.layer.slot(choice.node)));
    }

    /// Compares the candidates of the window that were not with one that was chosen.
    fn compare(&mut self, number: usize, round: Round) {
        let Pruning { probes, window, seconds, passed_over } = &mut *self.pruning;
        self.batch.nodes.clear();
        self.batch.nodes.extend(window.iter().filter(|choice| choice.compared <= number).map(|choice| choice.node));
        self.batch.measure(&self.graph.codes, self.layer, &probes[number]);
        let mut between = self.batch.distances.iter();
        window.retain_mut(|choice| {
            if choice.compared > number {
                return true;
            }
            choice.compared = number + 1;
            let between = between.next().copied().unwrap_or(f32::INFINITY);
            if ALPHA * between <= choice.distance {
                passed_over.push(*choice);
                return false;
            }
            let is_second = round == Round::First && between <= choice.distance;
            if is_second {
                seconds.push(*choice);
            }
            !is_second
        });
    }
}

/// Nearest first.
fn sort(choices: &mut [Choice]) {
    choices.sort_unstable_by(|a, b| a.distance.total_cmp(&b.distance).then(a.node.cmp(&b.node)));
}
