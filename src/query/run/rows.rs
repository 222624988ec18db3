//! The documents of an answer, one after another.

use std::marker::PhantomData;

use blaze_core::{DocumentId, Result};
use serde::de::DeserializeOwned;

use super::Records;
use crate::collection::Found;

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
}

impl<T: DeserializeOwned> Iterator for Rows<T> {
    type Item = Result<Found<T>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let found = self.records.next().and_then(|row| {
            let candidates = self.records.candidates();
            let decode = |(id, record): (DocumentId, Vec<u8>)| {
                Found::decode(&candidates.session, candidates.collection, id, &record)
            };
            row.map(decode).transpose()
        });
        self.failed = found.is_err();
        found.transpose()
    }
}
