//! What was asked for on the command line.

use std::ffi::OsString;
use std::path::PathBuf;

pub(crate) const USAGE: &str = "Usage: tour [--keep] [FILE.jsonl [--id FIELD] [--index FIELD]...]";

pub(crate) const HELP: &str = "\
Loads a corpus that is on this machine already, asks it questions, breaks it, and measures.
Without a file, the corpus is the source code of the packages in Cargo.lock.

  FILE.jsonl     take the documents from this file, one JSON object on each line
  --id FIELD     the field that holds a document's id; without it ids are made up
  --index FIELD  build an index on this field, a dotted path for a nested one; may be repeated;
                 without it the tour proposes indexes and builds those
  --keep         leave the database behind and say where it is
  --help         this text

Colour is used on a terminal unless NO_COLOR is set.
The exit code is 0 if every check of the tour held, 1 if one failed, 2 if the arguments make no sense.
";

/// The flag with which the tour starts itself as the process that will be killed; see `crash.rs`.
pub(crate) const CRASH_CHILD: &str = "--crash-child";

/// What to do.
pub(crate) enum Task {
    Help,
    Tour { keep: bool, file: Option<JsonLines> },
    CrashChild(PathBuf),
}

/// A file to load, and how.
pub(crate) struct JsonLines {
    pub(crate) path: PathBuf,
    pub(crate) id: Option<String>,
    pub(crate) indexes: Vec<String>,
}

impl Task {
    /// Reads the arguments after the program's name; the error says what is wrong with them.
    pub(crate) fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Task, String> {
        let mut arguments = arguments.into_iter();
        let (mut keep, mut path, mut id, mut indexes) = (false, None, None, Vec::new());
        while let Some(argument) = arguments.next() {
            let text = argument.to_string_lossy().into_owned();
            let mut field = || {
                let value =
                    arguments.next().and_then(|value| value.into_string().ok()).filter(|value| !value.is_empty());
                value.ok_or_else(|| format!("{text} needs the name of a field, as in {text} year"))
            };
            match text.as_str() {
                "--help" | "-h" => return Ok(Task::Help),
                "--keep" => keep = true,
                "--id" if id.is_some() => return Err("--id was given twice; a document has one id".into()),
                "--id" => id = Some(field()?),
                "--index" => indexes.push(field()?),
                CRASH_CHILD => {
                    let directory = arguments.next().ok_or("--crash-child needs a directory")?;
                    return Ok(Task::CrashChild(directory.into()));
                }
                _ if text.starts_with('-') => return Err(unknown(&text)),
                _ if path.is_some() => return Err(format!("{text:?} is a second file; the tour takes one")),
                _ => path = Some(PathBuf::from(argument)),
            }
        }
        match path {
            Some(path) => Ok(Task::Tour { keep, file: Some(JsonLines { path, id, indexes }) }),
            None if id.is_some() || !indexes.is_empty() => Err("--id and --index go with a FILE.jsonl".into()),
            None => Ok(Task::Tour { keep, file: None }),
        }
    }
}

/// Names the option that was probably meant.
fn unknown(option: &str) -> String {
    let hint = ["--keep", "--id", "--index", "--help"]
        .into_iter()
        .find(|known| {
            option.split('=').next() == Some(known) || option.get(..4).is_some_and(|start| known.starts_with(start))
        })
        .map(|known| match (known, option.contains('=')) {
            ("--id" | "--index", true) => format!("; write {known} FIELD, with a blank"),
            _ => format!("; did you mean {known}?"),
        })
        .unwrap_or_default();
    format!("unknown option {option}{hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(arguments: &[&str]) -> String {
        Task::read(arguments.iter().map(OsString::from)).err().unwrap_or_default()
    }

    #[test]
    fn a_file_takes_an_id_and_several_indexes() {
        let arguments = ["--keep", "films.jsonl", "--index", "year", "--id", "name", "--index", "cast"];
        let Ok(Task::Tour { keep: true, file: Some(file) }) = Task::read(arguments.map(OsString::from)) else {
            panic!("not understood");
        };
        assert_eq!((file.id.as_deref(), file.indexes), (Some("name"), vec!["year".to_owned(), "cast".to_owned()]));
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_advice() {
        assert_eq!(message(&["--frob"]), "unknown option --frob");
        assert_eq!(message(&["--keepit"]), "unknown option --keepit; did you mean --keep?");
        assert_eq!(message(&["a.jsonl", "--index=x"]), "unknown option --index=x; write --index FIELD, with a blank");
        assert_eq!(message(&["--id", "x"]), "--id and --index go with a FILE.jsonl");
        assert_eq!(message(&["a.jsonl", "--id"]), "--id needs the name of a field, as in --id year");
    }
}
