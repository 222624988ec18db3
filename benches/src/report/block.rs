//! The parts that a report is written in: what is said is put together once, and each format only has to write these.

use super::plot::Plot;

/// A text with its title.
#[derive(Debug)]
pub(super) struct Story {
    pub(super) title: String,
    pub(super) blocks: Vec<Block>,
}

/// A part of a text. All strings are plain: each format escapes what means something to it.
#[derive(Debug)]
pub(super) enum Block {
    Section(String),
    Subsection(String),
    Paragraph(String),
    /// What must not be overlooked, with its details.
    Warning(String, Vec<String>),
    List(Vec<String>),
    Facts(Vec<(&'static str, String)>),
    Grid(Grid),
    /// Drawings of figures that stand in tables, or are too many for one; formats without drawings leave them out.
    Plots(Plots),
}

/// A table. A row has a label and one entry for each of `columns`.
#[derive(Debug)]
pub(super) struct Grid {
    pub(super) caption: String,
    /// Of the column of labels.
    pub(super) label: String,
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<(String, Vec<Entry>)>,
}

/// What stands in a table at one place.
#[derive(Debug, Default)]
pub(super) struct Entry {
    pub(super) text: String,
    /// What is said below it, less loudly.
    pub(super) notes: Vec<String>,
    pub(super) strong: bool,
}

/// Drawings that belong together.
#[derive(Debug)]
pub(super) struct Plots {
    pub(super) title: String,
    /// False when they are shown on demand only.
    pub(super) open: bool,
    pub(super) plots: Vec<Plot>,
}

impl Entry {
    pub(super) fn new(text: impl Into<String>) -> Entry {
        Entry { text: text.into(), ..Entry::default() }
    }
}
