//! What is said about a comparison.

use super::{Change, Comparison, Verdict};
use crate::report::block::{Block, Entry, Grid, Story};
use crate::report::figure::{self, figure};
use crate::report::spread::Spread;

/// Puts it together.
pub(super) fn tell(comparison: &Comparison) -> Story {
    let mut blocks = Vec::new();
    if !comparison.warnings.is_empty() {
        let what = "There are reasons to doubt this comparison.".to_owned();
        blocks.push(Block::Warning(what, comparison.warnings.clone()));
    }
    if !comparison.new_failures.is_empty() {
        let what = format!("{} fails where it did not.", comparison.subject);
        blocks.push(Block::Warning(what, comparison.new_failures.clone()));
    }
    let (subject, others): (Vec<&Change>, Vec<&Change>) =
        comparison.changes.iter().partition(|change| change.engine == comparison.subject);
    if !subject.is_empty() {
        blocks.push(Block::Grid(grid(&comparison.subject, &subject, false)));
    }
    if !others.is_empty() {
        blocks.push(Block::Section("The other engines".to_owned()));
        blocks.push(Block::Paragraph(drift(comparison)));
        blocks.push(Block::Grid(grid("the other engines", &others, true)));
    }
    for (title, rows) in [("Only before", &comparison.only_before), ("Only after", &comparison.only_after)] {
        if !rows.is_empty() {
            blocks.push(Block::Section(title.to_owned()));
            blocks.push(Block::List(rows.clone()));
        }
    }
    blocks.push(Block::Section("Verdict".to_owned()));
    blocks.push(Block::Paragraph(chance(&subject)));
    blocks.retain(|block| !matches!(block, Block::Paragraph(text) if text.is_empty()));
    blocks.push(Block::Paragraph(verdict(comparison, &subject)));
    Story { title: format!("{}, before and after", comparison.subject), blocks }
}

fn grid(of: &str, changes: &[&Change], with_engine: bool) -> Grid {
    let row = |change: &&Change| {
        let engine = if with_engine { format!("{}, ", change.engine) } else { String::new() };
        let differs = matches!(change.verdict, Verdict::Worse | Verdict::Better);
        let entries = vec![
            spread(&change.before, change),
            spread(&change.after, change),
            Entry { strong: differs, ..Entry::new(figure::change(change.percent)) },
            Entry { strong: differs, ..Entry::new(name(change.verdict)) },
        ];
        (format!("{engine}{}: {}", change.workload, change.row), entries)
    };
    Grid {
        caption: format!("Medians of {of}, the worst first; + is better."),
        label: "figure".to_owned(),
        columns: ["before", "after", "change", "verdict"].map(str::to_owned).to_vec(),
        rows: changes.iter().map(row).collect(),
    }
}

fn spread(spread: &Spread, change: &Change) -> Entry {
    let note = match spread.deviation() {
        Some(percent) => figure::deviation(percent),
        None => figure::count(spread.rounds, "round"),
    };
    Entry { notes: vec![note], ..Entry::new(figure(spread.median, change.unit)) }
}

fn name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Worse => "worse",
        Verdict::Inconclusive => "inconclusive",
        Verdict::Unchanged => "unchanged",
        Verdict::Better => "better",
    }
}

fn drift(comparison: &Comparison) -> String {
    let Some(drift) = comparison.drift else {
        return "None of them is the same in both runs, so that they say nothing about the machine.".to_owned();
    };
    format!(
        "Engines that are the same in both runs drifted by {} in the median of {}. That is the machine's doing, not \
         theirs: read the changes of {} with it in mind.",
        figure::change(drift.percent),
        figure::count(drift.rows, "row"),
        comparison.subject
    )
}

/// What chance alone would do.
fn chance(changes: &[&Change]) -> String {
    let tested: Vec<&&Change> = changes.iter().filter(|change| change.verdict != Verdict::Inconclusive).collect();
    if tested.is_empty() {
        return String::new();
    }
    let expected: f64 =
        tested.iter().map(|change| chance_of_separation(change.before.rounds, change.after.rounds)).sum();
    format!(
        "If nothing had changed, chance alone would have separated the rounds of about {expected:.1} of these {}, apart \
         from the threshold: a single verdict is a hint.",
        figure::count(tested.len(), "row")
    )
}

/// How likely it is that all of n rounds are above or below all of m when they are of one kind: 2·n!·m!/(n+m)!.
fn chance_of_separation(n: usize, m: usize) -> f64 {
    2.0 * (1..=m).map(|index| index as f64 / (n + index) as f64).product::<f64>()
}

fn verdict(comparison: &Comparison, changes: &[&Change]) -> String {
    let count = |verdict| changes.iter().filter(|change| change.verdict == verdict).count();
    let counts = [Verdict::Worse, Verdict::Better, Verdict::Unchanged, Verdict::Inconclusive]
        .map(|verdict| format!("{} {}", count(verdict), name(verdict)));
    let head = match () {
        () if !comparison.new_failures.is_empty() => "fails where it did not",
        () if count(Verdict::Worse) > 0 => "became worse",
        () if changes.len() == count(Verdict::Inconclusive) => "cannot be judged",
        () if count(Verdict::Better) > 0 => "became better",
        () => "is unchanged",
    };
    let drift = comparison.drift.map(|drift| format!(" The others drifted by {}.", figure::change(drift.percent)));
    format!(
        "{} {head}: {} of {} (threshold {}%).{}",
        comparison.subject,
        counts.join(", "),
        figure::count(changes.len(), "row"),
        figure::number(comparison.threshold * 100.0),
        drift.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chance_of_separation_is_that_of_two_orders_of_all() {
        for (n, m, expected) in [(1, 1, 1.0), (3, 3, 0.1), (4, 4, 2.0 / 70.0), (5, 5, 2.0 / 252.0), (2, 3, 0.2)] {
            assert!((chance_of_separation(n, m) - expected).abs() < 1e-12, "{n} and {m}");
        }
    }
}
