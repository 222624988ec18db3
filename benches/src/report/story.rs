//! What a report says, from its title to the last footnote.

use super::block::{Block, Entry, Grid, Story};
use super::figure::{self, figure};
use super::standing::{Rival, Standing};
use super::summary::{Answer, Row, Summary, Table};
use super::{Report, tables, targets};
use crate::machine::{Disk, Machine};
use crate::measure::Unit;

/// Puts it together.
pub(super) fn tell(report: &Report, summary: &Summary) -> Story {
    let title = report.engines.first().map_or("Benchmark".to_owned(), |engine| {
        format!("Benchmark of {} {}", engine.name, engine.version).trim().to_owned()
    });
    let mut blocks = warnings(report, summary);
    blocks.push(Block::Facts(facts(report)));
    if !report.conditions.is_empty() {
        blocks.push(Block::Section("Conditions".to_owned()));
        blocks.push(Block::List(report.conditions.clone()));
    }
    if let Some(grid) = targets::grid(report, summary, false) {
        blocks.extend([Block::Section("Targets".to_owned()), Block::Grid(grid)]);
    }
    blocks.extend(standing(summary));
    if summary.tables.is_empty() {
        blocks.push(Block::Paragraph("Nothing was measured.".to_owned()));
    } else {
        blocks.push(Block::Section("How to read the tables".to_owned()));
        blocks.push(Block::Paragraph(legend(summary)));
    }
    for table in &summary.tables {
        blocks.extend(tables::of_workload(table, &summary.engines));
    }
    blocks.extend(engines(report));
    if !report.skipped.is_empty() {
        let line = |skipped: &super::Skipped| format!("{}: {}", skipped.what, skipped.why);
        blocks.push(Block::Section("Left out".to_owned()));
        blocks.push(Block::List(report.skipped.iter().map(line).collect()));
    }
    Story { title, blocks }
}

/// What makes figures doubtful comes before all of them.
fn warnings(report: &Report, summary: &Summary) -> Vec<Block> {
    let mut warnings = Vec::new();
    let mut warn = |what: String, details: Vec<String>| warnings.push(Block::Warning(what, details));
    if !report.is_complete() {
        let jobs = figure::count(report.missing.len(), "job");
        let what = format!("This run is not complete: {jobs} had still to run when this was written.");
        warn(what, missing(report));
    }
    let disagreements: Vec<String> = summary.disagreements().map(|(table, row)| disagreement(table, row)).collect();
    if !disagreements.is_empty() {
        let rows = figure::count(disagreements.len(), "row");
        warn(format!("Wrong answers: in {rows} the engines do not agree. Their figures mean nothing."), disagreements);
    }
    let failures: Vec<String> = report.failures().map(failure).collect();
    if !failures.is_empty() {
        let rounds = format!("{} failed. Figures beside a failed round count for nobody.", jobs(failures.len()));
        warn(rounds, failures);
    }
    if report.machine.disk.is_memory {
        let what = "The disk is memory: what is said here about durable writes is not true of a disk.";
        warn(what.to_owned(), Vec::new());
    }
    let cells = summary.tables.iter().flat_map(|table| &table.rows).flat_map(|row| &row.cells);
    let once = cells.filter_map(|cell| cell.spread).filter(|spread| spread.rounds == 1).count();
    if once > 0 {
        let figures = figure::count(once, "figure");
        let what =
            format!("{figures} of a single round: how far rounds differ is not known, and who is ahead is a hint.");
        warn(what, Vec::new());
    }
    warnings
}

fn jobs(number: usize) -> String {
    figure::count(number, "job")
}

fn failure(outcome: &super::Outcome) -> String {
    let why = outcome.failure.as_deref().unwrap_or_default();
    format!("{}, {}, round {}: {why}", outcome.workload, outcome.engine, outcome.round + 1)
}

fn missing(report: &Report) -> Vec<String> {
    let mut workloads: Vec<(&str, Vec<(String, u32)>)> = Vec::new();
    for job in &report.missing {
        let who = (job.engine.clone(), job.round);
        match workloads.iter_mut().find(|(workload, _)| *workload == job.workload) {
            Some((_, jobs)) => jobs.push(who),
            None => workloads.push((&job.workload, vec![who])),
        }
    }
    workloads.into_iter().map(|(workload, jobs)| format!("{workload}: {}", by_engine(&jobs))).collect()
}

fn disagreement(table: &Table, row: &Row) -> String {
    let answer = |answer: &Answer| format!("{:#x} from {}", answer.checksum, by_engine(&answer.given_by));
    let answers: Vec<String> = row.answers.iter().map(answer).collect();
    format!("{}, {}: {}", table.workload, row.name, answers.join("; "))
}

