//! The bound on the bytes of the change feed.

use blaze_core::{Result, Timestamp};

use crate::database::core::Core;

/// The commit up to which the feed has to go for the rest to fit its bound, if it has one and does not fit it.
pub(super) fn floor(core: &Core, from: Timestamp, bytes_max: Option<u64>) -> Result<Option<Timestamp>> {
    let Some(bytes_max) = bytes_max else { return Ok(None) };
    Ok(Some(core.store.feed_within(bytes_max)?).filter(|floor| *floor > from))
}
