//! Corpora of documents: one that a seed generates, the sources of Blaze's dependencies, and files.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path as FilePath, PathBuf};

use blaze_core::{Entropy, Path, SeededEntropy};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use zstd::stream::read::Decoder;

use super::sources;
use crate::Result;

/// A corpus whose documents can be read one after the other, as often as needed, always the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Corpus {
    /// Customers of a shop with their orders, made by a fixed seed.
    Generated {
        /// How many.
        documents: usize,
    },
    /// The items in the sources of Blaze's dependencies, which Cargo has fetched.
    Sources,
    /// Films, `movies.jsonl.zst` in a directory.
    Movies(Option<PathBuf>),
    /// Works of art, `tate-artworks.jsonl.zst` in a directory.
    Tate(Option<PathBuf>),
    /// Lines of JSON in a file of the user's, plain or compressed with zstd.
    Lines(PathBuf),
}

/// Documents of the generated corpus, where nobody asks for more.
const GENERATED: usize = 20_000;
const SEED: u64 = 42;

impl Corpus {
    /// All but the user's own: the files in `data`, the sources and the generated one.
    #[must_use]
    pub fn all(data: Option<&FilePath>) -> Vec<Corpus> {
        let data = data.map(FilePath::to_path_buf);
        let generated = Corpus::Generated { documents: GENERATED };
        vec![Corpus::Movies(data.clone()), Corpus::Tate(data), Corpus::Sources, generated]
    }

    /// What it is called in tables.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Corpus::Generated { .. } => "generated".to_owned(),
            Corpus::Sources => "sources".to_owned(),
            Corpus::Movies(_) => "movies".to_owned(),
            Corpus::Tate(_) => "tate".to_owned(),
            Corpus::Lines(file) => file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned(),
        }
    }

    /// A path to a string or an integer, to be read in each document; none in files of which nothing is known.
    #[must_use]
    pub fn path(&self) -> Option<Path> {
        match self {
            Corpus::Generated { .. } => Some("address.city".into()),
            Corpus::Sources => Some("file.path".into()),
            Corpus::Movies(_) => Some("year".into()),
            Corpus::Tate(_) => Some("contributors.0.birthYear".into()),
            Corpus::Lines(_) => None,
        }
    }

    /// Why the corpus cannot be read, if it cannot.
    #[must_use]
    pub fn missing(&self) -> Option<String> {
        match self {
            Corpus::Generated { .. } => None,
            Corpus::Sources => sources::missing(),
            Corpus::Movies(_) | Corpus::Tate(_) | Corpus::Lines(_) => {
                let Some(file) = self.file() else {
                    return Some(format!("{} is looked for in the directory of --data", self.file_name()));
                };
                let reason = || format!("{} is not in {}", self.file_name(), parent(&file).display());
                (!file.is_file()).then(reason)
            }
        }
    }

    /// Calls `visit` with the JSON of each document in order.
    ///
    /// # Errors
    /// Those of reading; those of `visit`. They name the file and the line, where there are any.
    pub fn for_each(&self, mut visit: impl FnMut(&str) -> Result<()>) -> Result<()> {
        match self {
            Corpus::Generated { documents } => {
                let entropy = SeededEntropy::new(SEED);
                (0..*documents).try_for_each(|number| visit(&customer(&entropy, number).to_string()))
            }
            Corpus::Sources => sources::for_each(|item| visit(&item.to_string())),
            Corpus::Movies(_) | Corpus::Tate(_) | Corpus::Lines(_) => {
                let file = self.file().ok_or_else(|| self.missing().unwrap_or_default())?;
                for_each_line(&file, |_, line| visit(line))
            }
        }
    }

    fn file(&self) -> Option<PathBuf> {
        match self {
            Corpus::Lines(file) => Some(file.clone()),
            Corpus::Movies(directory) | Corpus::Tate(directory) => Some(directory.as_ref()?.join(self.file_name())),
            Corpus::Generated { .. } | Corpus::Sources => None,
        }
    }

    fn file_name(&self) -> String {
        match self {
            Corpus::Movies(_) => "movies.jsonl.zst".to_owned(),
            Corpus::Tate(_) => "tate-artworks.jsonl.zst".to_owned(),
            Corpus::Generated { .. } | Corpus::Sources | Corpus::Lines(_) => self.name(),
        }
    }
}

/// The directory that a file is in; the current one for a bare name.
fn parent(file: &FilePath) -> &FilePath {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => FilePath::new("."),
    }
}

/// At most `most` of them, spread evenly.
pub(crate) fn evenly<T>(all: Vec<T>, most: usize) -> Vec<T> {
    let count = all.len();
    let keep = most.min(count);
    let is_kept = |&(position, _): &(usize, T)| position * keep / count != (position + 1) * keep / count;
    all.into_iter().enumerate().filter(is_kept).map(|(_, one)| one).collect()
}

/// Visits the lines of a file, plain or compressed, that are not blank, with their numbers from 1. Errors name the file
/// and the line.
pub(crate) fn for_each_line(file: &FilePath, mut visit: impl FnMut(u64, &str) -> Result<()>) -> Result<()> {
    let in_file = |error: io::Error| format!("{}: {error}", file.display());
    let lines = open(file).map_err(in_file)?.lines();
    for (number, line) in (1..).zip(lines) {
        let in_line = |error: &dyn std::fmt::Display| format!("{}, line {number}: {error}", file.display());
        let line = line.map_err(|error| in_line(&error))?;
        if !line.trim().is_empty() {
            visit(number, &line).map_err(|error| in_line(&error))?;
        }
    }
    Ok(())
}

