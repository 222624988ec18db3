//! How many trials came to what, in a run and over all runs.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::trial::Outcome;
use crate::Result;

/// Of each kind of file, how many damages came to what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Seeds of the runs.
    pub seeds: Vec<u64>,
    /// By the kind and what came of it.
    pub counts: BTreeMap<String, BTreeMap<String, u64>>,
    /// What was found.
    pub findings: Vec<String>,
}

impl Tally {
    /// Counts a trial.
    pub fn count(&mut self, kind: &str, outcome: &str) {
        *self.counts.entry(kind.to_owned()).or_default().entry(outcome.to_owned()).or_default() += 1;
    }

    /// All trials.
    #[must_use]
    pub fn trials(&self) -> u64 {
        self.counts.values().flat_map(BTreeMap::values).sum()
    }

    /// Adds this run to a file, and answers what all runs in it came to.
    ///
    /// # Errors
    /// Those of the system; when the file is something else.
    pub fn append(&self, path: &Path) -> Result<Tally> {
        if let Some(directory) = path.parent().filter(|directory| *directory != Path::new("")) {
            fs::create_dir_all(directory)?;
        }
        let mut line = serde_json::to_vec(self).map_err(io::Error::from)?;
        line.push(b'\n');
        File::options().append(true).create(true).open(path)?.write_all(&line)?;
        Tally::read(path)
    }

    fn read(path: &Path) -> Result<Tally> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            text => text?,
        };
        let mut sum = Tally::default();
        for line in text.lines() {
            let run: Tally = serde_json::from_str(line).map_err(io::Error::from)?;
            sum.seeds.extend(run.seeds);
            sum.findings.extend(run.findings);
            for (kind, outcomes) in run.counts {
                for (outcome, count) in outcomes {
                    *sum.counts.entry(kind.clone()).or_default().entry(outcome).or_default() += count;
                }
            }
        }
        Ok(sum)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<&str> = Outcome::ALL.iter().map(|outcome| outcome.name()).collect();
        write!(f, "{:<32}{:>9}", "damaged", "trials")?;
        columns.iter().try_for_each(|column| write!(f, "{column:>11}"))?;
        let mut all: BTreeMap<&str, u64> = BTreeMap::new();
        let row = |f: &mut fmt::Formatter<'_>, name: &str, of: &dyn Fn(&str) -> u64| {
            let sum: u64 = columns.iter().map(|column| of(column)).sum();
            write!(f, "\n{name:<32}{sum:>9}")?;
            columns.iter().try_for_each(|column| write!(f, "{:>11}", of(column)))
        };
        for (kind, outcomes) in &self.counts {
            outcomes.iter().for_each(|(outcome, count)| *all.entry(outcome).or_default() += count);
            row(f, kind, &|column| outcomes.get(column).copied().unwrap_or_default())?;
        }
        row(f, "all", &|column| all.get(column).copied().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn a_tally_adds_up_over_runs() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new").join("flips.jsonl");
        let mut run = Tally { seeds: vec![7], findings: vec!["odd".to_owned()], ..Tally::default() };
        run.count("log", "tail");
        run.count("log", "no-effect");
        assert_eq!(run.append(&path).unwrap(), run);
        let sum = run.append(&path).unwrap();
        assert_eq!((sum.trials(), sum.seeds, sum.findings.len()), (4, vec![7, 7], 2));
        assert_eq!(sum.counts["log"]["tail"], 2);
        let table = run.to_string();
        let last: Vec<&str> = table.lines().last().unwrap().split_whitespace().collect();
        assert_eq!(last, ["all", "2", "0", "0", "0", "0", "1", "0", "1", "0"]);
    }
}
