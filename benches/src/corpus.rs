//! Corpora: real ones from files, and one that a seed generates.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path as FilePath, PathBuf};

use blaze_core::{Entropy, Path, SeededEntropy};
use ruzstd::decoding::StreamingDecoder;
use serde_json::{Value as Json, json};

use crate::Result;

/// A corpus whose documents can be read one after the other, as often as needed.
#[derive(Clone, Debug)]
pub struct Corpus {
    /// What it is called in tables.
    pub name: &'static str,
    /// The path that benchmarks read in each document.
    pub path: Path,
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    /// Lines of JSON, compressed with zstd, in a directory if one is given.
    File {
        directory: Option<PathBuf>,
        name: &'static str,
    },
    Generated {
        seed: u64,
        count: usize,
    },
}

/// Documents of the generated corpus.
const GENERATED: usize = 20_000;

impl Corpus {
    /// The corpora of the benchmarks of documents, the files in `data` and the generated one.
    #[must_use]
    pub fn all(data: Option<&FilePath>) -> Vec<Corpus> {
        let file = |name| Source::File { directory: data.map(FilePath::to_path_buf), name };
        let generated = Source::Generated { seed: 42, count: GENERATED };
        vec![
            Corpus { name: "movies", path: "year".into(), source: file("movies.jsonl.zst") },
            Corpus { name: "tate", path: "contributors.0.birthYear".into(), source: file("tate-artworks.jsonl.zst") },
            Corpus { name: "generated", path: "address.city".into(), source: generated },
        ]
    }

    /// Why the corpus cannot be read, if it cannot.
    #[must_use]
    pub fn missing(&self) -> Option<String> {
        match &self.source {
            Source::File { directory: None, name } => Some(format!("{name} is looked for in the directory of --data")),
            Source::File { directory: Some(directory), name } if !directory.join(name).is_file() => {
                Some(format!("{name} is not in {}", directory.display()))
            }
            _ => None,
        }
    }

    /// Calls `visit` with the JSON of each document in order.
    ///
    /// # Errors
    /// Those of reading; those of `visit`.
    pub fn for_each(&self, mut visit: impl FnMut(&str) -> Result<()>) -> Result<()> {
        match &self.source {
            Source::File { directory, name } => {
                let file = File::open(directory.as_deref().unwrap_or(FilePath::new("")).join(name))?;
                for line in BufReader::new(StreamingDecoder::new(file)?).lines() {
                    visit(&line?)?;
                }
                Ok(())
            }
            Source::Generated { seed, count } => {
                let entropy = SeededEntropy::new(*seed);
                (0..*count).try_for_each(|number| visit(&customer(&entropy, number).to_string()))
            }
        }
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
