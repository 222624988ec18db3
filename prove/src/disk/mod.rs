//! Loss of power and disks that fail, without a process that dies: RocksDB's files go through a file system that forgets what
//! was not synced, and of which any call may be the last one, or fail.
//!
//! A [`Life`] is that of a database over many cuts of its power, a [`Trial`] that of one whose disk fails at the `n`-th call.
//! Both have everything audited as after the death of a process; a cut takes at most what the [`promises`](crate::promises)
//! do not call durable. A [`Recording`] has all that concurrent transactions see judged, over cuts, too.

mod campaign;
mod life;
mod machine;
mod plan;
mod recording;
mod trial;

pub use campaign::Campaign;
pub use life::Life;
pub use machine::Machine;
pub use plan::{Ending, Plan};
pub use recording::Recording;
pub use trial::{FAULTS, Fault, Trial, Verdict};
