//! Cells of CSV: text to values and back.

use blaze_core::{JsonForm, Result, Value};

/// The value that a cell looks like; none if it is empty.
pub(super) fn inferred(text: &str) -> Option<Value> {
    Some(match text {
        "" => return None,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => number(text).unwrap_or_else(|| Value::from(text)),
    })
}

/// The number, if the text spells one as JSON does.
fn number(text: &str) -> Option<Value> {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let begins_well = match digits {
        [b'0', next, ..] => !next.is_ascii_digit(),
        [first, ..] => first.is_ascii_digit(),
        [] => false,
    };
    if !begins_well || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E')) {
        return None;
    }
    match JsonForm::Plain.read(text).ok()? {
        // An int that would not come back as it was.
        value if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') && value.as_i64().is_none() => {
            match value {
                Value::UInt(_) => Some(value),
                _ => None,
            }
        }
        value => Some(value),
    }
}

/// The text of a value: strings as they are, arrays and maps as plain JSON, null as nothing.
pub(super) fn text(value: &Value) -> Result<String> {
    Ok(match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Float(float) if !float.is_finite() => float.to_string(),
        value => match JsonForm::Plain.read(&JsonForm::Plain.write(value)?)? {
            // Decimals, times, UUIDs and bytes are strings in plain JSON.
            Value::String(text) => text,
            _ => JsonForm::Plain.write(value)?,
        },
    })
}

#[cfg(test)]
mod tests {
    use blaze_core::Decimal;

    use super::*;

    #[test]
    fn a_cell_is_what_it_would_be_written_as() {
        for text in [
            "1",
            "-7",
            "0",
            "18446744073709551615",
            "1.5",
            "-0.25",
            "true",
            "false",
            "007",
            "+4",
            "1.",
            ".5",
            "1e400",
            "--1",
            "1-2",
            "99999999999999999999",
            "NaN",
            "a",
            " 1",
            "2024-01-01",
        ] {
            let value = inferred(text).unwrap();
            assert_eq!(super::text(&value).unwrap(), text, "{value:?}");
        }
        assert!(matches!(inferred("4e2"), Some(Value::Float(_))) && inferred("").is_none());
        assert!(matches!(inferred("18446744073709551615"), Some(Value::UInt(_))));
        assert!(matches!(inferred("99999999999999999999"), Some(Value::String(_))));
    }

    #[test]
    fn what_csv_lacks_is_spelt_out() {
        let decimal: Decimal = "1.50".parse().unwrap();
        let cells = [
            (Value::Null, ""),
            (Value::from(decimal), "1.50"),
            (Value::from([0_u8, 255]), "AP8="),
            (Value::from(f64::NEG_INFINITY), "-inf"),
            (Value::from(vec![Value::from("a"), Value::from(1)]), "[\"a\",1]"),
        ];
        for (value, expected) in cells {
            assert_eq!(text(&value).unwrap(), expected);
        }
    }
}
