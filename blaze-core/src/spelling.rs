//! What somebody may have meant who wrote a name that does not exist.

use std::cmp::Reverse;

use crate::filter::Quoted;

/// Longer names are compared with none: the work is the product of the lengths.
const COMPARED_BYTES_MAX: usize = 64;

/// Says that `name` is no `kind`, and which of the `known` is near to it; if none is, which there are.
pub(crate) fn unknown(kind: &str, name: &str, known: &[&str]) -> String {
    let unknown = format!("unknown {kind} {}", Quoted(name));
    match nearest(name, known) {
        Some(near) => format!("{unknown}; did you mean {near:?}?"),
        None => format!("{unknown}; known are {}", known.join(", ")),
    }
}

/// The longest of those with the fewest edits, so that `$ge` is `$gte` rather than `$gt`.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let bare = |name: &str| name.chars().filter(|character| !matches!(character, '$' | '_')).collect::<String>();
    if name.len() > COMPARED_BYTES_MAX {
        return None;
    }
    let name = bare(name).to_lowercase();
    let edits_max = if name.chars().count() <= 3 { 1 } else { 2 };
    let near = known.iter().map(|known| (distance(&name, &bare(known).to_lowercase()), Reverse(known.len()), *known));
    near.filter(|(edits, ..)| *edits <= edits_max).min().map(|(.., known)| known)
}

/// How many characters have to be inserted, removed or replaced.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, a) in left.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], line + 1);
        for (column, b) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_suggested_and_others_listed() {
        let known = ["$gt", "$gte", "$startsWith", "$in"];
        let near = |name| nearest(name, &known);
        assert_eq!(near("$gtt"), Some("$gte"));
        assert_eq!(near("$ge"), Some("$gte"));
        assert_eq!(near("gt"), Some("$gt"));
        assert_eq!(near("$starts_with"), Some("$startsWith"));
        assert_eq!(near("$StartWith"), Some("$startsWith"));
        assert_eq!(near("$where"), None);
        assert_eq!(near(&"$gt".repeat(100)), None);
        assert_eq!(unknown("operator", "$a", &["$eq"]), r#"unknown operator "$a"; known are $eq"#);
    }

    #[test]
    fn distances_count_edits() {
        for (left, right, edits) in [("", "", 0), ("", "ab", 2), ("abc", "abc", 0), ("kitten", "sitting", 3)] {
            assert_eq!((distance(left, right), distance(right, left)), (edits, edits), "{left} and {right}");
        }
    }
}
