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

/// The earliest commit above `floor`, or `floor`, after which the rows are few enough: a search by halves, in which
/// `is_enough` may be an estimate, and then the next commit that there is.
pub(crate) fn commit_within(
    point: &dyn ReadPoint,
    floor: Timestamp,
    is_enough: &dyn Fn(Timestamp) -> Result<bool>,
) -> Result<Timestamp> {
    if is_enough(floor)? {
        return Ok(floor);
    }
    let (mut too_early, mut enough) = (floor.to_bits(), point.ts().to_bits());
    while too_early + 1 < enough {
        let middle = too_early + (enough - too_early) / 2;
        match is_enough(Timestamp::from_bits(middle))? {
            true => enough = middle,
            false => too_early = middle,
        }
    }
    let next = FeedRows::open(point, Timestamp::from_bits(too_early))?.next().transpose()?;
    Ok(next.map_or(floor, |row| row.ts))
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