/// `blaze (round 1), redb (rounds 1, 2)`
fn by_engine(jobs: &[(String, u32)]) -> String {
    let mut engines: Vec<(&str, Vec<String>)> = Vec::new();
    for (engine, round) in jobs {
        let round = (round + 1).to_string();
        match engines.iter_mut().find(|(name, _)| name == engine) {
            Some((_, rounds)) => rounds.push(round),
            None => engines.push((engine, vec![round])),
        }
    }
    let one = |(engine, rounds): &(&str, Vec<String>)| {
        format!("{engine} (round{} {})", if rounds.len() == 1 { "" } else { "s" }, rounds.join(", "))
    };
    engines.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn facts(report: &Report) -> Vec<(&'static str, String)> {
    let Machine { processor, cores, memory_bytes, system, disk } = &report.machine;
    let mut machine = vec![processor.clone()];
    if *cores > 0 {
        machine.push(figure::count(*cores, "core"));
    }
    if *memory_bytes > 0 {
        machine.push(format!("{} of memory", figure(*memory_bytes as f64, Unit::Bytes)));
    }
    machine.retain(|part| !part.is_empty());
    let minutes = figure::number((report.elapsed_s / 6.0).round() / 10.0);
    let facts = [
        ("Machine", machine.join(", ")),
        ("System", system.clone()),
        ("Disk", about_disk(disk)),
        ("Revision", report.revision.clone()),
        ("Arguments", report.command.clone()),
        ("Began", report.started.clone()),
        ("Took", format!("{minutes} minutes")),
    ];
    facts.into_iter().filter(|(_, what)| !what.is_empty()).collect()
}

fn about_disk(disk: &Disk) -> String {
    let mut parts = vec![disk.filesystem.clone()];
    if disk.is_memory {
        parts.push("in memory".to_owned());
    }
    if disk.sync_p50_us > 0.0 {
        let [half, most] = [disk.sync_p50_us, disk.sync_p99_us].map(|time| figure(time / 1e6, Unit::Seconds));
        parts.push(format!("fdatasync {half} (p50), {most} (p99)"));
    }
    parts.retain(|part| !part.is_empty());
    parts.join(", ")
}

/// Where the first engine leads, and where it loses: nothing is left to be found in the tables.
fn standing(summary: &Summary) -> Vec<Block> {
    let Some(first) = summary.engines.first().filter(|_| summary.engines.len() > 1) else { return Vec::new() };
    let standings: Vec<(&Table, &Row, Standing)> = summary.standings().collect();
    let count = |wanted: fn(&Standing) -> bool| standings.iter().filter(|(.., standing)| wanted(standing)).count();
    let mut behind: Vec<(&Table, &Row, &[Rival])> = Vec::new();
    for (table, row, standing) in &standings {
        if let Standing::Behind(rivals) = standing {
            behind.push((table, row, rivals));
        }
    }
    let worst = |rivals: &[Rival]| rivals.first().and_then(|rival| rival.times).unwrap_or(f64::INFINITY);
    behind.sort_by(|(.., one), (.., other)| worst(other).total_cmp(&worst(one)));
    let told = format!(
        "{first} leads in {} of {}: every round of it was better than every round of every other engine. It loses in \
         {}: every round of another engine was better. In {} the rounds overlap, and in {} there is nothing to compare.",
        count(|standing| *standing == Standing::Ahead),
        figure::count(standings.len(), "row"),
        behind.len(),
        count(|standing| *standing == Standing::Level),
        count(|standing| *standing == Standing::Open),
    );
    let mut blocks = vec![Block::Section(format!("Where {first} loses")), Block::Paragraph(told)];
    if !behind.is_empty() {
        blocks.push(Block::Grid(Grid {
            caption: "Worst first. The factor says how many times better the other engine is.".to_owned(),
            label: "row".to_owned(),
            columns: vec![first.clone(), "better".to_owned()],
            rows: behind.iter().map(|(table, row, rivals)| lost_row(table, row, rivals)).collect(),
        }));
    }
    blocks
}

fn lost_row(table: &Table, row: &Row, rivals: &[Rival]) -> (String, Vec<Entry>) {
    let median = |column: usize| {
        let spread = row.cells.get(column).and_then(|cell| cell.spread);
        spread.map_or(figure::NONE.to_owned(), |spread| figure(spread.median, row.unit))
    };
    let rival = |rival: &Rival| {
        let times = rival.times.map(|times| format!(" ({})", figure::times(times))).unwrap_or_default();
        format!("{} {}{times}", table.engines[rival.column], median(rival.column))
    };
    let mut better = rivals.iter().map(rival);
    let best = Entry { text: better.next().unwrap_or_default(), notes: better.collect(), strong: false };
    (format!("{}: {}", table.workload, row.name), vec![Entry::new(median(0)), best])
}

fn legend(summary: &Summary) -> String {
    let first = summary.engines.first().map_or("the first engine", String::as_str);
    format!(
        "A figure is the median over rounds; ±% is how far the furthest round was from it. 1.23× is the figure as a \
         multiple of that of {first}. ↑ marks rows where more is better, ↓ those where less is. The best median of a \
         row is bold, unless its engine failed a round or the answers disagree."
    )
}

fn engines(report: &Report) -> Vec<Block> {
    let mut blocks = vec![Block::Section("Engines".to_owned())];
    for engine in &report.engines {
        blocks.push(Block::Subsection(format!("{} {}", engine.name, engine.version).trim().to_owned()));
        if !engine.configuration.is_empty() {
            blocks.push(Block::List(engine.configuration.clone()));
        }
    }
    if report.engines.is_empty() { Vec::new() } else { blocks }
}
