//! The versions of one key.

use blaze_core::{
    Cursor, Direction, Error, Family, KeyRange, ReadPoint, Result, Timestamp, UndoKey, Version, prefix_of,
};

use crate::trail::Reader;

/// The versions of one key, the newest first.
pub(crate) struct KeyVersions {
    records: Box<dyn Cursor>,
    /// What is answered next, once its beginning is known.
    pending: Option<Pending>,
    _reader: Reader,
}

struct Pending {
    until: Option<Timestamp>,
    value: Option<Vec<u8>>,
}

impl KeyVersions {
    /// The versions of `key` above `floor`, which `reader` keeps from being dropped, and up to `point`.
    pub(crate) fn open(point: &dyn ReadPoint, key: &[u8], floor: Timestamp, reader: Reader) -> Result<KeyVersions> {
        let prefix = prefix_of(key).ok_or_else(|| Error::internal("a key without a prefix has a history"))?;
        let rest = key.get(4..).unwrap_or_default();
        let at = |ts: Timestamp| UndoKey::bytes(prefix, rest, ts.next());
        let records = KeyRange::new(at(floor), Some(at(point.ts())));
        let records = point.cursor(Family::History, &records, Direction::Reverse)?;
        let pending = Some(Pending { until: None, value: point.get(Family::Data, key)? });
        Ok(KeyVersions { records, pending, _reader: reader })
    }

    fn step(&mut self) -> Result<Option<Version>> {
        let Some(Pending { until, value }) = self.pending.take() else { return Ok(None) };
        match self.records.next()? {
            Some((key, before)) => {
                let from = Some(UndoKey::from_bytes(key)?.ts);
                let before = UndoKey::read_value(before)?.map(<[u8]>::to_vec);
                self.pending = Some(Pending { until: from, value: before });
                Ok(Some(Version { from, until, value }))
            }
            // Where the history begins with nothing there, there is nothing to tell.
            None => Ok(value.map(|value| Version { from: None, until, value: Some(value) })),
        }
    }
}

impl Iterator for KeyVersions {
    type Item = Result<Version>;

    fn next(&mut self) -> Option<Result<Version>> {
        self.step().transpose() // an error has taken what was pending: it is the last
    }
}
