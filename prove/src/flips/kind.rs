//! Which kinds of files there are.

use std::fs;
use std::path::Path;

use crate::Result;

/// How a sorted file says which family it is of, after the entry `rocksdb.column.family.id`: bytes in common with that, bytes
/// of its own, and then, behind the length of the value, these bytes and the value.
const SHARED: [u8; 2] = [22, 4];
const OWN: &[u8] = b"name";

/// What a file of a database, a checkpoint or of backups is for.
///
/// # Errors
/// Those of the system.
pub fn of(path: &Path) -> Result<String> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let extension = path.extension().map(|extension| extension.to_string_lossy().into_owned()).unwrap_or_default();
    let parent = path.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    Ok(match (extension.as_str(), name.as_str()) {
        ("sst", _) => match family(path)? {
            Some(family) => format!("sorted file of {family}"),
            None => "sorted file, loaded".to_owned(),
        },
        ("blob", _) => "large values".to_owned(),
        ("log", _) => "log".to_owned(),
        (_, name) if name.starts_with("MANIFEST-") => "MANIFEST".to_owned(),
        (_, name) if name.starts_with("OPTIONS-") => "OPTIONS".to_owned(),
        (_, name) if name.starts_with("LOG") => "LOG".to_owned(),
        (_, name) if parent.as_deref() == Some("meta") && name.parse::<u32>().is_ok() => "description".to_owned(),
        (_, name) => name.to_owned(),
    })
}

/// True if no answer may depend on files of a kind.
#[must_use]
pub fn is_for_nobody(kind: &str) -> bool {
    matches!(kind.trim_start_matches("checkpoint: "), "LOG" | "LOCK" | "OPTIONS")
}

/// The family of a sorted file; one that was written to be loaded says none.
fn family(path: &Path) -> Result<Option<String>> {
    let bytes = fs::read(path)?;
    let is_named = |window: &[u8]| window.starts_with(&SHARED) && window.ends_with(OWN);
    let named = bytes.windows(SHARED.len() + 1 + OWN.len()).rposition(is_named);
    let name = named.and_then(|at| {
        let (length, value) = (usize::from(bytes[at + SHARED.len()]), at + SHARED.len() + 1 + OWN.len());
        bytes.get(value..value + length).filter(|name| !name.is_empty())
    });
    Ok(name.map(|name| String::from_utf8_lossy(name).into_owned()))
}
