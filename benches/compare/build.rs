//! Tells the crate which versions of the rivals are locked: most of them do not say so themselves.

use std::{fs, io};

const LOCK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock");

const RIVALS: [&str; 9] =
    ["fjall", "heed", "hnsw_rs", "librocksdb-sys", "redb", "rocksdb", "rusqlite", "surrealkv", "tantivy"];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed={LOCK}");
    for package in fs::read_to_string(LOCK)?.split("[[package]]") {
        let field =
            |name| package.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \"")?.strip_suffix('"'));
        if let (Some(name), Some(version)) = (field("name"), field("version"))
            && RIVALS.contains(&name)
        {
            println!("cargo::rustc-env=LOCKED_{}={version}", name.to_uppercase().replace('-', "_"));
        }
    }
    Ok(())
}
