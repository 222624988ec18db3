//! What a search by text asks of an index, checked.

use std::collections::BTreeSet;

use blaze_core::{DocumentId, Error, Path, Result, TextQuery};
use blaze_text::Node;

use super::like::like;
use super::node::compile;
use super::request::{Target, TextRequest};
use super::target::TextTarget;
use crate::catalog::Definition;
use crate::index::{IndexDefinition, IndexFields, TextFields};
use crate::query::implies;
use crate::search::admission::Admission;
use crate::session::Session;
use crate::text::TextView;

/// What is asked of an index, checked.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub(super) index: &'a IndexDefinition,
    pub(super) fields: &'a TextFields,
    /// None if nothing is left of the query.
    pub(super) query: Option<Node>,
    pub(super) admission: Admission,
    /// True if the steps are to be put into words.
    pub(super) explains: bool,
}

/// What texts are to have, read.
#[derive(Debug)]
pub(super) enum Asked<'a> {
    Query(TextQuery),
    Like(&'a [DocumentId]),
}

impl Wanted<'_> {
    /// A step in words, where somebody wants to read them.
    pub(super) fn words(&self, words: impl FnOnce() -> String) -> String {
        if self.explains { words() } else { String::new() }
    }
}

impl TextRequest {
    /// Reads the query.
    pub(super) fn asked(&self) -> Result<Asked<'_>> {
        match &self.target {
            Target::Like(ids) => Ok(Asked::Like(ids)),
            Target::Query(target) => {
                let query = target.to_query()?;
                query.validate()?;
                Ok(Asked::Query(query))
            }
        }
    }

    /// The index of that name, or the first that has the fields of the query and fits; else the first at all says why it does not.
    pub(super) fn choose<'a>(
        &self,
        collection: &str,
        definition: &'a Definition,
        asked: &Asked<'_>,
    ) -> Result<(&'a IndexDefinition, &'a TextFields)> {
        let mut misfit = None;
        for index in definition.indexes.iter().filter(|index| index.ready) {
            let IndexFields::Text(fields) = index.parts()? else { continue };
            if self.index.as_ref().is_some_and(|name| *name != index.name) {
                continue;
            }
            match self.check_fit(index, fields, asked) {
                Ok(()) => return Ok((index, fields)),
                Err(error) => misfit = misfit.or(Some(error)),
            }
        }
        Err(misfit.unwrap_or_else(|| no_index(collection, definition, self.index.as_deref())))
    }

    fn check_fit(&self, index: &IndexDefinition, fields: &TextFields, asked: &Asked<'_>) -> Result<()> {
        let name = &index.name;
        if let Asked::Query(query) = asked
            && !query.fields().is_empty()
        {
            let paths: Vec<Path> = fields.fields.iter().map(|field| field.path.clone()).collect();
            if let Err(error) = query.check_fields(&paths) {
                return Err(self.misread(&paths).unwrap_or(error).context(format!("text index {name:?}")));
            }
        }
        match index.only()? {
            Some(only) if !implies(&self.filter, only) => Err(Error::invalid(format!(
                "index {name:?} is partial and may lack documents that are asked for: it has only those with {only}"
            ))),
            _ => Ok(()),
        }
    }

    /// What is wrong with a query that somebody wrote, of an index of these fields: where, and how it is to be written.
    fn misread(&self, fields: &[Path]) -> Option<Error> {
        match &self.target {
            Target::Query(TextTarget::Written(text)) => TextQuery::parse_for(text, fields).err(),
            _ => None,
        }
    }

    /// Makes what is asked a query of the terms of an index.
    pub(super) fn prepare<'a>(
        &self,
        session: &Session,
        (name, definition): (&str, &Definition),
        (index, fields): (&'a IndexDefinition, &'a TextFields),
        asked: &Asked<'_>,
        view: &TextView,
    ) -> Result<Wanted<'a>> {
        let (query, left_out) = match asked {
            Asked::Query(query) => (compile(query, fields)?, BTreeSet::new()),
            Asked::Like(ids) => {
                let like = like(session, (name, definition), (index, fields), view, ids)?;
                (like, ids.iter().cloned().collect())
            }
        };
        let admission = Admission { filter: self.filter.clone(), left_out, group: None };
        Ok(Wanted { index, fields, query, admission, explains: false })
    }
}

/// Says why there is no index to be searched.
pub(super) fn no_index(collection: &str, definition: &Definition, name: Option<&str>) -> Error {
    let Some(name) = name else {
        return Error::invalid(format!("collection {collection:?} has no complete text index: ensure_index one"));
    };
    let refused = |why: String| Error::invalid(format!("the search asks for the index {name:?}, {why}"));
    match definition.indexes.iter().find(|index| index.name == *name) {
        None => refused(format!("which collection {collection:?} does not have")),
        Some(index) if !index.ready => refused("which is not complete yet".to_owned()),
        Some(index) => refused(format!("which is on {}, not on text", index.describe())),
    }
}
