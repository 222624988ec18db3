//! What the catalog knows of a collection or keyspace.

use std::fmt;

use blaze_core::{Feed, Tracking};
use serde::{Deserialize, Serialize};

use super::prefix;
use crate::feed::FeedDefinition;
use crate::history::HistoryDefinition;
use crate::index::IndexDefinition;
use crate::migration::MigrationDefinition;
use crate::validation::SchemaDefinition;

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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) history: Option<HistoryDefinition>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) feed: Option<FeedDefinition>,
    /// True for a keyspace whose values say until when they are there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) expiring: bool,
    /// True for a collection that counts its documents as they come and go; older ones do not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) counted: bool,
    /// What documents have to look like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) schema: Option<Box<SchemaDefinition>>,
    /// The step that all documents of a collection have gone through, or go through now.
    #[serde(default, skip_serializing_if = "MigrationDefinition::is_none")]
    pub(crate) migration: MigrationDefinition,
    /// Of a subcollection, the name of the collection below whose documents its own are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) parent: Option<String>,
}

impl Definition {
    pub(crate) fn new(kind: Kind, id: u32) -> Definition {
        Definition {
            kind,
            id,
            indexes: Vec::new(),
            history: None,
            feed: None,
            expiring: false,
            counted: kind == Kind::Collection,
            schema: None,
            migration: MigrationDefinition::default(),
            parent: None,
        }
    }

    /// How old what is replaced may become, if it is kept and not for ever.
    pub(crate) fn history_age_ms(&self) -> Option<u64> {
        self.history.as_ref()?.age_ms
    }

    /// True if values or documents of it may expire.
    pub(crate) fn expires(&self) -> bool {
        self.expiring || self.indexes.iter().any(|index| index.expire_after_ms().is_some())
    }

    /// True for its own number and those of its indexes.
    pub(crate) fn has_number(&self, id: u32) -> bool {
        self.id == id || self.indexes.iter().any(|index| index.id == id)
    }

    /// True if something of it has to go when its time has come, be it written to or not.
    pub(crate) fn needs_retention(&self) -> bool {
        self.expires() || self.feed.is_some() || self.history_age_ms().is_some()
    }

    /// True if its commits leave something behind.
    pub(crate) fn is_tracked(&self) -> bool {
        self.history.is_some() || self.feed.is_some()
    }

    /// What its commits leave behind, if anything.
    pub(crate) fn tracked(&self) -> Option<Tracking> {
        self.is_tracked().then(|| self.tracking())
    }

    /// What its commits leave behind.
    pub(crate) fn tracking(&self) -> Tracking {
        let feed: Feed = FeedDefinition::of(self);
        Tracking { prefix: prefix(self.id), history: self.history.is_some(), feed, dropped: false }
    }
}
