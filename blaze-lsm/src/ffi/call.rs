//! The conventions of RocksDB's C interface.

use std::ffi::{CStr, c_char};
use std::ptr;

use blaze_core::{Error, Result};
use librocksdb_sys as sys;

use crate::error;

/// Calls a function of RocksDB that reports errors through its last argument.
pub(super) fn checked<R>(doing: &str, call: impl FnOnce(*mut *mut c_char) -> R) -> Result<R> {
    let mut message = ptr::null_mut();
    let result = call(&raw mut message);
    match message.is_null() {
        true => Ok(result),
        false => Err(take_error(doing, message)),
    }
}

/// The error behind a message of RocksDB, which is freed.
#[cold]
pub(super) fn take_error(doing: &str, message: *mut c_char) -> Error {
    // SAFETY: RocksDB hands over a message that ends in a zero byte, made by malloc, which nobody else has.
    let text = unsafe { CStr::from_ptr(message) }.to_string_lossy().into_owned();
    // SAFETY: as above; the text was copied out.
    unsafe { sys::rocksdb_free(message.cast()) };
    error::rocks_message(doing, &text)
}
