//! The items in the sources of Blaze's own dependencies: real text that every checkout has, as Cargo has fetched it.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::corpus::evenly;
use crate::Result;

/// Larger files are tables and generated code.
const FILE_BYTES_MAX: u64 = 256 * 1024;
/// Bindings to operating systems have tens of thousands of items that are all alike.
const ITEMS_PER_PACKAGE: usize = 1_500;
/// Items that say less are left out.
const ITEM_LINES_MIN: usize = 3;
const TEXT_BYTES_MAX: usize = 2_048;
const WORDS_MAX: usize = 24;

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    #[serde(default)]
    keywords: Vec<String>,
    source: Option<String>,
    manifest_path: PathBuf,
}

/// Why the sources cannot be read, if they cannot.
pub(super) fn missing() -> Option<String> {
    let packages = match packages() {
        Ok(packages) => packages,
        Err(error) => return Some(format!("the sources of Blaze's dependencies are not known: {error}")),
    };
    let absent = packages.iter().find(|package| !package.manifest_path.is_file())?;
    Some(format!("the sources of {} {} are not on this machine", absent.name, absent.version))
}

/// Visits every item: by package, file and line.
pub(super) fn for_each(mut visit: impl FnMut(Json) -> Result<()>) -> Result<()> {
    for package in packages()? {
        let mut items = Vec::new();
        for (path, file) in rust_files(&package)? {
            let in_file = |error: io::Error| format!("{}: {error}", file.display());
            if let Ok(text) = String::from_utf8(fs::read(&file).map_err(in_file)?) {
                items.extend(SourceFile::new(&path, &text).items());
            }
        }
        let described = json!({
            "name": package.name, "version": package.version,
            "licence": package.license, "keywords": package.keywords,
        });
        for mut item in evenly(items, ITEMS_PER_PACKAGE) {
            item.insert("crate".to_owned(), described.clone());
            visit(Json::Object(item))?;
        }
    }
    Ok(())
}

/// The packages that this machine needs to build the workspace, but not those of the workspace, which people are
/// changing. Cargo is asked, so that vendored and mirrored ones are found, too; it stays offline and changes nothing.
fn packages() -> Result<Vec<Package>> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--locked", "--offline", "--format-version", "1"]);
    command.arg("--manifest-path").arg(workspace().join("Cargo.toml"));
    if let Some(platform) = platform() {
        command.args(["--filter-platform", &platform]); // nobody has fetched those of other platforms
    }
    let output = command.output().map_err(|error| format!("cargo could not be started: {error}"))?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        return Err(format!("cargo metadata: {}", message.lines().next().unwrap_or("failed")).into());
    }
    let metadata: Metadata = serde_json::from_slice(&output.stdout)?;
    let mut packages = metadata.packages;
    packages.retain(|package| package.source.is_some());
    packages.sort_by(|left, right| (&left.name, &left.version).cmp(&(&right.name, &right.version)));
    Ok(packages)
}

/// Where the workspace was when this was built.
fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn platform() -> Option<String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned)
}

/// The Rust files below a package's `src` by their path in it, with `/` between the parts.
fn rust_files(package: &Package) -> io::Result<BTreeMap<String, PathBuf>> {
    let mut files = BTreeMap::new();
    let Some(root) = package.manifest_path.parent() else { return Ok(files) };
    let mut directories = vec![("src".to_owned(), root.join("src"))];
    while let Some((prefix, directory)) = directories.pop() {
        if !directory.is_dir() {
            continue; // some have their sources elsewhere
        }
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let path = format!("{prefix}/{}", entry.file_name().to_string_lossy());
            let kind = entry.file_type()?;
            if kind.is_dir() {
                directories.push((path, entry.path()));
            } else if kind.is_file() && path.ends_with(".rs") && entry.metadata()?.len() <= FILE_BYTES_MAX {
                files.insert(path, entry.path());
            }
        }
    }
    Ok(files)
}

/// A file, cut into lines.
struct SourceFile<'a> {
    path: &'a str,
    bytes: usize,
    lines: Vec<&'a str>,
}

