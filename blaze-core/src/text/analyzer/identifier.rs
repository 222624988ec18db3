//! The words that names in programs are made of.

/// Cuts a word at full stops that are not between digits: `self.size`, but not `3.14`.
pub(super) fn names(word: &str) -> impl Iterator<Item = (usize, usize)> + '_ {
    let bytes = word.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let is_cut = move |at: usize| bytes[at] == b'.' && !(at > 0 && is_digit(at - 1) && is_digit(at + 1));
    let mut start = 0;
    std::iter::from_fn(move || {
        if start >= word.len() {
            return None;
        }
        let end = (start..word.len()).find(|at| is_cut(*at)).unwrap_or(word.len());
        let name = (start, end);
        start = end + 1;
        Some(name)
    })
    .filter(|(start, end)| start < end)
}

/// Puts the parts of a name into `parts`: what underscores separate, and what capitals begin. `HTTPServer` is `HTTP` and
/// `Server`; digits go with the letters before them.
pub(super) fn split(name: &str, parts: &mut Vec<(usize, usize)>) {
    parts.clear();
    let mut start = 0;
    let mut characters = name.char_indices().peekable();
    let mut before = '_';
    while let Some((at, character)) = characters.next() {
        let next = characters.peek().map_or('_', |(_, next)| *next);
        let begins = character.is_uppercase()
            && (before.is_lowercase() || before.is_numeric() || (before.is_uppercase() && next.is_lowercase()));
        if character == '_' || begins {
            if start < at {
                parts.push((start, at));
            }
            start = if character == '_' { at + 1 } else { at };
        }
        before = character;
    }
    if start < name.len() {
        parts.push((start, name.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(name: &str) -> Vec<&str> {
        let mut parts = Vec::new();
        split(name, &mut parts);
        parts.into_iter().map(|(start, end)| &name[start..end]).collect()
    }

    #[test]
    fn names_are_split_where_a_reader_does() {
        for (name, expected) in [
            ("getUserName", "get User Name"),
            ("get_user_name", "get user name"),
            ("HTTPServer", "HTTP Server"),
            ("__init__", "init"),
            ("MAX_VALUE", "MAX VALUE"),
            ("utf8Decoder", "utf8 Decoder"),
            ("sha256", "sha256"),
            ("größeÄndern", "größe Ändern"),
            ("A", "A"),
            ("___", ""),
        ] {
            assert_eq!(parts(name).join(" "), expected);
        }
    }

    #[test]
    fn full_stops_separate_names_and_not_numbers() {
        let names = |word: &str| names(word).map(|(start, end)| word[start..end].to_owned()).collect::<Vec<_>>();
        assert_eq!(names("self.size.max"), ["self", "size", "max"]);
        assert_eq!(names("3.14"), ["3.14"]);
        assert_eq!(names("v1.x"), ["v1", "x"]);
    }
}
