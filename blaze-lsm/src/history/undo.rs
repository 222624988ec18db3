//! A walk over the keys that have changed since a timestamp.

use std::fmt;

use blaze_core::{Cursor, Direction, KeyRange, Prefix, Result, Timestamp, UndoKey};

/// A key that has changed since, and what it was.
pub(super) type Undone = (Vec<u8>, Option<Vec<u8>>);

/// The first undo record after a timestamp of each key, in the order of the keys.
pub(super) struct UndoCursor {
    records: Box<dyn Cursor>,
    prefix: Prefix,
    ts: Timestamp,
    direction: Direction,
    /// How the records of the key begin that was answered last, walking forward.
    done: Option<Vec<u8>>,
    /// A record after the timestamp that was met while looking for more of another key, walking backward.
    ahead: Option<Record>,
}

struct Record {
    key: UndoKey,
    before: Option<Vec<u8>>,
}

impl UndoCursor {
    pub(super) fn new(records: Box<dyn Cursor>, prefix: Prefix, ts: Timestamp, direction: Direction) -> UndoCursor {
        UndoCursor { records, prefix, ts, direction, done: None, ahead: None }
    }

    /// The next key in the cursor's direction.
    pub(super) fn next(&mut self) -> Result<Option<Undone>> {
        let record = match self.direction {
            Direction::Forward => self.next_forward()?,
            Direction::Reverse => self.next_reverse()?,
        };
        Ok(record.map(|Record { key, before }| ([key.prefix.as_slice(), &key.rest].concat(), before)))
    }

    /// Moves to the first key at or beyond `key` in the cursor's direction.
    pub(super) fn seek(&mut self, key: &[u8]) -> Result<()> {
        (self.done, self.ahead) = (None, None);
        match (key.strip_prefix(&self.prefix), self.direction) {
            (Some(rest), Direction::Forward) => self.records.seek(&UndoKey::start(self.prefix, rest)),
            (Some(rest), Direction::Reverse) => self.records.seek(&UndoKey::bytes(self.prefix, rest, Timestamp::MAX)),
            (None, _) => self.records.seek(key), // beside all records, on the side of all keys
        }
    }

    fn next_forward(&mut self) -> Result<Option<Record>> {
        while let Some((bytes, value)) = self.records.next()? {
            if let Some(done) = self.done.take_if(|done| bytes.starts_with(done)) {
                match KeyRange::prefix(&done).end() {
                    Some(end) => self.records.seek(end)?,
                    None => return Ok(None),
                }
                continue;
            }
            let record = Record::read(bytes, value)?;
            if record.key.ts > self.ts {
                self.done = Some(UndoKey::start(record.key.prefix, &record.key.rest));
                return Ok(Some(record));
            }
            self.records.seek(&UndoKey::bytes(record.key.prefix, &record.key.rest, self.ts.next()))?;
        }
        Ok(None)
    }

    /// The records of a key come latest first: the last one after the timestamp is the one.
    fn next_reverse(&mut self) -> Result<Option<Record>> {
        let mut found = self.ahead.take();
        while let Some((bytes, value)) = self.records.next()? {
            let record = Record::read(bytes, value)?;
            let is_after = record.key.ts > self.ts;
            let is_other = found.as_ref().is_some_and(|found| found.key.rest != record.key.rest);
            match (is_after, is_other) {
                (true, true) => {
                    self.ahead = Some(record);
                    return Ok(found);
                }
                (true, false) => found = Some(record),
                (false, _) => {
                    self.records.seek(&UndoKey::start(record.key.prefix, &record.key.rest))?;
                    if found.is_some() {
                        return Ok(found);
                    }
                }
            }
        }
        Ok(found)
    }
}

impl Record {
    fn read(key: &[u8], value: &[u8]) -> Result<Record> {
        Ok(Record { key: UndoKey::from_bytes(key)?, before: UndoKey::read_value(value)?.map(<[u8]>::to_vec) })
    }
}

impl fmt::Debug for UndoCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UndoCursor").field("ts", &self.ts).finish_non_exhaustive()
    }
}
