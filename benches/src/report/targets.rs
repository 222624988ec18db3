//! What the first engine shall reach, and whether it does.

use super::block::{Entry, Grid};
use super::figure::{self, figure};
use super::summary::{Row, Summary, Table};
use super::{Outcome, Report, Spread};
use crate::measure::{Measurement, Target, Unit};

/// A row with a target.
#[derive(Clone, Debug, PartialEq)]
pub struct Aim {
    /// The workload.
    pub workload: String,
    /// The row.
    pub row: String,
    /// What its figure counts.
    pub unit: Unit,
    /// What the first engine shall reach.
    pub target: Target,
    /// What it has reached in each round: how many times as good as the rival it was, or its figure. `None` when no round
    /// has all that this takes; rounds that failed do not count.
    pub found: Option<Spread>,
}

impl Aim {
    /// True when the median of the rounds is there, false when it is not, `None` when there is none.
    #[must_use]
    pub fn is_reached(&self) -> Option<bool> {
        let found = self.found?.median;
        Some(match self.target {
            Target::Times { times, .. } => found >= times,
            Target::Figure(figure) if self.unit.more_is_better() => found >= figure,
            Target::Figure(figure) => found <= figure,
        })
    }

    fn verdict(&self) -> &'static str {
        match self.is_reached() {
            Some(true) => "reached",
            Some(false) => "missed",
            None => "not measured",
        }
    }

    fn found_text(&self) -> String {
        let Some(Spread { median, min, max, rounds }) = self.found else { return figure::NONE.to_owned() };
        let write = |value| match self.target {
            Target::Times { .. } => figure::times(value),
            Target::Figure(_) => figure(value, self.unit),
        };
        match rounds {
            1 => write(median),
            _ => format!("{} ({} to {})", write(median), write(min), write(max)),
        }
    }

    fn target_text(&self) -> String {
        match &self.target {
            Target::Times { rivals, times } => format!("at least {} of {}", figure::times(*times), rivals.join(" or ")),
            Target::Figure(value) => {
                let bound = if self.unit.more_is_better() { "least" } else { "most" };
                format!("at {bound} {}", figure(*value, self.unit))
            }
        }
    }
}

impl Report {
    /// The rows with a target, in the order in which they were found.
    #[must_use]
    pub fn aims(&self) -> Vec<Aim> {
        let mut aims: Vec<Aim> = Vec::new();
        for outcome in &self.outcomes {
            for Measurement { name, unit, target, further_targets, .. } in &outcome.measurements {
                let further = further_targets.iter().filter(|target| self.has_rivals(target));
                for target in target.iter().chain(further) {
                    let is_it =
                        |aim: &Aim| aim.workload == outcome.workload && aim.row == *name && aim.target == *target;
                    if aims.iter().any(is_it) {
                        continue;
                    }
                    aims.push(Aim {
                        workload: outcome.workload.clone(),
                        row: name.clone(),
                        unit: *unit,
                        target: target.clone(),
                        found: self.found(&outcome.workload, name, *unit, target),
                    });
                }
            }
        }
        aims
    }

    fn has_rivals(&self, target: &Target) -> bool {
        let is_there = |rival: &String| self.engines.iter().any(|engine| engine.name == *rival);
        match target {
            Target::Times { rivals, .. } => rivals.iter().all(is_there),
            Target::Figure(_) => true,
        }
    }

    fn found(&self, workload: &str, row: &str, unit: Unit, target: &Target) -> Option<Spread> {
        let first = &self.engines.first()?.name;
        let of = |engine: &str, round: Option<u32>| {
            let mine = |outcome: &&Outcome| {
                outcome.engine == engine
                    && outcome.workload == workload
                    && outcome.failure.is_none()
                    && round.is_none_or(|round| round == outcome.round)
            };
            let figure = |outcome: &Outcome| {
                let measured =
                    outcome.measurements.iter().find(|measured| measured.name == row && measured.unit == unit);
                measured.map(|measured| (outcome.round, measured.value))
            };
            self.outcomes.iter().filter(mine).filter_map(figure).collect::<Vec<_>>()
        };
        let ours = of(first, None);
        match target {
            Target::Figure(_) => Spread::of(ours.iter().map(|(_, value)| *value)),
            // Round by round: both have met the same mood of the machine.
            Target::Times { rivals, .. } => Spread::of(ours.iter().filter_map(|&(round, our)| {
                let beside = |rival: &String| {
                    let (_, their) = *of(rival, Some(round)).first()?;
                    Some(if unit.more_is_better() { our / their } else { their / our })
                };
                // All of them must have been measured: the best may be the one that was not.
                let all = rivals.iter().map(beside).collect::<Option<Vec<f64>>>()?;
                all.into_iter().min_by(f64::total_cmp)
            })),
        }
    }
}

