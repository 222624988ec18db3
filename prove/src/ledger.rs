//! What was proved over all runs: a line of JSON for each life.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{Finding, Result};

/// What was proved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Processes that were killed, each at a moment of its own, whose database was audited afterwards.
    pub cycles: u64,
    /// Of them, how many lost their power, too.
    #[serde(default)]
    pub cuts: u64,
    /// Times that somebody looked at all of a database.
    pub audits: u64,
    /// Commits that were found whole by the first audit after them.
    pub commits: u64,
    /// Transactions of concurrent threads that `blaze-check` has judged.
    #[serde(default)]
    pub transactions: u64,
    /// The most processes in a row that were killed before one of them had opened and audited.
    pub nested: u64,
    /// Of the killed processes, or of the cuts, how many were in what.
    pub kills: BTreeMap<String, u64>,
    /// How many have died at which place in the database.
    #[serde(default)]
    pub kills_at: BTreeMap<String, u64>,
    /// Faults that were injected: calls that failed as they were told to.
    #[serde(default)]
    pub faults: u64,
}

/// Processes that were killed.
pub const KILLS: &str = "kills";
/// Processes that were killed, most of them with the power of their disk.
pub const POWER: &str = "power";
/// Cuts of the power of a file system that loses what was not synced.
pub const CUTS: &str = "cuts";
/// Histories of concurrent transactions.
pub const HISTORIES: &str = "histories";
/// Calls to the file system that failed.
pub const FAULTS: &str = "faults";

/// What a ledger proves that says nothing of it.
fn kills() -> String {
    KILLS.to_owned()
}

/// A life in the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What kind of proof it is.
    #[serde(default = "kills")]
    pub proof: String,
    /// The version of Blaze.
    pub version: String,
    /// The seed of the campaign.
    pub seed: u64,
    /// The number of the life in it.
    pub life: u64,
    /// What was proved.
    #[serde(flatten)]
    pub counts: Counts,
    /// What was found, if something was.
    pub failure: Option<String>,
}

/// A file that is only added to.
#[derive(Clone, Debug)]
pub struct Ledger(pub PathBuf);

impl Ledger {
    /// Adds a life.
    ///
    /// # Errors
    /// Those of the system.
    pub fn append(&self, entry: &Entry) -> Result<()> {
        if let Some(directory) = self.0.parent().filter(|directory| *directory != Path::new("")) {
            fs::create_dir_all(directory)?;
        }
        let mut file = File::options().append(true).create(true).open(&self.0)?;
        let mut line = serde_json::to_vec(entry).map_err(io::Error::from)?;
        line.push(b'\n');
        Ok(file.write_all(&line)?)
    }

    /// All lives; none if there is no ledger yet.
    ///
    /// # Errors
    /// When the file is something else.
    pub fn read(&self) -> Result<Vec<Entry>> {
        let text = match fs::read_to_string(&self.0) {
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            text => text?,
        };
        let lines = text.lines().enumerate();
        lines
            .map(|(number, line)| {
                serde_json::from_str(line).map_err(|error| {
                    Finding::from(io::Error::from(error)).context(format!("line {} of the ledger", number + 1))
                })
            })
            .collect()
    }
}

impl Counts {
    /// Adds what others have proved.
    pub fn add(&mut self, other: &Counts) {
        self.cycles += other.cycles;
        self.cuts += other.cuts;
        self.audits += other.audits;
        self.commits += other.commits;
        self.transactions += other.transactions;
        self.nested = self.nested.max(other.nested);
        self.faults += other.faults;
        for (phase, kills) in &other.kills {
            *self.kills.entry(phase.clone()).or_default() += kills;
        }
        for (point, kills) in &other.kills_at {
            *self.kills_at.entry(point.clone()).or_default() += kills;
        }
    }
}

/// What a run and all runs have proved, side by side.
#[derive(Debug)]
pub struct Table {
    /// The lives of this run.
    pub run: Vec<Entry>,
    /// Those of all runs.
    pub all: Vec<Entry>,
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<58} {:>12} {:>12}", "", "this run", "all runs")?;
        let proofs: BTreeSet<&str> = self.all.iter().map(|entry| entry.proof.as_str()).collect();
        proofs.into_iter().try_for_each(|proof| self.write_proof(f, proof))
    }
}

