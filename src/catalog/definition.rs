//! What the catalog knows of a collection or keyspace.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::index::IndexDefinition;

/// What stands behind a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Collection,
    Keyspace,
    Objects,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Kind::Collection => "collection",
            Kind::Keyspace => "keyspace",
            Kind::Objects => "object store",
        }
    }

    /// The name of the kind after its article.
    pub(crate) fn with_article(self) -> &'static str {
        match self {
            Kind::Collection => "a collection",
            Kind::Keyspace => "a keyspace",
            Kind::Objects => "an object store",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A row of the catalog.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Definition {
    pub(crate) kind: Kind,
    pub(crate) id: u32,
    pub(crate) indexes: Vec<IndexDefinition>,
}

impl Definition {
    pub(crate) fn new(kind: Kind, id: u32) -> Definition {
        Definition { kind, id, indexes: Vec::new() }
    }
}
