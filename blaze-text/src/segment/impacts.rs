//! Impacts: few pairs of frequency and length that bound what the documents of a block can score.
//!
//! Of the documents only those count that no other one surpasses: they have a higher frequency the longer they are. A pair
//! is kept in 16 bits: the frequency rounded up, the length rounded down to six significant bits.

use std::array;

use crate::Impact;

/// Impacts of a block at most.
pub(super) const IMPACTS_MAX: usize = 4;

/// Frequencies that are told apart; those above count as one.
const FREQUENCIES: usize = 32;

const LENGTH_BITS: u32 = 10;

/// At most four impacts, both numbers ascending, as they are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ImpactCodes {
    codes: [u16; IMPACTS_MAX],
    count: u8,
}

impl ImpactCodes {
    pub(super) fn as_slice(&self) -> &[u16] {
        &self.codes[..usize::from(self.count)]
    }

    pub(super) fn push(&mut self, code: u16) {
        if usize::from(self.count) < IMPACTS_MAX && self.as_slice().last() != Some(&code) {
            self.codes[usize::from(self.count)] = code;
            self.count += 1;
        }
    }

    /// All four places, the last impact repeated.
    pub(super) fn padded(&self) -> [u16; IMPACTS_MAX] {
        array::from_fn(|at| self.codes[at.min(usize::from(self.count.max(1)) - 1)])
    }
}

/// Impacts as a search asks for them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Impacts {
    impacts: [Impact; IMPACTS_MAX],
    count: usize,
}

impl Impacts {
    pub(super) const NONE: Impacts = Impacts { impacts: [Impact { frequency: 0, length: 0 }; IMPACTS_MAX], count: 0 };

    #[inline]
    pub(super) fn from_padded(codes: [u16; IMPACTS_MAX]) -> Impacts {
        let [a, b, c, d] = codes;
        let count = 1 + usize::from(a != b) + usize::from(b != c) + usize::from(c != d);
        Impacts { impacts: codes.map(decode), count }
    }

    #[inline]
    pub(super) fn as_slice(&self) -> &[Impact] {
        &self.impacts[..self.count]
    }
}

/// True if one of the impacts of these codes is worth a look. A search for one frequent word goes past two thousand blocks that
/// are not for fifty that are: all four are asked, whatever comes of the first, since branches would be guessed wrong.
#[inline]
pub(super) fn any_is_worth(codes: [u16; IMPACTS_MAX], is_worth: impl Fn(Impact) -> bool) -> bool {
    codes.into_iter().fold(false, |any, code| any | is_worth(decode(code)))
}

/// True if the scores of a document with this frequency and length are bounded by one of the impacts.
pub(super) fn covers(impacts: &[Impact], frequency: u32, length: u32) -> bool {
    impacts.iter().any(|impact| impact.frequency >= frequency && impact.length <= length)
}

fn encode(impact: Impact) -> u16 {
    let frequency = match impact.frequency {
        0 => 0,
        few @ 1..=32 => few - 1,
        many => 32 + (many - 1).ilog2() - 5,
    };
    let length = match impact.length {
        short @ 0..64 => short,
        long => {
            let shift = long.ilog2() - 5;
            64 + (shift - 1) * 32 + ((long >> shift) - 32)
        }
    };
    (frequency << LENGTH_BITS | length) as u16
}

#[inline]
fn decode(code: u16) -> Impact {
    let (frequency, length) = (code >> LENGTH_BITS, code % (1 << LENGTH_BITS));
    Impact { frequency: FREQUENCY_OF[usize::from(frequency)], length: LENGTH_OF[usize::from(length)] }
}

/// What each code of a frequency means.
static FREQUENCY_OF: [u32; 1 << (u16::BITS - LENGTH_BITS)] = {
    let mut frequencies = [u32::MAX; 1 << (u16::BITS - LENGTH_BITS)];
    let mut code = 0;
    while code < 58 {
        frequencies[code] = if code < FREQUENCIES { code as u32 + 1 } else { 64 << (code - FREQUENCIES) };
        code += 1;
    }
    frequencies
};

/// What each code of a length means: an exponent, and five bits behind a first one that is left out unless the exponent is 0.
static LENGTH_OF: [u32; 1 << LENGTH_BITS] = {
    let mut lengths = [0; 1 << LENGTH_BITS];
    let mut code = 0;
    while code < 1 << LENGTH_BITS {
        let (exponent, rest) = (code / 32, code % 32);
        lengths[code] = if exponent == 0 { rest as u32 } else { (32 + rest as u32) << (exponent - 1) };
        code += 1;
    }
    lengths
};

