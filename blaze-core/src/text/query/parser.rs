//! The grammar of query strings.

use super::TextQuery;
use super::characters::{Pairs, can_be_signed, characters, is_name, is_quote};
use super::check::unknown_field;
use super::clauses::{Clauses, Role};
use crate::error::{Error, Result};
use crate::limits::TEXT_QUERY_DEPTH_MAX;
use crate::path::Path;

/// How much of a query string an error shows.
const CHARACTERS_SHOWN: usize = 24;

/// Where in a query string the reading is.
pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    pub(super) pairs: Pairs,
    depth: usize,
    fields: Option<&'a [Path]>,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str, fields: Option<&'a [Path]>) -> Parser<'a> {
        Parser { text, at: 0, pairs: Pairs::find(text), depth: 0, fields }
    }

    pub(super) fn query(mut self) -> Result<TextQuery> {
        let clauses = self.list()?;
        if self.peek().is_some() {
            return Err(self.wrong(self.at, "nothing is open that this closes; to search for it, write \\)"));
        }
        if clauses.is_empty() {
            return Err(Error::invalid("text query: there is nothing to search for, it is blank"));
        }
        self.check_finds(&clauses, 0)?;
        let query = clauses.combine(None);
        query.validate()?;
        Ok(query)
    }

    /// What stands side by side, up to the end or a parenthesis that closes.
    fn list(&mut self) -> Result<Clauses> {
        let mut clauses = Clauses::default();
        let mut last = None;
        let mut pending_or: Option<usize> = None;
        self.skip_blanks();
        while self.peek().is_some_and(|next| next != ')') {
            let start = self.at;
            if self.take_operator("OR") {
                match last {
                    _ if pending_or.is_some() => return Err(self.wrong(start, "OR stands here twice")),
                    None => return Err(self.wrong(start, &nothing("before", "OR"))),
                    Some(role) => self.check_alternative(role, start)?,
                }
                pending_or = Some(start);
            } else {
                let (role, query) = self.conjunction()?;
                if pending_or.take().is_some() {
                    self.check_alternative(role, start)?;
                }
                clauses.add(role, query);
                last = Some(role);
            }
            self.skip_blanks();
        }
        match pending_or {
            Some(start) => Err(self.wrong(start, &nothing("after", "OR"))),
            None => Ok(clauses),
        }
    }

    /// One query, or several with `AND` between them.
    fn conjunction(&mut self) -> Result<(Role, TextQuery)> {
        let start = self.at;
        let (role, first) = self.signed()?;
        let mut clauses = Clauses::default();
        let mut required = |role, query| match role {
            Role::Plain | Role::Required => clauses.add(Role::Required, query),
            Role::Excluded => clauses.add(Role::Excluded, query),
        };
        let mut operator = self.next_operator("AND");
        if operator.is_none() {
            return Ok((role, first));
        }
        required(role, first);
        while let Some(at) = operator {
            self.skip_blanks();
            if self.peek().is_none_or(|next| next == ')') {
                return Err(self.wrong(at, &nothing("after", "AND")));
            }
            let (role, query) = self.signed()?;
            required(role, query);
            operator = self.next_operator("AND");
        }
        self.check_finds(&clauses, start)?;
        Ok((Role::Plain, clauses.combine(None)))
    }

    /// One query and what is said of it.
    fn signed(&mut self) -> Result<(Role, TextQuery)> {
        let start = self.at;
        for operator in ["AND", "OR"] {
            if self.take_operator(operator) {
                return Err(self.wrong(start, &nothing("before", operator)));
            }
        }
        let role = match self.sign() {
            Some(role) => role,
            None if self.take_operator("NOT") => {
                self.skip_blanks();
                let ends = self.peek().is_none_or(|next| next == ')');
                if ends || ["AND", "OR", "NOT"].iter().any(|operator| self.is_operator(operator)) {
                    return Err(self.wrong(start, &nothing("after", "NOT")));
                }
                if self.sign().is_some() {
                    return Err(self.wrong(start, "NOT and + or - exclude each other; write one of them"));
                }
                Role::Excluded
            }
            None => Role::Plain,
        };
        Ok((role, self.primary()?))
    }

    /// Takes `+` or `-`, if it says something of what follows.
    fn sign(&mut self) -> Option<Role> {
        let mut next = self.rest().chars();
        let role = match next.next()? {
            '+' => Role::Required,
            '-' => Role::Excluded,
            _ => return None,
        };
        can_be_signed(next.next()).then(|| {
            self.at += 1;
            role
        })
    }

    fn primary(&mut self) -> Result<TextQuery> {
        let start = self.at;
        let Some((field, end)) = self.field()? else { return self.value() };
        if let Some(fields) = self.fields
            && !fields.contains(&field)
        {
            let unknown = unknown_field(&field, fields);
            let stop = if unknown.ends_with('?') { "" } else { "." };
            return Err(self.wrong(start, &format!("{unknown}{stop} To search for the text, write \\: for the colon")));
        }
        self.at = end;
        if self.sign().is_some() {
            let sign = self.at - 1;
            return Err(self.wrong(sign, "this belongs before the field; to search for it, put a \\ before it"));
        }
        Ok(self.value()?.in_field(field))
    }

    fn value(&mut self) -> Result<TextQuery> {
        match self.peek() {
            Some('(') => self.group(),
            Some(quote) if is_quote(quote) => self.quoted(quote),
            _ => self.word(),
        }
    }

    fn group(&mut self) -> Result<TextQuery> {
        let start = self.at;
        if self.depth == TEXT_QUERY_DEPTH_MAX {
            let message = format!("parentheses are nested more than {TEXT_QUERY_DEPTH_MAX} levels deep");
            return Err(Error::limit_exceeded(message).context(self.place(start)));
        }
        self.depth += 1;
        self.at += 1;
        let clauses = self.list()?;
        self.depth -= 1;
        if self.peek().is_none() {
            return Err(self.wrong(start, "this parenthesis is not closed; to search for it, write \\("));
        }
        self.at += 1;
        if clauses.is_empty() {
            return Err(self.wrong(start, "there is nothing in these parentheses; to search for them, write \\(\\)"));
        }
        self.check_finds(&clauses, start)?;
        let least = self.least(&clauses)?;
        self.boosted(clauses.combine(least))
    }

    /// The name of a field, and where what is looked for in it begins, if both are there.
    fn field(&self) -> Result<Option<(Path, usize)>> {
        let mut keys = Vec::new();
        let mut key = String::new();
        for character in characters(self.text, self.at) {
            if character.is('.') {
                keys.push(std::mem::take(&mut key));
            } else if character.is(':') {
                keys.push(key);
                return self.field_before(keys, character.end());
            } else if character.is_escaped || is_name(character.value, character.at == self.at) {
                key.push(character.value);
            } else {
                break;
            }
        }
        Ok(None)
    }

    /// The field of these `keys`, unless they go on as a text that has a colon in it, before the byte `start`.
    fn field_before(&self, keys: Vec<String>, start: usize) -> Result<Option<(Path, usize)>> {
        if keys.iter().any(String::is_empty) {
            return Ok(None);
        }
        let field = Path::from_keys(keys);
        let rest = self.text.get(start..).unwrap_or_default();
        let has_value = rest.chars().next().is_some_and(|next| !next.is_whitespace() && next != ')');
        if !has_value && self.fields.is_some_and(|fields| fields.contains(&field)) {
            let what = "what to look for in the field follows the colon at once; to search for the text, write \\:";
            return Err(self.wrong(self.at, what));
        }
        let is_text = !has_value || rest.starts_with(':') || rest.starts_with("//");
        Ok((!is_text).then_some((field, start)))
    }

    fn check_finds(&self, clauses: &Clauses, start: usize) -> Result<()> {
        if clauses.finds_nothing() {
            return Err(self.wrong(start, "this only says what is not to be found; write what is to be found, too"));
        }
        Ok(())
    }

    fn check_alternative(&self, role: Role, at: usize) -> Result<()> {
        match role {
            Role::Plain => Ok(()),
            Role::Required => Err(self.wrong(at, "what must be there is no alternative; leave out the OR or the +")),
            Role::Excluded => {
                Err(self.wrong(at, "what must not be there is no alternative; leave out the OR, or write AND for it"))
            }
        }
    }

    /// Takes the operator behind blanks and answers where it is.
    fn next_operator(&mut self, name: &str) -> Option<usize> {
        self.skip_blanks();
        let start = self.at;
        self.take_operator(name).then_some(start)
    }

    fn take_operator(&mut self, name: &str) -> bool {
        let is_there = self.is_operator(name);
        if is_there {
            self.at += name.len();
        }
        is_there
    }

    fn is_operator(&self, name: &str) -> bool {
        let follows = |rest: &str| rest.chars().next().is_none_or(|next| next.is_whitespace() || "()".contains(next));
        self.rest().strip_prefix(name).is_some_and(follows)
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Says what is wrong with what begins at the byte `at`.
    #[cold]
    pub(super) fn wrong(&self, at: usize, what: &str) -> Error {
        Error::invalid(what).context(self.place(at))
    }

    /// Which character is at the byte `at`, and what begins there.
    #[cold]
    pub(super) fn place(&self, at: usize) -> String {
        let (before, rest) = self.text.split_at_checked(at).unwrap_or((self.text, ""));
        let number = before.chars().count() + 1;
        let mut characters = rest.chars();
        let shown: String = characters.by_ref().take(CHARACTERS_SHOWN).map(visible).collect();
        let more = if characters.next().is_some() { "..." } else { "" };
        format!("text query, character {number}, at `{shown}{more}`")
    }
}

fn visible(character: char) -> char {
    if character.is_control() { ' ' } else { character }
}

fn nothing(side: &str, operator: &str) -> String {
    format!("there is nothing {side} {operator} that it could join; to search for the word, write it in small letters")
}
