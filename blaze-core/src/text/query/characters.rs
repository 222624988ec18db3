//! What the characters of a query string mean: one place for those who read it and those who write it.

/// The words that are operators, in capitals only.
pub(super) const OPERATORS: [&str; 3] = ["AND", "OR", "NOT"];

/// True for what begins a phrase, where a word may begin: what keyboards make of `"` by themselves, too.
pub(super) fn is_quote(character: char) -> bool {
    matches!(character, '"' | '\u{201c}' | '\u{201d}' | '\u{201e}')
}

/// True if what begins with `opened` may end with `character`.
pub(super) fn closes(opened: char, character: char) -> bool {
    if opened == '"' { character == '"' } else { is_quote(character) && character != '\u{201e}' }
}

/// True for what stands in the name of a field without an escape; a name begins with a letter or `_`.
pub(super) fn is_name(character: char, is_first: bool) -> bool {
    if character.is_ascii() {
        return character.is_ascii_alphabetic()
            || character == '_'
            || !is_first && (character.is_ascii_digit() || character == '-');
    }
    !character.is_whitespace() && !character.is_control() && !is_quote(character)
}

/// True if `+` or `-` before `next` says something of it, rather than being text, as in `--all` or `->`.
pub(super) fn can_be_signed(next: Option<char>) -> bool {
    next.is_some_and(|next| !next.is_whitespace() && !matches!(next, '+' | '-' | '=' | '<' | '>' | ')'))
}

/// True if a word that begins so would read as something else.
pub(super) fn is_escaped_first(first: char) -> bool {
    is_quote(first) || matches!(first, '+' | '-' | '=' | '<' | '>' | '/')
}

/// True for what is escaped wherever it stands in a word.
pub(super) fn is_escaped(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\\' | '(' | ')' | ':' | '^' | '~' | '*')
}

/// A character of a query string, and where it begins: at its backslash, if it has one.
#[derive(Clone, Copy)]
pub(super) struct Character {
    pub(super) at: usize,
    pub(super) value: char,
    pub(super) is_escaped: bool,
}

impl Character {
    pub(super) fn end(self) -> usize {
        self.at + self.value.len_utf8() + usize::from(self.is_escaped)
    }

    /// True if it is `value` and means what that means.
    pub(super) fn is(self, value: char) -> bool {
        self.value == value && !self.is_escaped
    }

    pub(super) fn is_blank(self) -> bool {
        self.value.is_whitespace() && !self.is_escaped
    }
}

/// The characters of `text` from `start`; a backslash that nothing follows is one itself.
pub(super) fn characters(text: &str, start: usize) -> impl Iterator<Item = Character> {
    let mut rest = text.get(start..).unwrap_or_default().char_indices();
    std::iter::from_fn(move || {
        let (offset, value) = rest.next()?;
        let at = start + offset;
        if value == '\\'
            && let Some((_, value)) = rest.next()
        {
            return Some(Character { at, value, is_escaped: true });
        }
        Some(Character { at, value, is_escaped: false })
    })
}

/// Parentheses that are closed before the next blank: behind the beginning of a word they are text, as in `main()`.
pub(super) struct Pairs(Vec<(usize, usize)>);

impl Pairs {
    pub(super) fn find(text: &str) -> Pairs {
        let mut pairs = Vec::new();
        let mut open = Vec::new();
        for character in characters(text, 0) {
            if character.is_blank() {
                open.clear();
            } else if character.is('(') {
                open.push(pairs.len());
                pairs.push((character.at, 0));
            } else if character.is(')')
                && let Some(number) = open.pop()
                && let Some((_, close)) = pairs.get_mut(number)
            {
                *close = character.at;
            }
        }
        pairs.retain(|(_, close)| *close > 0);
        Pairs(pairs)
    }

    /// Where the one at `open` is closed.
    pub(super) fn close(&self, open: usize) -> Option<usize> {
        let found = self.0.binary_search_by_key(&open, |(open, _)| *open).ok()?;
        self.0.get(found).map(|(_, close)| *close)
    }
}
