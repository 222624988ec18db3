//! Reading the change feed.

use blaze_core::{Change, Cursor, Direction, Family, KeyRange, ReadPoint, Result, Timestamp};

/// The rows of the change feed that a read point sees, in order.
pub(crate) struct FeedRows {
    /// None after an error.
    rows: Option<Box<dyn Cursor>>,
}

impl FeedRows {
    pub(crate) fn open(point: &dyn ReadPoint, after: Timestamp) -> Result<FeedRows> {
        let range = Change::range_after(after).intersect(&KeyRange::new([0], None)); // the empty key has the marks
        Ok(FeedRows { rows: Some(point.cursor(Family::Feed, &range, Direction::Forward)?) })
    }
}

impl Iterator for FeedRows {
    type Item = Result<Change>;

    fn next(&mut self) -> Option<Result<Change>> {
        let row = self
            .rows
            .as_mut()?
            .next()
            .and_then(|row| row.map(|(key, value)| Change::from_bytes(key, value)).transpose());
        if row.is_err() {
            self.rows = None;
        }
        row.transpose()
    }
}
