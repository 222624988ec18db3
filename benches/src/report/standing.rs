//! How the first engine of a report stands to the others.

use super::summary::{Row, Summary, Table};

/// How the first engine of a row stands to the others. Noise is how far rounds differ: one engine is better beyond it
/// when every one of its rounds is better than every round of the other.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// It is better than every other, beyond the noise.
    Ahead,
    /// Nobody is better beyond the noise, and not everybody is worse.
    Level,
    /// These are better beyond the noise; the best of them first.
    Behind(Vec<Rival>),
    /// There is nothing to compare: it or all others have no figure or failed a round, or the answers disagree.
    Open,
}

/// An engine that is better.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rival {
    /// Its column.
    pub column: usize,
    /// How many times better its median is; `None` where one of both is 0.
    pub times: Option<f64>,
}

impl Row {
    /// How the first engine stands to the others. An engine that failed a round is no rival.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let Some(first) = self.cells.first().and_then(|cell| cell.sound()).filter(|_| self.agrees()) else {
            return Standing::Open;
        };
        let rivals = || {
            let cells = self.cells.iter().enumerate().skip(1);
            cells.filter_map(|(column, cell)| Some((column, cell.sound()?)))
        };
        let mut better: Vec<Rival> = rivals()
            .filter(|(_, rival)| rival.beats(first, self.unit))
            .map(|(column, rival)| Rival { column, times: rival.times_better(first, self.unit) })
            .collect();
        let size = |rival: &Rival| rival.times.unwrap_or(f64::INFINITY);
        better.sort_by(|one, other| size(other).total_cmp(&size(one)));
        match rivals().count() {
            0 => Standing::Open,
            _ if !better.is_empty() => Standing::Behind(better),
            _ if rivals().all(|(_, rival)| first.beats(rival, self.unit)) => Standing::Ahead,
            _ => Standing::Level,
        }
    }
}

impl Summary {
    /// Every row with its table and how the first engine stands in it.
    pub fn standings(&self) -> impl Iterator<Item = (&Table, &Row, Standing)> {
        let rows = self.tables.iter().flat_map(|table| table.rows.iter().map(move |row| (table, row)));
        rows.map(|(table, row)| (table, row, row.standing()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Report;
    use super::super::fixture::{measured, reads};
    use super::*;
    use crate::measure::{Measurement, Unit};

    fn standing(report: &Report) -> Standing {
        Summary::of(report).tables[0].rows[0].standing()
    }

    #[test]
    fn ahead_is_who_beats_every_other_in_every_round() {
        let rivals: &[f64] = &[70.0, 80.0];
        assert_eq!(
            standing(&reads(&[("blaze", &[90.0, 100.0]), ("redb", rivals), ("fjall", rivals)])),
            Standing::Ahead
        );
        assert_eq!(standing(&reads(&[("blaze", &[75.0, 100.0]), ("redb", rivals)])), Standing::Level);
    }

    #[test]
    fn behind_are_all_who_are_better_in_every_round_and_the_best_is_first() {
        let report = reads(&[("blaze", &[10.0, 12.0]), ("redb", &[20.0, 24.0]), ("fjall", &[33.0, 33.0])]);
        let (redb, fjall) = (Rival { column: 1, times: Some(2.0) }, Rival { column: 2, times: Some(3.0) });
        assert_eq!(standing(&report), Standing::Behind(vec![fjall, redb]));
    }

    #[test]
    fn less_time_is_better() {
        let report =
            measured(&[("blaze", &[3.0]), ("redb", &[1.0])], |value| Measurement::new("opens", Unit::Seconds, value));
        assert_eq!(standing(&report), Standing::Behind(vec![Rival { column: 1, times: Some(3.0) }]));
    }

    #[test]
    fn without_a_sound_figure_on_both_sides_nothing_is_said() {
        assert_eq!(standing(&reads(&[("blaze", &[1.0])])), Standing::Open);
        assert_eq!(standing(&reads(&[("redb", &[1.0])])), Standing::Open);
        for failing in 0..2 {
            let mut report = reads(&[("blaze", &[1.0]), ("redb", &[2.0])]);
            report.outcomes[failing].failure = Some("killed".into());
            assert_eq!(standing(&report), Standing::Open);
        }
        let report = measured(&[("blaze", &[1.0]), ("redb", &[2.0])], |value| {
            Measurement::new("reads", Unit::OperationsPerSecond, value).checksum(value as u64)
        });
        assert_eq!(standing(&report), Standing::Open);
    }
}
