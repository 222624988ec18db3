//! Rows by their numbers, each fetched some rows before it is read.

use crate::code::Slab;
use crate::kernel::code::LINE;

/// How many lines ahead are fetched: those of all nodes that a walk looks at in one step, mostly, and of few enough to find
/// room in the second cache. (EPYC 9004, 2026-11-23, when a walk did not fetch for its next step yet: searches of Fashion-MNIST take
/// 31 us with 256, 32 with 112 or 56, and 36 with 28.)
const LINES_AHEAD: usize = 256;

/// The rows of slots; `fetch` is called with each slot some rows before its own.
///
/// (2026-11-22: made of the adapters of the standard library, which are not inlined into functions with target features, this
/// took a twentieth of a search.)
pub(crate) struct RowsOf<'a, F> {
    rows: &'a Slab<u8>,
    slots: std::slice::Iter<'a, u32>,
    later: std::slice::Iter<'a, u32>,
    fetch: F,
}

impl<'a, F: Fn(u32)> RowsOf<'a, F> {
    pub(crate) fn new(rows: &'a Slab<u8>, slots: &'a [u32], fetch: F) -> RowsOf<'a, F> {
        let (first, later) = slots.split_at(rows_ahead(rows.stride()).min(slots.len()));
        first.iter().for_each(|&slot| fetch(slot));
        RowsOf { rows, slots: slots.iter(), later: later.iter(), fetch }
    }
}

/// The rows of slots that were fetched before.
#[inline(always)]
pub(crate) fn fetched_rows<'a>(rows: &'a Slab<u8>, slots: &'a [u32]) -> RowsOf<'a, impl Fn(u32)> {
    RowsOf { rows, slots: slots.iter(), later: [].iter(), fetch: |_| () }
}

/// How many rows of so many bytes are fetched before the first is read.
pub(crate) fn rows_ahead(row_bytes: usize) -> usize {
    (LINES_AHEAD * LINE / row_bytes).clamp(1, LINES_AHEAD)
}

impl<'a, F: Fn(u32)> Iterator for RowsOf<'a, F> {
    type Item = &'a [u8];

    #[inline(always)]
    fn next(&mut self) -> Option<&'a [u8]> {
        let &slot = self.slots.next()?;
        if let Some(&later) = self.later.next() {
            (self.fetch)(later);
        }
        Some(self.rows.row(slot as usize))
    }
}
