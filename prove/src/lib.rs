//! Proof by killing: what a process that dies at any moment had acknowledged is there, whole, and agrees with itself.
//!
//! A [`campaign`] keeps some databases alive over many [`cycle`]s. In each a child opens the database, has the [`auditor`]
//! look at all of it, goes on with the [`workload`] amid one of the [`phase`]s, and is killed. Each thread of a child has a
//! lane of documents to itself, whose state the [`model`] makes of a seed and of how many transactions the lane has
//! committed: so nothing but two numbers, what was asked for and what was acknowledged, has to be remembered outside of the
//! database ([`promises`]), and everything in it can be predicted. A [`ledger`] adds up what was proved over all runs.
//!
//! Instead of the process alone the whole machine may seem to die: the loss of [`power`] takes what was not synced, too.
//! What a process that dies cannot show, a sync that is missing and a disk that fails, is shown below one process, on a `disk`
//! of a test's making.

#![deny(unsafe_code)]

pub mod aim;
pub mod auditor;
pub mod campaign;
pub mod child;
pub mod corner;
pub mod cycle;
pub mod damage;
#[cfg(target_os = "linux")]
pub mod disk;
pub mod flips;
pub mod image;
pub mod ledger;
pub mod life;
pub mod model;
pub mod phase;
pub mod places;
pub mod plan;
pub mod power;
pub mod promises;
pub mod random;
#[path = "../../tests/it/isolation/recorder/mod.rs"]
pub mod recorder;
pub mod shelves;
pub mod side;
pub mod stopwatch;
pub mod workload;

use std::fmt;

/// Why a proof failed, or could not go on: what was found, in words.
#[derive(Debug)]
pub struct Finding(pub String);

/// The result of what may find something.
pub type Result<T> = std::result::Result<T, Finding>;

impl Finding {
    /// A finding.
    pub fn new(message: impl Into<String>) -> Finding {
        Finding(message.into())
    }

    /// The same, with what was done meanwhile before it.
    #[must_use]
    pub fn context(self, what: impl fmt::Display) -> Finding {
        Finding(format!("{what}: {}", self.0))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Finding {}

impl From<blaze::Error> for Finding {
    fn from(error: blaze::Error) -> Finding {
        Finding(format!("the database answered {:?}: {error}", error.kind()))
    }
}

impl From<std::io::Error> for Finding {
    fn from(error: std::io::Error) -> Finding {
        // Streams of objects carry the database's own.
        match error.downcast::<blaze::Error>() {
            Ok(error) => error.into(),
            Err(error) => Finding(format!("the system answered: {error}")),
        }
    }
}
