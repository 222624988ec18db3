//! What an import and an export can be told, and what they tell.

use blaze_core::JsonForm;

/// What an import does about a line that is bad: not of its format, without a usable id, or not fit for the collection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnError {
    /// Nothing is imported, all of it being one transaction or one bulk load.
    #[default]
    Refuse,
    /// The line is left out and reported. Documents are committed in batches.
    Skip,
}

/// What an import does about a document whose id is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnDuplicate {
    /// Its line is a bad one.
    #[default]
    Refuse,
    /// The document that is there stays.
    Skip,
    /// The later document takes the place of the one that is there.
    Replace,
}

/// What an import makes of the cells of a CSV file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CsvTypes {
    /// `true` and `false` become booleans, `42` an int, `4.2` and `4e2` floats, what is empty is left out, and all else is a
    /// string; so is a number that would not be spelt alike, such as `007` and `+4`.
    #[default]
    Inferred,
    /// Each is a string, be it empty.
    Strings,
}

/// JSON Lines: an object on each line.
#[derive(Clone, Copy, Debug, Default)]
pub struct JsonLines {
    pub(super) form: JsonForm,
}

/// CSV as in RFC 4180: records of cells, the first one naming the columns.
#[derive(Clone, Debug)]
pub struct Csv {
    pub(super) delimiter: u8,
    pub(super) types: CsvTypes,
    pub(super) columns: Option<Vec<String>>,
}

impl Default for Csv {
    fn default() -> Csv {
        Csv { delimiter: b',', types: CsvTypes::Inferred, columns: None }
    }
}

/// How far an import has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportProgress {
    /// Lines that were read.
    pub lines: u64,
    /// Bytes of text in them, after decompression.
    pub bytes: u64,
    /// Documents that were taken from them.
    pub documents: u64,
    /// Lines that were bad.
    pub bad_lines: u64,
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportReport {
    /// Lines that were read.
    pub lines: u64,
    /// Bytes of text in them, after decompression.
    pub bytes: u64,
    /// Documents that were imported, those that replaced others included.
    pub documents: u64,
    /// Documents among them that replaced others.
    pub replaced: u64,
    /// Documents that were left out because their id was there already.
    pub skipped: u64,
    /// Lines that were bad and left out.
    pub bad_lines: u64,
    /// The first of them, at most [`BAD_LINES_TOLD`](ImportReport::BAD_LINES_TOLD).
    pub first_bad_lines: Vec<BadLine>,
}

impl ImportReport {
    /// How many bad lines are told one by one.
    pub const BAD_LINES_TOLD: usize = 100;
}

/// A line that was not imported.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BadLine {
    /// Its number, the first line being 1; of a record of several lines, that of the first.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
}
