//! Backups, checkpoints, and what is restored and salvaged of them.

use std::fs;

use blaze::{Backups, Database};

use super::Side;
use crate::places::{remove, sync_directory};
use crate::{Finding, Result};

impl Side<'_> {
    pub(super) fn back_up(&self) -> Result<()> {
        self.repeat(|| {
            self.back_up_once()?;
            Ok(Backups::open(self.places.backups())?.keep_last(2).map(drop)?)
        })
    }

    fn back_up_once(&self) -> Result<u32> {
        let acknowledged = self.progress.acknowledged();
        let backup = self.db.backup(self.places.backups())?;
        self.progress.say(&self.copied("backup", u64::from(backup.id), &acknowledged));
        Ok(backup.id)
    }

    pub(super) fn restore(&self) -> Result<()> {
        let id = match &self.promises.backup {
            Some(backup) => backup.number as u32,
            None => self.back_up_once()?,
        };
        self.repeat(|| {
            self.progress.say("restored-none");
            remove(&self.places.restored())?;
            Backups::open(self.places.backups())?.restore(id, self.places.restored())?;
            self.progress.say("restored");
            Ok(())
        })
    }

    pub(super) fn checkpoint(&self) -> Result<()> {
        self.progress.say("checkpoint-none");
        remove(&self.places.checkpoints())?;
        fs::create_dir_all(self.places.checkpoints())?;
        sync_directory(&self.places.0)?;
        for number in 1_u64.. {
            if self.progress.is_over() {
                break;
            }
            let acknowledged = self.progress.acknowledged();
            self.db.checkpoint(self.places.checkpoints().join(number.to_string()))?;
            self.progress.say(&self.copied("checkpoint", number, &acknowledged));
            if number > 2 {
                remove(&self.places.checkpoints().join((number - 2).to_string()))?;
            }
        }
        Ok(())
    }

    pub(super) fn salvage(&self) -> Result<()> {
        loop {
            remove(&self.places.salvaged())?;
            remove(&self.places.damaged())?;
            self.db.checkpoint(self.places.damaged())?;
            let report = Database::salvage(self.places.damaged(), self.places.salvaged())?;
            if report.loss_count > 0 {
                return Err(Finding::new(format!("nothing is damaged, and a salvage has lost {report:?}")));
            }
        }
    }

    /// What is said of a copy: what each lane has in it at least, and at most.
    fn copied(&self, what: &str, number: u64, acknowledged: &[u64]) -> String {
        let pairs = acknowledged.iter().zip(self.progress.asked()).map(|(least, most)| format!(" {least} {most}"));
        pairs.fold(format!("{what} {number}"), |line, pair| line + &pair)
    }
}
