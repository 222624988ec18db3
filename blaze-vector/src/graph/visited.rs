//! Which nodes a search has seen.

/// A set of nodes: a bit for each, and a list of those that are set, so that clearing costs what was visited.
#[derive(Debug, Default)]
pub(super) struct Visited {
    words: Vec<u64>,
    nodes: Vec<u32>,
}

impl Visited {
    /// Forgets everything, and makes room for nodes below `nodes`.
    pub(super) fn reset(&mut self, nodes: usize) {
        for node in self.nodes.drain(..) {
            if let Some(word) = self.words.get_mut(node as usize / 64) {
                *word = 0;
            }
        }
        self.words.resize(nodes.div_ceil(64).max(self.words.len()), 0);
    }

    /// The same, but that a node counts as seen, if it is one.
    pub(super) fn reset_without(&mut self, nodes: usize, without: u32) {
        self.reset(nodes);
        if (without as usize) < nodes {
            self.insert(without);
        }
    }

    /// True if the node is new.
    #[inline(always)]
    pub(super) fn insert(&mut self, node: u32) -> bool {
        let word = &mut self.words[node as usize / 64];
        let bit = 1u64 << (node % 64);
        if *word & bit != 0 {
            return false;
        }
        *word |= bit;
        self.nodes.push(node);
        true
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.words.capacity() * 8 + self.nodes.capacity() * 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_forgets_every_node_and_keeps_the_room() {
        let mut visited = Visited::default();
        for round in 0..3 {
            visited.reset(100 + round);
            for node in [0, 63, 64, 99] {
                assert!(visited.insert(node), "round {round}");
                assert!(!visited.insert(node), "round {round}");
            }
            assert_eq!(visited.len(), 4);
        }
    }
}
