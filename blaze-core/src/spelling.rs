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

/// How many characters have to be inserted, removed, replaced or swapped with the next one.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    // The distances of each beginning of one from each beginning of the other.
    let mut edits = vec![vec![0; right.len() + 1]; left.len() + 1];
    for i in 0..=left.len() {
        for j in 0..=right.len() {
            if i == 0 || j == 0 {
                edits[i][j] = i + j;
                continue;
            }
            let replaced = edits[i - 1][j - 1] + usize::from(left[i - 1] != right[j - 1]);
            edits[i][j] = replaced.min(edits[i - 1][j] + 1).min(edits[i][j - 1] + 1);
            if i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1] {
                edits[i][j] = edits[i][j].min(edits[i - 2][j - 2] + 1);
            }
        }
    }
    edits[left.len()][right.len()]
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
        for (left, right, edits) in
            [("", "", 0), ("", "ab", 2), ("abc", "abc", 0), ("kitten", "sitting", 3), ("ste", "set", 1)]
        {
            assert_eq!((distance(left, right), distance(right, left)), (edits, edits), "{left} and {right}");
        }
    }
}
