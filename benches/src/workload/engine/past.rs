//! What a history and a change feed cost: nothing where there is none, little where current values are read.

use super::row::{Key, Value};
use super::{Run, STRIDE};
use crate::Result;
use crate::distribution::Distribution;
use crate::engine::{Keeps, Opening, Transactional};
use crate::measure::{Laps, Measurement, Target, Unit};

/// Of the rows of the part, one in so many has a history.
const ROWS_PER_KEY: u64 = 20;
/// How often each of them is written.
const VERSIONS: u64 = 10;
/// Puts by which the maps take turns.
const PUTS_AT_ONCE: usize = 64;

/// A map, what it is called in a row, and how long it took.
struct Side<'a> {
    map: &'a dyn Transactional,
    name: &'static str,
    seconds: f64,
}

pub(super) fn run(run: &Run<'_>) -> Result<()> {
    let store = run.open(Opening::BUFFERED)?;
    run.load(&*store)?;
    let keys = run.workload.rows / ROWS_PER_KEY;
    let alone = open_alone(run)?;
    drop(run.phase("load the database of its own", 0)?);
    alone.load(&mut run.rows.load(run.workload.rows, &mut |_| ()))?;
    alone.compact()?;
    alone.settle()?;
    let with_history = fill(run, &*store, "past", Keeps::History, keys)?;
    let plain = fill(run, &*store, "present", Keeps::Nothing, keys)?;
    store.compact()?;
    store.settle()?;

    let share = gets(run, "a map beside one with a history", run.workload.rows, VERSION_LOADED, [&*alone, &*store])?;
    run.measured(share.target(Target::Figure(0.98)))?;
    let share = gets(run, "keys with ten versions", keys, VERSIONS, [&*plain, &*with_history])?;
    run.measured(share.target(Target::Figure(0.95)))?;
    drop((with_history, plain));
    puts(run, &*store)
}

/// The version in which rows are loaded.
const VERSION_LOADED: u64 = 0;

/// The same rows in a database of their own, where nothing has a history.
fn open_alone(run: &Run<'_>) -> Result<Box<dyn Transactional>> {
    let mut options = run.context.options();
    options.directory.push("alone");
    std::fs::create_dir(&options.directory)?;
    run.engine.open_transactional(&options, Opening::BUFFERED)
}

/// A map whose keys have all been written as often as [`VERSIONS`] says.
fn fill<'a>(
    run: &Run<'_>,
    store: &'a dyn Transactional,
    name: &str,
    keeps: Keeps,
    keys: u64,
) -> Result<Box<dyn Transactional + 'a>> {
    let map = store.another(name, keeps)?;
    let mut phase = run.phase(&format!("fill the map of the {name}"), keys * VERSIONS)?;
    for version in 1..=VERSIONS {
        for row in 0..keys {
            map.put(&run.rows.key(row), &run.rows.value(row, version))?;
        }
        phase.advance(keys)?;
    }
    Ok(map)
}

/// Gets the same random rows from two maps by turns: how fast the second one is, as a share of the first.
fn gets(run: &Run<'_>, of: &str, rows: u64, version: u64, maps: [&dyn Transactional; 2]) -> Result<Measurement> {
    let order = run.order(50, Distribution::Uniform, rows, run.workload.rows / 2);
    let mut phase = run.phase(&format!("current gets of {of}"), 2 * order.len() as u64)?;
    let mut seconds = [0.0; 2];
    let mut laps = Laps::start();
    for (turn, rows) in order.chunks(STRIDE).enumerate() {
        for side in [turn % 2, 1 - turn % 2] {
            laps.lap();
            for &row in rows {
                let row = u64::from(row);
                let found = run.get(maps[side], row, &run.rows.key(row))?;
                if found != version {
                    return Err(format!("wrong answer: row {row} in version {found}, not {version}").into());
                }
            }
            // The first of both to get a row finds it in memory that is further away.
            seconds[side] += laps.lap().as_secs_f64();
        }
        phase.advance(2 * rows.len() as u64)?;
    }
    Ok(Measurement::new(format!("current gets of {of}, beside those without"), Unit::Share, seconds[0] / seconds[1]))
}

/// Puts random rows, one by one, into maps that keep more and more, by turns.
fn puts(run: &Run<'_>, store: &dyn Transactional) -> Result<()> {
    let keys = run.workload.rows / ROWS_PER_KEY;
    let kinds = [
        ("nothing kept", Keeps::Nothing),
        ("history", Keeps::History),
        ("feed", Keeps::Feed),
        ("history and feed", Keeps::HistoryAndFeed),
    ];
    let maps = kinds.iter().map(|(name, keeps)| store.another(name, *keeps)).collect::<Result<Vec<_>>>()?;
    let mut sides: Vec<Side<'_>> =
        kinds.iter().zip(&maps).map(|((name, _), map)| Side { map: &**map, name, seconds: 0.0 }).collect();
    let order = run.order(51, Distribution::Uniform, keys, run.workload.rows / 10);
    let mut phase = run.phase("puts into maps that keep more and more", (sides.len() * order.len()) as u64)?;
    let mut laps = Laps::start();
    for (version, rows) in order.chunks(PUTS_AT_ONCE).enumerate() {
        let pairs: Vec<(Key, Value)> = rows.iter().map(|&row| pair(run, row, version)).collect();
        for side in &mut sides {
            laps.lap();
            for (key, value) in &pairs {
                side.map.put(key, value)?;
            }
            side.seconds += laps.lap().as_secs_f64();
        }
        phase.advance((kinds.len() * rows.len()) as u64)?;
    }
    drop(phase);
    for side in &sides {
        let rate = order.len() as f64 / side.seconds;
        let name = format!("put one by one, buffered, {}", side.name);
        let mut measured = Measurement::new(name, Unit::OperationsPerSecond, rate);
        measured.operations = Some(order.len() as u64);
        run.measured(measured)?;
    }
    Ok(())
}

fn pair(run: &Run<'_>, row: u32, version: usize) -> (Key, Value) {
    let row = u64::from(row);
    (run.rows.key(row), run.rows.value(row, version as u64))
}
