//! What a report comes to: a table for each workload, a row for each figure, a cell for each engine.

use super::spread::Spread;
use super::{Outcome, Report};
use crate::measure::{Latency, Measurement, Moment, Point, Resources, Unit};

/// The tables of a report.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// All engines. The first is the one that the others are compared with.
    pub engines: Vec<String>,
    /// A table for each workload, in the order in which they ran.
    pub tables: Vec<Table>,
}

/// What a workload found.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The workload.
    pub workload: String,
    /// Its sizes in a sentence.
    pub description: String,
    /// The columns: the first engine of the report, and those others that took part.
    pub engines: Vec<String>,
    /// The figures in the order in which they were found, then what the whole job took.
    pub rows: Vec<Row>,
}

/// A figure of all engines.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What was measured.
    pub name: String,
    /// What it counts.
    pub unit: Unit,
    /// One for each engine of the table.
    pub cells: Vec<Cell>,
    /// What the answers added up to. More than one is a disagreement: somebody's answers are wrong.
    pub answers: Vec<Answer>,
}

/// A figure of one engine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    /// The figure over the rounds that found it; `None` when none did.
    pub spread: Option<Spread>,
    /// Rounds of this workload that this engine failed; what those had found before counts.
    pub failed_rounds: usize,
    /// The median as a multiple of the first engine's.
    pub ratio: Option<f64>,
    /// True when no other median is better, none of both failed, and the answers agree.
    pub best: bool,
    /// The median of each percentile.
    pub latency: Option<Latency>,
    /// The place in a plot, at the median of `x`.
    pub point: Option<Point>,
    /// How the round in the middle went over time.
    pub timeline: Vec<Moment>,
}

/// An answer that somebody gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What it added up to.
    pub checksum: u64,
    /// The engines that gave it, each with the round, from 0.
    pub given_by: Vec<(String, u32)>,
}

impl Summary {
    /// Sums up a report.
    #[must_use]
    pub fn of(report: &Report) -> Summary {
        let listed = report.engines.iter().map(|engine| &engine.name);
        let engines = distinct(listed.chain(report.outcomes.iter().map(|outcome| &outcome.engine)));
        let workloads = distinct(report.outcomes.iter().map(|outcome| &outcome.workload));
        let tables = workloads.into_iter().map(|workload| {
            let outcomes: Vec<&Outcome> =
                report.outcomes.iter().filter(|outcome| outcome.workload == workload).collect();
            Table::of(workload, &outcomes, &engines)
        });
        Summary { tables: tables.collect(), engines }
    }

    /// The rows whose answers are not all the same.
    pub fn disagreements(&self) -> impl Iterator<Item = (&Table, &Row)> {
        let rows = self.tables.iter().flat_map(|table| table.rows.iter().map(move |row| (table, row)));
        rows.filter(|(_, row)| !row.agrees())
    }
}

impl Table {
    fn of(workload: String, outcomes: &[&Outcome], all_engines: &[String]) -> Table {
        let takes_part = |engine: &String| outcomes.iter().any(|outcome| outcome.engine == *engine);
        let engines: Vec<String> = all_engines
            .iter()
            .enumerate()
            .filter(|(index, engine)| *index == 0 || takes_part(engine))
            .map(|(_, engine)| engine.clone())
            .collect();
        let found = outcomes.iter().flat_map(|outcome| &outcome.measurements);
        let mut rows: Vec<Row> = Vec::new();
        for measurement in found {
            if !rows.iter().any(|row| row.name == measurement.name && row.unit == measurement.unit) {
                rows.push(Row::of(measurement, outcomes, &engines));
            }
        }
        rows.extend(resource_rows(outcomes, &engines));
        let description = outcomes.first().map(|outcome| outcome.description.clone()).unwrap_or_default();
        Table { workload, description, engines, rows }
    }

    /// The most rounds that a figure has.
    #[must_use]
    pub fn rounds(&self) -> usize {
        let cells = self.rows.iter().flat_map(|row| &row.cells);
        cells.filter_map(|cell| cell.spread).map(|spread| spread.rounds).max().unwrap_or(0)
    }
}

impl Row {
    fn of(like: &Measurement, outcomes: &[&Outcome], engines: &[String]) -> Row {
        let found: Vec<(&Outcome, &Measurement)> = outcomes
            .iter()
            .flat_map(|outcome| outcome.measurements.iter().map(|measurement| (*outcome, measurement)))
            .filter(|(_, measurement)| measurement.name == like.name && measurement.unit == like.unit)
            .collect();
        let cells = engines.iter().map(|engine| {
            let of_engine = found.iter().filter(|(outcome, _)| outcome.engine == *engine);
            let of_engine: Vec<&Measurement> = of_engine.map(|(_, measurement)| *measurement).collect();
            Cell { failed_rounds: failed_rounds(outcomes, engine), ..Cell::of(&of_engine) }
        });
        Row::new(like.name.clone(), like.unit, cells.collect(), answers(&found))
    }

