//! Small durable transactions by several threads at once: where group commit shows.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Context;
use super::threads::run_threads;
use crate::Result;
use crate::dataset::pairs::RandomPairs;
use crate::engine::{Durability, Engine, Write};
use crate::measure::Series;

/// Durable transactions of one pair for a while, by a growing number of threads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Commits {
    /// Numbers of threads that commit at once.
    pub threads: Vec<usize>,
    /// How long each number of them commits.
    pub seconds: f64,
}

const PAIRS: RandomPairs = RandomPairs { seed: 0, key_bytes: 24, value_bytes: 150 };

impl Commits {
    /// A few seconds for each engine.
    #[must_use]
    pub fn quick() -> Commits {
        Commits { threads: vec![1, 4, 16], seconds: 0.7 }
    }

    /// Up to 128 threads.
    #[must_use]
    pub fn full() -> Commits {
        Commits { threads: vec![1, 2, 4, 8, 16, 32, 64, 128], seconds: 5.0 }
    }

    pub(super) fn name(&self) -> String {
        "durable commits".to_owned()
    }

    pub(super) fn description(&self) -> String {
        format!(
            "Transactions of one pair (24 and 150 bytes, random keys), each durable when it returns, for {} s by each \
             number of threads. Then the store is opened again, and every pair must be there.",
            self.seconds
        )
    }

    pub(super) fn run(&self, engine: &dyn Engine, context: &Context<'_>) -> Result<()> {
        let pairs = RandomPairs { seed: context.seed, ..PAIRS };
        let limit = Duration::from_secs_f64(self.seconds);
        let next = AtomicU64::new(0);
        super::measure_bare_sync(context)?;
        let store = engine.open_key_value(&context.options())?;
        for &threads in &self.threads {
            let plural = if threads == 1 { "" } else { "s" };
            let mut phase = context.recorder.phase(format!("{threads} thread{plural}"), 0)?.with_latencies();
            run_threads(&mut phase, threads, |worker| {
                let mut pair = pairs.buffer();
                while worker.elapsed() < limit {
                    pairs.write(next.fetch_add(1, Ordering::Relaxed), &mut pair);
                    store.commit(&[Write::Put(&pair.key, &pair.value)], Durability::Sync)?;
                    worker.advance()?;
                }
                Ok(())
            })?;
            context.recorder.measured(phase.rate().at(Series::CommitsByThreads, threads as f64))?;
        }
        drop(store);

        let store = engine.open_key_value(&context.options())?;
        let (written, mut pair, mut reader) = (next.into_inner(), pairs.buffer(), store.reader()?);
        for position in 0..written {
            pairs.write(position, &mut pair);
            let mut right = false;
            reader.get(&pair.key, &mut |value| right = value == pair.value)?;
            if !right {
                return Err(format!("wrong answer: committed pair {position} of {written} is lost").into());
            }
        }
        drop(reader);
        super::expect("pairs after reopening", written, store.count()?)
    }
}
