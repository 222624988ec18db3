//! Reading the past: current data with undo records laid over it.

mod as_of;
mod cursor;
mod undo;
mod versions;

pub(crate) use as_of::AsOf;
pub(crate) use versions::KeyVersions;
