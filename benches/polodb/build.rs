//! Tells the program which RocksDB is locked: PoloDB does not say.

use std::{fs, io};

const LOCK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock");

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed={LOCK}");
    for package in fs::read_to_string(LOCK)?.split("[[package]]") {
        let field =
            |name| package.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \"")?.strip_suffix('"'));
        if let (Some("polodb-librocksdb-sys"), Some(version)) = (field("name"), field("version")) {
            println!("cargo::rustc-env=LOCKED_ROCKSDB={version}");
        }
    }
    Ok(())
}
