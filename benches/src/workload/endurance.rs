//! Overwriting for a long time: whether it gets slower, what is written for each byte, how much space it takes.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Context;
use crate::Result;
use crate::dataset::pairs::RandomPairs;
use crate::distribution::{Chooser, Distribution, Random};
use crate::engine::{Durability, Engine, Write};
use crate::measure::{Measurement, Unit, directory_bytes, written_bytes};

/// Random overwrites of a loaded store, by one thread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Endurance {
    /// Pairs in the store.
    pub pairs: u64,
    /// Bytes of each value.
    pub value_bytes: usize,
    /// Pairs that a transaction overwrites.
    pub batch: usize,
    /// How long.
    pub seconds: f64,
}

impl Endurance {
    /// A few seconds for each engine.
    #[must_use]
    pub fn quick() -> Endurance {
        Endurance { pairs: 100_000, value_bytes: 400, batch: 10, seconds: 4.0 }
    }

    /// Ten minutes.
    #[must_use]
    pub fn full() -> Endurance {
        Endurance { pairs: 2_000_000, value_bytes: 400, batch: 10, seconds: 600.0 }
    }

    pub(super) fn name(&self) -> String {
        format!("endurance, {} s", self.seconds)
    }

    pub(super) fn description(&self) -> String {
        format!(
            "{} pairs (24 and {} bytes) are loaded; then transactions, each of which overwrites {} random ones and survives \
             the death of the process, for {} s. Amplification: bytes written to the disk by bytes of pairs written; bytes \
             on the disk by bytes of live pairs.",
            self.pairs, self.value_bytes, self.batch, self.seconds
        )
    }

    pub(super) fn run(&self, engine: &dyn Engine, context: &Context<'_>) -> Result<()> {
        let pairs = RandomPairs { seed: context.seed, key_bytes: 24, value_bytes: self.value_bytes };
        let store = engine.open_key_value(&context.options())?;
        super::load(&*store, pairs, self.pairs, "load", context)?;
        store.settle()?;

        let before = written_bytes();
        let limit = Duration::from_secs_f64(self.seconds);
        let mut random = Random::seeded(context.seed);
        let chooser = Chooser::new(Distribution::Uniform, self.pairs);
        let mut batch = vec![pairs.buffer(); self.batch];
        let mut phase = context.recorder.phase("overwriting transactions", 0)?.with_latencies();
        while phase.elapsed() < limit {
            for pair in &mut batch {
                pairs.write_key(chooser.choose(&mut random), &mut pair.key);
                random.fill(&mut pair.value);
            }
            let writes: Vec<Write<'_>> = batch.iter().map(|pair| Write::Put(&pair.key, &pair.value)).collect();
            store.commit(&writes, Durability::Buffered)?;
            phase.advance(1)?;
        }
        let pair_bytes = (24 + self.value_bytes) as f64;
        let overwritten = phase.done() as f64 * self.batch as f64 * pair_bytes;
        context.recorder.measured(phase.rate())?;

        let mut phase = context.recorder.phase("background work after that", 0)?;
        store.settle()?;
        phase.advance(1)?;
        context.recorder.measured(phase.duration())?;
        if let (Some(before), Some(after)) = (before, written_bytes()) {
            let ratio = (after - before) as f64 / overwritten;
            context.recorder.measured(Measurement::new("write amplification", Unit::Ratio, ratio))?;
        }
        let disk = directory_bytes(context.directory)?;
        let ratio = disk.allocated_bytes as f64 / (self.pairs as f64 * pair_bytes);
        context.recorder.measured(Measurement::new("space amplification", Unit::Ratio, ratio))?;
        super::expect("pairs at the end", self.pairs, store.count()?)
    }
}