    fn new(name: String, unit: Unit, mut cells: Vec<Cell>, answers: Vec<Answer>) -> Row {
        let first = cells.first().and_then(|cell| cell.spread);
        for cell in cells.iter_mut().skip(1) {
            let ratio = cell.spread.zip(first).map(|(spread, first)| spread.median / first.median);
            cell.ratio = ratio.filter(|ratio| ratio.is_finite());
        }
        let mut row = Row { name, unit, cells, answers };
        row.mark_best();
        row
    }

    fn mark_best(&mut self) {
        let medians = self.cells.iter().filter_map(Cell::sound).map(|spread| spread.median);
        let best = if self.unit.more_is_better() { medians.reduce(f64::max) } else { medians.reduce(f64::min) };
        let rivals = self.cells.iter().filter_map(Cell::sound).count();
        let agrees = self.agrees();
        for cell in &mut self.cells {
            cell.best = agrees && rivals > 1 && cell.sound().map(|spread| spread.median) == best;
        }
    }

    /// False when several answers were given.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.answers.len() <= 1
    }
}

impl Cell {
    fn of(found: &[&Measurement]) -> Cell {
        let spread = Spread::of(found.iter().map(|measurement| measurement.value));
        let from_median = |measurement: &&&Measurement| {
            spread.map_or(f64::INFINITY, |spread| (measurement.value - spread.median).abs())
        };
        let middle = found.iter().min_by(|one, other| from_median(one).total_cmp(&from_median(other)));
        let points: Vec<Point> = found.iter().filter_map(|measurement| measurement.point).collect();
        let x = Spread::of(points.iter().map(|point| point.x));
        Cell {
            spread,
            latency: median_latency(found),
            point: points.first().zip(x).map(|(point, x)| Point { series: point.series, x: x.median }),
            timeline: middle.map(|measurement| measurement.timeline.clone()).unwrap_or_default(),
            ..Cell::default()
        }
    }

    /// The figure, when no round failed: others do not count in who is better.
    #[must_use]
    pub fn sound(&self) -> Option<&Spread> {
        self.spread.as_ref().filter(|_| self.failed_rounds == 0)
    }
}

/// What the jobs took from beginning to end; those that ended early took less and do not count.
fn resource_rows(outcomes: &[&Outcome], engines: &[String]) -> Vec<Row> {
    type Resource = (&'static str, Unit, fn(&Resources) -> Option<f64>);
    const RESOURCES: [Resource; 3] = [
        ("whole job: peak memory, mapped files included", Unit::Bytes, |took| {
            took.peak_memory_bytes.map(|bytes| bytes as f64)
        }),
        ("whole job: written to the disk", Unit::Bytes, |took| took.written_bytes.map(|bytes| bytes as f64)),
        ("whole job: processor time", Unit::Seconds, |took| took.processor_ms.map(|time| time as f64 / 1000.0)),
    ];
    let row = |(name, unit, amount): Resource| {
        let cells = engines.iter().map(|engine| {
            let ended = outcomes.iter().filter(|outcome| outcome.engine == *engine && outcome.failure.is_none());
            let spread = Spread::of(ended.filter_map(|outcome| amount(&outcome.resources)));
            Cell { spread, failed_rounds: failed_rounds(outcomes, engine), ..Cell::default() }
        });
        Row::new(name.to_owned(), unit, cells.collect(), Vec::new())
    };
    let is_known = |row: &Row| row.cells.iter().any(|cell| cell.spread.is_some());
    RESOURCES.into_iter().map(row).filter(is_known).collect()
}

fn failed_rounds(outcomes: &[&Outcome], engine: &str) -> usize {
    outcomes.iter().filter(|outcome| outcome.engine == engine && outcome.failure.is_some()).count()
}

fn answers(found: &[(&Outcome, &Measurement)]) -> Vec<Answer> {
    let mut answers: Vec<Answer> = Vec::new();
    for (outcome, measurement) in found {
        let Some(checksum) = measurement.checksum else { continue };
        let giver = (outcome.engine.clone(), outcome.round);
        match answers.iter_mut().find(|answer| answer.checksum == checksum) {
            Some(answer) => answer.given_by.push(giver),
            None => answers.push(Answer { checksum, given_by: vec![giver] }),
        }
    }
    answers
}

fn median_latency(found: &[&Measurement]) -> Option<Latency> {
    let median = |percentile: fn(&Latency) -> f64| {
        let latencies = found.iter().filter_map(|measurement| measurement.latency.as_ref());
        Spread::of(latencies.map(percentile)).map(|spread| spread.median)
    };
    Some(Latency {
        p50_us: median(|latency| latency.p50_us)?,
        p95_us: median(|latency| latency.p95_us)?,
        p99_us: median(|latency| latency.p99_us)?,
        p999_us: median(|latency| latency.p999_us)?,
        max_us: median(|latency| latency.max_us)?,
    })
}

fn distinct<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for name in names {
        if !found.contains(name) {
            found.push(name.clone());
        }
    }
    found
}
