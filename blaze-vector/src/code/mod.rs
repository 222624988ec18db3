//! Codes: vectors in four or eight bits a component, or in bits, that the graph navigates on.
//!
//! A vector of numbers is approximated by `offset + scale·h`, with `offset` and `scale` its own and `h` four bits for each
//! component; in eight bits, four more divide each step into 16. The two halves lie in different slabs, so that navigation
//! reads only the first, and the second sharpens the distances of what was found. No training: the first vector is coded
//! as well as the last.

mod encode;
mod frame;
mod probe;
mod rotation;
mod rounding;
mod rows;
mod slab;

pub(crate) use frame::Frame;
pub(crate) use probe::Probe;
pub(crate) use rotation::Rotation;
pub(crate) use rows::RowsOf;
use rows::{fetched_rows, rows_ahead};
pub(crate) use slab::Slab;

use std::fmt;
use std::str::FromStr;

use blaze_core::{Error, Result};

use crate::kernel::code::{LINE, hammings, nibble_dots};
use crate::kernel::prefetch;

/// How the graph holds vectors in memory.
///
/// ```
/// use blaze_vector::Code;
///
/// assert_eq!("four".parse::<Code>()?, Code::Four);
/// assert_eq!(Code::ALL.map(Code::name), ["eight", "four", "bits"]);
/// # Ok::<(), blaze_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// Eight bits a component: the graph is walked on the upper four, and what is found is measured with all eight.
    Eight,
    /// Four bits a component: half the memory of [`Eight`](Code::Eight), and more candidates to compare in full precision.
    Four,
    /// The bits of the vector as they are, for [`Metric::Hamming`](crate::Metric::Hamming) and only there.
    Bits,
}

impl Code {
    /// Every code.
    pub const ALL: [Code; 3] = [Code::Eight, Code::Four, Code::Bits];

    /// The name, as [`Display`](fmt::Display) prints it and [`FromStr`] reads it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Code::Eight => "eight",
            Code::Four => "four",
            Code::Bits => "bits",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Code {
    type Err = Error;

    fn from_str(name: &str) -> Result<Code> {
        let named = Code::ALL.into_iter().find(|code| code.name() == name);
        named.ok_or_else(|| Error::invalid(format!("code {name:?} is none of eight, four and bits")))
    }
}

/// What a code means: the approximation is `offset + scale·h`, finer `offset − scale/2 + scale·(h + l/16)`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Terms {
    pub(crate) offset: f32,
    pub(crate) scale: f32,
    /// The squared length of the approximation by four bits.
    pub(crate) square: f32,
    /// The squared length of the approximation by eight bits.
    pub(crate) fine_square: f32,
}

/// What tells the code of a vector from that of others, but for the finer half. Compared in this order: the terms of all nodes
/// lie closer together than their rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CodeKey<'a> {
    /// The bits of the terms, 0 for vectors of bits.
    pub(crate) offset: u32,
    pub(crate) scale: u32,
    pub(crate) high: &'a [u8],
}

impl CodeKey<'_> {
    fn new(high: &[u8], terms: Terms) -> CodeKey<'_> {
        CodeKey { high, offset: terms.offset.to_bits(), scale: terms.scale.to_bits() }
    }
}

/// One vector in code.
#[derive(Clone, Debug, Default)]
pub(crate) struct Coded {
    pub(crate) high: Vec<u8>,
    /// Empty unless the code has eight bits.
    pub(crate) low: Vec<u8>,
    pub(crate) terms: Terms,
    /// The sum of `h` over the components.
    pub(crate) total: u16,
}

impl Coded {
    pub(crate) fn key(&self) -> CodeKey<'_> {
        CodeKey::new(&self.high, self.terms)
    }
}

/// Coded vectors by slot.
#[derive(Clone, Debug)]
pub(crate) struct Codes {
    pub(crate) code: Code,
    pub(crate) dimension: usize,
    pub(crate) high: Slab<u8>,
    pub(crate) low: Slab<u8>,
    pub(crate) terms: Slab<Terms>,
    pub(crate) totals: Slab<u16>,
    /// How many slots are worth fetching before the first is measured.
    pub(crate) rows_ahead: usize,
}

