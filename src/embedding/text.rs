//! The text of a document that is embedded.

use blaze_core::Value;
use blaze_core::limits::EMBEDDING_TEXT_BYTES_MAX;

/// The text of a document that an index embeds, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SourceText {
    /// The id, as it stands in keys.
    pub(crate) entry: Vec<u8>,
    pub(crate) text: String,
}

/// A text that is put together of values: strings, and strings in arrays; each on a line of its own, blank ones left out.
#[derive(Debug, Default)]
pub(crate) struct TextBuilder {
    text: String,
    /// True once something was cut: nothing follows.
    is_full: bool,
}

impl TextBuilder {
    pub(crate) fn add(&mut self, value: &Value) {
        match value {
            Value::String(string) => self.add_line(string),
            Value::Array(elements) => {
                elements.iter().filter_map(Value::as_str).for_each(|string| self.add_line(string))
            }
            _ => {}
        }
    }

    fn add_line(&mut self, line: &str) {
        if self.is_full || line.trim().is_empty() {
            return;
        }
        let separator = if self.text.is_empty() { "" } else { "\n" };
        let room = EMBEDDING_TEXT_BYTES_MAX.saturating_sub(self.text.len() + separator.len());
        let fitting = beginning(line, room);
        self.is_full = fitting.len() < line.len();
        if !fitting.is_empty() {
            self.text.push_str(separator);
            self.text.push_str(fitting);
        }
    }

    /// The text, unless there is none.
    pub(crate) fn finish(self) -> Option<String> {
        (!self.text.is_empty()).then_some(self.text)
    }
}

/// As many whole characters as fit.
fn beginning(text: &str, bytes_max: usize) -> &str {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(values: impl IntoIterator<Item = Value>) -> Option<String> {
        let mut text = TextBuilder::default();
        values.into_iter().for_each(|value| text.add(&value));
        text.finish()
    }

    #[test]
    fn strings_stand_on_lines_of_their_own_and_what_is_blank_or_no_string_is_left_out() {
        let tags = Value::Array(vec!["space".into(), 7.into(), " ".into(), "opera".into()]);
        assert_eq!(
            text(["Solaris".into(), Value::Null, "".into(), tags, 1972.into()]).unwrap(),
            "Solaris\nspace\nopera"
        );
        assert_eq!(text([Value::Null, " \n".into(), Value::Array(Vec::new())]), None);
    }

    #[test]
    fn a_long_text_ends_with_a_whole_character() {
        let whole = text(["a".into(), "ü".repeat(EMBEDDING_TEXT_BYTES_MAX).into(), "behind".into()]).unwrap();
        assert_eq!(whole.len(), EMBEDDING_TEXT_BYTES_MAX, "one and a line feed leave room for whole ones");
        let odd = text(["ab".into(), "ü".repeat(EMBEDDING_TEXT_BYTES_MAX).into(), "behind".into()]).unwrap();
        assert_eq!(odd.len(), EMBEDDING_TEXT_BYTES_MAX - 1);
        assert!(odd.ends_with('ü'));
    }
}
