//! Two runs beside each other: what became better, what became worse, and what cannot be told apart from noise.

mod rows;
#[cfg(test)]
mod tests;
mod text;

use std::fmt;

use super::markdown;
use super::spread::Spread;
use super::{EngineInfo, Outcome, Report, Summary};
use crate::machine::Machine;
use crate::measure::Unit;

/// Two runs beside each other.
///
/// A figure counts as better or worse only when every round of one run beats every round of the other, and the medians
/// differ by more than a threshold. If nothing has changed, n rounds beside m are separated like that with a chance of
/// 2·n!·m!/(n+m)!, which is 10 % for 3 and 3 rounds, 3 % for 4 and 4 and 0.8 % for 5 and 5. Many rows are tested, so with
/// three rounds a few of them will be: a single verdict is a hint, and the text says how many are to be expected.
///
/// Shown, it is Markdown, the worst first.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The engine in question: the first of the later run. The others are there to tell whether the machine changed.
    pub subject: String,
    /// The least change of a median that counts: 0.05 is 5 %.
    pub threshold: f64,
    /// What both runs have, the worst first.
    pub changes: Vec<Change>,
    /// What only the earlier run has.
    pub only_before: Vec<String>,
    /// What only the later run has.
    pub only_after: Vec<String>,
    /// Jobs of the subject that failed in the later run, and how; those that failed in both runs are not news.
    pub new_failures: Vec<String>,
    /// How the engines that are the same in both runs changed; `None` when there are none.
    pub drift: Option<Drift>,
    /// In what the runs differ: reasons to doubt all of this.
    pub warnings: Vec<String>,
}

/// A figure of one engine in both runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The workload.
    pub workload: String,
    /// The engine.
    pub engine: String,
    /// What was measured.
    pub row: String,
    /// What it counts.
    pub unit: Unit,
    /// The figure of the earlier run.
    pub before: Spread,
    /// The figure of the later run.
    pub after: Spread,
    /// By how much the median changed, in % of the earlier one. Above 0 is better, whatever the unit: a duration that
    /// is halved has changed by +50 %.
    pub percent: f64,
    /// What to think of it.
    pub verdict: Verdict,
}

/// What to think of a change; the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Worse in every round, by more than the threshold.
    Worse,
    /// Nothing can be told: there are fewer than two rounds, or what was measured is not the same.
    Inconclusive,
    /// Within noise or threshold.
    Unchanged,
    /// Better in every round, by more than the threshold.
    Better,
}

/// How the figures of engines changed that are the same in both runs. What made them change was not Blaze.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drift {
    /// The median of their changes, in %; above 0 is better. Only rates and durations are taken.
    pub percent: f64,
    /// Of how many rows.
    pub rows: usize,
}

impl Comparison {
    /// Compares a run with an earlier one. Medians that differ by less than the share `threshold` are unchanged.
    #[must_use]
    pub fn of(before: &Report, after: &Report, threshold: f64) -> Comparison {
        let subject = after.engines.first().map(|engine| engine.name.clone()).unwrap_or_default();
        let (old, new) = (Summary::of(before), Summary::of(after));
        let comparable = place_differences(before, after).is_empty();
        let mut changes = rows::changes(&old, &new, threshold, comparable);
        changes.sort_by(|one, other| one.verdict.cmp(&other.verdict).then(one.percent.total_cmp(&other.percent)));
        let mut warnings = place_differences(before, after);
        warnings.extend(engine_differences(before, after));
        warnings.extend(workload_differences(&old, &new));
        warnings.extend(doubts(before, after, &old, &new));
        Comparison {
            drift: rows::drift(&changes, &subject, &same_engines(before, after)),
            only_before: rows::only_first(&old, &new),
            only_after: rows::only_first(&new, &old),
            new_failures: new_failures(before, after, &subject),
            subject,
            threshold,
            changes,
            warnings,
        }
    }

    /// True when the subject became worse in a row, or fails where it did not.
    #[must_use]
    pub fn has_regressions(&self) -> bool {
        !self.new_failures.is_empty() || self.of_subject().any(|change| change.verdict == Verdict::Worse)
    }

