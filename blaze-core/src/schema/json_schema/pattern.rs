//! Regular expressions that mean the same here and in JSON Schema, which has those of ECMAScript.

/// True if an expression has only what is common: no flags, no look-around, no operators between classes, and after a
/// backslash nothing but punctuation and `n`, `r`, `t`.
pub(super) fn is_common(pattern: &str) -> bool {
    read(pattern, |_| None).is_some()
}

/// An expression of ECMAScript in the words of this one, if it has nothing but what is common and `\\d`, `\\w` and their
/// opposites, which are those of ASCII there.
pub(super) fn of_ecmascript(pattern: &str) -> Option<String> {
    read(pattern, |class| {
        Some(match class {
            'd' => "[0-9]",
            'D' => "[^0-9]",
            'w' => "[0-9A-Za-z_]",
            'W' => "[^0-9A-Za-z_]",
            _ => return None,
        })
    })
}

/// The expression, in which `class` says what stands for a letter behind a backslash; nothing if it has more than that.
fn read(pattern: &str, class: impl Fn(char) -> Option<&'static str>) -> Option<String> {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern.chars().peekable();
    let (mut is_in_class, mut before) = (false, None);
    while let Some(char) = rest.next() {
        match char {
            '\\' => match rest.next()? {
                escaped if escaped.is_ascii_punctuation() || matches!(escaped, 'n' | 'r' | 't') => {
                    out.extend(['\\', escaped]);
                }
                letter => out.push_str(class(letter)?),
            },
            '[' if is_in_class => return None, // a class within one here, a character there
            '(' if !is_in_class && rest.peek() == Some(&'?') => {
                rest.next();
                if rest.next() != Some(':') {
                    return None;
                }
                out.push_str("(?:");
            }
            '&' | '-' | '~' if is_in_class && before == Some(char) => return None, // operators here
            other => {
                match other {
                    '[' => is_in_class = true,
                    ']' => is_in_class = false,
                    _ => {}
                }
                out.push(other);
            }
        }
        before = Some(char);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_common_is_told_from_what_is_not() {
        for common in ["^[a-z0-9_-]+$", r"(?:a|b)\.c{1,3}\n", "x.y*?", r"[\]\-a]"] {
            assert!(is_common(common), "{common}");
        }
        for special in
            [r"\d", r"\bword", "(?i)a", "(?<n>a)", "[[:alpha:]]", "[a-z&&b]", "[a--b]", r"\p{L}", r"\A", "\\"]
        {
            assert!(!is_common(special), "{special}");
        }
    }

    #[test]
    fn classes_of_ecmascript_are_those_of_ascii() {
        assert_eq!(of_ecmascript(r"^\d{4}-[\w.]$").as_deref(), Some("^[0-9]{4}-[[0-9A-Za-z_].]$"));
        for unknown in [r"\s", r"\b", r"\u0041", "(?=a)", "(?<n>a)"] {
            assert_eq!(of_ecmascript(unknown), None, "{unknown}");
        }
    }
}
