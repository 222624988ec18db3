//! Stage: only rows that match go on.

use blaze_core::{Filter, Result};

use super::row::{Flow, Next, Operator, Row};

pub(super) struct FilterRows(pub(super) Filter);

impl Operator for FilterRows {
    fn push(&mut self, row: Row<'_>, next: &mut Next<'_>) -> Result<Flow> {
        if row.input().matches(&self.0)? { next.push(row) } else { Ok(Flow::More) }
    }
}
