//! Stages: skip and limit.

use blaze_core::Result;

use super::row::{Flow, Next, Operator, Row};

pub(super) struct SkipRows {
    pub(super) left: usize,
}

impl Operator for SkipRows {
    fn push(&mut self, row: Row<'_>, next: &mut Next<'_>) -> Result<Flow> {
        if self.left == 0 {
            return next.push(row);
        }
        self.left -= 1;
        Ok(Flow::More)
    }
}

pub(super) struct LimitRows {
    pub(super) left: usize,
}

impl Operator for LimitRows {
    fn push(&mut self, row: Row<'_>, next: &mut Next<'_>) -> Result<Flow> {
        if self.left == 0 {
            return Ok(Flow::Done);
        }
        self.left -= 1;
        let flow = next.push(row)?;
        Ok(if self.left == 0 { Flow::Done } else { flow })
    }
}
