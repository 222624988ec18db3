//! What an index remembers of all its entries at once: one row, so that a query looks up no more than that.

use blaze_core::Result;

use super::IndexDefinition;
use super::entries::MARKER;
use crate::catalog::prefixed;
use crate::session::Session;

const SEVERAL: u8 = 1;
const CUT: u8 = 2;

/// What entries of an index may be like; none of it is ever taken back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traits {
    /// Some document has or had several entries.
    pub(crate) has_several: bool,
    /// Some entry has or had a value that was cut.
    pub(crate) has_cut: bool,
}

impl Traits {
    /// What an index remembers.
    pub(crate) fn of(session: &Session, index: &IndexDefinition) -> Result<Traits> {
        let mut traits = Traits::default();
        session.visit(index.family(), &Traits::key(index.id), &mut |value| {
            traits = Traits::from_value(value);
            Ok(())
        })?;
        Ok(traits)
    }

    /// Has the index remember more. Written only where it does not yet: a key that every transaction writes would set them
    /// against each other.
    pub(crate) fn remember(self, session: &Session, index: &IndexDefinition) -> Result<()> {
        if self == Traits::default() {
            return Ok(());
        }
        let known = Traits::of(session, index)?;
        match known.with(self) {
            all if all == known => Ok(()),
            all => session.put(index.family(), Traits::key(index.id), all.to_value(), None),
        }
    }

    pub(crate) fn with(self, other: Traits) -> Traits {
        Traits { has_several: self.has_several || other.has_several, has_cut: self.has_cut || other.has_cut }
    }

    /// True if all of `other` is remembered.
    pub(crate) fn covers(self, other: Traits) -> bool {
        self.with(other) == self
    }

    /// The key of the row.
    pub(crate) fn key(index: u32) -> Vec<u8> {
        prefixed(index, MARKER)
    }

    /// The row as the first version wrote it had no value, and said only that documents have several entries.
    pub(crate) fn to_value(self) -> Vec<u8> {
        match self {
            Traits { has_several: true, has_cut: false } => Vec::new(),
            Traits { has_several, has_cut } => vec![SEVERAL * u8::from(has_several) + CUT * u8::from(has_cut)],
        }
    }

    /// What a value says. Bits that nobody has written mean that nothing may be relied on.
    pub(crate) fn from_value(value: &[u8]) -> Traits {
        match value {
            [] => Traits { has_several: true, has_cut: false },
            [bits @ ..=3] => Traits { has_several: bits & SEVERAL != 0, has_cut: bits & CUT != 0 },
            _ => Traits { has_several: true, has_cut: true },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_nobody_has_written_relies_on_nothing() {
        for (has_several, has_cut) in [(true, false), (false, true), (true, true)] {
            let traits = Traits { has_several, has_cut };
            assert_eq!(Traits::from_value(&traits.to_value()), traits);
        }
        let all = Traits { has_several: true, has_cut: true };
        assert_eq!((Traits::from_value(&[4]), Traits::from_value(&[1, 1])), (all, all));
        assert!(all.covers(Traits::default()) && !Traits::default().covers(all));
    }
}
