//! What was proved over all runs: a line of JSON for each life.

use std::collections::BTreeMap;
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
    /// The most processes in a row that were killed before one of them had opened and audited.
    pub nested: u64,
    /// Of the killed processes, how many were in what.
    pub kills: BTreeMap<String, u64>,
    /// How many have died at which place in the database.
    #[serde(default)]
    pub kills_at: BTreeMap<String, u64>,
}

/// A life in the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
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
        self.nested = self.nested.max(other.nested);
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
        let sum = |entries: &[Entry]| {
            let mut sum = Counts::default();
            entries.iter().for_each(|entry| sum.add(&entry.counts));
            sum
        };
        let failures = |entries: &[Entry]| entries.iter().filter(|entry| entry.failure.is_some()).count() as u64;
        let (run, all) = (sum(&self.run), sum(&self.all));
        writeln!(f, "{:<46} {:>12} {:>12}", "", "this run", "all runs")?;
        let mut row = |what: &str, run: u64, all: u64| writeln!(f, "{what:<46} {run:>12} {all:>12}");
        row("databases", self.run.len() as u64, self.all.len() as u64)?;
        row("processes killed", run.cycles, all.cycles)?;
        row("of them by a power cut", run.cuts, all.cuts)?;
        row("audits", run.audits, all.audits)?;
        row("commits checked", run.commits, all.commits)?;
        row("killed in a row, at most", run.nested, all.nested)?;
        row("failures", failures(&self.run), failures(&self.all))?;
        for (phase, kills) in &all.kills {
            row(&format!("killed while {phase}"), run.kills.get(phase).copied().unwrap_or_default(), *kills)?;
        }
        for (point, kills) in &all.kills_at {
            row(&format!("killed when {point}"), run.kills_at.get(point).copied().unwrap_or_default(), *kills)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Counts, Entry, Ledger, Table};

    #[test]
    fn a_ledger_adds_up_over_runs() {
        let directory = tempfile::tempdir().unwrap();
        let ledger = Ledger(directory.path().join("new").join("ledger.jsonl"));
        assert_eq!(ledger.read().unwrap(), []);
        let kills = [("opening".to_owned(), 2)].into();
        let counts = Counts { cycles: 3, cuts: 1, audits: 2, commits: 40, nested: 1, kills, ..Counts::default() };
        let entry = Entry { version: "1".into(), seed: 7, life: 1, counts, failure: None };
        ledger.append(&entry).unwrap();
        let failed = Entry { failure: Some("torn".into()), ..entry.clone() };
        ledger.append(&failed).unwrap();
        let all = ledger.read().unwrap();
        assert_eq!(all, [entry, failed.clone()]);
        let table = Table { run: vec![failed], all }.to_string();
        let row = |what: &str| {
            let line = table.lines().find(|line| line.starts_with(what)).unwrap();
            line[what.len()..].split_whitespace().map(|n| n.parse().unwrap()).collect::<Vec<u64>>()
        };
        assert_eq!((row("commits checked"), row("failures")), (vec![40, 80], vec![1, 1]));
        assert_eq!((row("killed while opening"), row("processes killed")), (vec![2, 4], vec![3, 6]));
    }
}