/// The targets beside the medians of all engines; when `all` is true, with the rows that have none, and the
/// name of each workload above its rows. `None` when there is no target.
pub(super) fn grid(report: &Report, summary: &Summary, all: bool) -> Option<Grid> {
    let aims = report.aims();
    if aims.is_empty() {
        return None;
    }
    let mut rows = Vec::new();
    for table in &summary.tables {
        if all {
            rows.push((table.workload.clone(), Vec::new()));
        }
        for row in &table.rows {
            let is_of_row = |aim: &&Aim| aim.workload == table.workload && aim.row == row.name && aim.unit == row.unit;
            let mut of_row = aims.iter().filter(is_of_row);
            let first = of_row.next();
            if all || first.is_some() {
                rows.push((row.name.clone(), entries(summary, table, row, first)));
            }
            rows.extend(of_row.map(|aim| (row.name.clone(), entries(summary, table, row, Some(aim)))));
        }
    }
    Some(Grid {
        caption:
            "Medians; how many times as good as the rival, or the figure, with the least and the most of the rounds."
                .to_owned(),
        label: "row".to_owned(),
        columns: summary.engines.iter().map(String::as_str).chain(["found", "target", ""]).map(str::to_owned).collect(),
        rows,
    })
}

fn entries(summary: &Summary, table: &Table, row: &Row, aim: Option<&Aim>) -> Vec<Entry> {
    let median = |engine: &String| {
        let column = table.engines.iter().position(|name| name == engine)?;
        Some(figure(row.cells.get(column)?.spread?.median, row.unit))
    };
    let medians = summary.engines.iter().map(|engine| median(engine).unwrap_or(figure::NONE.to_owned()));
    let aim_texts = aim.map(|aim| [aim.found_text(), aim.target_text(), aim.verdict().to_owned()]).unwrap_or_default();
    let mut entries: Vec<Entry> = medians.chain(aim_texts).map(Entry::new).collect();
    if let Some(verdict) = entries.last_mut() {
        verdict.strong = aim.is_some_and(|aim| aim.is_reached() != Some(true)); // what is to be done
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::super::EngineInfo;
    use super::super::fixture::{measured, outcome, rate};
    use super::*;

    fn beside(engines: &[(&str, &[f64])], target: &Target) -> Report {
        measured(engines, |value| rate("gets", value).target(target.clone()))
    }

    fn aim(report: &Report) -> Aim {
        let [aim] = report.aims().try_into().unwrap();
        aim
    }

    #[test]
    fn rounds_are_compared_one_by_one_and_their_median_counts() {
        let report =
            beside(&[("blaze", &[100.0, 10.0, 33.0]), ("redb", &[100.0, 20.0, 30.0])], &Target::times("redb", 1.0));
        let found = aim(&report).found.unwrap();
        assert_eq!((found.median, found.min, found.max, found.rounds), (1.0, 0.5, 1.1, 3));
        assert_eq!(aim(&report).is_reached(), Some(true));
        assert_eq!(aim(&report).found_text(), "1.00× (0.50× to 1.10×)");
        assert_eq!(aim(&report).target_text(), "at least 1.00× of redb");
    }

    #[test]
    fn half_the_seconds_are_twice_as_good() {
        let report = measured(&[("blaze", &[1.0]), ("redb", &[2.0])], |value| {
            Measurement::new("opens", Unit::Seconds, value).target(Target::times("redb", 2.5))
        });
        assert_eq!((aim(&report).found.unwrap().median, aim(&report).is_reached()), (2.0, Some(false)));
    }

    #[test]
    fn a_figure_is_a_bound_from_below_or_from_above() {
        let report = beside(&[("blaze", &[5.0])], &Target::Figure(5.0));
        assert_eq!((aim(&report).is_reached(), aim(&report).target_text()), (Some(true), "at least 5.00/s".to_owned()));
        let report = measured(&[("blaze", &[0.25]), ("redb", &[0.1])], |value| {
            Measurement::new("syncs a commit", Unit::Ratio, value).target(Target::Figure(0.2))
        });
        assert_eq!((aim(&report).is_reached(), aim(&report).target_text()), (Some(false), "at most 0.200".to_owned()));
    }

    #[test]
    fn without_a_sound_round_of_both_nothing_was_measured() {
        let target = Target::times("redb", 1.0);
        for report in [beside(&[("blaze", &[5.0])], &target), beside(&[("redb", &[5.0])], &target)] {
            assert_eq!((aim(&report).is_reached(), aim(&report).verdict()), (None, "not measured"));
        }
        let mut report = beside(&[("blaze", &[1.0, 1.0]), ("redb", &[2.0, 1.0])], &target);
        report.outcomes[0].failure = Some("killed".into());
        assert_eq!(aim(&report).found.unwrap().rounds, 1);
        assert_eq!(aim(&report).is_reached(), Some(true));
    }

    #[test]
    fn the_grid_has_the_rows_with_a_target_and_the_others_when_all_are_wanted() {
        let mut report = beside(&[("blaze", &[1.0]), ("redb", &[2.0])], &Target::times("redb", 1.0));
        assert_eq!(grid(&report, &Summary::of(&report), false).unwrap().rows.len(), 1);
        report.outcomes.push(outcome("blaze", 1, vec![rate("puts", 7.0)]));
        let rows = |all| grid(&report, &Summary::of(&report), all).unwrap().rows;
        let (label, entries) = &rows(false)[0];
        let texts: Vec<&str> = entries.iter().map(|entry| entry.text.as_str()).collect();
        assert_eq!(label, "gets");
        assert_eq!(texts, ["1.00/s", "2.00/s", "–", "0.50×", "at least 1.00× of redb", "missed"]);
        let labels: Vec<String> = rows(true).into_iter().map(|(label, _)| label).collect();
        assert_eq!((rows(false).len(), labels), (1, ["map", "gets", "puts"].map(str::to_owned).to_vec()));
        report.outcomes.iter_mut().flat_map(|outcome| &mut outcome.measurements).for_each(|found| found.target = None);
        assert!(grid(&report, &Summary::of(&report), true).is_none());
    }

    #[test]
    fn a_further_target_counts_where_its_rivals_were_measured() {
        let engines: [(&str, &[f64]); 3] = [("blaze", &[30.0]), ("redb", &[20.0]), ("polodb", &[5.0])];
        let only_those = |mut report: Report| {
            let any = report.engines[0].clone();
            let of = |outcome: &Outcome| EngineInfo { name: outcome.engine.clone(), ..any.clone() };
            report.engines = report.outcomes.iter().map(of).collect();
            report
        };
        let of = |engines: &[(&str, &[f64])]| {
            let targets = |value| {
                let rate = rate("gets", value).target(Target::times("redb", 1.0));
                rate.further_target(Target::times("polodb", 3.0))
            };
            let aims = only_those(measured(engines, targets)).aims();
            aims.iter().map(|aim| (aim.found.unwrap().median, aim.is_reached())).collect::<Vec<_>>()
        };
        assert_eq!(of(&engines), [(1.5, Some(true)), (6.0, Some(true))]);
        assert_eq!(of(&engines[..2]), [(1.5, Some(true))]);
        let targets = |value| rate("gets", value).further_target(Target::times("polodb", 7.0));
        let report = only_those(measured(&engines, targets));
        let text = report.targets().unwrap();
        assert!(text.contains("polodb") && text.contains("missed"), "{text}");
    }
}
