//! The rules of the workspace: who may depend on whom, where `unsafe` may stand, what a signature may mention.
//!
//! They are read off the manifests and off the sources, line by line; rustfmt keeps the lines regular enough for that.

#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use serde_json::Value;

const SIBLINGS: [&str; 6] = ["blaze-check", "blaze-derive", "blaze-lsm", "blaze-sync", "blaze-text", "blaze-vector"];

/// The only sources with `unsafe`: by package, and by how their path within it begins. The last two are of tests: a file system
/// below RocksDB, and the call that cuts the power of a disk.
const UNSAFE_SOURCES: [(&str, &str); 4] = [
    ("blaze-lsm", "src/ffi"),
    ("blaze-vector", "src/kernel"),
    (FAULT_FS, "src"),
    ("blaze-prove", "src/power/system.rs"),
];

/// What stands below RocksDB in tests: it names what it interposes, and only proofs depend on it.
const FAULT_FS: &str = "blaze-fault-fs";

struct Member {
    name: String,
    directory: PathBuf,
    package: Value,
}

/// A line of the product: no comment, no test.
struct Line {
    file: PathBuf,
    number: usize,
    code: String,
}

impl Member {
    fn manifest(&self) -> String {
        fs::read_to_string(self.directory.join("Cargo.toml")).unwrap()
    }

    fn head(&self) -> String {
        fs::read_to_string(self.directory.join("src/lib.rs")).unwrap()
    }

    /// The packages it depends on in any way, or only in its products.
    fn dependencies(&self, only_in_products: bool) -> BTreeSet<String> {
        let all = self.package["dependencies"].as_array().unwrap().iter();
        let wanted = all.filter(|dependency| !only_in_products || dependency["kind"] != "dev");
        wanted.map(|dependency| dependency["name"].as_str().unwrap().to_owned()).collect()
    }

    fn lines(&self) -> Vec<Line> {
        let read = |file: PathBuf| (fs::read_to_string(&file).unwrap(), file);
        let sources: Vec<_> = rust_files(&self.directory.join("src")).into_iter().map(read).collect();
        let tests: Vec<_> = sources.iter().flat_map(|(source, file)| test_modules(source, file)).collect();
        let mut lines = Vec::new();
        for (source, file) in sources {
            if tests.iter().any(|module| file.with_extension("").starts_with(module)) {
                continue;
            }
            let file = file.strip_prefix(&self.directory).unwrap();
            let of_the_product = product_lines(&source).into_iter();
            lines.extend(of_the_product.map(|(number, code)| Line { file: file.to_owned(), number, code }));
        }
        assert!(!lines.is_empty(), "{} has no sources in {}", self.name, self.directory.display());
        lines
    }
}

fn members() -> Vec<Member> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--locked", "--offline", "--format-version", "1", "--no-deps"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
    let mut metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array_mut().unwrap().drain(..);
    packages
        .map(|package| Member {
            name: package["name"].as_str().unwrap().to_owned(),
            directory: Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap().to_owned(),
            package,
        })
        .collect()
}

/// All members but the rivals' package, which nobody depends on, and which names what it compares with.
fn product() -> Vec<Member> {
    let mut members = members();
    members.retain(|member| member.name != "blaze-compare");
    members
}

fn member(name: &str) -> Member {
    members().into_iter().find(|member| member.name == name).unwrap()
}

/// The names that each package in `Cargo.lock` depends on; packages of one name in several versions are taken as one.
fn locked_dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let lock = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock")).unwrap();
    let mut packages = BTreeMap::<String, BTreeSet<String>>::new();
    for package in lock.split("[[package]]").skip(1) {
        let name = package.lines().find_map(|line| line.strip_prefix("name = ")).unwrap();
        // ` "name",` or ` "name version",`
        let listed = package.lines().filter_map(|line| line.strip_prefix(" \""));
        let names = listed.map(|line| line.split([' ', '"']).next().unwrap().to_owned());
        packages.entry(name.trim_matches('"').to_owned()).or_default().extend(names);
    }
    packages
}

