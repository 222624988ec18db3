//! The items in the sources of Blaze's own dependencies: real text that every checkout has, as Cargo has fetched it.

mod items;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use serde_json::{Value as Json, json};

use self::items::SourceFile;
use super::corpus::evenly;
use crate::Result;

/// Larger files are tables and generated code.
const FILE_BYTES_MAX: u64 = 256 * 1024;
/// Bindings to operating systems have tens of thousands of items that are all alike.
const ITEMS_PER_PACKAGE: usize = 400;

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

#[cfg(test)]
mod tests {
    use super::*;

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
