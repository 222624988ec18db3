//! An analyzer at work.

use std::collections::HashMap;
use std::fmt;

use frostem::Stemmer;

use super::fold::{push_lower, push_without_accents};
use super::grams::{Grams, beginning};
use super::identifier;
use super::runs::units;
use super::segment::{Stretch, Stretches};
use super::token::{Place, Role, Token};
use super::{Analyzer, Kind};
use crate::text::language::Language;

/// What analyses texts one after another; [`Analyzer::begin`] makes it.
///
/// It keeps buffers, and the stems of words that it has seen.
///
/// ```
/// use blaze_core::Analyzer;
///
/// let analyzer = Analyzer::standard();
/// let mut analysis = analyzer.begin();
/// let mut count = 0;
/// for text in ["To be", "or not to be"] {
///     analysis.analyze(text, &mut |_token| count += 1);
/// }
/// assert_eq!(count, 6);
/// ```
pub struct Analysis<'a> {
    analyzer: &'a Analyzer,
    stems: Option<Stems>,
    pairs: Grams,
    triples: Grams,
    /// The term that is being made, and a buffer for its next form.
    term: String,
    other: String,
    name: String,
    parts: Vec<(usize, usize)>,
}

impl fmt::Debug for Analysis<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Analysis").field("analyzer", self.analyzer).finish_non_exhaustive()
    }
}

