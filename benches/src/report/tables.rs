//! The tables of a workload.

use super::block::{Block, Entry, Grid, Plots};
use super::curves;
use super::figure::{self, figure, number};
use super::summary::{Cell, Row, Table};
use crate::measure::Latency;

/// A phase that took so many moments is worth a plot that is shown at once.
const LONG: usize = 60;

/// Everything about a workload.
pub(super) fn of_workload(table: &Table, engines: &[String]) -> Vec<Block> {
    let mut blocks = vec![Block::Section(table.workload.clone()), Block::Paragraph(table.description.clone())];
    blocks.retain(|block| !matches!(block, Block::Paragraph(text) if text.is_empty()));
    blocks.push(Block::Grid(figures(table)));
    let latencies = latencies(table);
    if !latencies.rows.is_empty() {
        blocks.push(Block::Grid(latencies));
    }
    let plots = curves::by_series(table, engines);
    if !plots.is_empty() {
        blocks.push(Block::Plots(Plots { title: String::new(), open: true, plots }));
    }
    for row in &table.rows {
        let plots = curves::over_time(table, row, engines);
        if !plots.is_empty() {
            let title = match curves::moments_per_point(row) {
                1 => format!("{}, over time", row.name),
                many => format!("{}, over time: the mean, or the worst p99, of {many} moments each", row.name),
            };
            blocks.push(Block::Plots(Plots { title, open: curves::longest(row) >= LONG, plots }));
        }
    }
    blocks
}

fn figures(table: &Table) -> Grid {
    let rounds = table.rounds();
    let row = |row: &Row| {
        let direction = if row.unit.more_is_better() { '↑' } else { '↓' };
        let wrong = if row.agrees() { "" } else { " (answers disagree)" };
        let entries = row.cells.iter().map(|cell| entry(row, cell, rounds)).collect();
        (format!("{direction} {}{wrong}", row.name), entries)
    };
    Grid {
        caption: format!("{}: median of {}", table.workload, figure::count(rounds, "round")),
        label: "figure".to_owned(),
        columns: table.engines.clone(),
        rows: table.rows.iter().map(row).collect(),
    }
}

/// A figure with what must be known about it. `rounds` is what other figures have.
fn entry(row: &Row, cell: &Cell, rounds: usize) -> Entry {
    let mut notes = Vec::new();
    if let Some(spread) = cell.spread {
        let deviation = spread.deviation().map(figure::deviation);
        let parts: Vec<String> = deviation.into_iter().chain(cell.ratio.map(figure::times)).collect();
        notes.push(parts.join(" · "));
    }
    let found = cell.spread.map_or(0, |spread| spread.rounds);
    if cell.failed_rounds > 0 {
        notes.push(format!("{} failed", figure::count(cell.failed_rounds, "round")));
    } else if (1..rounds).contains(&found) {
        notes.push(format!("{} only", figure::count(found, "round")));
    }
    notes.retain(|note| !note.is_empty());
    let text = cell.spread.map_or(figure::NONE.to_owned(), |spread| figure(spread.median, row.unit));
    Entry { text, notes, strong: cell.best }
}

fn latencies(table: &Table) -> Grid {
    type Percentile = (&'static str, fn(&Latency) -> f64);
    const PERCENTILES: [Percentile; 5] = [
        ("p50", |latency| latency.p50_us),
        ("p95", |latency| latency.p95_us),
        ("p99", |latency| latency.p99_us),
        ("p99.9", |latency| latency.p999_us),
        ("max", |latency| latency.max_us),
    ];
    let mut rows = Vec::new();
    for row in &table.rows {
        let sound = || row.cells.iter().filter(|cell| cell.sound().is_some()).filter_map(|cell| cell.latency);
        let best = PERCENTILES.map(|(_, percentile)| sound().map(|latency| percentile(&latency)).reduce(f64::min));
        let is_compared = row.agrees() && sound().count() > 1;
        for (engine, cell) in table.engines.iter().zip(&row.cells) {
            let Some(latency) = cell.latency else { continue };
            let mut entries = vec![Entry::new(engine.clone())];
            for ((_, percentile), best) in PERCENTILES.iter().zip(best) {
                let value = percentile(&latency);
                let strong = is_compared && cell.sound().is_some() && Some(value) == best;
                entries.push(Entry { strong, ..Entry::new(number(value)) });
            }
            rows.push((row.name.clone(), entries));
        }
    }
    let columns = std::iter::once("engine").chain(PERCENTILES.map(|(name, _)| name));
    Grid {
        caption: format!("{}: latency of single operations in µs, lower is better", table.workload),
        label: "figure".to_owned(),
        columns: columns.map(str::to_owned).collect(),
        rows,
    }
}
