//! Source files: which ones are loaded, and what they hold.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};
use std::thread::Scope;

use serde::{Deserialize, Serialize};

use crate::Outcome;
use crate::checksum::Checksum;
use crate::corpus::Package;
use crate::similar_text::{Counter, SimilarText};

/// Larger files are tables and generated code.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// What the tour loads at most: enough to be real, little enough for a minute.
const CORPUS_BYTES_MAX: u64 = 60_000_000;

const THREADS: usize = 2;

/// Files that a worker may be ahead of the database.
const FILES_AHEAD: usize = 32;

const EXTENSIONS: [&str; 20] = [
    "S", "asm", "c", "cc", "cpp", "cs", "go", "h", "hh", "hpp", "inc", "java", "js", "pl", "py", "rb", "rs", "s", "sh",
    "toml",
];

/// A document: one source file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SourceText {
    pub(crate) package: String,
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) lines: u64,
    /// See `similar_text.rs`. An empty file has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) similar_text: Vec<f32>,
}

/// A file to load.
pub(crate) struct SourceFile {
    /// Its package's place in the corpus.
    pub(crate) package: usize,
    /// Where it is in the package, with `/` between the parts.
    pub(crate) path: String,
    pub(crate) bytes: u64,
    place: PathBuf,
}

/// What is not loaded, in files.
#[derive(Default)]
pub(crate) struct LeftOut {
    pub(crate) not_source: u64,
    pub(crate) too_large: u64,
    pub(crate) not_text: u64,
    pub(crate) beyond_share: u64,
    pub(crate) beyond_share_bytes: u64,
    pub(crate) beyond_share_packages: u64,
    /// The bytes that each package may have, if not all could be loaded.
    pub(crate) share_bytes: Option<u64>,
}

/// The files to load, by package and path.
pub(crate) struct Sources {
    pub(crate) files: Vec<SourceFile>,
    pub(crate) left_out: LeftOut,
    pub(crate) bytes: u64,
    /// Of every path and text.
    pub(crate) checksum: u64,
    pub(crate) similar: SimilarText,
}

impl Sources {
    /// Looks for files, then reads each once: for the checksum, and to learn what is common in them.
    pub(crate) fn find(packages: &[Package], directories: &[Option<PathBuf>]) -> Outcome<Sources> {
        let mut left_out = LeftOut::default();
        let mut found = Vec::new();
        for (package, directory) in directories.iter().enumerate() {
            let mut files = Vec::new();
            if let Some(directory) = directory {
                walk(directory, "", &mut |path, place, bytes| {
                    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
                    if !EXTENSIONS.contains(&extension) {
                        left_out.not_source += 1;
                    } else if bytes > FILE_BYTES_MAX {
                        left_out.too_large += 1;
                    } else {
                        files.push(SourceFile { package, path, bytes, place });
                    }
                })?;
            }
            found.push(files);
        }
        let mut sources = Sources { files: Vec::new(), left_out, bytes: 0, checksum: 0, similar: SimilarText::new() };
        let mut checksum = Checksum::new();
        for file in within_share(found, &mut sources.left_out) {
            let Ok(text) = String::from_utf8(fs::read(&file.place)?) else {
                sources.left_out.not_text += 1;
                continue;
            };
            for part in [&packages[file.package].id(), &file.path, &text] {
                checksum.add(&(part.len() as u64).to_le_bytes());
                checksum.add(part.as_bytes());
            }
            sources.similar.learn(&text);
            sources.bytes += file.bytes;
            sources.files.push(file);
        }
        sources.checksum = checksum.value();
        Ok(sources)
    }

    /// Starts threads that read the files and compute their vectors, and returns the documents in the files' order.
    /// At most a few dozen texts are in memory at a time.
    pub(crate) fn documents<'scope>(
        &'scope self,
        packages: &'scope [Package],
        scope: &'scope Scope<'scope, '_>,
    ) -> impl Iterator<Item = Outcome<SourceText>> + use<'scope> {
        let workers: Vec<Receiver<_>> = (0..THREADS)
            .map(|worker| {
                let (sender, receiver) = mpsc::sync_channel(FILES_AHEAD);
                scope.spawn(move || {
                    let mut counter = Counter::new();
                    for file in self.files.iter().skip(worker).step_by(THREADS) {
                        if sender.send(self.document(file, packages, &mut counter)).is_err() {
                            break; // nobody wants more
                        }
                    }
                });
                receiver
            })
            .collect();
        (0..self.files.len()).map(move |number| workers[number % THREADS].recv()?)
    }

    fn document(&self, file: &SourceFile, packages: &[Package], counter: &mut Counter) -> Outcome<SourceText> {
        let text = fs::read_to_string(&file.place).map_err(|error| format!("{}: {error}", file.place.display()))?;
        Ok(SourceText {
            package: packages[file.package].name.clone(),
            path: file.path.clone(),
            lines: text.lines().count() as u64,
            similar_text: self.similar.vector(&text, counter),
            text,
        })
    }
}

/// Calls `visit` with the path, place and size of every file, in the order of their names. Links are not followed.
fn walk(directory: &Path, prefix: &str, visit: &mut impl FnMut(String, PathBuf, u64)) -> Outcome<()> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Ok(()); // a package without sources on this machine
    };
    let mut entries = entries.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let kind = entry.file_type()?;
        if name.starts_with('.') {
            continue;
        }
        if kind.is_dir() {
            walk(&entry.path(), &format!("{prefix}{name}/"), visit)?;
        } else if kind.is_file() {
            visit(format!("{prefix}{name}"), entry.path(), entry.metadata()?.len());
        }
    }
    Ok(())
}

/// Takes whole packages as long as all of them fit. Where they do not, the large ones get equal shares, and a package
/// above its share is sampled evenly: by the checksums of its paths, which is the same on every machine.
fn within_share(mut packages: Vec<Vec<SourceFile>>, left_out: &mut LeftOut) -> Vec<SourceFile> {
    let total = |files: &Vec<SourceFile>| files.iter().map(|file| file.bytes).sum::<u64>();
    left_out.share_bytes = fair_share(packages.iter().map(total).collect(), CORPUS_BYTES_MAX);
    if let Some(share) = left_out.share_bytes {
        for files in packages.iter_mut().filter(|files| total(files) > share) {
            files.sort_by_key(|file| Checksum::of(file.path.as_bytes()));
            left_out.beyond_share_packages += 1;
            let mut bytes = 0;
            files.retain(|file| {
                let fits = bytes + file.bytes <= share;
                if fits {
                    bytes += file.bytes;
                } else {
                    left_out.beyond_share += 1;
                    left_out.beyond_share_bytes += file.bytes;
                }
                fits
            });
            files.sort_by(|left, right| left.path.cmp(&right.path));
        }
    }
    packages.into_iter().flatten().collect()
}

/// The largest share with which everyone together stays within `limit`; none if everyone can have everything.
fn fair_share(mut wishes: Vec<u64>, limit: u64) -> Option<u64> {
    wishes.sort_unstable();
    let mut left = limit;
    for (satisfied, &wish) in wishes.iter().enumerate() {
        let share = left / (wishes.len() - satisfied) as u64;
        if wish > share {
            return Some(share);
        }
        left -= wish;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::fair_share;

    #[test]
    fn small_wishes_are_met_and_the_rest_is_shared() {
        assert_eq!(fair_share(vec![10, 90, 20, 80], 200), None);
        assert_eq!(fair_share(vec![10, 90, 20, 80], 100), Some(35));
        assert_eq!(fair_share(vec![50, 50], 10), Some(5));
    }
}
