//! What stands side by side in a query string.

use super::TextQuery;

/// What a query says of what it stands among.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Nothing: the more of these, the better.
    Plain,
    Required,
    Excluded,
}

/// Queries by their roles.
#[derive(Default)]
pub(super) struct Clauses {
    must: Vec<TextQuery>,
    should: Vec<TextQuery>,
    must_not: Vec<TextQuery>,
}

impl Clauses {
    pub(super) fn add(&mut self, role: Role, query: TextQuery) {
        match role {
            Role::Plain => self.should.push(query),
            Role::Required => self.must.push(query),
            Role::Excluded => self.must_not.push(query),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.finds_nothing() && self.must_not.is_empty()
    }

    /// True if nothing says what to find.
    pub(super) fn finds_nothing(&self) -> bool {
        self.must.is_empty() && self.should.is_empty()
    }

    /// How many are there without a role.
    pub(super) fn alternatives(&self) -> usize {
        self.should.len()
    }

    /// The combination, of which at least so many alternatives are satisfied: the usual number, if none is said.
    pub(super) fn combine(mut self, least: Option<usize>) -> TextQuery {
        let is_single = self.must.is_empty() && self.must_not.is_empty() && self.should.len() == 1;
        if is_single
            && least.is_none()
            && let Some(query) = self.should.pop()
        {
            return query;
        }
        let least_should = least.unwrap_or(usize::from(self.must.is_empty() && !self.should.is_empty()));
        TextQuery::Boolean { must: self.must, should: self.should, must_not: self.must_not, least_should }
    }
}
