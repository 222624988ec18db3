//! What a database has to keep: what was asked of it and what it acknowledged, as its killers remember it.

use std::collections::BTreeSet;
use std::path::Path;
use std::{fs, io};

use blaze::Durability;
use serde::{Deserialize, Serialize};

use crate::places::Places;
use crate::plan::Plan;
use crate::power::Disk;
use crate::{Finding, Result};

/// Documents that are loaded at once where an index of vectors is to make a graph of them.
pub const LOADED_LARGE: u64 = 4_500;

/// How far something numbered has come: at least what was acknowledged, at most what was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// The last that was acknowledged.
    pub acknowledged: u64,
    /// The last that was asked for.
    pub asked: u64,
    /// The last that a loss of power must not take: at most what was acknowledged.
    #[serde(default)]
    pub durable: u64,
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

    /// Takes in what an auditor has seen: that stays, as an opening puts what it finds in the log into synced files.
    pub fn settle(&mut self, seen: u64) {
        (self.acknowledged, self.asked, self.durable) = (seen, seen, seen);
    }

    /// Takes in that the power was lost: nothing but what is durable has to be there.
    pub fn cut(&mut self) {
        self.acknowledged = self.durable;
    }

    fn endure(&mut self, number: u64) {
        self.durable = self.durable.max(number);
    }
}

/// A commit that was asked for, and what was acknowledged of each lane by then: the log has that before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The lane of the commit.
    pub lane: u64,
    /// Its position in the lane.
    pub position: u64,
    /// What was acknowledged of each lane, and then of others.
    pub after: Vec<u64>,
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
    /// The commits that were asked for since somebody has audited.
    #[serde(default)]
    pub asked: Vec<Asked>,
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
    /// A backup was restored, all of it, and is there still.
    #[serde(default)]
    pub restored: bool,
    /// The [indexes that are built](crate::side::BUILT) that are ready, by their numbers; and of them those that a loss of power
    /// must not take.
    #[serde(default)]
    pub ready: [BTreeSet<u64>; 2],
    /// The database is on a disk of its own, below the directory of the life.
    #[serde(default)]
    pub on_disk: bool,
    /// What the database itself commits is to be synced.
    #[serde(default)]
    pub syncs: bool,
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
            ("ask", [lane, number, after @ ..]) => {
                self.lane(*lane, |bounds| bounds.asked = *number);
                self.asked.push(Asked { lane: *lane, position: *number, after: after.to_vec() });
            }
            ("ack", [lane, number]) => self.lane(*lane, |bounds| bounds.acknowledged = *number),
            ("durable", all) if all.len() == self.lanes.len() + 2 => {
                self.all_mut().zip(all).for_each(|(bounds, number)| bounds.endure(*number));
            }
            ("audited", positions) if positions.len() == self.lanes.len() => {
                self.lanes.iter_mut().zip(positions).for_each(|(bounds, seen)| bounds.settle(*seen));
                self.asked.clear();
                self.audits_copies = false;
            }
            ("load-ask", [number]) => self.load.asked = *number,
            ("load-ack", [number]) => self.load.acknowledged = *number,
            ("load-is", [number]) => self.load.settle(*number),
            ("churn-ask", [number]) => self.churn.asked = *number,
            ("churn-ack", [number]) => self.churn.acknowledged = *number,
            ("churn-is", [number]) => self.churn.settle(*number),
            ("backup", [number, lanes @ ..]) => self.backup = Some(copy(*number, lanes)),
            ("restored-none", []) => self.restored = false,
            ("restored", []) => self.restored = true,
            ("index-gone", [index]) => self.ready.iter_mut().for_each(|ready| ready.retain(|known| known != index)),
            ("index-ready", [index]) => self.ready[0].extend([index]),
            ("index-durable", [index]) => self.ready[1].extend([index]),
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

    /// Takes in that the power was lost: an audit that follows asks for nothing but what is durable.
    pub fn cut(&mut self) {
        self.all_mut().for_each(Bounds::cut);
        self.ready[0] = self.ready[1].clone();
    }

    /// Where everything is in the directory of a life.
    #[must_use]
    pub fn places(&self, life: &Path) -> Places {
        Places(if self.on_disk { Disk::mounted_at(life) } else { life.to_owned() })
    }

    /// What commits of the database itself survive.
    #[must_use]
    pub fn durability(&self) -> Durability {
        if self.syncs { Durability::Sync } else { Durability::Buffered }
    }

    /// The lanes, what is loaded, and what is made and dropped.
    fn all_mut(&mut self) -> impl Iterator<Item = &mut Bounds> {
        self.lanes.iter_mut().chain([&mut self.load, &mut self.churn])
    }

    /// Refuses positions of lanes that no prefix of the commits leads to: one is there, and one is not that was acknowledged
    /// before it was asked for.
    ///
    /// # Errors
    /// A finding that names both.
    pub fn check_order(&self, positions: &[u64]) -> Result<()> {
        let is_there =
            |asked: &&Asked| positions.get(asked.lane as usize).is_some_and(|found| asked.position <= *found);
        for asked in self.asked.iter().filter(is_there) {
            for (lane, (found, before)) in positions.iter().zip(&asked.after).enumerate() {
                if found < before {
                    return Err(Finding::new(format!(
                        "commit {} of lane {} is there, and of lane {lane} only {found} are: {before} were acknowledged before",
                        asked.position, asked.lane
                    )));
                }
            }
        }
        Ok(())
    }

    /// True if so much is loaded that it takes files, and an index of vectors a graph.
    #[must_use]
    pub fn loads_much(&self) -> bool {
        self.load_documents >= LOADED_LARGE
    }

    /// Commits that were acknowledged and have to be there.
    #[must_use]
    pub fn acknowledged(&self) -> u64 {
        self.lanes.iter().map(|lane| lane.acknowledged).sum()
    }
}

