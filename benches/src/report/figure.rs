//! Figures as people read them.

use crate::measure::Unit;

/// What stands where there is no figure.
pub(super) const NONE: &str = "–";

/// A figure with its unit.
pub(super) fn figure(value: f64, unit: Unit) -> String {
    if !value.is_finite() {
        return NONE.to_owned();
    }
    match unit {
        Unit::OperationsPerSecond => format!("{}/s", number(value)),
        Unit::Seconds => duration(value, number),
        Unit::Bytes => bytes(value),
        Unit::Ratio => number(value),
        Unit::Share => format!("{value:.4}"),
    }
}

/// A number with three significant digits and all of those before the point: `0.012`, `1.23`, `45.6`, `12,345`.
pub(super) fn number(value: f64) -> String {
    if !value.is_finite() {
        return NONE.to_owned();
    }
    if value != 0.0 && value.abs() < 0.001 || value.abs() >= 1e15 {
        return format!("{value:.1e}");
    }
    let decimals = match value.abs() {
        0.0 => 0,
        small if small < 0.9995 => 3,
        small if small < 9.995 => 2,
        small if small < 99.95 => 1,
        _ => 0,
    };
    grouped(&format!("{value:.decimals$}"))
}

/// A number as short as it can be, for the ticks of an axis: `0.95`, `40`, `2.5k`, `10M`.
pub(super) fn short(value: f64) -> String {
    let (scaled, suffix) = match value.abs() {
        large if large >= 1e9 => (value / 1e9, "G"),
        large if large >= 1e6 => (value / 1e6, "M"),
        large if large >= 1e3 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let digits = format!("{scaled:.4}");
    let digits = digits.trim_end_matches('0').trim_end_matches('.');
    format!("{}{suffix}", if digits == "-0" { "0" } else { digits })
}

/// A duration as short as it can be.
pub(super) fn short_duration(seconds: f64) -> String {
    duration(seconds, short)
}

/// How far rounds are from their median: `±2.1%`.
pub(super) fn deviation(percent: f64) -> String {
    format!("±{}%", if percent < 9.95 { format!("{percent:.1}") } else { grouped(&format!("{percent:.0}")) })
}

/// A change with its sign: `+3.1%`.
pub(super) fn change(percent: f64) -> String {
    if !percent.is_finite() {
        return NONE.to_owned();
    }
    let size = if percent.abs() < 99.95 { format!("{:.1}", percent.abs()) } else { number(percent.abs()) };
    let sign = match percent {
        _ if size == "0.0" => "",
        fall if fall < 0.0 => "−",
        _ => "+",
    };
    format!("{sign}{size}%")
}

/// One figure by another: `1.23×`.
pub(super) fn times(ratio: f64) -> String {
    match ratio.abs() {
        endless if !endless.is_finite() => NONE.to_owned(),
        near if (0.1..1.0).contains(&near) => format!("{ratio:.2}×"),
        _ => format!("{}×", number(ratio)),
    }
}

/// So many of something: `1 round`, `3 rounds`.
pub(super) fn count(number: usize, what: &str) -> String {
    format!("{} {what}{}", grouped(&number.to_string()), if number == 1 { "" } else { "s" })
}

fn duration(seconds: f64, write: fn(f64) -> String) -> String {
    let (scaled, unit) = match seconds.abs() {
        0.0 => (0.0, "s"),
        short if short < 999.5e-9 => (seconds * 1e9, "ns"),
        short if short < 999.5e-6 => (seconds * 1e6, "µs"),
        short if short < 999.5e-3 => (seconds * 1e3, "ms"),
        _ => (seconds, "s"),
    };
    format!("{} {unit}", write(scaled))
}

fn bytes(bytes: f64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut scaled = bytes;
    let mut unit = 0;
    while scaled.abs() >= 999.5 && unit + 1 < UNITS.len() {
        scaled /= 1024.0;
        unit += 1;
    }
    let whole = unit == 0 && scaled.fract() == 0.0;
    format!("{} {}", if whole { scaled.to_string() } else { number(scaled) }, UNITS[unit])
}

/// Commas between thousands before the point.
fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("−", digits));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let mut text = sign.to_owned();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if let Some(fraction) = fraction {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_three_significant_digits_or_all_before_the_point() {
        let written = [0.0, 0.0123, 1.234, 9.999, 45.67, 99.96, 12_345.6, 1_234_567.0, -1234.0].map(number);
        assert_eq!(written, ["0", "0.012", "1.23", "10.0", "45.7", "100", "12,346", "1,234,567", "−1,234"]);
        assert_eq!([1e-6, 1e18].map(number), ["1.0e-6", "1.0e18"]);
    }

    #[test]
    fn a_figure_has_the_unit_that_suits_its_size() {
        assert_eq!(figure(12_345.0, Unit::OperationsPerSecond), "12,345/s");
        assert_eq!(
            [0.0, 12e-9, 1.234e-6, 0.001_23, 0.999_7, 75.0].map(|value| figure(value, Unit::Seconds)),
            ["0 s", "12.0 ns", "1.23 µs", "1.23 ms", "1.00 s", "75.0 s"]
        );
        assert_eq!(
            [0.0, 512.0, 4.5 * 1024.0 * 1024.0, 1000.0 * 1024.0].map(|value| figure(value, Unit::Bytes)),
            ["0 B", "512 B", "4.50 MiB", "0.977 MiB"]
        );
        assert_eq!((figure(1.5, Unit::Ratio), figure(0.953, Unit::Share)), ("1.50".into(), "0.9530".into()));
    }

    #[test]
    fn what_is_no_number_is_a_dash() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for unit in [Unit::OperationsPerSecond, Unit::Seconds, Unit::Bytes, Unit::Ratio, Unit::Share] {
                assert_eq!(figure(value, unit), NONE);
            }
            assert_eq!([number(value), change(value), times(value)], [NONE; 3]);
        }
    }

    #[test]
    fn a_change_has_a_sign_unless_it_is_none() {
        assert_eq!([3.12, -12.0, 0.01, 250.0].map(change), ["+3.1%", "−12.0%", "0.0%", "+250%"]);
    }

    #[test]
    fn a_deviation_has_two_digits() {
        assert_eq!([0.0, 2.14, 9.96, 1234.5].map(deviation), ["±0.0%", "±2.1%", "±10%", "±1,234%"]);
    }

    #[test]
    fn a_multiple_has_two_decimals_near_one_and_three_digits_elsewhere() {
        assert_eq!([0.71, 1.234, 12.34, 0.0123].map(times), ["0.71×", "1.23×", "12.3×", "0.012×"]);
    }

    #[test]
    fn ticks_are_as_short_as_can_be() {
        assert_eq!([0.0, 0.95, 40.0, 2500.0, 1e7].map(short), ["0", "0.95", "40", "2.5k", "10M"]);
        assert_eq!([0.0, 1e-4, 0.001, 0.02, 10.0].map(short_duration), ["0 s", "100 µs", "1 ms", "20 ms", "10 s"]);
    }

    #[test]
    fn one_is_no_plural() {
        assert_eq!((count(1, "round"), count(1234, "row")), ("1 round".into(), "1,234 rows".into()));
    }
}
