//! Rows of equal size, by number: memory that grows in segments, so that growth copies nothing and wastes little.

use crate::kernel::memory::{HUGE_PAGE, advise_huge_pages};

/// Rows start at this boundary if the stride is a multiple of it, so that a row never touches a line more than it fills.
const ALIGNMENT: usize = 64;

/// Rows of `stride` elements.
#[derive(Clone, Debug)]
pub(crate) struct Slab<T> {
    segments: Vec<Segment<T>>,
    stride: usize,
    /// A segment has `1 << shift` rows, which are whole huge pages; the first one has fewer until it is full.
    shift: u32,
    rows: usize,
}

#[derive(Clone, Debug)]
struct Segment<T> {
    elements: Vec<T>,
    /// Where the first row starts: what `elements` lacks to the boundary.
    start: usize,
    /// How many huge pages were asked for.
    huge_pages: usize,
}

impl<T: Copy + Default> Segment<T> {
    /// Memory that is not touched, and so not taken, before it is written.
    fn new(rows: usize, stride: usize) -> Segment<T> {
        let bytes = rows * stride * size_of::<T>();
        let alignment = if bytes >= HUGE_PAGE { HUGE_PAGE } else { ALIGNMENT };
        let slack = alignment / size_of::<T>();
        let elements = vec![T::default(); rows * stride + slack];
        let start = elements.as_ptr().align_offset(alignment).min(slack);
        Segment { elements, start, huge_pages: 0 }
    }

    /// Asks for the first `huge_pages` huge pages, before they are written.
    fn advise(&mut self, huge_pages: usize) {
        let page = HUGE_PAGE / size_of::<T>();
        let rest = &mut self.elements[self.start..];
        let end = (huge_pages * page).min(rest.len());
        if huge_pages > self.huge_pages {
            advise_huge_pages(&mut rest[self.huge_pages * page..end]);
            self.huge_pages = huge_pages;
        }
    }
}

impl<T: Copy + Default + PartialEq> Slab<T> {
    pub(crate) fn new(stride: usize) -> Slab<T> {
        let stride = stride.max(1);
        let shift = HUGE_PAGE.trailing_zeros().saturating_sub((stride * size_of::<T>()).trailing_zeros());
        Slab { segments: Vec::new(), stride, shift, rows: 0 }
    }

    pub(crate) fn stride(&self) -> usize {
        self.stride
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Grows to `rows` rows, new ones of `fill`; never shrinks.
    pub(crate) fn grow(&mut self, rows: usize, fill: T) {
        if rows <= self.rows {
            return;
        }
        let full = 1usize << self.shift;
        let first = if rows >= full { full } else { rows.next_power_of_two().clamp(8.min(full), full) };
        let held = self.segments.first().map_or(0, |segment| (segment.elements.len() - segment.start) / self.stride);
        if held < first && self.rows < full {
            let mut segment = Segment::new(first, self.stride);
            if let Some(old) = self.segments.first() {
                let used = self.rows * self.stride;
                segment.elements[segment.start..][..used].copy_from_slice(&old.elements[old.start..][..used]);
            }
            self.segments.clear();
            self.segments.push(segment);
        }
        while self.segments.len() << self.shift < rows {
            self.segments.push(Segment::new(full, self.stride));
        }
        let before = std::mem::replace(&mut self.rows, rows);
        self.advise(rows - before > 1);
        if fill != T::default() {
            (before..rows).for_each(|row| self.row_mut(row).fill(fill));
        }
    }

    /// Asks for the huge pages that the rows fill; where they come one by one, also for the one that they begin to fill.
    fn advise(&mut self, is_bulk: bool) {
        let row = self.stride * size_of::<T>();
        let mut bytes = self.rows * row;
        for segment in &mut self.segments {
            let held = bytes.min(row << self.shift);
            bytes -= held;
            let covers = if is_bulk { held / HUGE_PAGE } else { held.div_ceil(HUGE_PAGE) };
            if (segment.elements.len() - segment.start) * size_of::<T>() >= HUGE_PAGE {
                segment.advise(covers);
            }
        }
    }

    #[inline(always)]
    pub(crate) fn row(&self, row: usize) -> &[T] {
        let segment = &self.segments[row >> self.shift];
        let within = row & ((1 << self.shift) - 1);
        &segment.elements[segment.start + within * self.stride..][..self.stride]
    }

    /// The rows from one on, at most `rows` of them and as many as lie together; and how many that are.
    pub(crate) fn together(&self, row: usize, rows: usize) -> (impl Iterator<Item = &[T]>, usize) {
        let end = self.rows.min(((row >> self.shift) + 1) << self.shift);
        let count = rows.min(end.saturating_sub(row));
        let elements = match self.segments.get(row >> self.shift).filter(|_| count > 0) {
            Some(segment) => {
                let begin = segment.start + (row & ((1 << self.shift) - 1)) * self.stride;
                &segment.elements[begin..][..count * self.stride]
            }
            None => &[],
        };
        (elements.chunks_exact(self.stride), count)
    }

    #[inline]
    pub(crate) fn row_mut(&mut self, row: usize) -> &mut [T] {
        let segment = &mut self.segments[row >> self.shift];
        let within = row & ((1 << self.shift) - 1);
        &mut segment.elements[segment.start + within * self.stride..][..self.stride]
    }

    /// The memory taken: of full segments all, of the last one what is in use. The rest of it was never touched.
    pub(crate) fn bytes(&self) -> usize {
        let segment = (self.stride * size_of::<T>()) << self.shift;
        let held = match self.segments.last() {
            None => 0,
            Some(last) => {
                let used = self.rows * self.stride * size_of::<T>() - (self.segments.len() - 1) * segment;
                (self.segments.len() - 1) * segment + used.max(last.huge_pages * HUGE_PAGE)
            }
        };
        held + self.segments.capacity() * size_of::<Segment<T>>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_keep_their_content_while_the_slab_grows_over_segments() {
        for (stride, rows) in [(1, 300_000), (128, 20_000), (448, 6_000), (1 << 21, 3)] {
            let mut slab: Slab<u32> = Slab::new(stride);
            for row in 0..rows {
                slab.grow(row + 1, u32::MAX);
                assert_eq!(slab.row(row)[0], u32::MAX, "a new row of stride {stride} is filled");
                slab.row_mut(row)[stride - 1] = row as u32;
            }
            for row in 0..rows {
                assert_eq!(slab.row(row)[stride - 1], row as u32, "stride {stride}");
                assert_eq!(slab.row(row).len(), stride);
            }
            let mut next = 0;
            while next < rows {
                let (together, count) = slab.together(next, 300);
                let places: Vec<u32> = together.map(|row| row[stride - 1]).collect();
                assert_eq!(places, (next as u32..(next + count) as u32).collect::<Vec<_>>(), "stride {stride}");
                next += count;
            }
            assert_eq!(slab.together(rows, 300).1, 0, "nothing is behind the last row");
            let least = rows * stride * 4;
            assert!(slab.bytes() >= least && slab.bytes() <= 2 * least.max(64) + HUGE_PAGE);
        }
    }

    #[test]
    fn rows_of_whole_lines_start_at_a_line() {
        let mut slab: Slab<u8> = Slab::new(448);
        slab.grow(10_000, 0);
        for row in [0, 1, 77, 9_999] {
            assert_eq!(slab.row(row).as_ptr().addr() % ALIGNMENT, 0, "row {row}");
        }
    }
}