impl<'a> SourceFile<'a> {
    fn new(path: &'a str, text: &'a str) -> SourceFile<'a> {
        SourceFile { path, bytes: text.len(), lines: text.lines().collect() }
    }

    /// What the file defines, with everything that is known of the file. Code that rustfmt has seen is cut right.
    fn items(&self) -> Vec<Map<String, Json>> {
        let file = json!({"path": self.path, "bytes": self.bytes, "lines": self.lines.len()});
        let imports = self.imports();
        let mut items = Vec::new();
        for (start, line) in self.lines.iter().enumerate() {
            let Some((kind, name)) = head(line) else { continue };
            let end = self.end_of(start);
            if end - start < ITEM_LINES_MIN {
                continue;
            }
            let text = self.lines[start..end].join("\n");
            let comment = self.comment_before(start);
            let mut item = Map::new();
            item.insert("kind".to_owned(), kind.into());
            item.insert("name".to_owned(), name.into());
            item.insert("public".to_owned(), line.trim_start().starts_with("pub").into());
            item.insert("line".to_owned(), (start + 1).into());
            item.insert("lines".to_owned(), (end - start).into());
            item.insert("bytes".to_owned(), text.len().into());
            item.insert("words".to_owned(), words(&format!("{name} {comment}")).into());
            item.insert("imports".to_owned(), imports.clone().into());
            item.insert("file".to_owned(), file.clone());
            item.insert("text".to_owned(), beginning(&text).into());
            if !comment.is_empty() {
                item.insert("comment".to_owned(), beginning(&comment).into());
            }
            items.push(item);
        }
        items
    }

    /// The line after the item: the first that closes it, at its own indentation.
    fn end_of(&self, start: usize) -> usize {
        let indentation = indentation(self.lines[start]);
        if self.lines[start].trim_end().ends_with([';', '}']) {
            return start + 1;
        }
        let closes = |line: &str| line.starts_with('}') || line.starts_with(')') && line.ends_with(';');
        let is_last = |line: &&str| self::indentation(line) == indentation && closes(line.trim());
        let after = self.lines[start + 1..].iter().position(is_last);
        after.map_or(start + 1, |after| start + after + 2)
    }

    /// The documentation above a line, as one paragraph.
    fn comment_before(&self, line: usize) -> String {
        let above = self.lines[..line].iter().rev().map(|line| line.trim_start());
        let comments = above.take_while(|line| line.starts_with("///") || line.starts_with("#["));
        let mut comment: Vec<&str> = comments.filter_map(|line| line.strip_prefix("///")).map(str::trim).collect();
        comment.reverse();
        comment.join(" ").trim().to_owned()
    }

    /// The crates and keywords that `use` begins with, each once.
    fn imports(&self) -> Vec<&'a str> {
        let first = |line: &&'a str| {
            let path = line.trim_start().trim_start_matches("pub ").strip_prefix("use ")?;
            path.trim_start_matches(':').split([':', ';', ' ', '{']).next().filter(|name| !name.is_empty())
        };
        let imports: BTreeSet<&str> = self.lines.iter().filter_map(first).collect();
        imports.into_iter().collect()
    }
}

/// The kind and the name of what a line begins to define.
fn head(line: &str) -> Option<(&'static str, &str)> {
    let mut words = line.split_whitespace();
    loop {
        let word = words.next()?;
        let kind = match word {
            "fn" => "fn",
            "struct" => "struct",
            "enum" => "enum",
            "trait" => "trait",
            "union" => "union",
            "mod" => "mod",
            "macro_rules!" => "macro",
            "const" | "async" | "unsafe" | "extern" | "default" | "\"C\"" => continue,
            _ if word.starts_with("pub") || word.ends_with(')') && line.contains("pub(") => continue,
            _ => return None,
        };
        let name = words.next()?;
        let end = name.find(|letter: char| !(letter.is_alphanumeric() || letter == '_')).unwrap_or(name.len());
        return (end > 0).then_some((kind, &name[..end]));
    }
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Its words in lower case, each once and sorted: those of names in snake case and camel case, too.
fn words(text: &str) -> Vec<String> {
    let mut words = BTreeSet::new();
    let mut word = String::new();
    let mut after_lower = false;
    for letter in text.chars().chain([' ']) {
        if !letter.is_alphabetic() || letter.is_uppercase() && after_lower {
            let complete = std::mem::take(&mut word);
            if complete.len() > 2 {
                words.insert(complete);
            }
        }
        if letter.is_alphabetic() {
            word.extend(letter.to_lowercase());
        }
        after_lower = letter.is_lowercase();
    }
    words.into_iter().take(WORDS_MAX).collect()
}

fn beginning(text: &str) -> &str {
    let end = (0..=TEXT_BYTES_MAX.min(text.len())).rev().find(|&end| text.is_char_boundary(end));
    &text[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
use std::fmt::{self, Display};
pub use ::serde::Serialize;

/// Counts the bytesRead
/// of a file.
#[inline]
pub(crate) const fn count_bytes(
    text: &str,
) -> usize {
    fn inner() {
        1
    }
    text.len()
}

impl Tree {
    pub fn leaf(self) {
        drop(self);
    }
}

pub struct Unit;
";

    #[test]
    fn a_file_is_cut_into_its_items() {
        let items = SourceFile::new("src/lib.rs", TEXT).items();
        let summary: Vec<_> = items.iter().map(|item| (&item["kind"], &item["name"], &item["line"], &item["lines"])).collect();
        let expected = [
            (&json!("fn"), &json!("count_bytes"), &json!(7), &json!(8)),
            (&json!("fn"), &json!("inner"), &json!(10), &json!(3)),
            (&json!("fn"), &json!("leaf"), &json!(17), &json!(3)),
        ];
        assert_eq!(summary, expected);
        assert_eq!(items[0]["comment"], "Counts the bytesRead of a file.");
        assert_eq!(items[0]["words"], json!(["bytes", "count", "counts", "file", "read", "the"]));
        assert_eq!(items[0]["imports"], json!(["serde", "std"]));
        assert_eq!((&items[0]["public"], &items[1]["public"]), (&json!(true), &json!(false)));
        assert_eq!(items[2]["text"], "    pub fn leaf(self) {\n        drop(self);\n    }");
    }

    #[test]
    fn the_sources_of_the_dependencies_are_there_in_order_or_it_is_said_why_not() {
        if let Some(reason) = missing() {
            assert!(reason.contains("sources of"), "{reason}");
            return;
        }
        let (mut count, mut last) = (0, Json::Null);
        let in_order = |item: Json| {
            let name = item["crate"]["name"].clone();
            assert!(last.as_str() <= name.as_str(), "{name} comes after {last}");
            (count, last) = (count + 1, name);
            Ok(())
        };
        for_each(in_order).unwrap();
        assert!(count > 10_000, "{count} items");
    }
}
