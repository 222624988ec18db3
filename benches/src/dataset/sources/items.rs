//! A source file as its items.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

/// Items that say less are left out.
const ITEM_LINES_MIN: usize = 3;
const TEXT_BYTES_MAX: usize = 2_048;
const WORDS_MAX: usize = 24;

/// A file, cut into lines.
pub(super) struct SourceFile<'a> {
    path: &'a str,
    bytes: usize,
    lines: Vec<&'a str>,
}

impl<'a> SourceFile<'a> {
    pub(super) fn new(path: &'a str, text: &'a str) -> SourceFile<'a> {
        SourceFile { path, bytes: text.len(), lines: text.lines().collect() }
    }

    /// What the file defines, with everything that is known of the file. Code that rustfmt has seen is cut right.
    pub(super) fn items(&self) -> Vec<Map<String, Json>> {
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
        let summary: Vec<_> =
            items.iter().map(|item| (&item["kind"], &item["name"], &item["line"], &item["lines"])).collect();
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
}
