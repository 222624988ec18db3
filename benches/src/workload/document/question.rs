//! Questions, and the files that hold those of users.

use std::fmt;
use std::path::Path;

use serde_json::Value as Json;

use crate::Result;
use crate::dataset::corpus::for_each_line;
use crate::engine::{Condition, Find, Operator};

/// A question that is asked and timed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Question {
    pub(super) find: Find,
    /// Whether only the number of documents is asked for.
    pub(super) counts: bool,
    /// Where the user has asked it: a file and a line.
    origin: Option<String>,
}

/// An index that helps with a question: a path, and whether elements of arrays are looked for.
pub(super) type IndexedPath = (String, bool);

impl Question {
    pub(super) fn find(find: Find) -> Question {
        Question { find, counts: false, origin: None }
    }

    pub(super) fn count(find: Find) -> Question {
        Question { find, counts: true, origin: None }
    }

    /// What no index helps with: everything, counted, in a window and whole.
    pub(super) fn scans(documents: usize) -> Vec<Question> {
        let all = Find::default;
        vec![
            Question::count(all()),
            Question::find(all().window(0, 100)),
            Question::find(all().window(documents / 2, 100)),
            Question::find(all()),
        ]
    }

    /// The questions in a file, one on each line. Errors name the file, the line and what is wrong.
    pub(super) fn read(file: &Path) -> Result<Vec<Question>> {
        let mut questions = Vec::new();
        for_each_line(file, |number, line| {
            let find = parsed(line)?;
            let origin = Some(format!("{}, line {number}", file.display()));
            questions.push(Question { find, counts: false, origin });
            Ok(())
        })?;
        match questions.is_empty() {
            true => Err(format!("{} holds no question: each line should be one", file.display()).into()),
            false => Ok(questions),
        }
    }

    /// The indexes that help.
    pub(super) fn indexes(&self) -> Vec<IndexedPath> {
        let conditions = self.find.conditions.iter();
        let conditions = conditions.map(|condition| (condition.path.clone(), condition.is == Operator::Contains));
        let sort = self.find.sort.iter().map(|sort| (sort.path.clone(), false));
        conditions.chain(sort).collect()
    }

    /// True if `built` has all the indexes that help, and there are any.
    pub(super) fn is_helped_by(&self, built: &[IndexedPath]) -> bool {
        let helping = self.indexes();
        !helping.is_empty() && helping.iter().all(|index| built.contains(index))
    }

    /// An error about it.
    pub(super) fn error(&self, what: impl fmt::Display) -> String {
        match &self.origin {
            Some(origin) => format!("{origin}: {what}"),
            None => format!("{self}: {what}"),
        }
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", if self.counts { "count" } else { "find" }, self.find)
    }
}

/// A question of the user's that can be asked.
fn parsed(line: &str) -> Result<Find> {
    // Each line is parsed alone, so that serde_json takes all of them for the first.
    let find: Find =
        serde_json::from_str(line).map_err(|error| error.to_string().replace(" at line 1 column", ", column"))?;
    for Condition { path, value, .. } in &find.conditions {
        if !matches!(value, Json::String(_) | Json::Number(_)) {
            return Err(format!("{path} is compared with {value}; only numbers and strings are possible").into());
        }
    }
    let sort = find.sort.iter().map(|sort| &sort.path);
    for path in find.conditions.iter().map(|condition| &condition.path).chain(sort) {
        if path.split('.').any(str::is_empty) {
            return Err(format!("the path {path:?} has an empty part").into());
        }
        if path.contains(['"', '\\']) {
            return Err(
                format!("the path {path:?} has a quote or a backslash, which not every product can take").into()
            );
        }
    }
    if find.limit == Some(0) {
        return Err("a limit of 0 asks for nothing".into());
    }
    Ok(find)
}
