//! Running a transaction again after a conflict.

use std::sync::Arc;
use std::time::Duration;

use blaze_core::{Entropy, ErrorKind, Result};

use crate::catalog::name_conflict;
use crate::database::core::Core;

/// Tries before a conflict is handed to the caller.
///
/// Each conflict means that some other commit went through, so what fails this often is a transaction that is always
/// overtaken by shorter ones.
const TRIES_MAX: u32 = 100;

/// Tries of a transaction that took too long: another one is likely to, as well.
const TRIES_OF_OLD_MAX: u32 = 3;

/// How often, and until when, a transaction is tried.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RetryLimits {
    pub(crate) tries_max: u32,
    pub(crate) deadline_ms: Option<u64>,
}

impl Default for RetryLimits {
    fn default() -> RetryLimits {
        RetryLimits { tries_max: TRIES_MAX, deadline_ms: None }
    }
}

impl RetryLimits {
    fn tries_max(&self, kind: ErrorKind) -> u32 {
        match kind {
            ErrorKind::TransactionTooOld => self.tries_max.min(TRIES_OF_OLD_MAX),
            _ => self.tries_max,
        }
    }
}

/// Runs `attempt` again while it fails with what a new try can cure. An outcome that is not known is not among that.
pub(crate) fn retry<R>(core: &Arc<Core>, limits: RetryLimits, mut attempt: impl FnMut() -> Result<R>) -> Result<R> {
    let mut tries = 0;
    loop {
        tries += 1;
        let error = match attempt() {
            Err(error) if error.kind().is_retryable() => error,
            result => return result,
        };
        let last = tries >= limits.tries_max(error.kind());
        if !last {
            back_off(&*core.entropy, tries);
        }
        if last || limits.deadline_ms.is_some_and(|deadline_ms| core.clock.now_ms() >= deadline_ms) {
            let times = if tries == 1 { "try" } else { "tries" };
            return Err(name_conflict(core, error).context(format!("gave up after {tries} {times}")));
        }
    }
}

/// Waits for a random time that grows with the tries: those who collided shall not collide again.
#[expect(clippy::disallowed_methods, reason = "the wait is not measured and decides nothing")]
pub(crate) fn back_off(entropy: &dyn Entropy, tries: u32) {
    if tries < 3 {
        return std::thread::yield_now();
    }
    let longest_us = 50_u64 << tries.min(8);
    std::thread::sleep(Duration::from_micros(entropy.next_u64() % longest_us));
}
