//! The packages that Blaze was built from: what Cargo knows about them, and their source files.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::Outcome;
use crate::directory::project;
use crate::sources::Sources;

/// A document: one package.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) licence: String,
    pub(crate) keywords: Vec<String>,
    pub(crate) categories: Vec<String>,
    pub(crate) description: String,
    /// Ids of the packages that it was built with.
    pub(crate) dependencies: Vec<String>,
    /// Source files that were loaded.
    pub(crate) files: u64,
    /// Bytes in them.
    pub(crate) bytes: u64,
}

impl Package {
    /// The id of its document: two versions of a package are two documents.
    pub(crate) fn id(&self) -> String {
        format!("{} {}", self.name, self.version)
    }
}

/// Everything that will be loaded.
pub(crate) struct Corpus {
    /// By id.
    pub(crate) packages: Vec<Package>,
    pub(crate) sources: Sources,
}

/// The part of `cargo metadata` that matters here.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<MetadataPackage>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct MetadataPackage {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    description: Option<String>,
    #[serde(default)]
    keywords: Vec<String>,
    #[serde(default)]
    categories: Vec<String>,
    source: Option<String>,
    manifest_path: PathBuf,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<NodeDependency>,
}

#[derive(Deserialize)]
struct NodeDependency {
    pkg: String,
    dep_kinds: Vec<DependencyKind>,
}

#[derive(Deserialize)]
struct DependencyKind {
    kind: Option<String>,
}

impl Corpus {
    /// Asks Cargo where the packages are, so that vendored and mirrored ones are found too, and looks at their files.
    ///
    /// The error is for people: why there is nothing to load.
    pub(crate) fn find() -> Outcome<Corpus> {
        let metadata = metadata()?;
        let mut places = BTreeMap::new(); // by id: sorted, and each package once
        let dependencies = dependencies(&metadata);
        for package in metadata.packages {
            let document = Package {
                name: package.name,
                version: package.version,
                licence: normal_licence(package.license.as_deref()),
                keywords: package.keywords,
                categories: package.categories,
                description: package.description.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" "),
                dependencies: dependencies.get(&package.id).cloned().unwrap_or_default(),
                files: 0,
                bytes: 0,
            };
            // Files of this workspace change while people work on it: they would change the checksum from run to run.
            let directory = package.source.and(package.manifest_path.parent().map(Path::to_path_buf));
            places.insert(document.id(), (document, directory));
        }
        let (mut packages, directories): (Vec<_>, Vec<_>) = places.into_values().unzip();
        let sources = Sources::find(&packages, &directories)?;
        if sources.files.is_empty() {
            return Err("Cargo knows the packages, but their source files are not on this machine".into());
        }
        for file in &sources.files {
            packages[file.package].files += 1;
            packages[file.package].bytes += file.bytes;
        }
        Ok(Corpus { packages, sources })
    }
}

/// Runs `cargo metadata`, which is offline and changes nothing. Packages for other platforms may not have been
/// downloaded, so it is asked about this one.
fn metadata() -> Outcome<Metadata> {
    let platform = platform();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--locked", "--offline", "--format-version", "1"]).current_dir(project());
    if let Some(platform) = platform {
        command.args(["--filter-platform", &platform]);
    }
    let output = command.output().map_err(|error| format!("cargo could not be started: {error}"))?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        let first = message.lines().next().unwrap_or("no message");
        return Err(format!("cargo metadata failed: {first}").into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The platform that the compiler builds for, such as `x86_64-unknown-linux-gnu`.
fn platform() -> Option<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned)
}

/// What each package was built with, by Cargo's id; packages that only its tests need do not count.
fn dependencies(metadata: &Metadata) -> HashMap<String, Vec<String>> {
    let names: HashMap<&str, String> = metadata
        .packages
        .iter()
        .map(|package| (package.id.as_str(), format!("{} {}", package.name, package.version)))
        .collect();
    let resolved = metadata.resolve.nodes.iter().map(|node| {
        let built_with = |dependency: &&NodeDependency| {
            dependency.dep_kinds.iter().any(|dependency| dependency.kind.as_deref() != Some("dev"))
        };
        let ids: HashSet<&String> =
            node.deps.iter().filter(built_with).filter_map(|dependency| names.get(dependency.pkg.as_str())).collect();
        let mut ids: Vec<String> = ids.into_iter().cloned().collect();
        ids.sort();
        (node.id.clone(), ids)
    });
    resolved.collect()
}

/// `Apache-2.0/MIT` is an old spelling of `Apache-2.0 OR MIT`, and the order of a choice means nothing.
fn normal_licence(licence: Option<&str>) -> String {
    let licence = licence.unwrap_or("not stated").replace('/', " OR ");
    if licence.contains('(') || licence.contains(" AND ") {
        return licence.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    let mut choices: Vec<&str> = licence.split(" OR ").map(str::trim).collect();
    choices.sort_unstable();
    choices.join(" OR ")
}
