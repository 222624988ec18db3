//! Whether a text query can be answered.

use super::TextQuery;
use crate::error::{Error, Result};
use crate::filter::Quoted;
use crate::limits::{
    TEXT_EDITS_MAX, TEXT_QUERY_BYTES_MAX, TEXT_QUERY_CLAUSES_MAX, TEXT_QUERY_DEPTH_MAX, TEXT_SLOP_MAX,
};
use crate::path::Path;
use crate::spelling::unknown;

impl TextQuery {
    /// Checks everything that the builders accepted unseen: texts, numbers, paths, and that each combination says what to find.
    ///
    /// What [`parse`](TextQuery::parse) answers is valid.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) for a blank text, a boost that is not finite and above 0, a distance that is not
    /// 1 or 2, a path with an empty step, a combination of exclusions only, or more alternatives wanted than there are;
    /// [`LimitExceeded`](crate::ErrorKind::LimitExceeded) for too many levels, clauses, bytes of text or places of slop.
    pub fn validate(&self) -> Result<()> {
        Totals::default().add(self, 0).map_err(|error| error.context("text query"))
    }

    /// The fields that the query names, each once, in their order in it: fields that an index must have to answer it.
    #[must_use]
    pub fn fields(&self) -> Vec<&Path> {
        let mut fields = Vec::new();
        let mut pending = vec![self];
        while let Some(query) = pending.pop() {
            match query {
                TextQuery::Boolean { must, should, must_not, .. } => {
                    pending.extend(must_not.iter().rev().chain(should.iter().rev()).chain(must.iter().rev()));
                }
                TextQuery::In(path, inner) => {
                    if !fields.contains(&path) {
                        fields.push(path);
                    }
                    pending.push(inner);
                }
                TextQuery::Boost(inner, _) => pending.push(inner),
                _ => {}
            }
        }
        fields
    }

    /// Checks that each field that the query names is one of `fields`, those of an index.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid), with the fields that there are, or the one that may be meant.
    pub fn check_fields(&self, fields: &[Path]) -> Result<()> {
        match self.fields().into_iter().find(|field| !fields.contains(field)) {
            Some(field) => Err(Error::invalid(format!("text query: {}", unknown_field(field, fields)))),
            None => Ok(()),
        }
    }
}

/// Says that there is no such field, and which there are.
pub(super) fn unknown_field(field: &Path, fields: &[Path]) -> String {
    let fields: Vec<String> = fields.iter().map(Path::to_string).collect();
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    unknown("field", &field.to_string(), &fields)
}

/// What all parts of a query come to.
#[derive(Default)]
struct Totals {
    clauses: usize,
    bytes: usize,
}

impl Totals {
    /// `depth` counts the levels above.
    fn add(&mut self, query: &TextQuery, depth: usize) -> Result<()> {
        if depth > TEXT_QUERY_DEPTH_MAX {
            return Err(Error::limit_exceeded(format!("more than {TEXT_QUERY_DEPTH_MAX} levels")));
        }
        match query {
            TextQuery::AnyWord(text) | TextQuery::AllWords(text) | TextQuery::Prefix(text) => self.add_text(text),
            TextQuery::Phrase { text, slop } => {
                self.add_text(text)?;
                check_slop(*slop)
            }
            TextQuery::Fuzzy { text, distance, .. } => {
                self.add_text(text)?;
                check_distance(u32::from(*distance))
            }
            TextQuery::Boolean { must, should, must_not, least_should } => {
                if must.is_empty() && should.is_empty() && must_not.is_empty() {
                    return Err(Error::invalid("a combination of no queries"));
                }
                if must.is_empty() && (should.is_empty() || *least_should == 0) {
                    let shown = query.to_string();
                    return Err(Error::invalid(format!("{} does not say what has to be found", Quoted(&shown))));
                }
                check_least(*least_should, should.len())?;
                must.iter().chain(should).chain(must_not).try_for_each(|part| self.add(part, depth + 1))
            }
            TextQuery::In(path, inner) => {
                path.validate()?;
                self.add(inner, depth + 1)
            }
            TextQuery::Boost(inner, factor) => {
                check_boost(*factor)?;
                self.add(inner, depth + 1)
            }
        }
    }

    fn add_text(&mut self, text: &str) -> Result<()> {
        if text.trim().is_empty() {
            return Err(Error::invalid(format!("the text {} is blank", Quoted(text))));
        }
        self.clauses += 1;
        self.bytes += text.len();
        if self.clauses > TEXT_QUERY_CLAUSES_MAX {
            return Err(Error::limit_exceeded(format!("more than {TEXT_QUERY_CLAUSES_MAX} words and phrases")));
        }
        if self.bytes > TEXT_QUERY_BYTES_MAX {
            return Err(Error::limit_exceeded(format!("more than {TEXT_QUERY_BYTES_MAX} bytes of text")));
        }
        Ok(())
    }
}

pub(super) fn check_slop(slop: u32) -> Result<()> {
    if slop > TEXT_SLOP_MAX {
        return Err(Error::limit_exceeded(format!("slop is {slop}, the limit is {TEXT_SLOP_MAX}")));
    }
    Ok(())
}

pub(super) fn check_distance(distance: u32) -> Result<()> {
    if distance == 0 || distance > u32::from(TEXT_EDITS_MAX) {
        return Err(Error::invalid(format!("distance is {distance}, it can be from 1 to {TEXT_EDITS_MAX}")));
    }
    Ok(())
}

pub(super) fn check_boost(factor: f32) -> Result<()> {
    if !(factor.is_finite() && factor > 0.0) {
        return Err(Error::invalid(format!("boost is {factor}, it has to be a finite number above 0")));
    }
    Ok(())
}

pub(super) fn check_least(least: usize, alternatives: usize) -> Result<()> {
    if least > alternatives {
        return Err(Error::invalid(format!("at least {least} are wanted of {alternatives} that should be there")));
    }
    Ok(())
}