    /// The changes of the subject.
    pub fn of_subject(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.engine == self.subject)
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&markdown::write(&text::tell(self)))
    }
}

/// Differences between the places and the ways of running, after which no figure can be compared.
fn place_differences(before: &Report, after: &Report) -> Vec<String> {
    let (old, new) = (&before.machine, &after.machine);
    let memory = |machine: &Machine| format!("{:.1} GiB", machine.memory_bytes as f64 / f64::from(1 << 30));
    let disk = |machine: &Machine| {
        format!("{}{}", machine.disk.filesystem, if machine.disk.is_memory { " in memory" } else { "" })
    };
    let all = [
        ("processor", old.processor.clone(), new.processor.clone()),
        ("number of cores", old.cores.to_string(), new.cores.to_string()),
        ("memory", memory(old), memory(new)),
        ("system", old.system.clone(), new.system.clone()),
        ("disk", disk(old), disk(new)),
        ("way of running", before.conditions.join("; "), after.conditions.join("; ")),
    ];
    let differ = all.into_iter().filter(|(_, old, new)| old != new);
    differ.map(|(what, old, new)| format!("The {what} is another one: “{old}” before, “{new}” after.")).collect()
}

fn engine_differences(before: &Report, after: &Report) -> Vec<String> {
    let mut differences = Vec::new();
    for (old, new) in pairs(before, after) {
        let name = &new.name;
        if old.version != new.version {
            differences.push(format!("{name} is another version: {} before, {} after.", old.version, new.version));
        }
        if old.configuration != new.configuration {
            let (old, new) = (old.configuration.join("; "), new.configuration.join("; "));
            differences.push(format!("{name} is set up in another way: “{old}” before, “{new}” after."));
        }
    }
    differences
}

fn workload_differences(old: &Summary, new: &Summary) -> Vec<String> {
    let mut differences = Vec::new();
    for table in &new.tables {
        let earlier = old.tables.iter().find(|earlier| earlier.workload == table.workload);
        if let Some(earlier) = earlier.filter(|earlier| earlier.description != table.description) {
            let (old, new) = (&earlier.description, &table.description);
            differences.push(format!("{} is another workload: “{old}” before, “{new}” after.", table.workload));
        }
    }
    differences
}

/// What does not forbid a comparison, but has to be known.
fn doubts(before: &Report, after: &Report, old: &Summary, new: &Summary) -> Vec<String> {
    let mut doubts = Vec::new();
    let (slow, fast) = (before.machine.disk.sync_p50_us, after.machine.disk.sync_p50_us);
    if slow > 0.0 && fast > 0.0 && !(0.67..1.5).contains(&(fast / slow)) {
        doubts.push(format!(
            "A sync of the disk took {slow:.0} µs before, {fast:.0} µs after: durable writes will show it."
        ));
    }
    for (when, report, summary) in [("earlier", before, old), ("later", after, new)] {
        if !report.is_complete() {
            doubts.push(format!("The {when} run is not complete."));
        }
        if summary.disagreements().next().is_some() {
            doubts.push(format!("In the {when} run engines give different answers: somebody's are wrong."));
        }
    }
    doubts
}

/// Engines of both runs.
fn pairs<'a>(before: &'a Report, after: &'a Report) -> impl Iterator<Item = (&'a EngineInfo, &'a EngineInfo)> {
    after.engines.iter().filter_map(|new| Some((before.engines.iter().find(|old| old.name == new.name)?, new)))
}

fn same_engines<'a>(before: &'a Report, after: &'a Report) -> Vec<&'a str> {
    pairs(before, after).filter(|(old, new)| old == new).map(|(_, new)| new.name.as_str()).collect()
}

fn new_failures(before: &Report, after: &Report, subject: &str) -> Vec<String> {
    let of_subject = |outcome: &&Outcome| outcome.engine == subject;
    let failed_before = |workload: &str| before.failures().filter(of_subject).any(|old| old.workload == workload);
    let new = after.failures().filter(of_subject).filter(|outcome| !failed_before(&outcome.workload));
    new.map(|outcome| {
        let why = outcome.failure.as_deref().unwrap_or_default();
        format!("{}, round {}: {why}", outcome.workload, outcome.round + 1)
    })
    .collect()
}