fn copy(number: u64, lanes: &[u64]) -> Copy {
    let bounds = lanes.chunks_exact(2).map(|pair| Bounds { acknowledged: pair[0], asked: pair[1], durable: pair[0] });
    Copy { number, lanes: bounds.collect() }
}

#[cfg(test)]
mod tests {
    use super::{Bounds, Promises};

    fn bounds(acknowledged: u64, asked: u64, durable: u64) -> Bounds {
        Bounds { acknowledged, asked, durable }
    }

    fn of(lanes: usize, lines: &[&str]) -> Promises {
        let mut promises = Promises { lanes: vec![Bounds::default(); lanes], ..Promises::default() };
        lines.iter().for_each(|line| promises.take_in(line));
        promises
    }

    #[test]
    fn lines_of_a_child_move_the_bounds_and_torn_ones_do_not() {
        let mut promises = of(2, &["ask 0 1", "ack 0 1", "ask 0 2", "ask 1", "ask 7 7", "nothing 1 2", "durable 9 9"]);
        assert_eq!(promises.lanes, [bounds(1, 2, 0), Bounds::default()]);
        for (found, is_right) in [(0, false), (1, true), (2, true), (3, false)] {
            assert_eq!(promises.lanes[0].check(found, "lane 0").is_ok(), is_right, "{found}");
        }
        promises.take_in("audited 2 0");
        assert_eq!(promises.lanes[0], bounds(2, 2, 2));
        promises.take_in("backup 3 1 2 0 0");
        assert_eq!(promises.backup.map(|backup| backup.lanes), Some(vec![bounds(1, 2, 1), Bounds::default()]));
    }

    #[test]
    fn a_loss_of_power_takes_what_is_not_durable() {
        let mut promises =
            of(2, &["ask 0 1", "ack 0 1", "ask 1 1", "ack 1 1", "durable 1 0 3 0", "ask 0 2", "ack 0 2"]);
        // What was durable stays so.
        ["load-ask 4", "load-ack 4", "durable 0 0 0 0"].iter().for_each(|line| promises.take_in(line));
        promises.cut();
        assert_eq!(promises.lanes, [bounds(1, 2, 1), bounds(0, 1, 0)]);
        assert_eq!(promises.load, bounds(3, 4, 3));
    }

    #[test]
    fn a_commit_without_one_that_was_acknowledged_before_it_is_found() {
        let mut promises = of(2, &["ask 0 1 0 0", "ack 0 1", "ask 1 1 1 0", "ask 0 2 1 0"]);
        for (positions, is_prefix) in [([0, 0], true), ([1, 0], true), ([2, 0], true), ([1, 1], true), ([0, 1], false)]
        {
            assert_eq!(promises.check_order(&positions).is_ok(), is_prefix, "{positions:?}");
        }
        promises.take_in("audited 0 1");
        assert!(promises.check_order(&[0, 1]).is_ok(), "what was found is where all begins again");
    }
}
