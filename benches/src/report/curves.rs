//! Which plots a table has.

use super::axis::{Axis, Scale};
use super::figure::{figure, number, short, short_duration};
use super::plot::{Dot, Line, Plot};
use super::summary::{Row, Table};
use crate::measure::{Moment, Series, Unit};

/// A line over time has at most so many points; each stands for several moments where there are more.
const MOST_POINTS: usize = 120;
/// A phase that was over sooner is no story.
const FEWEST_MOMENTS: usize = 5;

/// The plots whose lines are made of several rows. `engines` are those of the whole report: each has its colour.
pub(super) fn by_series(table: &Table, engines: &[String]) -> Vec<Plot> {
    let all = [Series::ReadsByThreads, Series::CommitsByThreads, Series::QueriesByRecall];
    all.into_iter().filter_map(|series| series_plot(table, engines, series)).collect()
}

fn series_plot(table: &Table, engines: &[String], series: Series) -> Option<Plot> {
    let (title, x, y, across, up) = match series {
        Series::ReadsByThreads => ("Reads by threads", "threads", "reads a second", Scale::Steps, Scale::FromZero),
        Series::CommitsByThreads => {
            ("Commits by threads", "threads", "commits a second", Scale::Steps, Scale::FromZero)
        }
        Series::QueriesByRecall => {
            ("Queries by recall", "recall", "queries a second", Scale::Linear, Scale::Logarithmic)
        }
    };
    let dot = |row: &Row, column: usize| {
        let cell = row.cells.get(column)?;
        let point = cell.point.filter(|point| point.series == series)?;
        let spread = cell.spread?;
        let place = if series == Series::QueriesByRecall { figure(point.x, Unit::Share) } else { short(point.x) };
        let label =
            format!("{}, {x} {place}: {} ({})", table.engines[column], figure(spread.median, row.unit), row.name);
        Some(Dot { x: point.x, y: spread.median, range: Some((spread.min, spread.max)), label })
    };
    let points_of = |column: usize| {
        let mut points: Vec<Dot> = table.rows.iter().filter_map(|row| dot(row, column)).collect();
        points.sort_by(|one, other| one.x.total_cmp(&other.x));
        points
    };
    let plot = Plot {
        title: title.to_owned(),
        description: format!("A line for each engine: {y} by {x}. The figures are in the table above."),
        x: Axis { name: x.to_owned(), scale: across, label: short },
        y: Axis { name: y.to_owned(), scale: up, label: short },
        lines: lines(table, engines, points_of),
    };
    plot.drawable()
}

