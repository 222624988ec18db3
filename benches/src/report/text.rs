//! A table for a terminal.

use super::block::Grid;

/// Writes a table with its columns below each other: the labels to the left, the rest to the right. Notes are left out.
pub(super) fn write(grid: &Grid) -> String {
    let header: Vec<&str> =
        std::iter::once(grid.label.as_str()).chain(grid.columns.iter().map(String::as_str)).collect();
    let mut lines = vec![header];
    for (label, entries) in &grid.rows {
        lines.push(std::iter::once(label.as_str()).chain(entries.iter().map(|entry| entry.text.as_str())).collect());
    }
    let width = |column: usize| {
        let texts = lines.iter().filter_map(|line| line.get(column));
        texts.map(|text| text.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..=grid.columns.len()).map(width).collect();
    let mut written = String::new();
    for line in &lines {
        let mut text = String::new();
        for (column, (cell, &width)) in line.iter().zip(&widths).enumerate() {
            text += &if column == 0 { format!("{cell:<width$}") } else { format!("  {cell:>width$}") };
        }
        written += text.trim_end();
        written.push('\n');
    }
    written
}

#[cfg(test)]
mod tests {
    use super::super::block::Entry;
    use super::*;

    #[test]
    fn columns_stand_below_each_other() {
        let row = |label: &str, texts: [&str; 2]| (label.to_owned(), Vec::from(texts.map(Entry::new)));
        let grid = Grid {
            caption: String::new(),
            label: "row".into(),
            columns: vec!["blaze".into(), String::new()],
            rows: vec![row("gets", ["1.00×", "reached"]), row("a long one", ["–", ""])],
        };
        let expected = ["row         blaze", "gets        1.00×  reached", "a long one      –", ""];
        assert_eq!(write(&grid), expected.join("\n"));
    }
}
