//! Running jobs: each workload on each engine, in each round, in a process of its own.

mod errand;
mod interrupt;
mod job;
mod parent;
mod plan;
mod progress;
mod worker;

pub use self::errand::{Errand, WORKER, describe};
pub use self::interrupt::Interrupt;
pub use self::job::{Job, Task};
pub use self::parent::Runner;
pub use self::plan::{Plan, Profile, Step};
pub use self::worker::serve;