impl Table {
    fn write_proof(&self, f: &mut fmt::Formatter<'_>, proof: &str) -> fmt::Result {
        let of = |entries: &[Entry]| {
            let (mut sum, mut lives, mut failures) = (Counts::default(), 0, 0);
            for entry in entries.iter().filter(|entry| entry.proof == proof) {
                sum.add(&entry.counts);
                lives += 1;
                failures += u64::from(entry.failure.is_some());
            }
            (sum, lives, failures)
        };
        let ((run, run_lives, run_failures), (all, all_lives, all_failures)) = (of(&self.run), of(&self.all));
        let mut row =
            |what: &str, run: u64, all: u64| writeln!(f, "{:<58} {run:>12} {all:>12}", format!("{proof}: {what}"));
        row("databases", run_lives, all_lives)?;
        row("cycles", run.cycles, all.cycles)?;
        row("of them by a power cut", run.cuts, all.cuts)?;
        row("audits", run.audits, all.audits)?;
        row("commits checked", run.commits, all.commits)?;
        row("transactions judged", run.transactions, all.transactions)?;
        row("faults injected", run.faults, all.faults)?;
        row("in a row, at most", run.nested, all.nested)?;
        row("failures", run_failures, all_failures)?;
        for (phase, kills) in &all.kills {
            row(&format!("while {phase}"), run.kills.get(phase).copied().unwrap_or_default(), *kills)?;
        }
        for (point, kills) in &all.kills_at {
            row(&format!("killed when {point}"), run.kills_at.get(point).copied().unwrap_or_default(), *kills)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{CUTS, Counts, Entry, KILLS, Ledger, Table};

    #[test]
    fn a_ledger_adds_up_over_runs() {
        let directory = tempfile::tempdir().unwrap();
        let ledger = Ledger(directory.path().join("new").join("ledger.jsonl"));
        assert_eq!(ledger.read().unwrap(), []);
        let kills = [("opening".to_owned(), 2)].into();
        let counts = Counts { cycles: 3, cuts: 1, audits: 2, commits: 40, nested: 1, kills, ..Counts::default() };
        let entry = Entry { proof: KILLS.into(), version: "1".into(), seed: 7, life: 1, counts, failure: None };
        ledger.append(&entry).unwrap();
        let failed = Entry { failure: Some("torn".into()), ..entry.clone() };
        ledger.append(&failed).unwrap();
        let cut = Entry { proof: CUTS.into(), ..entry.clone() };
        ledger.append(&cut).unwrap();
        let all = ledger.read().unwrap();
        assert_eq!(all, [entry, failed.clone(), cut]);
        let table = Table { run: vec![failed], all }.to_string();
        let row = |what: &str| {
            let line = table.lines().find(|line| line.starts_with(what)).unwrap();
            line[what.len()..].split_whitespace().map(|n| n.parse().unwrap()).collect::<Vec<u64>>()
        };
        assert_eq!((row("kills: commits checked"), row("kills: failures")), (vec![40, 80], vec![1, 1]));
        assert_eq!((row("kills: while opening"), row("kills: cycles")), (vec![2, 4], vec![3, 6]));
        assert_eq!((row("cuts: cycles"), row("cuts: failures")), (vec![0, 3], vec![0, 0]));
    }

    #[test]
    fn a_ledger_of_kills_alone_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let ledger = Ledger(directory.path().join("ledger.jsonl"));
        let line = r#"{"version":"0.1.0","seed":1,"life":2,"cycles":3,"audits":2,"commits":9,"nested":1,"kills":{},"failure":null}"#;
        std::fs::write(&ledger.0, format!("{line}\n")).unwrap();
        let read = ledger.read().unwrap();
        assert_eq!((read[0].proof.as_str(), read[0].counts.commits, read[0].counts.faults), (KILLS, 9, 0));
    }
}