impl<'a> Analysis<'a> {
    pub(super) fn new(analyzer: &'a Analyzer) -> Analysis<'a> {
        Analysis {
            analyzer,
            stems: analyzer.language.filter(|_| analyzer.stems).map(Stems::new),
            pairs: Grams::new(2),
            triples: Grams::new(3),
            term: String::new(),
            other: String::new(),
            name: String::new(),
            parts: Vec::new(),
        }
    }

    /// Finds the terms of a text, as [`Analyzer::analyze`] does.
    pub fn analyze(&mut self, text: &str, visit: &mut dyn FnMut(Token<'_>)) {
        self.visit(text, &mut |token, _role| visit(token));
    }

    pub(super) fn visit(&mut self, text: &str, visit: &mut dyn FnMut(Token<'_>, Role)) {
        match self.analyzer.kind {
            Kind::Words => self.visit_words(text, visit),
            Kind::Substring => self.visit_triples(text, visit),
            Kind::Keyword => {
                self.fold(text);
                let term = beginning(&self.term);
                if !term.is_empty() {
                    visit(Place { position: 0, start: 0, end: text.len() }.with(term), Role::Begins);
                }
            }
        }
    }

    fn visit_words(&mut self, text: &str, visit: &mut dyn FnMut(Token<'_>, Role)) {
        let mut position = 0_u32;
        for stretch in Stretches::new(text) {
            position = match stretch {
                Stretch::Run(start, end) => self.visit_run(text, Place { position, start, end }, visit),
                Stretch::Word(start, end) if self.analyzer.splits_identifiers => {
                    self.visit_names(text, Place { position, start, end }, visit)
                }
                Stretch::Word(start, end) => {
                    self.visit_word(&text[start..end], Place { position, start, end }, Role::Begins, visit);
                    position.saturating_add(1)
                }
            };
        }
    }

    /// Hands over the term of a word, unless it has none.
    fn visit_word(&mut self, word: &str, at: Place, role: Role, visit: &mut dyn FnMut(Token<'_>, Role)) -> bool {
        let is_term = self.make_term(word);
        if is_term {
            visit(at.with(beginning(&self.term)), role);
        }
        is_term
    }

    fn visit_run(&mut self, text: &str, at: Place, visit: &mut dyn FnMut(Token<'_>, Role)) -> u32 {
        self.pairs.begin(at.position);
        for (start, end) in units(text, at.start, at.end) {
            self.fold(&text[start..end]);
            self.pairs.push(&self.term, (start, end), visit);
        }
        self.pairs.finish(visit);
        self.pairs.position()
    }

    fn visit_triples(&mut self, text: &str, visit: &mut dyn FnMut(Token<'_>, Role)) {
        self.triples.begin(0);
        for (start, end) in units(text, 0, text.len()) {
            self.fold(&text[start..end]);
            for character in self.term.chars() {
                let character = if character.is_whitespace() { ' ' } else { character };
                self.triples.push(character.encode_utf8(&mut [0; 4]), (start, end), visit);
            }
        }
        self.triples.finish(visit);
    }

    /// Hands over what the names in a word are made of; returns the position after them.
    fn visit_names(&mut self, text: &str, at: Place, visit: &mut dyn FnMut(Token<'_>, Role)) -> u32 {
        let mut parts = std::mem::take(&mut self.parts);
        let mut position = at.position;
        let mut role = Role::Begins;
        for (from, to) in identifier::names(&text[at.start..at.end]) {
            let (start, end) = (at.start + from, at.start + to);
            identifier::split(&text[start..end], &mut parts);
            if parts.len() > 1 {
                self.visit_whole(text, Place { position, start, end }, &parts, visit);
            }
            for (from, to) in &parts {
                let place = Place { position, start: start + from, end: start + to };
                if self.visit_word(&text[place.start..place.end], place, role, visit) {
                    role = Role::Continues;
                }
                position = position.saturating_add(1);
            }
        }
        self.parts = parts;
        position
    }

    fn visit_whole(&mut self, text: &str, at: Place, parts: &[(usize, usize)], visit: &mut dyn FnMut(Token<'_>, Role)) {
        let mut name = std::mem::take(&mut self.name);
        name.clear();
        name.extend(parts.iter().map(|(from, to)| &text[at.start + from..at.start + to]));
        self.visit_word(&name, at, Role::Whole, visit);
        self.name = name;
    }

    /// Makes the term of a word; false if it has none.
    fn make_term(&mut self, word: &str) -> bool {
        self.term.clear();
        push_lower(word, &mut self.term);
        self.take_off_elision();
        if !self.has_length() || self.analyzer.is_stop_word(&self.term) {
            return false;
        }
        if self.analyzer.language.is_some_and(Language::has_no_accents) {
            self.take_off_accents();
        }
        if let Some(stems) = &mut self.stems {
            stems.apply(&mut self.term);
        }
        self.take_off_accents();
        !self.term.is_empty()
    }

    /// Makes a term of what is no word.
    pub(super) fn fold(&mut self, text: &str) -> &str {
        self.term.clear();
        push_lower(text, &mut self.term);
        self.take_off_accents();
        &self.term
    }

    /// Makes a term of the beginning of a word.
    pub(super) fn fold_prefix(&mut self, text: &str) -> &str {
        self.term.clear();
        push_lower(text, &mut self.term);
        self.take_off_elision();
        if self.analyzer.splits_identifiers {
            self.term.retain(|character| character != '_');
        }
        self.take_off_accents();
        beginning(&self.term)
    }

    fn has_length(&self) -> bool {
        let (min, max) = (self.analyzer.min_length, self.analyzer.max_length);
        if min == 0 && max == usize::MAX {
            return true;
        }
        (min..=max).contains(&self.term.chars().count())
    }

    fn take_off_elision(&mut self) {
        let elisions = self.analyzer.language.map_or(&[][..], Language::elisions);
        if elisions.is_empty() {
            return;
        }
        if let Some((before, word)) = self.term.split_once('\'')
            && !word.is_empty()
            && elisions.contains(&before)
        {
            let apostrophe = before.len();
            self.term.drain(..=apostrophe);
        }
    }

    fn take_off_accents(&mut self) {
        if self.analyzer.keeps_accents || self.term.is_ascii() {
            return;
        }
        self.other.clear();
        push_without_accents(&self.term, &mut self.other);
        std::mem::swap(&mut self.term, &mut self.other);
    }
}

/// Stems, remembered since they are slow to find.
struct Stems {
    stemmer: Stemmer,
    known: HashMap<Box<str>, Box<str>>,
}

/// Words from which all are forgotten.
const KNOWN_MAX: usize = 32 * 1024;

/// Bytes of words that are brought to their stems; longer ones are none.
const WORD_BYTES_MAX: usize = 128;

impl Stems {
    fn new(language: Language) -> Stems {
        Stems { stemmer: language.stemmer(), known: HashMap::new() }
    }

    fn apply(&mut self, word: &mut String) {
        if word.len() > WORD_BYTES_MAX {
            return;
        }
        if !self.known.contains_key(word.as_str()) {
            if self.known.len() >= KNOWN_MAX {
                self.known.clear();
            }
            let stem = self.stemmer.stem(word).into();
            self.known.insert(word.as_str().into(), stem);
        }
        if let Some(stem) = self.known.get(word.as_str()) {
            word.clear();
            word.push_str(stem);
        }
    }
}
