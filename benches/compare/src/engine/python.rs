//! Indexes of vectors that Python has: a program of its own for each, `benches/python/vectors.py`, to which files and
//! commands go and from which answers come.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use blaze_bench::Result;
use blaze_bench::dataset::Matrix;
use blaze_bench::engine::{
    Batch, EF_CONSTRUCTION, Engine, EngineOptions, Faculty, Items, VectorFilter, VectorOptions, VectorSkill, Vectors,
};
use serde_json::{Value as Json, json};

use super::{CONNECTIONS, EFFORTS};

const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../python/vectors.py");

/// A library with an index of vectors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Python {
    /// What tables call it, and the program.
    pub(crate) name: &'static str,
    /// The package that has it.
    pub(crate) package: &'static str,
    /// What a reader of its figures must know.
    pub(crate) configuration: &'static str,
    /// What it cannot do.
    pub(crate) lacks: &'static [VectorSkill],
}

/// `hnswlib`, the reference of all graphs.
pub(crate) static HNSWLIB: Python = Python {
    name: "hnswlib",
    package: "hnswlib",
    configuration: "single precision; space l2, or ip over vectors of length 1; deletes by mark_deleted, and links what \
                    is inserted again anew below its old label; its filters call Python for each row, so that none are measured",
    lacks: &[VectorSkill::Filters],
};

/// `faiss`, its graph over plain vectors.
pub(crate) static FAISS: Python = Python {
    name: "faiss",
    package: "faiss-cpu",
    configuration: "IndexHNSWFlat, single precision; filters by IDSelectorBitmap; nothing can be deleted",
    lacks: &[VectorSkill::Changes],
};

/// `usearch`.
pub(crate) static USEARCH: Python = Python {
    name: "usearch",
    package: "usearch",
    configuration: "dtype f32, since i8 stays below a recall of 0.95; the crate of the same name has the same code, but enables a feature that would have RocksDB built \
                    twice; the interface of Python has no filters",
    lacks: &[VectorSkill::Filters],
};

/// Intel's Scalable Vector Search.
pub(crate) static SVS: Python = Python {
    name: "svs",
    package: "scalable-vs",
    configuration: "Vamana with 2 M connections, LVQ with 4 bits and 8 more for the last choice; the static index: nothing can \
                    be deleted, and nothing filtered",
    lacks: &[VectorSkill::Changes, VectorSkill::Filters, VectorSkill::ExactOrder],
};

/// The same without its codes, which only processors of one maker are given.
pub(crate) static SVS_FLOAT16: Python = Python {
    name: "svs-float16",
    configuration: "Vamana with 2 M connections over vectors in half precision; the static index: nothing can be deleted, \
                    and nothing filtered",
    ..SVS
};

impl Python {
    /// What the library says its version is.
    fn ask_version(&self) -> std::result::Result<String, String> {
        let output = Command::new("python3").args([PROGRAM, self.name, "-v"]).stdin(Stdio::null()).output();
        let output = output.map_err(|error| format!("python3 could not be started: {error}"))?;
        let install = format!("pip install numpy {}", self.package);
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
            false => {
                let said = String::from_utf8_lossy(&output.stderr);
                let why = said.lines().last().unwrap_or("it fails").to_owned();
                Err(format!("python3 cannot use it ({why}); in an environment of its own, this installs it: {install}"))
            }
        }
    }
}

impl Engine for Python {
    fn name(&self) -> &'static str {
        self.name
    }

    fn version(&self) -> String {
        self.ask_version().unwrap_or_else(|_| "unknown".to_owned())
    }

    fn faculties(&self) -> &'static [Faculty] {
        &[Faculty::VectorIndex]
    }

    fn configuration(&self, _options: &EngineOptions) -> Vec<String> {
        let all = "vectors: by Python, in a program of its own that takes the time around the library's own call for many queries; \
                   memory is what that program grows by";
        vec![all.to_owned(), format!("vectors: {}", self.configuration)]
    }

    fn missing(&self) -> Option<String> {
        self.ask_version().err()
    }

    fn connections(&self) -> &'static [usize] {
        &CONNECTIONS
    }

    fn open_vectors(&self, options: &EngineOptions, vectors: &VectorOptions) -> Result<Box<dyn Vectors>> {
        let talk = Talk::start(self.name)?;
        let index = Index {
            talk: Mutex::new(talk),
            directory: options.directory.clone(),
            kept: vectors.kept.clone(),
            memory_bytes: OnceLock::new(),
            lacks: self.lacks,
        };
        index.ask(&json!({
            "do": "open", "dimensions": vectors.dimensions, "metric": vectors.metric, "connections": vectors.connections,
            "ef_construction": EF_CONSTRUCTION, "threads": vectors.threads, "directory": path(&options.directory)?,
        }))?;
        Ok(Box::new(index))
    }
}

/// A program that answers each line with a line.
struct Talk {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Talk {
    fn start(library: &str) -> Result<Talk> {
        let mut child = Command::new("python3")
            .args([PROGRAM, library])
            .envs(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"].map(|name| (name, "1")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(commands), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("a pipe is missing".into());
        };
        Ok(Talk { child, commands, answers: BufReader::new(answers) })
    }

