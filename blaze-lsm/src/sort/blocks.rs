//! Bytes in a temporary file, compressed block by block: a sort should not take several times the space of what comes of it.
//!
//! A block is `its bytes (4) | bytes in the file (4) | content`, big-endian. The content is a frame of zstd, or as it was
//! where that is no smaller, and both numbers are equal. Lengths are checked here, contents by who reads them.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, ErrorKind as IoErrorKind, Read as _, Write as _};
use std::sync::Arc;

use parking_lot::Mutex;
use zstd::bulk::{Compressor, Decompressor};

const HEAD_BYTES: usize = 8;

/// Negative levels trade size for speed.
const LEVEL: i32 = -1;

/// Bytes that are written at once, and bytes that are read at once beside blocks.
const WRITE_BYTES: usize = 256 * 1024;
const READ_BYTES: usize = 4 * 1024;

/// What unpacks blocks; readers share it, because its tables are larger than small blocks.
pub(super) type Unpacker = Arc<Mutex<Decompressor<'static>>>;

pub(super) fn unpacker() -> io::Result<Unpacker> {
    Ok(Arc::new(Mutex::new(Decompressor::new()?)))
}

pub(super) struct BlockWriter {
    out: BufWriter<File>,
    compressor: Compressor<'static>,
    block: Vec<u8>,
    block_bytes: usize,
    compressed: Vec<u8>,
}

impl BlockWriter {
    /// Writes blocks of at most so many bytes.
    pub(super) fn new(file: File, block_bytes: usize) -> io::Result<BlockWriter> {
        Ok(BlockWriter {
            out: BufWriter::with_capacity(WRITE_BYTES, file),
            compressor: Compressor::new(LEVEL)?,
            block: Vec::with_capacity(block_bytes),
            block_bytes,
            compressed: Vec::with_capacity(block_bytes),
        })
    }

    pub(super) fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while self.block.len() + bytes.len() > self.block_bytes {
            let (fitting, rest) = bytes.split_at(self.block_bytes - self.block.len());
            self.block.extend_from_slice(fitting);
            self.write_block()?;
            bytes = rest;
        }
        self.block.extend_from_slice(bytes);
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        if !self.block.is_empty() {
            self.write_block()?;
        }
        self.out.flush()
    }

    fn write_block(&mut self) -> io::Result<()> {
        self.compressed.clear();
        let smaller = self.compressor.compress_to_buffer(&self.block, &mut self.compressed);
        let content = match smaller {
            Ok(bytes) if bytes < self.block.len() => &self.compressed,
            _ => &self.block, // also what has no room where it should become smaller
        };
        self.out.write_all(&length(self.block.len())?.to_be_bytes())?;
        self.out.write_all(&length(content.len())?.to_be_bytes())?;
        self.out.write_all(content)?;
        self.block.clear();
        Ok(())
    }
}

fn length(bytes: usize) -> io::Result<u32> {
    u32::try_from(bytes).map_err(|_| io::Error::other(format!("a block of {bytes} bytes is too long")))
}

pub(super) struct BlockReader {
    input: BufReader<File>,
    unpacker: Unpacker,
    block: Vec<u8>,
    /// Bytes of the block that were read.
    read: usize,
    block_bytes: usize,
    compressed: Vec<u8>,
}

impl BlockReader {
    /// Reads what was written in blocks of at most so many bytes.
    pub(super) fn new(file: File, block_bytes: usize, unpacker: Unpacker) -> BlockReader {
        let input = BufReader::with_capacity(READ_BYTES, file);
        BlockReader { input, unpacker, block: Vec::new(), read: 0, block_bytes, compressed: Vec::new() }
    }

    /// Appends the next bytes to `to`. A number that is damaged asks for no more memory than there is file.
    ///
    /// # Errors
    /// [`UnexpectedEof`](IoErrorKind::UnexpectedEof) when there are fewer, [`InvalidData`](IoErrorKind::InvalidData) when
    /// they are not as they were written, and those of the file.
    pub(super) fn read(&mut self, mut bytes: usize, to: &mut Vec<u8>) -> io::Result<()> {
        loop {
            let left = &self.block[self.read..];
            let taken = bytes.min(left.len());
            to.extend_from_slice(&left[..taken]);
            self.read += taken;
            bytes -= taken;
            if bytes == 0 {
                return Ok(());
            }
            self.read_block()?;
        }
    }

    fn read_block(&mut self) -> io::Result<()> {
        let mut head = [0; HEAD_BYTES];
        self.input.read_exact(&mut head)?;
        let [a, b, c, d, in_file @ ..] = head;
        let (bytes, in_file) = (u32::from_be_bytes([a, b, c, d]) as usize, u32::from_be_bytes(in_file) as usize);
        if bytes > self.block_bytes || in_file > bytes || in_file == 0 {
            return Err(IoErrorKind::InvalidData.into());
        }
        self.read = 0;
        self.compressed.resize(in_file, 0);
        self.input.read_exact(&mut self.compressed)?;
        self.block.clear();
        if in_file == bytes {
            self.block.extend_from_slice(&self.compressed);
            return Ok(());
        }
        self.block.reserve_exact(bytes);
        let unpacked = self.unpacker.lock().decompress_to_buffer(&self.compressed, &mut self.block);
        match unpacked {
            Ok(unpacked) if unpacked == bytes => Ok(()),
            _ => Err(IoErrorKind::InvalidData.into()),
        }
    }
}