/// Opens a file of text. What is compressed with zstd says so in its first bytes, whatever the file is called.
fn open(file: &FilePath) -> io::Result<Box<dyn BufRead>> {
    const MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];
    let mut text = BufReader::new(File::open(file)?);
    match text.fill_buf()?.starts_with(&MAGIC) {
        true => Ok(Box::new(BufReader::new(Decoder::with_buffer(text)?))),
        false => Ok(Box::new(text)),
    }
}

const WORDS: [&str; 16] = [
    "amber", "birch", "cobalt", "delta", "ember", "fjord", "granite", "harbour", "indigo", "juniper", "kelp",
    "lantern", "meadow", "nimbus", "orchard", "piñon",
];

/// A customer of a shop with orders: strings, numbers of all sizes, nesting, fields that are missing now and then.
fn customer(entropy: &SeededEntropy, number: usize) -> Json {
    let below = |limit: u64| entropy.next_u64() % limit;
    let word = || WORDS[below(16) as usize];
    let words = |count: u64| (0..count).map(|_| word()).collect::<Vec<_>>().join(" ");
    let lines = |count: u64| -> Vec<Json> {
        let price = || below(100_000) as f64 / 100.0;
        (0..count)
            .map(|_| json!({"sku": below(1 << 20), "name": words(2), "price": price(), "quantity": below(5)}))
            .collect()
    };
    let orders: Vec<Json> = (0..below(4))
        .map(|_| json!({"placed_ms": 1_700_000_000_000 + below(1 << 34), "lines": lines(1 + below(4)), "paid": below(2) == 0}))
        .collect();
    let mut customer = json!({
        "number": number,
        "name": words(2),
        "email": format!("{}.{}@example.com", word(), below(10_000)),
        "age": 18 + below(80),
        "score": f64::from(below(1 << 20) as u32) / 1024.0,
        "active": below(3) > 0,
        "tags": (0..below(6)).map(|_| word()).collect::<Vec<_>>(),
        "address": {"street": format!("{} {}", words(2), below(200)), "city": word(), "zip": format!("{:05}", below(100_000))},
        "balance": below(1 << 40) as i64 - (1 << 39),
        "orders": orders,
    });
    if below(4) == 0 {
        customer["notes"] = json!(words(8 + below(60)));
    }
    if below(8) == 0 {
        customer["referrer"] = Json::Null;
    }
    customer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(corpus: &Corpus) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        corpus.for_each(|line| {
            lines.push(line.to_owned());
            Ok(())
        })?;
        Ok(lines)
    }

    /// `first line\nsec` and `ond line\n`, each as a frame of its own that stores a block uncompressed, and between them
    /// a frame that is to be skipped.
    fn frames() -> Vec<u8> {
        let frame = |text: &str| {
            let length = u8::try_from(text.len()).unwrap();
            let header = [0x28, 0xB5, 0x2F, 0xFD, 0x20, length, length << 3 | 1, 0, 0];
            [&header, text.as_bytes()].concat()
        };
        let skipped = [0x50, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 1, 2, 3];
        [frame("first line\nsec"), skipped.to_vec(), frame("ond line\n")].concat()
    }

    #[test]
    fn lines_are_read_from_plain_files_and_from_all_frames_of_compressed_ones() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("lines");
        for bytes in [b"first line\n\n  \nsecond line".to_vec(), frames()] {
            std::fs::write(&file, bytes).unwrap();
            assert_eq!(lines_of(&Corpus::Lines(file.clone())).unwrap(), ["first line", "second line"]);
        }
        let mut damaged = frames();
        damaged.truncate(frames().len() - 3);
        std::fs::write(&file, damaged).unwrap();
        assert!(lines_of(&Corpus::Lines(file)).is_err());
    }

    #[test]
    fn an_error_names_the_file_and_the_line() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("people.jsonl");
        let corpus = Corpus::Lines(file.clone());
        assert!(corpus.missing().unwrap().starts_with("people.jsonl is not in "));
        assert!(lines_of(&corpus).unwrap_err().to_string().contains("people.jsonl"));
        std::fs::write(&file, b"one\n\n\xFF\n").unwrap();
        assert_eq!(corpus.missing(), None);
        let error = lines_of(&corpus).unwrap_err().to_string();
        assert!(error.contains("people.jsonl, line 3: ") && error.contains("UTF-8"), "{error}");
        std::fs::write(&file, "one\n\ntwo\n").unwrap();
        let refuse_two = |line: &str| if line == "two" { Err("not two".into()) } else { Ok(()) };
        let error = corpus.for_each(refuse_two).unwrap_err().to_string();
        assert!(error.ends_with("people.jsonl, line 3: not two"), "{error}");
    }

    #[test]
    fn the_generated_corpus_is_always_the_same_and_its_path_leads_to_a_string() {
        let corpus = Corpus::Generated { documents: 50 };
        let lines = lines_of(&corpus).unwrap();
        assert_eq!(lines.len(), 50);
        assert_eq!(lines, lines_of(&corpus).unwrap());
        assert!(lines.iter().all(|line| serde_json::from_str::<Json>(line).unwrap()["address"]["city"].is_string()));
    }

    #[test]
    fn what_is_too_many_is_thinned_out_evenly() {
        assert_eq!(evenly((0..10).collect(), 4), [2, 4, 7, 9]);
        assert_eq!(evenly((0..3).collect(), 4), [0, 1, 2]);
        assert!(evenly(vec![1, 2], 0).is_empty() && evenly(Vec::<u8>::new(), 4).is_empty());
    }
}
