//! Opening a database again, after an orderly end and after a sudden one.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::Context;
use crate::Result;
use crate::dataset::pairs::RandomPairs;
use crate::engine::{Durability, Engine, KeyValue, Write};
use crate::machine::drop_cached_pages;
use crate::run::Errand;

/// How long it takes until a loaded store answers the first question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reopen {
    /// Pairs loaded, in order.
    pub pairs: u64,
    /// Pairs that a process adds, in transactions of [`BATCH`](Reopen::BATCH), before it dies.
    pub added: u64,
}

const PAIRS: RandomPairs = RandomPairs { seed: 0, key_bytes: 24, value_bytes: 400 };

impl Reopen {
    /// Pairs in each transaction of the process that dies.
    pub const BATCH: u64 = 100;

    /// A store of 40 MiB.
    #[must_use]
    pub fn quick() -> Reopen {
        Reopen { pairs: 100_000, added: 20_000 }
    }

    /// A store of 2 GiB.
    #[must_use]
    pub fn full() -> Reopen {
        Reopen { pairs: 5_000_000, added: 100_000 }
    }

    pub(super) fn name(&self) -> String {
        format!("reopen, {} pairs", self.pairs)
    }

    pub(super) fn description(&self) -> String {
        format!(
            "{} pairs (24 and 400 bytes) are loaded, and the store is closed: seconds until it is open and has answered \
             one read. Then another process adds {} durably and dies without a word: the same again, with all the \
             recovery that it takes, and every added pair must be there.",
            self.pairs, self.added
        )
    }

    pub(super) fn run(&self, engine: &dyn Engine, context: &Context<'_>) -> Result<()> {
        let pairs = RandomPairs { seed: context.seed, ..PAIRS };
        let store = engine.open_key_value(&context.options())?;
        super::load(&*store, pairs, self.pairs, "load", context)?;
        drop(store);
        open("open after an orderly end", engine, context, pairs)?;
        if drop_cached_pages(context.directory)? {
            open("open after an orderly end, cold", engine, context, pairs)?;
        }

        let added = Errand::WriteAndDie(self.pairs..self.pairs + self.added);
        added.run(engine, &context.options(), context.seed)?;
        let store = open("open after a sudden end", engine, context, pairs)?;
        let (mut reader, mut pair) = (store.reader()?, pairs.buffer());
        for position in self.pairs..self.pairs + self.added {
            pairs.write(position, &mut pair);
            let mut right = false;
            reader.get(&pair.key, &mut |value| right = value == pair.value)?;
            if !right {
                return Err(format!("wrong answer: the durable pair at position {position} is lost").into());
            }
        }
        Ok(())
    }

    /// Adds the pairs of some positions: what the process does that dies.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn add(store: &dyn KeyValue, seed: u64, positions: Range<u64>, durability: Durability) -> Result<()> {
        let pairs = RandomPairs { seed, ..PAIRS };
        let mut batch = vec![pairs.buffer(); Reopen::BATCH as usize];
        for first in positions.clone().step_by(batch.len()) {
            let positions = first..positions.end.min(first + Reopen::BATCH);
            let writes: Vec<Write<'_>> = positions
                .zip(&mut batch)
                .map(|(position, pair)| {
                    pairs.write(position, pair);
                    Write::Put(&pair.key, &pair.value)
                })
                .collect();
            store.commit(&writes, durability)?;
        }
        Ok(())
    }
}

/// Opens the store and reads the first pair, as one figure.
fn open(name: &str, engine: &dyn Engine, context: &Context<'_>, pairs: RandomPairs) -> Result<Box<dyn KeyValue>> {
    let mut pair = pairs.buffer();
    pairs.write(0, &mut pair);
    let mut phase = context.recorder.phase(name, 0)?;
    let store = engine.open_key_value(&context.options())?;
    let mut right = false;
    store.get(&pair.key, &mut |value| right = value == pair.value)?;
    phase.advance(1)?;
    context.recorder.measured(phase.duration())?;
    super::expect("the first pair is there after opening", true, right)?;
    Ok(store)
}