impl Codes {
    pub(crate) fn new(code: Code, dimension: usize) -> Codes {
        let stride = match code {
            Code::Bits => dimension.div_ceil(8),
            Code::Eight | Code::Four => dimension.div_ceil(2 * LINE) * LINE,
        };
        Codes {
            code,
            dimension,
            high: Slab::new(stride),
            low: Slab::new(stride),
            terms: Slab::new(1),
            totals: Slab::new(1),
            rows_ahead: rows_ahead(stride),
        }
    }

    /// Makes room for `rows` vectors.
    pub(crate) fn grow(&mut self, rows: usize) {
        self.high.grow(rows, 0);
        if self.code == Code::Eight {
            self.low.grow(rows, 0);
        }
        if self.code != Code::Bits {
            self.terms.grow(rows, Terms::default());
            self.totals.grow(rows, 0);
        }
    }

    pub(crate) fn set(&mut self, slot: u32, coded: &Coded) {
        let slot = slot as usize;
        self.high.row_mut(slot).copy_from_slice(&coded.high);
        if self.code == Code::Eight {
            self.low.row_mut(slot).copy_from_slice(&coded.low);
        }
        if self.code != Code::Bits {
            self.terms.row_mut(slot)[0] = coded.terms;
            self.totals.row_mut(slot)[0] = coded.total;
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.high.bytes() + self.low.bytes() + self.terms.bytes() + self.totals.bytes()
    }

    /// What tells the code of a slot from others.
    #[inline(always)]
    pub(crate) fn key(&self, slot: u32) -> CodeKey<'_> {
        let terms = if self.code == Code::Bits { Terms::default() } else { self.terms.row(slot as usize)[0] };
        CodeKey::new(self.high.row(slot as usize), terms)
    }

    /// Checks that a query is one for these codes.
    ///
    /// # Panics
    ///
    /// If it is not of their dimension: kernels would leave out what has no counterpart.
    pub(crate) fn check_query(&self, query: &[u8]) {
        let halves = if self.code == Code::Bits { 1 } else { 2 };
        assert_eq!(query.len(), halves * self.high.stride(), "a query has a byte for each component of a row");
    }

    /// Starts to fetch what a walk reads of a slot.
    #[inline(always)]
    pub(crate) fn fetch(&self, slot: u32) {
        prefetch(self.high.row(slot as usize));
        if self.code != Code::Bits {
            prefetch(self.terms.row(slot as usize));
        }
    }

    /// Starts to fetch what [`probe_slot`](Codes::probe_slot) reads of a slot beyond that.
    #[inline(always)]
    pub(crate) fn fetch_low(&self, slot: u32) {
        if self.code == Code::Eight {
            prefetch(self.low.row(slot as usize));
        }
    }

    /// Distances of `slots` from the probe, as far as the first half of the code tells.
    pub(crate) fn distances(&self, probe: &Probe, slots: &[u32], sums: &mut Vec<i32>, distances: &mut Vec<f32>) {
        let rows = RowsOf::new(&self.high, slots, |slot| self.fetch(slot));
        self.distances_of(probe, slots, rows, sums, distances);
    }

    /// The same of slots that were all [fetched](Codes::fetch) before.
    pub(crate) fn fetched_distances(
        &self,
        probe: &Probe,
        slots: &[u32],
        sums: &mut Vec<i32>,
        distances: &mut Vec<f32>,
    ) {
        self.distances_of(probe, slots, fetched_rows(&self.high, slots), sums, distances);
    }

