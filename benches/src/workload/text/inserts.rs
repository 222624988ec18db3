//! What an index of texts costs who inserts one.

use super::{Run, TextSource};
use crate::Result;
use crate::engine::TextPlace;
use crate::measure::{Measurement, Target, Unit};

pub(super) const DESCRIPTION: &str = "They are in a collection with an index of their words; 10000 of them are in another one \
    with an index, and in one without. Then single texts are inserted, each durable when the call returns, into the three in \
    turn. What was inserted is found by the index at once.";

/// Texts in the small collections.
const SMALL: u64 = 10_000;
const INSERTED: u64 = 1000;
/// How many times as long an insert may take with the index.
const WITH_INDEX: f64 = 2.0;
/// And with a large index by a small one.
const GROWN: f64 = 1.5;

pub(super) fn run(run: &Run<'_>, rows: u64) -> Result<()> {
    let store = run.engine.open_text_store(&run.context.options())?;
    let small = SMALL.min((rows / 10).max(1));
    let count = INSERTED.min(rows.max(10));
    let source = TextSource::Generated { rows: rows + count };
    let texts = run.texts(&source)?;
    for (place, rows, name) in [
        (TextPlace::Plain, small, "load, without an index"),
        (TextPlace::Small, small, "load, with a small index"),
        (TextPlace::Large, rows, "load, with a large index"),
    ] {
        let mut phase = run.phase(name, rows)?;
        store.load(place, &texts, rows)?;
        phase.advance(rows)?;
        run.measured(phase.rate())?;
    }
    crate::workload::measure_bare_sync(run.context)?;

    let places = [TextPlace::Plain, TextPlace::Small, TextPlace::Large];
    let names = ["insert without an index", "insert with a small index", "insert with a large index"];
    let words = [(TextPlace::Small, small), (TextPlace::Large, rows)];
    let word = texts.word(most_frequent(&texts.frequencies())).to_owned();
    let before = words.map(|(place, _)| store.count(place, &word));
    let mut phases = Vec::new();
    for name in names {
        phases.push(run.phase(name, count)?.with_latencies());
    }
    for number in 0..count {
        let text = texts.text((rows + number) as usize);
        for (phase, place) in phases.iter_mut().zip(places) {
            phase.skip();
            store.insert(place, rows + number, &text)?;
            phase.advance(1)?;
        }
    }
    let rates: Vec<Measurement> = phases.into_iter().map(crate::workload::Phase::rate).collect();
    let middle: Vec<f64> = rates.iter().map(|rate| rate.latency.unwrap_or_default().p50_us).collect();
    for rate in rates {
        run.measured(rate)?;
    }
    let ratio = |name: &str, ratio: f64, most: f64| {
        run.measured(Measurement::new(name, Unit::Ratio, ratio).target(Target::Figure(most)))
    };
    ratio("p50 of an insert, with a small index by without", middle[1] / middle[0], WITH_INDEX)?;
    ratio("p50 of an insert, with a large index by without", middle[2] / middle[0], WITH_INDEX)?;
    ratio("p50 of an insert, with a large index by a small one", middle[2] / middle[1], GROWN)?;

    let new = (rows..rows + count).filter(|&row| has(&texts, row, &word)).count() as u64;
    for ((place, _), before) in words.into_iter().zip(before) {
        let expected = before? + new;
        crate::workload::expect(&format!("texts with '{word}' in {place:?}"), expected, store.count(place, &word)?)?;
    }
    Ok(())
}

fn has(texts: &crate::dataset::text::TextSet, row: u64, word: &str) -> bool {
    texts.tokens(row as usize).iter().any(|&token| texts.word(token) == word)
}

fn most_frequent(frequencies: &[u32]) -> u32 {
    let all = frequencies.iter().zip(0..);
    all.max_by_key(|(frequency, _)| **frequency).map_or(0, |(_, word)| word)
}