/// The sources below a directory, in a fixed order.
fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Where the modules lie, without the extension, that a source declares for tests only.
fn test_modules(source: &str, file: &Path) -> Vec<PathBuf> {
    let below = match file.file_stem().unwrap().to_str().unwrap() {
        "lib" | "main" | "mod" => file.parent().unwrap().to_owned(),
        _ => file.with_extension(""),
    };
    let declared = source.lines().zip(source.lines().skip(1));
    let declared = declared.filter(|(attribute, item)| attribute.trim() == "#[cfg(test)]" && item.ends_with(';'));
    declared.filter_map(|(_, item)| words(item).last()).map(|name| below.join(name)).collect()
}

/// Numbers the lines of a source and leaves out comments and whatever stands under `#[cfg(test)]`.
fn product_lines(source: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut numbered = source.lines().enumerate().map(|(index, line)| (index + 1, line));
    while let Some((number, line)) = numbered.next() {
        if ["#[cfg(test)]", "#[cfg(feature = \"faults\")]"].contains(&line.trim()) {
            // The item ends with the first line that is indented like it and closes something.
            let indent = &line[..line.len() - line.trim_start().len()];
            let ends = |item: &str| {
                let rest = item.strip_prefix(indent).unwrap_or("  ");
                !rest.starts_with([' ', '#']) && rest.ends_with([';', '}'])
            };
            let _last = numbered.find(|(_, item)| ends(item));
            continue;
        }
        let code = line.split("//").next().unwrap_or_default().trim_end();
        if !code.is_empty() {
            lines.push((number, code.to_owned()));
        }
    }
    lines
}

/// The public promises of a source: each `pub` item up to its body, each public field, each conversion from a type.
fn signatures(lines: &[Line]) -> Vec<Line> {
    let mut signatures = Vec::new();
    let mut rest = lines.iter();
    while let Some(Line { file, number, code }) = rest.next() {
        let mut code = code.trim_start().to_owned();
        if !code.starts_with("pub ") && !code.starts_with("impl From<") {
            continue;
        }
        let is_item = ["fn", "use", "type", "struct", "enum", "trait", "const", "static", "impl"]
            .iter()
            .any(|keyword| words(&code).any(|word| word == *keyword));
        while is_item && !code.ends_with(['{', ';', '}']) {
            let Some(next) = rest.next() else { break };
            code.push_str(next.code.trim_start());
        }
        if let Some((head, fields)) = code.split_once('(').filter(|_| code.starts_with("pub struct ")) {
            let public = fields.split("pub ").skip(1);
            code = public.fold(head.to_owned(), |text, field| text + " " + field); // the others are nobody's business
        }
        signatures.push(Line { file: file.clone(), number: *number, code });
    }
    signatures
}

/// The types that `use` brings in from a crate, by the names that they get.
fn imports(lines: &[Line], of: &str) -> BTreeSet<String> {
    let start = format!("use {of}::");
    let mut names = BTreeSet::new();
    let mut inside = false;
    for line in lines {
        inside |= line.code.trim_start().starts_with(&start);
        if inside {
            let types = words(&line.code).filter(|word| word.starts_with(char::is_uppercase));
            names.extend(types.map(str::to_owned));
            inside = !line.code.ends_with(';');
        }
    }
    names
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|character: char| !character.is_alphanumeric() && character != '_').filter(|word| !word.is_empty())
}

/// True when the code has the word outside of strings.
fn names(code: &str, word: &str) -> bool {
    code.split('"').step_by(2).flat_map(words).any(|found| found == word)
}

fn list(member: &Member, found: &[&Line]) -> String {
    let lines = found
        .iter()
        .map(|line| format!("\n  {} {}:{}: {}", member.name, line.file.display(), line.number, line.code.trim_start()));
    lines.collect()
}

