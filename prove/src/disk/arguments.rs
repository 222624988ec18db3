//! What a campaign is told on the command line.

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use blaze::{Entropy, SystemEntropy};
use clap::Args;

use super::campaign::Campaign;
use crate::campaign::tell;
use crate::ledger::{Ledger, Table};
use crate::{Finding, Result};

/// What a campaign is told on the command line.
#[derive(Args, Clone, Debug)]
pub struct Arguments {
    /// For so many minutes; ten unless something else is said.
    #[arg(long)]
    minutes: Option<f64>,
    /// Until the power was cut so often.
    #[arg(long)]
    cycles: Option<u64>,
    /// Fixes what is done; a random one unless it is given.
    #[arg(long)]
    seed: Option<u64>,
    /// Leads one life of the seed, and no other.
    #[arg(long)]
    life: Option<u64>,
    /// Databases that live at once; one for each core unless something else is said.
    #[arg(long)]
    workers: Option<u64>,
    /// Has calls fail instead of the power: each so many-th of every kind.
    #[arg(long)]
    faults: Option<u64>,
    /// Where databases are: in memory, as a disk would only be slower.
    #[arg(long, default_value = "/dev/shm/blaze-prove")]
    directory: PathBuf,
    /// What was proved over all runs.
    #[arg(long, default_value = "target/prove/ledger.jsonl")]
    ledger: PathBuf,
    /// Seconds after which a cycle hangs.
    #[arg(long, default_value_t = 60)]
    limit: u64,
    /// Has the database make a mistake, by its number, which has to be found.
    #[arg(long, hide = true)]
    plant: Option<usize>,
}

impl Arguments {
    /// Does what it is told to; true if nothing was found.
    ///
    /// # Errors
    /// Those of the system.
    pub fn prove(&self) -> Result<bool> {
        if let Some(number) = self.plant {
            let mistake = blaze::fault::Mistake::ALL.get(number);
            blaze::fault::plant(*mistake.ok_or_else(|| Finding::new(format!("there is no mistake {number}")))?);
        }
        let all = self.cycles.is_some() || self.life.is_some() || self.faults.is_some();
        let seconds = self.minutes.map_or(if all { f64::from(u32::MAX) } else { 600.0 }, |minutes| minutes * 60.0);
        let campaign = Campaign {
            directory: self.directory.clone(),
            ledger: Ledger(self.ledger.clone()),
            seed: self.seed.unwrap_or_else(|| SystemEntropy.next_u64() >> 32),
            workers: self.workers.unwrap_or_else(cores).max(1),
            time: Duration::try_from_secs_f64(seconds)
                .map_err(|error| Finding::new(format!("{seconds} s: {error}")))?,
            cycles: self.cycles,
            life: self.life,
            limit: Duration::from_secs(self.limit),
        };
        let (seed, workers, directory) = (campaign.seed, campaign.workers, campaign.directory.display());
        tell(&format!("seed {seed}, {workers} databases at once, in {directory}"));
        let run = match self.faults {
            Some(stride) => campaign.faults(stride)?,
            None => campaign.cuts()?,
        };
        let is_right = run.iter().all(|entry| entry.failure.is_none());
        tell(&format!("\n{}", Table { run, all: campaign.ledger.read()? }));
        Ok(is_right)
    }
}

fn cores() -> u64 {
    thread::available_parallelism().map_or(1, |cores| cores.get() as u64)
}
