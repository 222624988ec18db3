//! Where vectors and queries come from.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::dataset::{Clustered, Matrix, Rotation, read_vectors};
use crate::engine::VectorMetric;
use crate::run::Profile;

/// Where vectors and queries come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum VectorSource {
    /// A seed: see [`Clustered`]. The queries are more vectors of the same mixture.
    Clustered {
        /// Vectors.
        rows: u64,
        /// Numbers of each.
        dimensions: usize,
        /// Clusters.
        clusters: usize,
    },
    /// Files, see [`read_vectors`].
    File {
        /// The vectors.
        vectors: PathBuf,
        /// The queries; without them, some of the vectors are held back, evenly spread over the file.
        queries: Option<PathBuf>,
        /// The most vectors that are read.
        limit: Option<usize>,
    },
    /// Fashion-MNIST: 60,000 images of 28 × 28 grey pixels, and test images as queries.
    FashionMnist {
        /// The directory with the external data sets.
        data: Option<PathBuf>,
    },
    /// The same after a random rotation: its numbers are whole and many are zero, which flatters codes of few bits.
    FashionMnistRotated {
        /// The directory with the external data sets.
        data: Option<PathBuf>,
    },
    /// Descriptions of films, and questions about films, in 384 dimensions of a language model (MiniLM).
    Movies {
        /// The directory with the external data sets.
        data: Option<PathBuf>,
    },
}

const FASHION_MNIST: [&str; 2] = ["fashion-mnist/train-images-idx3-ubyte", "fashion-mnist/t10k-images-idx3-ubyte"];
const MOVIES: [&str; 2] = ["movies-minilm-384.f16.npy", "movies-queries-384.f16.npy"];

impl VectorSource {
    /// Those that a profile measures; those of files are looked for in `data`.
    #[must_use]
    pub fn all(profile: Profile, data: Option<&Path>) -> Vec<VectorSource> {
        let (rows, large_rows) = match profile {
            Profile::Quick => (50_000, 1_000_000),
            Profile::Full => (300_000, 1_000_000),
        };
        let clustered =
            |rows, dimensions| VectorSource::Clustered { rows, dimensions, clusters: (rows / 1000) as usize };
        let data = || data.map(Path::to_path_buf);
        vec![
            clustered(large_rows, 128),
            clustered(rows, 768),
            VectorSource::FashionMnist { data: data() },
            VectorSource::Movies { data: data() },
        ]
    }

    /// What tables call it.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            VectorSource::Clustered { rows, dimensions, .. } => format!("vectors, clustered, {rows} × {dimensions}"),
            VectorSource::File { vectors, .. } => {
                format!("vectors, {}", vectors.file_name().unwrap_or_default().to_string_lossy())
            }
            VectorSource::FashionMnist { .. } => "vectors, Fashion-MNIST, 60000 × 784".to_owned(),
            VectorSource::FashionMnistRotated { .. } => "vectors, Fashion-MNIST, rotated, 60000 × 784".to_owned(),
            VectorSource::Movies { .. } => "vectors, films, 36273 × 384".to_owned(),
        }
    }

    /// Why it cannot be read, if it cannot.
    #[must_use]
    pub fn missing(&self) -> Option<String> {
        let (data, files) = match self {
            VectorSource::Clustered { .. } | VectorSource::File { .. } => return None,
            VectorSource::FashionMnist { data } | VectorSource::FashionMnistRotated { data } => (data, FASHION_MNIST),
            VectorSource::Movies { data } => (data, MOVIES),
        };
        let Some(data) = data else {
            return Some(format!("{} is looked for in the directory of --data", files[0]));
        };
        let missing = files.into_iter().find(|file| !data.join(file).is_file())?;
        match data.join(format!("{missing}.gz")).is_file() {
            true => Some(format!("{missing} is packed in {}: unpack it with `gunzip -k {missing}.gz`", data.display())),
            false => Some(format!("{missing} is not in {}", data.display())),
        }
    }

    /// One sentence about it.
    pub(super) fn description(&self) -> String {
        match self {
            VectorSource::Clustered { rows, dimensions, clusters } => {
                format!("{rows} vectors of {dimensions} numbers in {clusters} clusters of several sizes that overlap.")
            }
            VectorSource::File { vectors, queries, limit } => {
                let first = limit.map_or_else(|| "The".to_owned(), |limit| format!("The first {limit}"));
                let queries = match queries {
                    Some(queries) => format!("the queries from {}", queries.display()),
                    None => "some of them held back as queries".to_owned(),
                };
                format!("{first} vectors from {}, {queries}.", vectors.display())
            }
            VectorSource::FashionMnist { .. } => {
                "60000 images of clothes as vectors of 784 pixels; the queries are test images.".to_owned()
            }
            VectorSource::FashionMnistRotated { .. } => {
                "60000 images of clothes as vectors of 784 pixels, and test images as queries, after a random rotation.".to_owned()
            }
            VectorSource::Movies { .. } => {
                "Descriptions of 36273 films as vectors of 384 numbers by a language model (MiniLM); the queries are made of \
                 the corpus by rule."
                    .to_owned()
            }
        }
    }

    /// Numbers of all vectors together, about; 0 where nobody knows before they are read.
    #[must_use]
    pub fn numbers(&self) -> u64 {
        match self {
            VectorSource::Clustered { rows, dimensions, .. } => rows * *dimensions as u64,
            VectorSource::File { .. } => 0,
            VectorSource::FashionMnist { .. } | VectorSource::FashionMnistRotated { .. } => 60_000 * 784,
            VectorSource::Movies { .. } => 36_273 * 384,
        }
    }

    /// What near means in it.
    #[must_use]
    pub fn metric(&self) -> VectorMetric {
        match self {
            VectorSource::Movies { .. } => VectorMetric::Cosine,
            _ => VectorMetric::L2,
        }
    }

    /// True when an exact search takes a large part of a second.
    pub(super) fn is_large(&self) -> bool {
        matches!(self, VectorSource::Clustered { rows, dimensions, .. } if rows * *dimensions as u64 > 100_000_000)
    }

    /// The vectors, and at most `queries` queries.
    ///
    /// # Errors
    /// Those of the files; when vectors and queries are of different dimensions.
    pub(super) fn load(&self, queries: usize, seed: u64) -> Result<(Matrix, Matrix)> {
        match self {
            VectorSource::Clustered { rows, dimensions, clusters } => {
                let mixture = Clustered::new(seed, *dimensions, *clusters);
                Ok((mixture.vectors(0..*rows), mixture.vectors(*rows..*rows + queries as u64)))
            }
            VectorSource::File { vectors, queries: None, limit } => {
                let mut vectors = read_vectors(vectors, *limit)?;
                let held_back = vectors.hold_out(queries);
                Ok((vectors, held_back))
            }
            VectorSource::File { vectors, queries: Some(file), limit } => read_both(vectors, *limit, file, queries),
            VectorSource::FashionMnist { data } => read_from(data.as_deref(), FASHION_MNIST, queries),
            VectorSource::FashionMnistRotated { data } => {
                let (vectors, queries) = read_from(data.as_deref(), FASHION_MNIST, queries)?;
                let rotation = Rotation::seeded(vectors.dimensions(), seed);
                Ok((rotation.of(&vectors), rotation.of(&queries)))
            }
            VectorSource::Movies { data } => {
                let (mut vectors, mut queries) = read_from(data.as_deref(), MOVIES, queries)?;
                vectors.normalize();
                queries.normalize();
                Ok((vectors, queries))
            }
        }
    }
}