#[test]
fn the_core_depends_on_no_other_part_of_blaze() {
    let parts: Vec<_> =
        member("blaze-core").dependencies(false).into_iter().filter(|name| name.starts_with("blaze")).collect();
    assert!(parts.is_empty(), "blaze-core is the bottom, and it depends on {parts:?}");
}

#[test]
fn siblings_never_see_each_other() {
    for sibling in product().iter().filter(|member| SIBLINGS.contains(&member.name.as_str())) {
        for other in sibling.dependencies(false) {
            let allowed = !SIBLINGS.contains(&other.as_str()) && other != "blaze";
            assert!(allowed, "{} depends on {other}; only the package blaze puts them together", sibling.name);
        }
    }
}

#[test]
fn rocksdb_is_named_in_the_manifest_of_the_engine_only() {
    for member in product().iter().filter(|member| !["blaze-lsm", FAULT_FS].contains(&member.name.as_str())) {
        for name in ["rocksdb", "librocksdb-sys"] {
            assert!(
                !member.dependencies(false).contains(name),
                "{} depends on {name}; blaze-lsm wraps it",
                member.name
            );
        }
    }
}

#[test]
fn only_proofs_depend_on_the_file_system_that_forgets() {
    for member in members().iter().filter(|member| member.name != "blaze-prove") {
        assert!(!member.dependencies(false).contains(FAULT_FS), "{} depends on {FAULT_FS}", member.name);
    }
}

#[test]
fn nobody_depends_on_the_rivals() {
    for member in members() {
        assert!(!member.dependencies(false).contains("blaze-compare"), "{} depends on the rivals", member.name);
    }
}

#[test]
fn tokio_comes_in_behind_the_feature_async_only() {
    let root = member("blaze");
    let dependencies = root.package["dependencies"].as_array().unwrap();
    let tokio: Vec<_> = dependencies.iter().filter(|dependency| dependency["name"] == "tokio").collect();
    assert_eq!(tokio.len(), 1, "{tokio:?}");
    assert_eq!((&tokio[0]["optional"], &tokio[0]["features"]), (&true.into(), &vec!["rt"].into()));
    let features = root.package["features"].as_object().unwrap();
    let enabling = |what: &str| -> Vec<&String> {
        let enables = |parts: &Value| parts.as_array().unwrap().iter().any(|part| part == what);
        features.iter().filter(|(_, parts)| enables(parts)).map(|(name, _)| name).collect()
    };
    assert_eq!(enabling("dep:tokio"), ["async"]);
    assert_eq!(enabling("async"), Vec::<&String>::new(), "no other feature switches it on");

    let mut locked = locked_dependencies();
    locked.get_mut("blaze").unwrap().remove("tokio");
    let mut reached = BTreeSet::new();
    let mut next: Vec<String> = product().into_iter().map(|member| member.name).collect();
    while let Some(name) = next.pop() {
        next.extend(locked.get(&name).into_iter().flatten().filter(|name| !reached.contains(*name)).cloned());
        reached.insert(name);
    }
    assert!(reached.contains("rocksdb"), "Cargo.lock was read wrongly: {reached:?}");
    assert!(!reached.contains("tokio"), "the API is synchronous, and something else depends on tokio");
}

#[test]
fn members_share_edition_license_rust_version_and_lints() {
    let root = member("blaze");
    for member in members() {
        for key in ["edition", "license", "rust_version", "version"] {
            let (own, shared) = (&member.package[key], &root.package[key]);
            assert_eq!(own, shared, "{}: take {key} from the workspace", member.name);
        }
        let manifest = member.manifest();
        assert!(manifest.contains("[lints]\nworkspace = true"), "{}: take the lints from the workspace", member.name);
    }
}

#[test]
fn safe_crates_forbid_unsafe_code() {
    let exceptions = UNSAFE_SOURCES.map(|(name, _)| name);
    for member in product().iter().filter(|member| !exceptions.contains(&member.name.as_str())) {
        let forbids = member.head().lines().any(|line| line == "#![forbid(unsafe_code)]");
        assert!(forbids, "{}: src/lib.rs lacks #![forbid(unsafe_code)]", member.name);
    }
}