/// Collects impacts of documents, and of blocks of them.
#[derive(Clone, Debug)]
pub(super) struct ImpactCollector {
    /// The shortest document of each frequency from 1; the last one is of those with more.
    shortest: [u32; FREQUENCIES + 1],
    highest: u32,
}

impl ImpactCollector {
    pub(super) fn new() -> ImpactCollector {
        ImpactCollector { shortest: [u32::MAX; FREQUENCIES + 1], highest: 0 }
    }

    pub(super) fn add(&mut self, frequency: u32, length: u32) {
        let at = (frequency.max(1) as usize - 1).min(FREQUENCIES);
        // The greatest length says that there is no such document.
        self.shortest[at] = self.shortest[at].min(length).min(u32::MAX - 1);
        self.highest = self.highest.max(frequency);
    }

    pub(super) fn add_all(&mut self, other: &ImpactCollector) {
        for (shortest, other) in self.shortest.iter_mut().zip(other.shortest) {
            *shortest = other.min(*shortest);
        }
        self.highest = self.highest.max(other.highest);
    }

    /// At most four that cover all, for a field of this average length, by which is weighed what is lost where two become one.
    pub(super) fn codes(&self, average: f32) -> ImpactCodes {
        let mut pairs: Vec<Impact> = Vec::new();
        let mut shortest = u32::MAX;
        for (at, &length) in self.shortest.iter().enumerate().rev() {
            if length < shortest {
                let frequency = if at == FREQUENCIES { self.highest } else { at as u32 + 1 };
                pairs.push(Impact { frequency, length });
                shortest = length;
            }
        }
        pairs.reverse();
        while pairs.len() > IMPACTS_MAX {
            let losses = pairs.windows(2).map(|two| loss(two[0], two[1], average));
            let Some((at, _)) = losses.enumerate().min_by(|(_, a), (_, b)| a.total_cmp(b)) else { break };
            pairs[at + 1].length = pairs[at].length;
            pairs.remove(at);
        }
        let mut codes = ImpactCodes::default();
        pairs.into_iter().for_each(|pair| codes.push(encode(pair)));
        codes
    }
}

/// How much higher the bound is that covers both than the higher one of theirs.
fn loss(less: Impact, more: Impact, average: f32) -> f32 {
    let both = Impact { frequency: more.frequency, length: less.length };
    score(both, average) - score(less, average).max(score(more, average))
}

/// BM25 as it usually is: a measure of loss, not of documents.
fn score(impact: Impact, average: f32) -> f32 {
    let frequency = impact.frequency as f32;
    frequency / (frequency + 1.2 * (0.25 + 0.75 * impact.length as f32 / average.max(1.0)))
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn number() -> impl Strategy<Value = u32> {
        prop_oneof![1_u32..100, (any::<u32>(), 0_u32..32).prop_map(|(number, shift)| (number >> shift).max(1))]
    }

    proptest! {
        #[test]
        fn a_code_is_at_least_as_good_and_hardly_better(frequency in number(), length in number()) {
            let decoded = decode(encode(Impact { frequency, length }));
            prop_assert!(decoded.frequency >= frequency && decoded.length <= length);
            prop_assert!(frequency > 32 || decoded.frequency == frequency);
            prop_assert!(decoded.frequency / 2 <= frequency);
            prop_assert!(length - decoded.length <= length / 32);
        }

        #[test]
        fn collected_impacts_cover_every_document(
            documents in vec((number(), number()), 1..200), others in vec((number(), number()), 0..200), average in 0.0_f32..1e4,
        ) {
            let (mut collector, mut other) = (ImpactCollector::new(), ImpactCollector::new());
            documents.iter().for_each(|(frequency, length)| collector.add(*frequency, *length));
            others.iter().for_each(|(frequency, length)| other.add(*frequency, *length));
            collector.add_all(&other);
            let codes = collector.codes(average);
            let impacts = Impacts::from_padded(codes.padded());
            prop_assert_eq!(impacts.as_slice().len(), codes.as_slice().len());
            for (frequency, length) in documents.into_iter().chain(others) {
                prop_assert!(covers(impacts.as_slice(), frequency, length), "{frequency} {length} {impacts:?}");
            }
        }
    }

    #[test]
    fn every_code_is_an_impact() {
        for code in 0..=u16::MAX {
            let impact = decode(code);
            assert!(impact.frequency > 0);
        }
        assert_eq!(decode(encode(Impact { frequency: u32::MAX, length: u32::MAX })).frequency, u32::MAX);
    }
}
