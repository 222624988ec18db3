//! Overlapping pieces of two or three characters.

use std::collections::VecDeque;

use super::token::{Place, Role, Token};
use crate::limits::TEXT_TERM_BYTES_MAX;

/// A window that moves over folded characters.
#[derive(Debug)]
pub(super) struct Grams {
    size: usize,
    folded: String,
    window: VecDeque<Unit>,
    /// Where the next character is.
    position: u32,
    /// True if the window was full since it was last empty.
    was_full: bool,
}

/// A character: its place in the text, and where it ends in what is folded.
#[derive(Clone, Copy, Debug)]
struct Unit {
    place: Place,
    folded: (usize, usize),
}

/// Bytes of folded text from which those that have left the window are removed.
const COMPACT_BYTES: usize = 4_096;

impl Grams {
    /// Pieces of `size` characters.
    pub(super) fn new(size: usize) -> Grams {
        Grams { size, folded: String::new(), window: VecDeque::new(), position: 0, was_full: false }
    }

    /// Begins at a position with no character.
    pub(super) fn begin(&mut self, position: u32) {
        self.folded.clear();
        self.window.clear();
        self.position = position;
        self.was_full = false;
    }

    /// Where the character after all that were pushed is.
    pub(super) fn position(&self) -> u32 {
        self.position
    }

    /// Moves over one more character.
    pub(super) fn push(&mut self, folded: &str, (start, end): (usize, usize), visit: &mut dyn FnMut(Token<'_>, Role)) {
        if folded.is_empty() {
            return;
        }
        let at = self.folded.len();
        self.folded.push_str(folded);
        let place = Place { position: self.position, start, end };
        self.window.push_back(Unit { place, folded: (at, self.folded.len()) });
        self.position = self.position.saturating_add(1);
        if self.window.len() < self.size {
            return;
        }
        let role = if self.was_full { Role::Continues } else { Role::Begins };
        self.was_full = true;
        self.visit_from(0, role, visit);
        self.window.pop_front();
        self.compact();
    }

    /// Ends with what is shorter: by it a search for fewer characters finds the last ones.
    pub(super) fn finish(&mut self, visit: &mut dyn FnMut(Token<'_>, Role)) {
        for first in 0..self.window.len() {
            let role = if first == 0 && !self.was_full { Role::Short } else { Role::Rest };
            self.visit_from(first, role, visit);
        }
    }

    fn visit_from(&self, first: usize, role: Role, visit: &mut dyn FnMut(Token<'_>, Role)) {
        let (Some(from), Some(last)) = (self.window.get(first), self.window.back()) else { return };
        let term = beginning(&self.folded[from.folded.0..last.folded.1]);
        visit(Place { end: last.place.end, ..from.place }.with(term), role);
    }

    fn compact(&mut self) {
        if self.folded.len() < COMPACT_BYTES {
            return;
        }
        let gone = self.window.front().map_or(self.folded.len(), |unit| unit.folded.0);
        self.folded.drain(..gone);
        for unit in &mut self.window {
            unit.folded = (unit.folded.0 - gone, unit.folded.1 - gone);
        }
    }
}

/// As much of a term as may be.
pub(super) fn beginning(term: &str) -> &str {
    let mut end = term.len().min(TEXT_TERM_BYTES_MAX);
    while !term.is_char_boundary(end) {
        end -= 1;
    }
    &term[..end]
}