#[test]
fn unsafe_stands_in_the_kernels_and_at_the_foreign_interface_only() {
    for member in product() {
        let lines = member.lines();
        let permitted = |line: &Line| {
            UNSAFE_SOURCES
                .iter()
                .any(|(name, path)| member.name == *name && line.file.to_string_lossy().starts_with(path))
        };
        let found: Vec<_> = lines.iter().filter(|line| names(&line.code, "unsafe") && !permitted(line)).collect();
        assert!(found.is_empty(), "unsafe outside of {UNSAFE_SOURCES:?}:{}", list(&member, &found));
    }
}

#[test]
fn public_signatures_mention_no_dependency() {
    for member in product().iter().filter(|member| !["blaze-bench", FAULT_FS].contains(&member.name.as_str())) {
        let ours_and_serde = |name: &String| name.starts_with("blaze") || name == "serde";
        let dependencies = member.dependencies(true).into_iter().filter(|name| !ours_and_serde(name));
        for dependency in dependencies.map(|name| name.replace('-', "_")) {
            let lines = member.lines();
            for file in lines.chunk_by(|one, next| one.file == next.file) {
                let names = imports(file, &dependency);
                let promised = signatures(file);
                let tells = |line: &&Line| {
                    words(&line.code).any(|word| names.contains(word)) || line.code.contains(&format!("{dependency}::"))
                };
                let found: Vec<_> = promised.iter().filter(tells).collect();
                assert!(found.is_empty(), "signatures that bind users to {dependency}:{}", list(member, &found));
            }
        }
    }
}

#[test]
fn the_core_touches_neither_disk_nor_network_nor_threads_nor_the_clock() {
    let core = member("blaze-core");
    let forbidden = ["std::fs", "std::net", "std::thread", "std::process", "SystemTime::now", "Instant::now"];
    let lines = core.lines();
    let found: Vec<_> = lines.iter().filter(|line| forbidden.iter().any(|path| line.code.contains(path))).collect();
    assert!(found.is_empty(), "blaze-core is given what it needs, it does not fetch it:{}", list(&core, &found));
}

#[test]
fn the_scan_sees_the_product_and_neither_comments_nor_tests() {
    let source = "use one; // unsafe\n#[cfg(test)]\nmod strategy;\nmod two {\n    #[cfg(test)]\n    #[inline]\n    fn skipped() {\n\
                  \x20       three\n    }\n    four\n}\n#[cfg(test)]\nmod tests {\n    five\n}\nsix";
    assert_eq!(test_modules(source, Path::new("src/value/mod.rs")), [Path::new("src/value/strategy")]);
    assert_eq!(test_modules(source, Path::new("src/value.rs")), [Path::new("src/value/strategy")]);
    let expected = [(1, "use one;"), (4, "mod two {"), (10, "    four"), (11, "}"), (16, "six")];
    assert_eq!(product_lines(source), expected.map(|(number, code)| (number, code.to_owned())));
}

#[test]
fn the_scan_reads_signatures_over_several_lines_and_public_fields() {
    let source = "use rocksdb::{\n    Cache as Memory, DB,\n};\npub fn open(\n    memory: &Memory,\n) -> Handle {\n    DB::open()\n}\n\
                  pub struct Hidden(DB, u8);\npub struct Shown(u8, pub DB);\nimpl From<rocksdb::Error> for Error {";
    let file = PathBuf::from("source.rs");
    let line = |(number, code)| Line { file: file.clone(), number, code };
    let lines: Vec<_> = product_lines(source).into_iter().map(line).collect();
    let names = imports(&lines, "rocksdb");
    let tells = |line: &Line| line.code.contains("rocksdb::") || words(&line.code).any(|word| names.contains(word));
    let found: Vec<_> = signatures(&lines).iter().filter(|line| tells(line)).map(|line| line.number).collect();
    assert_eq!(found, [4, 10, 11]);
}