fn read_from(data: Option<&Path>, [vectors, queries]: [&str; 2], limit: usize) -> Result<(Matrix, Matrix)> {
    let data = data.unwrap_or(Path::new(""));
    read_both(&data.join(vectors), None, &data.join(queries), limit)
}

fn read_both(vectors: &Path, limit: Option<usize>, queries: &Path, count: usize) -> Result<(Matrix, Matrix)> {
    let (set, asked) = (read_vectors(vectors, limit)?, read_vectors(queries, Some(count))?);
    match (set.dimensions(), asked.dimensions()) {
        (one, other) if one == other => Ok((set, asked)),
        (one, other) => {
            let (vectors, queries) = (vectors.display(), queries.display());
            Err(format!("the vectors of {vectors} have {one} numbers, the queries of {queries} have {other}").into())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn bvecs(vectors: &[[u8; 2]]) -> Vec<u8> {
        vectors.iter().flat_map(|[one, other]| [2, 0, 0, 0, *one, *other]).collect()
    }

    #[test]
    fn queries_that_a_seed_makes_are_not_among_the_vectors() {
        let source = VectorSource::Clustered { rows: 500, dimensions: 8, clusters: 3 };
        let (vectors, queries) = source.load(20, 1).unwrap();
        assert_eq!((vectors.rows(), queries.rows()), (500, 20));
        assert!(queries.iter().all(|query| vectors.iter().all(|vector| vector != query)));
        assert_ne!(source.load(20, 2).unwrap().0, vectors);
    }

    #[test]
    fn without_queries_some_vectors_are_held_back() {
        let directory = tempfile::tempdir().unwrap();
        let vectors = directory.path().join("base.bvecs");
        fs::write(&vectors, bvecs(&[[1, 1], [2, 2], [3, 3], [4, 4]])).unwrap();
        let source = VectorSource::File { vectors, queries: None, limit: Some(3) };
        let (vectors, queries) = source.load(1, 0).unwrap();
        assert_eq!((vectors.numbers(), queries.numbers()), ([2.0, 2.0, 3.0, 3.0].as_slice(), [1.0, 1.0].as_slice()));
    }

    #[test]
    fn queries_of_another_dimension_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let [vectors, queries] = ["base.bvecs", "query.bvecs"].map(|name| directory.path().join(name));
        fs::write(&vectors, bvecs(&[[1, 1]])).unwrap();
        fs::write(&queries, [1, 0, 0, 0, 7]).unwrap();
        let source = VectorSource::File { vectors, queries: Some(queries), limit: None };
        let message = source.load(1, 0).unwrap_err().to_string();
        assert!(message.contains("base.bvecs have 2 numbers") && message.contains("query.bvecs have 1"), "{message}");
    }

    #[test]
    fn what_is_missing_is_told_and_what_to_do_about_it() {
        let directory = tempfile::tempdir().unwrap();
        let source = VectorSource::FashionMnist { data: Some(directory.path().to_owned()) };
        assert!(source.missing().unwrap().starts_with("fashion-mnist/train-images-idx3-ubyte is not in "));
        fs::create_dir(directory.path().join("fashion-mnist")).unwrap();
        fs::write(directory.path().join("fashion-mnist/train-images-idx3-ubyte.gz"), b"").unwrap();
        assert!(source.missing().unwrap().ends_with("`gunzip -k fashion-mnist/train-images-idx3-ubyte.gz`"));
        for file in FASHION_MNIST {
            fs::write(directory.path().join(file), b"").unwrap();
        }
        assert_eq!(source.missing(), None);
        assert!(VectorSource::Movies { data: None }.missing().unwrap().contains("--data"));
    }
}
