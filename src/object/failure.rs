//! Blaze's errors as those of streams.

use std::io;

use blaze_core::{Error, ErrorKind};

/// The error as one of a stream, which carries it: [`io::Error::get_ref`] leads back to it.
#[cold]
pub(super) fn stream_error(error: Error) -> io::Error {
    let kind = match error.kind() {
        ErrorKind::Corruption => io::ErrorKind::InvalidData,
        ErrorKind::Invalid => io::ErrorKind::InvalidInput,
        ErrorKind::LimitExceeded => io::ErrorKind::FileTooLarge,
        ErrorKind::NotFound => io::ErrorKind::NotFound,
        _ => io::ErrorKind::Other, // never Interrupted or WouldBlock, after which callers try again by themselves
    };
    io::Error::new(kind, error)
}
