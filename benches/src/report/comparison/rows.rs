//! Rows of two runs, paired.

use super::{Change, Drift, Verdict};
use crate::measure::Unit;
use crate::report::spread::Spread;
use crate::report::summary::{Answer, Cell, Row, Summary, Table};

/// A figure of one engine in one run.
struct Place<'a> {
    table: &'a Table,
    row: &'a Row,
    engine: &'a str,
    cell: &'a Cell,
    spread: Spread,
}

impl Place<'_> {
    fn name(&self) -> String {
        format!("{}, {}, {}", self.table.workload, self.engine, self.row.name)
    }

    fn is_same(&self, other: &Place<'_>) -> bool {
        self.table.workload == other.table.workload
            && self.row.name == other.row.name
            && self.row.unit == other.row.unit
            && self.engine == other.engine
    }

    /// What this engine answered; what others did is no matter here.
    fn answers(&self) -> Vec<u64> {
        let gave = |answer: &&Answer| answer.given_by.iter().any(|(engine, _)| engine == self.engine);
        self.row.answers.iter().filter(gave).map(|answer| answer.checksum).collect()
    }

    /// True when several rounds did the same in both runs, and all of it.
    fn is_comparable(&self, other: &Place<'_>) -> bool {
        let is_sound = |place: &Place<'_>| place.spread.rounds >= 2 && place.cell.failed_rounds == 0;
        let answers = self.answers();
        self.table.description == other.table.description
            && is_sound(self)
            && is_sound(other)
            && answers.len() <= 1
            && answers == other.answers()
    }
}

fn places(summary: &Summary) -> impl Iterator<Item = Place<'_>> {
    let rows = summary.tables.iter().flat_map(|table| table.rows.iter().map(move |row| (table, row)));
    rows.flat_map(|(table, row)| {
        let cells = table.engines.iter().zip(&row.cells);
        cells.filter_map(move |(engine, cell)| Some(Place { table, row, engine, cell, spread: cell.spread? }))
    })
}

/// What both have.
pub(super) fn changes(old: &Summary, new: &Summary, threshold: f64, comparable: bool) -> Vec<Change> {
    let earlier: Vec<Place<'_>> = places(old).collect();
    let change = |after: Place<'_>| {
        let before = earlier.iter().find(|before| before.is_same(&after))?;
        let percent = percent(before.spread.median, after.spread.median, after.row.unit);
        Some(Change {
            workload: after.table.workload.clone(),
            engine: after.engine.to_owned(),
            row: after.row.name.clone(),
            unit: after.row.unit,
            before: before.spread,
            after: after.spread,
            percent,
            verdict: if comparable && after.is_comparable(before) {
                verdict(&before.spread, &after.spread, after.row.unit, percent, threshold)
            } else {
                Verdict::Inconclusive
            },
        })
    };
    places(new).filter_map(change).collect()
}

/// The names of what only the first has.
pub(super) fn only_first(first: &Summary, second: &Summary) -> Vec<String> {
    let others: Vec<Place<'_>> = places(second).collect();
    places(first).filter(|place| !others.iter().any(|other| other.is_same(place))).map(|place| place.name()).collect()
}

/// The median change of the engines that are the same, in rows that the subject has as well.
pub(super) fn drift(changes: &[Change], subject: &str, same_engines: &[&str]) -> Option<Drift> {
    let has_subject = |control: &Change| {
        changes
            .iter()
            .any(|change| change.engine == subject && change.workload == control.workload && change.row == control.row)
    };
    let controls = changes.iter().filter(|change| {
        let is_time = matches!(change.unit, Unit::OperationsPerSecond | Unit::Seconds);
        is_time && change.engine != subject && same_engines.contains(&change.engine.as_str()) && has_subject(change)
    });
    let spread = Spread::of(controls.map(|change| change.percent))?;
    Some(Drift { percent: spread.median, rows: spread.rounds })
}

/// The change in % of `before`, above 0 when it is better; infinite when it comes from 0.
fn percent(before: f64, after: f64, unit: Unit) -> f64 {
    if before == after {
        return 0.0;
    }
    let more = (after - before) / before.abs() * 100.0;
    if unit.more_is_better() { more } else { -more }
}

fn verdict(before: &Spread, after: &Spread, unit: Unit, percent: f64, threshold: f64) -> Verdict {
    if percent.abs() <= threshold * 100.0 {
        Verdict::Unchanged
    } else if after.beats(before, unit) {
        Verdict::Better
    } else if before.beats(after, unit) {
        Verdict::Worse
    } else {
        Verdict::Unchanged
    }
}
