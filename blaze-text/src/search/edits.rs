//! By how many edits two terms differ.

/// Measures by how many edits terms differ from one, by the optimal string alignment distance: insertions, removals and
/// replacements of a character, and swaps of two neighbours.
///
/// The matrix of Wagner and Fischer, The String-to-String Correction Problem (1974), with the swaps of Damerau; rows are kept
/// for what a term has in common with the one before it, so that terms in order take little time.
pub(super) struct Edits {
    term: Vec<char>,
    most: u16,
    /// The characters that rows are there for.
    characters: Vec<char>,
    /// One more than characters, each one longer than the term.
    rows: Vec<Vec<u16>>,
    /// How many of the characters are those of the last term.
    known: usize,
}

/// What was measured of a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measured {
    /// It is as near as this.
    Near(u8),
    /// It is too far.
    Far,
    /// It is too far, as is every term that begins with as many bytes of it.
    Dead(usize),
}

impl Edits {
    pub(super) fn new(term: &str, most: u8) -> Edits {
        let term: Vec<char> = term.chars().collect();
        let first = (0..).take(term.len() + 1).collect();
        Edits { term, most: u16::from(most), characters: Vec::new(), rows: vec![first], known: 0 }
    }

    /// Measures a term; those that begin as the one before it does take less time.
    pub(super) fn measure(&mut self, candidate: &str) -> Measured {
        let mut same = true;
        let mut length = 0;
        for (start, character) in candidate.char_indices() {
            same = same && length < self.known && self.characters[length] == character;
            if !same {
                self.characters.truncate(length);
                self.characters.push(character);
                self.compute(length + 1);
                self.known = length + 1;
            }
            length += 1;
            if self.rows[length].iter().all(|&edits| edits > self.most) {
                return Measured::Dead(start + character.len_utf8());
            }
        }
        match self.rows[length].last() {
            Some(&edits) if edits <= self.most => Measured::Near(edits as u8),
            _ => Measured::Far,
        }
    }

    /// Computes the row after so many characters.
    fn compute(&mut self, length: usize) {
        if self.rows.len() == length {
            self.rows.push(vec![0; self.term.len() + 1]);
        }
        let (before, rest) = self.rows.split_at_mut(length);
        let (row, last) = (&mut rest[0], &before[length - 1]);
        let character = self.characters[length - 1];
        row[0] = last[0].saturating_add(1);
        for at in 1..=self.term.len() {
            let replaced = last[at - 1].saturating_add(u16::from(self.term[at - 1] != character));
            let mut edits = replaced.min(last[at].saturating_add(1)).min(row[at - 1].saturating_add(1));
            let swapped = length > 1
                && at > 1
                && self.term[at - 2] == character
                && self.term[at - 1] == self.characters[length - 2];
            if swapped {
                edits = edits.min(before[length - 2][at - 2].saturating_add(1));
            }
            row[at] = edits;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Edits, Measured};

    #[test]
    fn a_swap_of_neighbours_is_one_edit_and_characters_count_whole() {
        let mut edits = Edits::new("fähre", 2);
        for (candidate, expected) in [
            ("fähre", Measured::Near(0)),
            ("fhäre", Measured::Near(1)),
            ("fahre", Measured::Near(1)),
            ("fähren", Measured::Near(1)),
            ("hähne", Measured::Near(2)),
            ("ähr", Measured::Near(2)),
            ("fä", Measured::Far),
            ("bahnen", Measured::Dead(4)),
            ("", Measured::Far),
        ] {
            assert_eq!(edits.measure(candidate), expected, "{candidate}");
            assert_eq!(Edits::new("fähre", 2).measure(candidate), expected, "{candidate} by itself");
        }
    }
}
