//! The best documents of one part of a query, whatever it is.

use blaze_core::Result;

use super::Leaf;
use super::top::LeafTop;
use super::unit::Unit;
use crate::END;

/// Collects the best of what a unit matches: goes past the blocks that have none.
pub(super) fn drive<L: Leaf, U: Unit>(mut unit: U, top: &mut LeafTop<'_, '_, L>) -> Result<()> {
    let mut document = unit.document();
    while document != END {
        let mut last = END - 1;
        if top.floor() > f32::NEG_INFINITY {
            unit.raise(top.floor());
            let mut target = document;
            loop {
                let (end, bound) = unit.block(target)?;
                last = end;
                if bound > top.floor() {
                    break;
                }
                target = end + 1;
                if target == END {
                    return Ok(());
                }
            }
            if target > document {
                document = unit.seek(target)?;
                continue;
            }
        }
        document = within(&mut unit, last, top)?;
    }
    Ok(())
}

/// Collects what there is until a document; until bounds begin to count, at first.
#[inline]
fn within<L: Leaf, U: Unit>(unit: &mut U, last: u32, top: &mut LeafTop<'_, '_, L>) -> Result<u32> {
    let mut document = unit.document();
    while document <= last {
        let score = unit.score()?;
        let raised = top.offer(document, score)?;
        document = unit.next()?;
        if raised && last == END - 1 {
            break;
        }
    }
    Ok(document)
}