/// How a row went over time: its rate and its latencies; nothing for short phases.
pub(super) fn over_time(table: &Table, row: &Row, engines: &[String]) -> Vec<Plot> {
    if longest(row) < FEWEST_MOMENTS {
        return Vec::new();
    }
    type Value = (&'static str, Scale, fn(f64) -> String, fn(&[Moment]) -> f64);
    let values: [Value; 3] = [
        ("operations a second", Scale::FromZero, short, |moments| mean(moments, |moment| moment.rate)),
        ("latency, p50", Scale::Logarithmic, short_duration, |moments| mean(moments, |moment| moment.p50_us) / 1e6),
        ("latency, p99", Scale::Logarithmic, short_duration, |moments| {
            moments.iter().map(|moment| moment.p99_us).fold(0.0, f64::max) / 1e6
        }),
    ];
    let plot = |(name, scale, label, value): Value| {
        let points_of = |column: usize| {
            let timeline = row.cells.get(column).map(|cell| cell.timeline.as_slice()).unwrap_or_default();
            let dot = |moments: &[Moment]| {
                let (at, y) = (moments.last()?.at_s, value(moments));
                let text = format!("{} after {} s: {}", table.engines[column], number(at), label(rounded(y)));
                Some(Dot { x: at, y, range: None, label: text })
            };
            timeline.chunks(moments_per_point(row)).filter_map(dot).collect()
        };
        let plot = Plot {
            title: format!("{}: {name}", row.name),
            description: format!("A line for each engine: {name} by seconds since the phase began."),
            x: Axis { name: "seconds".to_owned(), scale: Scale::FromZero, label: short },
            y: Axis { name: name.to_owned(), scale, label },
            lines: lines(table, engines, points_of),
        };
        plot.drawable()
    };
    values.into_iter().filter_map(plot).collect()
}

/// How many moments each point of [`over_time`] stands for: their mean rate and p50, and their worst p99.
pub(super) fn moments_per_point(row: &Row) -> usize {
    longest(row).div_ceil(MOST_POINTS).max(1)
}

/// Moments of the longest timeline in a row.
pub(super) fn longest(row: &Row) -> usize {
    row.cells.iter().map(|cell| cell.timeline.len()).max().unwrap_or(0)
}

fn lines(table: &Table, engines: &[String], points_of: impl Fn(usize) -> Vec<Dot>) -> Vec<Line> {
    let line = |(column, name): (usize, &String)| {
        let style = engines.iter().position(|engine| engine == name).unwrap_or(column);
        Line { name: name.clone(), style, points: points_of(column) }
    };
    table.engines.iter().enumerate().map(line).collect()
}

fn mean(moments: &[Moment], value: fn(&Moment) -> f64) -> f64 {
    moments.iter().map(value).sum::<f64>() / moments.len() as f64
}

/// To three significant digits.
fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let scale = 10_f64.powf(2.0 - value.abs().log10().floor());
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::super::Summary;
    use super::super::fixture::{empty, measured, outcome, rate};
    use super::*;
    use crate::measure::Measurement;

    #[test]
    fn a_point_of_a_long_line_has_the_mean_rate_and_the_worst_p99_of_its_moments() {
        let moment = |second: u32| Moment {
            at_s: f64::from(second),
            rate: if second.is_multiple_of(2) { 300.0 } else { 100.0 },
            p50_us: 10.0,
            p99_us: if second == 1 { 9000.0 } else { 50.0 },
            max_us: 9000.0,
        };
        let timeline: Vec<Moment> = (1..=240).map(moment).collect();
        let report =
            measured(&[("blaze", &[1.0])], |value| Measurement { timeline: timeline.clone(), ..rate("long", value) });
        let summary = Summary::of(&report);
        let (table, row) = (&summary.tables[0], &summary.tables[0].rows[0]);
        assert_eq!(moments_per_point(row), 2);
        let plots = over_time(table, row, &summary.engines);
        let points = |plot: usize| &plots[plot].lines[0].points;
        assert_eq!((points(0).len(), points(0)[0].x, points(0)[0].y), (120, 2.0, 200.0));
        assert_eq!((points(2)[0].y, points(2)[1].y), (0.009, 0.000_05));
    }

    #[test]
    fn a_line_by_series_goes_from_left_to_right_with_the_range_of_its_rounds() {
        let mut report = empty();
        for (round, factor) in [(0, 1.0), (1, 2.0), (2, 3.0)] {
            let found = [(0.99, 10.0), (0.9, 100.0)].map(|(recall, queries)| {
                rate(&format!("{recall}"), queries * factor).at(Series::QueriesByRecall, recall)
            });
            report.outcomes.push(outcome("redb", round, found.to_vec()));
        }
        let summary = Summary::of(&report);
        let plots = by_series(&summary.tables[0], &summary.engines);
        assert_eq!((plots.len(), plots[0].lines.len()), (1, 1), "without a figure there is no line");
        let line = &plots[0].lines[0];
        assert_eq!((line.name.as_str(), line.style), ("redb", 1), "an engine has the same colour everywhere");
        let points: Vec<_> = line.points.iter().map(|point| (point.x, point.y, point.range)).collect();
        assert_eq!(points, [(0.9, 200.0, Some((100.0, 300.0))), (0.99, 20.0, Some((10.0, 30.0)))]);
    }
}
