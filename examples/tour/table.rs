//! Tables with aligned columns that fit the screen.

const GAP: &str = "  ";
const NARROWEST: usize = 8;

/// Rows of text; numbers stand on the right.
pub(crate) struct Table {
    numeric: Vec<bool>,
    header: bool,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these column titles. A title that begins with `#` heads a column of numbers.
    pub(crate) fn new<const N: usize>(titles: [&str; N]) -> Table {
        Table::with_titles(&titles)
    }

    pub(crate) fn with_titles(titles: &[&str]) -> Table {
        let header = titles.iter().any(|title| !title.trim_start_matches('#').is_empty());
        let numeric = titles.iter().map(|title| title.starts_with('#')).collect();
        let titles = titles.iter().map(|title| title.trim_start_matches('#').to_owned()).collect();
        Table { numeric, header, rows: if header { vec![titles] } else { Vec::new() } }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        // A cell is one line, whatever the documents hold.
        let clean = |cell: String| cell.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        self.rows.push(cells.into_iter().map(clean).collect());
    }

    pub(crate) fn has_header(&self) -> bool {
        self.header
    }

    /// The table as lines of at most `width` characters: the widest columns give way first.
    pub(crate) fn lines(&self, width: usize) -> Vec<String> {
        let mut widths: Vec<usize> = (0..self.numeric.len())
            .map(|column| {
                self.rows.iter().filter_map(|row| row.get(column)).map(|cell| columns(cell)).max().unwrap_or(0)
            })
            .collect();
        let gaps = GAP.len() * widths.len().saturating_sub(1);
        while widths.iter().sum::<usize>() + gaps > width {
            match widths.iter_mut().filter(|width| **width > NARROWEST).max() {
                Some(widest) => *widest -= 1,
                None => break,
            }
        }
        self.rows.iter().map(|row| self.line(row, &widths)).collect()
    }

    fn line(&self, row: &[String], widths: &[usize]) -> String {
        let mut line = String::new();
        for (column, (cell, &width)) in row.iter().zip(widths).enumerate() {
            if column > 0 {
                line.push_str(GAP);
            }
            let cell = shortened(cell, width);
            if self.numeric[column] {
                line.push_str(&format!("{cell:>width$}"));
            } else {
                line.push_str(&format!("{cell:<width$}"));
            }
        }
        line.trim_end().to_owned()
    }
}

fn columns(text: &str) -> usize {
    text.chars().count()
}

/// At most `width` characters, with an ellipsis where some are missing.
pub(crate) fn shortened(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}
