//! A report as Markdown.

use super::block::{Block, Entry, Grid, Story};
use super::{Report, Summary, story};

/// Writes a report.
pub(super) fn render(report: &Report, summary: &Summary) -> String {
    write(&story::tell(report, summary))
}

/// Writes any text.
pub(super) fn write(story: &Story) -> String {
    let mut text = format!("# {}\n", escape(&story.title));
    for block in &story.blocks {
        let written = write_block(block);
        if !written.is_empty() {
            text.push('\n');
            text += &written;
        }
    }
    text
}

fn write_block(block: &Block) -> String {
    match block {
        Block::Section(title) => format!("## {}\n", escape(title)),
        Block::Subsection(title) => format!("### {}\n", escape(title)),
        Block::Paragraph(text) => format!("{}\n", escape(text)),
        Block::Warning(what, details) => {
            let quoted: String = list(details).lines().map(|line| format!("> {line}\n")).collect();
            let between = if details.is_empty() { "" } else { ">\n" };
            format!("> **{}**\n{between}{quoted}", escape(what))
        }
        Block::List(lines) => list(lines),
        Block::Facts(facts) => {
            facts.iter().map(|(name, what)| format!("- {}: {}\n", escape(name), escape(what))).collect()
        }
        Block::Grid(grid) => write_grid(grid),
        Block::Plots(_) => String::new(),
    }
}

fn list(lines: &[String]) -> String {
    lines.iter().map(|line| format!("- {}\n", escape(line))).collect()
}

fn write_grid(grid: &Grid) -> String {
    let columns: Vec<String> = grid.columns.iter().map(|column| escape(column)).collect();
    let mut text = format!("{}\n\n| {} | {} |\n|---|", escape(&grid.caption), escape(&grid.label), columns.join(" | "));
    text += &"---:|".repeat(columns.len());
    text.push('\n');
    for (label, entries) in &grid.rows {
        let entries: Vec<String> = entries.iter().map(write_entry).collect();
        text += &format!("| {} | {} |\n", escape(label), entries.join(" | "));
    }
    text
}

fn write_entry(entry: &Entry) -> String {
    let text = escape(&entry.text);
    let mut parts = vec![if entry.strong { format!("**{text}**") } else { text }];
    parts.extend(entry.notes.iter().map(|note| escape(note)));
    parts.join(" ")
}

/// Takes its meaning from everything that has one, and puts all on one line.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.split_whitespace().collect::<Vec<_>>().join(" ").chars() {
        match letter {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '\\' | '`' | '*' | '_' | '|' | '[' | ']' | '#' | '>' | '~' => escaped.extend(['\\', letter]),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_to_markdown_is_escaped() {
        assert_eq!(escape("a|b *c* <script>\n# d_e & `f`"), "a\\|b \\*c\\* &lt;script\\> \\# d\\_e &amp; \\`f\\`");
    }

    #[test]
    fn a_table_has_a_column_for_labels_and_the_others_to_the_right() {
        let entry = Entry { text: "12/s".into(), notes: vec!["±3.0% · 1.20×".into()], strong: true };
        let grid = Grid {
            caption: "medians".into(),
            label: "row".into(),
            columns: vec!["one".into(), "two".into()],
            rows: vec![("reads".into(), vec![entry, Entry::new("–")])],
        };
        let lines =
            ["medians", "", "| row | one | two |", "|---|---:|---:|", "| reads | **12/s** ±3.0% · 1.20× | – |\n"];
        assert_eq!(write_grid(&grid), lines.join("\n"));
    }

    #[test]
    fn a_warning_is_a_quotation_with_its_details() {
        let warning = Block::Warning("wrong".into(), vec!["one".into(), "two".into()]);
        assert_eq!(write_block(&warning), "> **wrong**\n>\n> - one\n> - two\n");
    }
}
