//! What the shim is called by.

use librocksdb_sys::rocksdb_env_t;

/// The file system of the shim; only ever behind a pointer.
#[repr(C)]
pub(crate) struct RawFaultFs {
    _private: [u8; 0],
}

// SAFETY: the signatures are those in `shim.cc`.
unsafe extern "C" {
    pub(crate) fn blaze_fault_fs_create() -> *mut RawFaultFs;
    pub(crate) fn blaze_fault_fs_destroy(fs: *mut RawFaultFs);
    pub(crate) fn blaze_fault_fs_env(fs: *const RawFaultFs) -> *mut rocksdb_env_t;
    pub(crate) fn blaze_fault_fs_set_on(fs: *const RawFaultFs, on: bool);
    pub(crate) fn blaze_fault_fs_is_on(fs: *const RawFaultFs) -> bool;
    pub(crate) fn blaze_fault_fs_cut_at(fs: *const RawFaultFs, calls: u32, number: u64);
    pub(crate) fn blaze_fault_fs_fail(fs: *const RawFaultFs, calls: u32, number: u64, no_space: bool, goes_on: bool);
    pub(crate) fn blaze_fault_fs_failures(fs: *const RawFaultFs) -> u64;
    pub(crate) fn blaze_fault_fs_calls(fs: *const RawFaultFs, calls: u32) -> u64;
    pub(crate) fn blaze_fault_fs_drop_unsynced(fs: *const RawFaultFs, seed: *const u64) -> i64;
    pub(crate) fn blaze_fault_fs_delete_new_names(fs: *const RawFaultFs) -> bool;
    pub(crate) fn blaze_fault_fs_reset(fs: *const RawFaultFs);
}
