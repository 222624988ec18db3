//! The best documents of one part of a query, whatever it is.

use blaze_core::Result;

use super::Leaf;
use super::scored::Scored;
use super::top::LeafTop;
use super::unit::Unit;
use crate::END;

/// Collects the best of what a unit matches: goes past the blocks that have none.
pub(super) fn drive<L: Leaf, U: Unit>(mut unit: U, top: &mut LeafTop<'_, '_, L>) -> Result<()> {
    let mut scored = Scored::new();
    let mut target = unit.document();
    while target != END {
        let mut last = END - 1;
        if top.floor() > f32::NEG_INFINITY {
            unit.raise(top.floor());
            (target, last) = unit.find_block(target, top.floor())?;
            if target == END {
                break;
            }
        }
        let document = if unit.document() < target { unit.seek(target)? } else { unit.document() };
        target = if document > last { document } else { within(&mut unit, last, &mut scored, top)? };
    }
    Ok(())
}

/// Collects what there is until a document; until bounds begin to count, at first. Answers from where to go on.
#[inline]
fn within<L: Leaf, U: Unit>(unit: &mut U, last: u32, scored: &mut Scored, top: &mut LeafTop<'_, '_, L>) -> Result<u32> {
    loop {
        unit.batch(last, top.floor(), scored)?;
        let (mut raised, mut from) = (false, 0);
        while let Some(at) = scored.find_above(from, top.threshold()) {
            if let Some((document, score)) = scored.get(at) {
                raised |= top.offer(document, score)?;
            }
            from = at + 1;
        }
        let next = scored.end();
        if next > last || (raised && last == END - 1) {
            return Ok(next);
        }
        let document = if unit.document() < next { unit.seek(next)? } else { unit.document() };
        if document > last {
            return Ok(document);
        }
    }
}
