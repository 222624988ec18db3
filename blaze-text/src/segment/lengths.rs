//! How long documents are, in memory.

/// The lengths of a field, a document after the other, in as few bytes each as the longest needs: searches look at them far from
/// each other, so that it counts how much of them a processor keeps at hand. Of a million short texts that is a byte each, and
/// half of the time of a search for any of three words was waiting for lengths of four (2026-11-22).
#[derive(Clone, Debug)]
pub(super) enum Lengths {
    Bytes(Vec<u8>),
    Shorts(Vec<u16>),
    Words(Vec<u32>),
}

impl Lengths {
    pub(super) fn new(mut lengths: Vec<u32>) -> Lengths {
        let longest = lengths.iter().fold(0, |longest, length| longest.max(*length));
        if longest <= u32::from(u8::MAX) {
            Lengths::Bytes(lengths.into_iter().map(|length| length as u8).collect())
        } else if longest <= u32::from(u16::MAX) {
            Lengths::Shorts(lengths.into_iter().map(|length| length as u16).collect())
        } else {
            lengths.shrink_to_fit();
            Lengths::Words(lengths)
        }
    }

    #[inline]
    pub(super) fn get(&self, document: u32) -> Option<u32> {
        let document = document as usize;
        match self {
            Lengths::Bytes(lengths) => lengths.get(document).copied().map(u32::from),
            Lengths::Shorts(lengths) => lengths.get(document).copied().map(u32::from),
            Lengths::Words(lengths) => lengths.get(document).copied(),
        }
    }

    /// Those of some documents; none of those that are not there.
    pub(super) fn gather(&self, documents: &[u32], into: &mut [u32]) {
        match self {
            Lengths::Bytes(lengths) => gather(lengths, documents, into),
            Lengths::Shorts(lengths) => gather(lengths, documents, into),
            Lengths::Words(lengths) => gather(lengths, documents, into),
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        match self {
            Lengths::Bytes(lengths) => lengths.capacity(),
            Lengths::Shorts(lengths) => 2 * lengths.capacity(),
            Lengths::Words(lengths) => 4 * lengths.capacity(),
        }
    }
}

fn gather<T: Copy + Into<u32>>(lengths: &[T], documents: &[u32], into: &mut [u32]) {
    for (document, length) in documents.iter().zip(into) {
        *length = lengths.get(*document as usize).map_or(0, |length| (*length).into());
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lengths_are_those_that_were_given(lengths in vec(any::<u32>(), 0..50), shift in 0_u32..32, others in vec(0_u32..60, 0..20)) {
            let lengths: Vec<u32> = lengths.into_iter().map(|length| length >> shift).collect();
            let kept = Lengths::new(lengths.clone());
            let of = |document: &u32| lengths.get(*document as usize).copied();
            let mut gathered = vec![7; others.len()];
            kept.gather(&others, &mut gathered);
            for (document, gathered) in others.iter().zip(gathered) {
                prop_assert_eq!(kept.get(*document), of(document));
                prop_assert_eq!(gathered, of(document).unwrap_or(0));
            }
        }
    }
}
