//! What a database has to keep: what was asked of it and what it acknowledged, as its killers remember it.

use std::path::Path;
use std::{fs, io};

use serde::{Deserialize, Serialize};

use crate::plan::Plan;
use crate::{Finding, Result};

/// How far something numbered has come: at least what was acknowledged, at most what was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// The last that was acknowledged.
    pub acknowledged: u64,
    /// The last that was asked for.
    pub asked: u64,
}

impl Bounds {
    /// Refuses a number that is out of bounds.
    ///
    /// # Errors
    /// A finding that says so.
    pub fn check(self, found: u64, what: &str) -> Result<()> {
        if found < self.acknowledged {
            let lost = self.acknowledged - found;
            let message = format!("{what}: {lost} lost, {} was acknowledged and {found} is there", self.acknowledged);
            return Err(Finding::new(message));
        }
        if found > self.asked {
            return Err(Finding::new(format!("{what}: {found} is there and only {} was asked for", self.asked)));
        }
        Ok(())
    }

    /// Takes in what an auditor has seen: that stays.
    pub fn settle(&mut self, seen: u64) {
        (self.acknowledged, self.asked) = (seen, seen);
    }
}

/// A copy of the database: of what each lane had at least, and at most.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Copy {
    /// The number of the backup or checkpoint.
    pub number: u64,
    /// The bounds of each lane.
    pub lanes: Vec<Bounds>,
}

/// All that is known of a database outside of it, and what its next child is to do.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Promises {
    /// The seed of its documents.
    pub seed: u64,
    /// Cycles that it has been through.
    pub cycle: u64,
    /// How far each lane has come.
    pub lanes: Vec<Bounds>,
    /// Which generation of the loaded collection is there; none is 0.
    pub load: Bounds,
    /// Documents of such a generation.
    pub load_documents: u64,
    /// How often something was made (odd) and dropped (even).
    pub churn: Bounds,
    /// The last backup that was acknowledged.
    pub backup: Option<Copy>,
    /// The last checkpoint that was acknowledged.
    pub checkpoint: Option<Copy>,
    /// The copies are to be audited, too.
    pub audits_copies: bool,
    /// What the next child does.
    pub plan: Plan,
}

impl Promises {
    /// Reads what was written for a child.
    ///
    /// # Errors
    /// When there is nothing, or something else.
    pub fn read(path: &Path) -> Result<Promises> {
        Ok(serde_json::from_slice(&fs::read(path)?).map_err(io::Error::from)?)
    }

    /// Writes them for a child.
    ///
    /// # Errors
    /// Those of the system.
    pub fn write(&self, path: &Path) -> Result<()> {
        Ok(fs::write(path, serde_json::to_vec(self).map_err(io::Error::from)?)?)
    }

    /// Takes in a line that a child has said; others say nothing of promises.
    pub fn take_in(&mut self, line: &str) {
        let mut words = line.split(' ');
        let verb = words.next().unwrap_or_default();
        let numbers: Vec<u64> = words.filter_map(|word| word.parse().ok()).collect();
        match (verb, &numbers[..]) {
            ("ask", [lane, number]) => self.lane(*lane, |bounds| bounds.asked = *number),
            ("ack", [lane, number]) => self.lane(*lane, |bounds| bounds.acknowledged = *number),
            ("audited", positions) if positions.len() == self.lanes.len() => {
                self.lanes.iter_mut().zip(positions).for_each(|(bounds, seen)| bounds.settle(*seen));
                self.audits_copies = false;
            }
            ("load-ask", [number]) => self.load.asked = *number,
            ("load-ack", [number]) => self.load.acknowledged = *number,
            ("load-is", [number]) => self.load.settle(*number),
            ("churn-ask", [number]) => self.churn.asked = *number,
            ("churn-ack", [number]) => self.churn.acknowledged = *number,
            ("churn-is", [number]) => self.churn.settle(*number),
            ("backup", [number, lanes @ ..]) => self.backup = Some(copy(*number, lanes)),
            ("checkpoint-none", []) => self.checkpoint = None,
            ("checkpoint", [number, lanes @ ..]) => self.checkpoint = Some(copy(*number, lanes)),
            _ => {}
        }
    }

    fn lane(&mut self, number: u64, change: impl FnOnce(&mut Bounds)) {
        if let Some(bounds) = self.lanes.get_mut(number as usize) {
            change(bounds);
        }
    }

    /// Commits that were acknowledged and have to be there.
    #[must_use]
    pub fn acknowledged(&self) -> u64 {
        self.lanes.iter().map(|lane| lane.acknowledged).sum()
    }
}

fn copy(number: u64, lanes: &[u64]) -> Copy {
    let bounds = lanes.chunks_exact(2).map(|pair| Bounds { acknowledged: pair[0], asked: pair[1] });
    Copy { number, lanes: bounds.collect() }
}

#[cfg(test)]
mod tests {
    use super::{Bounds, Promises};

    #[test]
    fn lines_of_a_child_move_the_bounds_and_torn_ones_do_not() {
        let mut promises = Promises { lanes: vec![Bounds::default(); 2], ..Promises::default() };
        for line in ["ask 0 1", "ack 0 1", "ask 0 2", "ask 1", "ask 7 7", "nothing 1 2"] {
            promises.take_in(line);
        }
        assert_eq!(promises.lanes, [Bounds { acknowledged: 1, asked: 2 }, Bounds::default()]);
        for (found, is_right) in [(0, false), (1, true), (2, true), (3, false)] {
            assert_eq!(promises.lanes[0].check(found, "lane 0").is_ok(), is_right, "{found}");
        }
        promises.take_in("audited 2 0");
        assert_eq!(promises.lanes[0], Bounds { acknowledged: 2, asked: 2 });
        promises.take_in("backup 3 1 2 0 0");
        assert_eq!(
            promises.backup.map(|backup| backup.lanes),
            Some(vec![Bounds { acknowledged: 1, asked: 2 }, Bounds::default()])
        );
    }
}