    #[inline(always)]
    fn distances_of<'a>(
        &self,
        probe: &Probe,
        slots: &[u32],
        rows: impl Iterator<Item = &'a [u8]>,
        sums: &mut Vec<i32>,
        distances: &mut Vec<f32>,
    ) {
        self.check_query(&probe.coarse);
        sums.resize(slots.len(), 0);
        distances.clear();
        if self.code == Code::Bits {
            hammings(&probe.coarse, rows, sums);
            distances.extend(sums.iter().map(|&bits| bits as f32));
            return;
        }
        nibble_dots(&probe.coarse, rows, sums);
        if probe.per_total == 0.0 {
            distances.extend(slots.iter().zip(&*sums).map(|(&slot, &sum)| {
                let terms = &self.terms.row(slot as usize)[0];
                probe.distance(terms, f64::from(sum)) as f32
            }));
        } else {
            distances.extend(slots.iter().zip(&*sums).map(|(&slot, &sum)| {
                let terms = &self.terms.row(slot as usize)[0];
                let total = self.totals.row(slot as usize)[0];
                probe.distance(terms, f64::from(sum) + probe.per_total * f64::from(total)) as f32
            }));
        }
    }

    /// Distances of `slots` from the probe, as well as the codes can tell.
    pub(crate) fn fine_distances(&self, probe: &Probe, slots: &[u32], sums: &mut Vec<i32>, distances: &mut Vec<f32>) {
        if self.code == Code::Bits {
            return self.distances(probe, slots, sums, distances);
        }
        self.check_query(&probe.coarse);
        self.check_query(&probe.fine);
        let mut products = vec![0.0f64; slots.len()];
        sums.resize(slots.len(), 0);
        let fetched = |rows| RowsOf::new(rows, slots, |slot: u32| prefetch(rows.row(slot as usize)));
        for (query, weight) in [(&probe.coarse, 1.0), (&probe.fine, 1.0 / 128.0)] {
            nibble_dots(query, fetched(&self.high), sums);
            products.iter_mut().zip(&*sums).for_each(|(product, &sum)| *product += weight * f64::from(sum));
            if self.code == Code::Eight {
                nibble_dots(query, fetched(&self.low), sums);
                products.iter_mut().zip(&*sums).for_each(|(product, &sum)| *product += weight / 16.0 * f64::from(sum));
            }
        }
        distances.clear();
        distances.extend(slots.iter().zip(products).map(|(&slot, product)| {
            let mut terms = self.terms.row(slot as usize)[0];
            if self.code == Code::Eight {
                terms.offset -= terms.scale / 2.0;
                terms.square = terms.fine_square;
            }
            probe.distance(&terms, product) as f32
        }));
    }

    /// Turns the probe into one for the squared Euclidean distance from the vector in `slot`, or for its differing bits.
    pub(crate) fn probe_slot(&self, slot: u32, probe: &mut Probe) {
        let slot = slot as usize;
        let high = self.high.row(slot);
        probe.coarse.clear();
        if self.code == Code::Bits {
            probe.coarse.extend_from_slice(high);
            return;
        }
        let mut sum = 0u32;
        let mut write = |high: &[u8; LINE], low: &[u8; LINE]| {
            let mut bytes = [0u8; 2 * LINE];
            for i in 0..LINE {
                bytes[i] = (high[i] << 4) | (low[i] & 15);
                bytes[LINE + i] = (high[i] & 0xf0) | (low[i] >> 4);
            }
            sum += bytes.iter().map(|&byte| u32::from(byte)).sum::<u32>();
            probe.coarse.extend_from_slice(&bytes.map(|byte| byte ^ 0x80));
        };
        let (high, _) = high.as_chunks::<LINE>();
        let padding = (2 * high.len() * LINE - self.dimension) as f64;
        let mut bytes_sum_of_padding = 0.0;
        if self.code == Code::Eight {
            high.iter().zip(self.low.row(slot).as_chunks::<LINE>().0).for_each(|(high, low)| write(high, low));
        } else {
            high.iter().for_each(|high| write(high, &[0x88; LINE]));
            bytes_sum_of_padding = 8.0 * padding;
        }
        let terms = self.terms.row(slot)[0];
        let (offset, scale) = (f64::from(terms.offset) + 7.5 * f64::from(terms.scale), f64::from(terms.scale) / 16.0);
        let dimension = self.dimension as f64;
        let total = dimension * offset + scale * (f64::from(sum) - bytes_sum_of_padding - 128.0 * dimension);
        probe.per_square = 1.0;
        probe.per_offset = -2.0 * total;
        if scale > 0.0 {
            probe.per_product = -2.0 * scale;
            probe.per_total = offset / scale;
        } else {
            // All components are equal: only the sum of the other vector's components counts.
            probe.per_product = -2.0 * offset;
            probe.per_total = 1.0;
            probe.coarse.fill(0);
        }
        probe.constant = f64::from(if self.code == Code::Eight { terms.fine_square } else { terms.square });
    }
}
