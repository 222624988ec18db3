//! The axes of plots: which values they show, and at which of them there are ticks.

/// An axis before it is known what lies on it.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    pub(super) name: String,
    pub(super) scale: Scale,
    /// How a tick is written.
    pub(super) label: fn(f64) -> String,
}

/// How values are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// Equal distances for equal differences.
    Linear,
    /// The same, with zero on it: heights can be compared.
    FromZero,
    /// Equal distances for equal ratios; zero and less cannot be shown.
    Logarithmic,
    /// A place for each value that occurs, and the same distance between all.
    Steps,
}

/// An axis laid out over some values.
#[derive(Debug)]
pub(super) struct Layout {
    scale: Scale,
    low: f64,
    high: f64,
    pub(super) ticks: Vec<f64>,
}

impl Scale {
    pub(super) fn can_show(self, value: f64) -> bool {
        value.is_finite() && (self != Scale::Logarithmic || value > 0.0)
    }

    /// Lays out an axis with about `wanted` ticks over values that it can show; `None` without any.
    pub(super) fn layout(self, values: impl IntoIterator<Item = f64>, wanted: usize) -> Option<Layout> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        let (least, most) = (*values.first()?, *values.last()?);
        let (low, high, ticks) = match self {
            Scale::Steps => (0.0, (values.len() - 1) as f64, values),
            Scale::Logarithmic => {
                let (low, high) = if least < most { (least, most) } else { (least / 2.0, most * 2.0) };
                let ticks = powers(low, high);
                let ticks = if ticks.len() < 3 { multiples(low, high, wanted) } else { ticks };
                (low, high, ticks)
            }
            Scale::Linear | Scale::FromZero => {
                let least = if self == Scale::FromZero { least.min(0.0) } else { least };
                let (low, high) = if least < most { (least, most) } else { (least - 0.5, most + 0.5) };
                (low, high, multiples(low, high, wanted))
            }
        };
        // Ticks frame what is shown: the lowest and the highest are the ends.
        let (low, high) = match (self, ticks.first(), ticks.last()) {
            (Scale::Steps, ..) | (_, None, _) | (_, _, None) => (low, high),
            (_, Some(first), Some(last)) => (low.min(*first), high.max(*last)),
        };
        Some(Layout { scale: self, low, high, ticks })
    }
}

impl Layout {
    /// Where a value lies, from 0 to 1.
    pub(super) fn position(&self, value: f64) -> f64 {
        let (value, low, high) = match self.scale {
            Scale::Linear | Scale::FromZero => (value, self.low, self.high),
            Scale::Logarithmic => (value.ln(), self.low.ln(), self.high.ln()),
            Scale::Steps => {
                let index = self.ticks.iter().position(|tick| *tick == value).unwrap_or(0);
                (index as f64, self.low, self.high)
            }
        };
        if high > low { (value - low) / (high - low) } else { 0.5 }
    }
}

/// Multiples of 1, 2 or 5 times a power of ten that reach from `low` or below to `high` or above.
fn multiples(low: f64, high: f64, wanted: usize) -> Vec<f64> {
    let rough = (high - low) / wanted.max(1) as f64;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * power).find(|step| *step >= rough * 0.999);
    let step = step.unwrap_or(power * 10.0);
    let (first, last) = ((low / step + 1e-9).floor(), (high / step - 1e-9).ceil());
    // Division by the inverse where it is a whole number: 3 / 10 is 0.3, 3 * 0.1 is not.
    let at = |index: f64| if step < 1.0 { index / (1.0 / step).round() } else { index * step };
    let count = (last - first).clamp(0.0, 100.0) as usize;
    (0..=count).map(|index| at(first + index as f64)).collect()
}

/// Powers of ten, with 2 and 5 times each where those are few, that reach from `low` or below to `high` or above.
fn powers(low: f64, high: f64) -> Vec<f64> {
    let (first, last) = ((low.log10() + 1e-9).floor(), (high.log10() - 1e-9).ceil());
    let decades = (last - first).clamp(0.0, 40.0) as i32;
    let powers = (0..=decades).map(|decade| 10_f64.powi(first as i32 + decade));
    if decades > 3 {
        return powers.collect();
    }
    let all: Vec<f64> = powers.flat_map(|power| [power, power * 2.0, power * 5.0]).collect();
    let from = all.iter().rposition(|tick| *tick <= low * (1.0 + 1e-9)).unwrap_or(0);
    let to = all.iter().position(|tick| *tick >= high * (1.0 - 1e-9)).unwrap_or(all.len() - 1);
    all[from..=to.max(from)].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(scale: Scale, values: &[f64]) -> Vec<f64> {
        scale.layout(values.iter().copied(), 4).unwrap().ticks
    }

    #[test]
    fn ticks_are_round_and_frame_the_values() {
        assert_eq!(ticks(Scale::Linear, &[0.913, 0.998]), [0.9, 0.95, 1.0]);
        assert_eq!(ticks(Scale::FromZero, &[70_000.0, 183_000.0]), [0.0, 50_000.0, 100_000.0, 150_000.0, 200_000.0]);
        assert_eq!(ticks(Scale::Linear, &[0.0, 1.0]), [0.0, 0.5, 1.0]);
        assert_eq!(ticks(Scale::Logarithmic, &[3.0, 150_000.0]), [1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6]);
        assert_eq!(ticks(Scale::Logarithmic, &[30.0, 400.0]), [20.0, 50.0, 100.0, 200.0, 500.0]);
        assert_eq!(ticks(Scale::Steps, &[1.0, 8.0, 2.0, 8.0]), [1.0, 2.0, 8.0]);
    }

    #[test]
    fn places_grow_with_values_and_stay_inside() {
        let values = [2.0, 3.0, 50.0, 700.0];
        for scale in [Scale::Linear, Scale::FromZero, Scale::Logarithmic, Scale::Steps] {
            let layout = scale.layout(values, 4).unwrap();
            let places = values.map(|value| layout.position(value));
            assert!(places.is_sorted() && places[0] >= 0.0 && places[3] <= 1.0, "{scale:?}: {places:?}");
        }
        let layout = Scale::Logarithmic.layout([1.0, 100.0], 4).unwrap();
        assert!((layout.position(10.0) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn a_single_value_has_an_axis_too() {
        for scale in [Scale::Linear, Scale::FromZero, Scale::Logarithmic, Scale::Steps] {
            for value in [1.0, 0.37, 123_456.0] {
                let place = scale.layout([value], 4).unwrap().position(value);
                assert!((0.0..=1.0).contains(&place), "{scale:?}: {place}");
            }
        }
        assert!((0.0..=1.0).contains(&Scale::FromZero.layout([0.0], 4).unwrap().position(0.0)));
        assert!(Scale::Linear.layout([], 4).is_none());
    }

    #[test]
    fn a_logarithmic_axis_has_no_place_for_zero() {
        assert!(!Scale::Logarithmic.can_show(0.0) && Scale::Linear.can_show(0.0) && !Scale::Linear.can_show(f64::NAN));
    }
}
