//! The documents of an answer, one after another.

use std::marker::PhantomData;

use blaze_core::{DocumentId, Result};
use serde::de::DeserializeOwned;

use super::Records;
use crate::collection::{Found, RawFound};
use crate::session::Session;

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

    /// The next row of the answer in one form or another; none after an error.
    fn next_as<R>(
        &mut self,
        decode: impl FnOnce(&Session, u32, DocumentId, Vec<u8>) -> Result<R>,
    ) -> Option<Result<R>> {
        if self.failed {
            return None;
        }
        let row = self.records.next().and_then(|row| {
            let candidates = self.records.candidates();
            row.map(|(id, record)| decode(&candidates.session, candidates.collection, id, record)).transpose()
        });
        self.failed = row.is_err();
        row.transpose()
    }
}

impl<T: DeserializeOwned> Iterator for Rows<T> {
    type Item = Result<Found<T>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_as(|session, collection, id, record| Found::decode(session, collection, id, &record))
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
        self.0.next_as(RawFound::open)
    }
}