    fn ask(&mut self, command: &Json) -> Result<Json> {
        writeln!(self.commands, "{command}")?;
        self.commands.flush()?;
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err(format!("its program ended with {}", self.child.wait()?).into());
        }
        let answer: Json = serde_json::from_str(&line)?;
        match answer.get("error") {
            Some(error) => Err(error.to_string().into()),
            None => Ok(answer),
        }
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it has nothing that outlives it
        let _ = self.child.wait();
    }
}

struct Index {
    talk: Mutex<Talk>,
    directory: PathBuf,
    kept: Option<PathBuf>,
    memory_bytes: OnceLock<u64>,
    lacks: &'static [VectorSkill],
}

impl Index {
    fn ask(&self, command: &Json) -> Result<Json> {
        self.talk.lock().unwrap_or_else(PoisonError::into_inner).ask(command)
    }

    /// Writes a file for the program; its path.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<String> {
        let file = self.directory.join(name);
        fs::write(&file, bytes)?;
        path(&file)
    }

    fn write_vectors(&self, name: &str, vectors: &Matrix) -> Result<String> {
        let bytes: Vec<u8> = vectors.numbers().iter().flat_map(|number| number.to_le_bytes()).collect();
        self.write(name, &bytes)
    }

    fn write_rows(&self, rows: &[u64]) -> Result<String> {
        let bytes: Vec<u8> = rows.iter().flat_map(|row| row.to_le_bytes()).collect();
        self.write("rows", &bytes)
    }

    fn run(&self, queries: &Matrix, k: usize, effort: usize) -> Result<Batch> {
        let (file, answers) = (self.write_vectors("queries", queries)?, self.directory.join("answers"));
        let said = self.ask(&json!({
            "do": "search", "file": file, "dimensions": queries.dimensions(), "k": k, "effort": effort,
            "answers": path(&answers)?,
        }))?;
        let bytes = fs::read(&answers)?;
        let (ids, rest) = bytes.as_chunks::<8>();
        let each = ids.len() / queries.rows().max(1);
        if !rest.is_empty() || each * queries.rows() != ids.len() || each > k {
            return Err(format!("wrong answer: {} bytes for {} queries", bytes.len(), queries.rows()).into());
        }
        let ids: Vec<i64> = ids.iter().map(|id| i64::from_le_bytes(*id)).collect();
        // What is negative stands for nothing.
        let found = |ids: &[i64]| ids.iter().filter_map(|&id| u64::try_from(id).ok()).collect();
        let answers = if each == 0 { vec![Vec::new(); queries.rows()] } else { ids.chunks(each).map(found).collect() };
        Ok(Batch { answers, duration: duration(&said)? })
    }
}

impl Vectors for Index {
    fn load(&self, items: Items<'_>, progress: &mut dyn FnMut(u64)) -> Result<Duration> {
        let file = self.write_vectors("vectors", items.vectors)?;
        let kept = self.kept.as_deref().map(path).transpose()?;
        let said =
            self.ask(&json!({ "do": "load", "file": file, "dimensions": items.vectors.dimensions(), "kept": kept }))?;
        fs::remove_file(file)?;
        if let Some(bytes) = said["bytes"].as_u64() {
            let _ = self.memory_bytes.set(bytes);
        }
        progress(items.vectors.rows() as u64);
        duration(&said)
    }

    fn efforts(&self) -> Vec<usize> {
        EFFORTS.to_vec()
    }

    fn search(&self, query: &[f32], k: usize, effort: usize) -> Result<Vec<u64>> {
        let query = Matrix::new(query.len(), query.to_vec())?;
        self.run(&query, k, effort)?.answers.pop().ok_or_else(|| "wrong answer: none at all".into())
    }

    fn search_all(&self, queries: &Matrix, k: usize, effort: usize) -> Result<Batch> {
        self.run(queries, k, effort)
    }

    fn memory_bytes(&self) -> Option<u64> {
        self.memory_bytes.get().copied()
    }

    fn filter(&self, filter: Option<&VectorFilter>) -> Result<()> {
        let bytes =
            |filter: &VectorFilter| filter.matching.iter().map(|&matches| u8::from(matches)).collect::<Vec<u8>>();
        let file = filter.map(|filter| self.write("matching", &bytes(filter))).transpose()?;
        self.ask(&json!({ "do": "filter", "file": file })).map(drop)
    }

    fn delete(&self, rows: &[u64]) -> Result<()> {
        self.ask(&json!({ "do": "delete", "rows": self.write_rows(rows)? })).map(drop)
    }

    fn insert(&self, rows: &[u64], vectors: &Matrix) -> Result<()> {
        let numbers = rows.iter().flat_map(|&row| vectors.row(row as usize)).copied().collect();
        let file = self.write_vectors("inserted", &Matrix::new(vectors.dimensions(), numbers)?)?;
        let command = json!({
            "do": "insert", "rows": self.write_rows(rows)?, "file": file, "dimensions": vectors.dimensions(),
        });
        self.ask(&command).map(drop)
    }

    fn lacks(&self, skill: VectorSkill) -> bool {
        self.lacks.contains(&skill)
    }
}

fn duration(said: &Json) -> Result<Duration> {
    let seconds = said["seconds"].as_f64().ok_or_else(|| format!("its program tells no time: {said}"))?;
    Ok(Duration::try_from_secs_f64(seconds)?)
}

fn path(path: &Path) -> Result<String> {
    let path = std::path::absolute(path)?;
    Ok(path.to_str().ok_or_else(|| format!("{} cannot be named to Python", path.display()))?.to_owned())
}
