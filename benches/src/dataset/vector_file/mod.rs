//! Vectors in the files that others keep them in. The bytes are not trusted: nothing is allocated that the length of the
//! file does not justify.

mod idx;
mod npy;
mod number;
mod rows;
#[cfg(test)]
mod tests;
mod vecs;

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use self::number::NumberType;
use self::rows::{Input, Rows};
use super::Matrix;
use crate::Result;

/// Reads the first `limit` vectors of a file, or all of them. The end of its name tells the format:
///
/// | name | format | numbers |
/// |---|---|---|
/// | `.npy` | NumPy, versions 1 to 3, two dimensions in C order | `<f4`, `<f2`, `\|u1`, `\|i1` |
/// | `.fvecs`, `.bvecs`, `.ivecs` | TEXMEX: each vector after its dimension, in 4 bytes | floats, bytes, integers |
/// | `-idx3-ubyte`, or another digit | MNIST: an image is a vector | bytes |
///
/// # Errors
/// Those of reading. When the file is something else, is cut short or too long, holds no vectors, or a number that is not
/// finite or that single precision cannot hold: the message names the file, the byte and what is wrong there.
pub fn read_vectors(path: &Path, limit: Option<usize>) -> Result<Matrix> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let read = |format: Format| -> Result<Matrix> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        read(&format, BufReader::with_capacity(1 << 20, file), length, limit.unwrap_or(usize::MAX))
    };
    Format::of(&name).and_then(read).map_err(|error| format!("{}: {error}", path.display()).into())
}

#[derive(Clone, Copy, Debug)]
enum Format {
    Npy,
    Vecs(NumberType),
    Idx,
}

impl Format {
    fn of(name: &str) -> Result<Format> {
        let is_idx =
            matches!(name.strip_suffix("-ubyte").map(str::as_bytes), Some([.., b'i', b'd', b'x', b'0'..=b'9']));
        match name.rsplit_once('.').map(|(_, extension)| extension) {
            Some("npy") => Ok(Format::Npy),
            Some("fvecs") => Ok(Format::Vecs(NumberType::F32)),
            Some("bvecs") => Ok(Format::Vecs(NumberType::U8)),
            Some("ivecs") => Ok(Format::Vecs(NumberType::I32)),
            Some("gz") => Err("is packed: unpack it first, with `gunzip -k`".into()),
            _ if is_idx => Ok(Format::Idx),
            _ => Err("is none of .npy, .fvecs, .bvecs, .ivecs and -idx3-ubyte".into()),
        }
    }
}

/// Reads vectors from `length` bytes.
fn read(format: &Format, from: impl Read, length: u64, limit: usize) -> Result<Matrix> {
    let mut input = Input::new(from, length);
    let rows = match format {
        Format::Npy => npy::read_header(&mut input)?,
        Format::Vecs(numbers) => vecs::read_header(&mut input, *numbers)?,
        Format::Idx => idx::read_header(&mut input)?,
    };
    rows.read(&mut input, limit)
}
