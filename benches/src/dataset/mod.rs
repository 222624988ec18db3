//! What workloads are done with: key-value pairs, documents, texts and vectors, generated or read from files.

mod clustered;
pub mod corpus;
mod matrix;
mod neighbours;
pub mod orders;
pub mod pairs;
mod rotation;
mod sources;
pub mod text;
mod vector_file;

use std::num::NonZero;
use std::thread::available_parallelism;

pub use self::clustered::Clustered;
pub use self::matrix::Matrix;
pub use self::neighbours::{Neighbours, squared_distance};
pub use self::rotation::Rotation;
pub use self::vector_file::read_vectors;

/// How many threads prepare data, before anything is timed.
fn threads() -> usize {
    available_parallelism().map_or(1, NonZero::get)
}
