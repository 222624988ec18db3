//! A read point of the past.

use std::sync::Arc;

use blaze_core::{
    Cursor, Direction, Error, Family, KeyRange, Marks, Prefix, ReadPoint, Result, Timestamp, UndoKey, VisitMany,
    prefix_of, prefix_of_range,
};

use super::cursor::AsOfCursor;
use super::undo::UndoCursor;
use crate::trail::Reader;

/// Data as it was at a timestamp, and the catalog as it is now.
///
/// A key is what the first undo record after that timestamp says, and what it is now if there is none: one view of the
/// present answers both.
#[derive(Debug)]
pub(crate) struct AsOf {
    now: Arc<dyn ReadPoint>,
    ts: Timestamp,
    /// Taken when the reader was registered: what it may read then, it may read for good.
    marks: Arc<Marks>,
    reader: Arc<Reader>,
}

impl AsOf {
    /// `ts` is not after `now`.
    pub(crate) fn new(now: Arc<dyn ReadPoint>, ts: Timestamp, marks: Arc<Marks>, reader: Reader) -> AsOf {
        AsOf { now, ts, marks, reader: Arc::new(reader) }
    }

    fn check(&self, prefix: Option<Prefix>) -> Result<Prefix> {
        self.marks.check_history(prefix, self.ts)?;
        prefix.ok_or_else(|| Error::internal("a key without a prefix has a history"))
    }
}

impl ReadPoint for AsOf {
    fn ts(&self) -> Timestamp {
        self.ts
    }

    fn catalog_ts(&self) -> Timestamp {
        self.now.catalog_ts()
    }

    fn visit(&self, family: Family, key: &[u8], visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<bool> {
        match family {
            Family::Data => {}
            Family::Catalog => return self.now.visit(family, key, visit),
            _ => return Err(unsupported(family)),
        }
        let prefix = self.check(prefix_of(key))?;
        let rest = key.get(4..).unwrap_or_default();
        let later = KeyRange::new(UndoKey::bytes(prefix, rest, self.ts.next()), None);
        let records = KeyRange::prefix(&UndoKey::start(prefix, rest)).intersect(&later);
        let mut records = self.now.cursor(Family::History, &records, Direction::Forward)?;
        match records.next()? {
            None => self.now.visit(family, key, visit),
            Some((_, value)) => match UndoKey::read_value(value)? {
                None => Ok(false),
                Some(before) => visit(before).map(|()| true),
            },
        }
    }

    fn visit_many(&self, family: Family, keys: &[&[u8]], visit: &mut VisitMany<'_>) -> Result<()> {
        keys.iter().enumerate().try_for_each(|(position, key)| {
            match self.visit(family, key, &mut |value| visit(position, Some(value)))? {
                true => Ok(()),
                false => visit(position, None),
            }
        })
    }

    fn cursor(&self, family: Family, range: &KeyRange, direction: Direction) -> Result<Box<dyn Cursor>> {
        match family {
            Family::Data => {}
            Family::Catalog | Family::History => return self.now.cursor(family, range, direction),
            _ => return Err(unsupported(family)),
        }
        let prefix = self.check(prefix_of_range(range))?;
        let now = self.now.cursor(Family::Data, range, direction)?;
        let records = self.now.cursor(Family::History, &UndoKey::range(prefix, range), direction)?;
        let undo = UndoCursor::new(records, prefix, self.ts, direction);
        Ok(Box::new(AsOfCursor::new(now, undo, direction, Arc::clone(&self.reader))))
    }
}

fn unsupported(family: Family) -> Error {
    Error::unsupported(format!("there is no history of the family {}", family.name()))
}
