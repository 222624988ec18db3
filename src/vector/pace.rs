//! What keeps writers from outrunning a graph that catches up with them.

use blaze_core::limits::VECTOR_TAIL_MAX;

/// How often a graph tries to catch up while writers go as fast as they can.
const ROUNDS_MAX: usize = 3;

/// Vectors that are linked for each that is written, once writers wait, and those that are written besides: each round leaves
/// at most a fourth of the one before, and a little, which fits a tail even if they are large.
const LINKED_PER_WRITTEN: usize = 4;
const WRITTEN_BESIDES: usize = VECTOR_TAIL_MAX / 4;

/// How far writers and a graph that is not complete have come in one round of catching up: the graph links what was committed
/// before the round, while they commit more.
#[derive(Debug, Default)]
pub(super) struct Pace {
    rounds: usize,
    written: usize,
    linked: usize,
}

impl Pace {
    /// Another round begins: the last one left too much.
    pub(super) fn begin_round(&mut self) {
        *self = Pace { rounds: self.rounds + 1, ..Pace::default() };
    }

    pub(super) fn note_written(&mut self, vectors: usize) {
        self.written += vectors;
    }

    pub(super) fn note_linked(&mut self, vectors: usize) {
        self.linked += vectors;
    }

    /// True if writers have to wait.
    pub(super) fn is_outrun(&self) -> bool {
        self.rounds > ROUNDS_MAX && self.written >= WRITTEN_BESIDES + self.linked / LINKED_PER_WRITTEN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounds until a graph has caught up, with writers that are so many times as fast as it.
    fn rounds(faster: usize) -> usize {
        let (mut pace, mut left) = (Pace::default(), 20_000);
        for round in 1..100 {
            pace.begin_round();
            let mut written = 0;
            for _ in 0..left {
                for _ in 0..faster {
                    if !pace.is_outrun() {
                        pace.note_written(1);
                        written += 1;
                    }
                }
                pace.note_linked(1);
            }
            if written <= 2 * WRITTEN_BESIDES {
                return round;
            }
            left = written;
        }
        panic!("writers that are {faster} times as fast are never caught up with")
    }

    #[test]
    fn a_graph_catches_up_with_writers_of_any_speed() {
        assert_eq!(rounds(0), 1);
        for faster in [1, 2, 5] {
            let rounds = rounds(faster);
            assert!(rounds <= ROUNDS_MAX + 8, "{rounds} rounds at {faster} times the speed");
        }
    }

    #[test]
    fn nobody_waits_in_the_first_rounds() {
        let mut pace = Pace::default();
        for _ in 0..ROUNDS_MAX {
            pace.begin_round();
            pace.note_written(1_000_000);
            assert!(!pace.is_outrun());
        }
        pace.begin_round();
        assert!(!pace.is_outrun(), "what was written before counts no longer");
        pace.note_written(WRITTEN_BESIDES);
        assert!(pace.is_outrun());
        pace.note_linked(LINKED_PER_WRITTEN);
        assert!(!pace.is_outrun());
    }
}
