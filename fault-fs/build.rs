//! Compiles the shim as RocksDB itself was compiled.

use std::env;
use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=src/shim.cc");
    if env::var("CARGO_CFG_TARGET_OS")? != "linux" {
        return Ok(()); // the crate is empty there
    }
    let rocksdb = PathBuf::from(env::var("DEP_ROCKSDB_CARGO_MANIFEST_DIR")?).join("rocksdb");
    let mut shim = cc::Build::new();
    shim.cpp(true).file("src/shim.cc").include(&rocksdb).include(rocksdb.join("include"));
    // What changes the layout of its classes, and what its headers ask for.
    shim.flag("-std=c++20").flag("-include").flag("cstdint").define("NDEBUG", "1");
    for name in [
        "OS_LINUX",
        "ROCKSDB_PLATFORM_POSIX",
        "ROCKSDB_LIB_IO_POSIX",
        "ROCKSDB_SCHED_GETCPU_PRESENT",
        "ROCKSDB_AUXV_GETAUXVAL_PRESENT",
        "ROCKSDB_FALLOCATE_PRESENT",
        "ROCKSDB_RANGESYNC_PRESENT",
        "HAVE_ALIGNED_NEW",
        "HAVE_UINT128_EXTENSION",
    ] {
        shim.define(name, None);
    }
    shim.warnings(false).try_compile("blaze_fault_fs")?;
    Ok(())
}
