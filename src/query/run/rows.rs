//! The documents of an answer, one after another.

use std::marker::PhantomData;

use blaze_core::Result;
use serde::de::DeserializeOwned;

use super::Records;
use crate::collection::{Found, RawFound};

/// The documents of an answer, one after another; see [`Query::iter`](crate::Query::iter).
///
/// Owns what it needs: it may outlive the handle it came from. After an error it ends. In a transaction, what that
/// transaction writes while it iterates may show or not; no document comes twice.
#[derive(Debug)]
pub struct Rows<T> {
    records: Records,
    failed: bool,
    documents: PhantomData<fn() -> T>,
}

impl<T> Rows<T> {
    pub(in crate::query) fn of(records: Records) -> Rows<T> {
        Rows { records, failed: false, documents: PhantomData }
    }

    /// A row of the answer; after an error there are no more.
    fn answer<R>(&mut self, row: Result<Option<R>>) -> Option<Result<R>> {
        self.failed = row.is_err();
        row.transpose()
    }
}

impl<T: DeserializeOwned> Iterator for Rows<T> {
    type Item = Result<Found<T>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let next = self.records.next();
        let row = next.and_then(|row| row.map(|(id, record)| Found::of_record(id, &record)).transpose());
        self.answer(row)
    }
}

/// The documents of an answer, one after another and undecoded; see [`Query::iter_raw`](crate::Query::iter_raw) and
/// [`Rows`].
#[derive(Debug)]
pub struct RawRows<T>(Rows<T>);

impl<T> RawRows<T> {
    pub(in crate::query) fn of(records: Records) -> RawRows<T> {
        RawRows(Rows::of(records))
    }
}

impl<T> Iterator for RawRows<T> {
    type Item = Result<RawFound>;

    fn next(&mut self) -> Option<Self::Item> {
        let rows = &mut self.0;
        if rows.failed {
            return None;
        }
        let next = rows.records.next();
        let copied = next.map(|row| row.map(|(id, record)| (id, record.as_bytes().to_vec())));
        let dictionary = rows.records.candidates().dictionary();
        let row =
            copied.and_then(|row| row.map(|(id, bytes)| RawFound::of_verified(id, bytes, dictionary)).transpose());
        rows.answer(row)
    }
}
