//! Takes modules as they stand elsewhere: those of the database, as its `src/lib.rs` names them, and the model of its tests.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// Writes the source `head` so that it can be included: its modules are found where they lie, and what it says of the whole of
/// it stays behind. A module that has others in a directory of its own would not find them: it is taken in the same way.
fn take(head: &Path, modules: &Path, name: &str) -> PathBuf {
    println!("cargo::rerun-if-changed={}", head.display());
    let text = fs::read_to_string(head).expect("the source is there");
    let mut lines = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with("//!") && !line.starts_with("#![")) {
        let module = line.strip_prefix("pub ").unwrap_or(line).strip_prefix("mod ");
        if let Some(name) = module.and_then(|rest| rest.strip_suffix(';')) {
            let file = [format!("{name}.rs"), format!("{name}/mod.rs")].map(|file| modules.join(file));
            let mut file = file.into_iter().find(|file| file.exists()).expect("a module has a file");
            if !file.ends_with("mod.rs") && modules.join(name).is_dir() {
                file = take(&file, &modules.join(name), &format!("{name}.taken.rs"));
            }
            lines.push(format!("#[path = {file:?}]"));
        }
        lines.push(line.to_owned());
    }
    let out = PathBuf::from(env::var("OUT_DIR").expect("Cargo says it"));
    let taken = out.join(name);
    fs::write(&taken, lines.join("\n")).expect("the build has a directory");
    taken
}

fn main() {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("Cargo says it")).join("../..");
    take(&root.join("src/lib.rs"), &root.join("src"), "blaze.rs");
    take(&root.join("tests/it/model.rs"), &root.join("tests/it/model"), "model.rs");
}
