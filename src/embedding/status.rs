//! How far the embedding of an index has come.

use blaze_core::{Direction, Error, Family, KeyRange, Result};

use super::layout::{Pending, parked_range, pending_range};
use crate::catalog::Definition;
use crate::index::IndexFields;
use crate::session::Session;

/// How far the embedding of an index has come; see [`Collection::embedding_status`](crate::Collection::embedding_status).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EmbeddingStatus {
    /// The label of the model.
    pub model: String,
    /// True if there is an embedder. Without one nothing is embedded: [`ensure_index`](crate::Collection::ensure_index) brings
    /// it after each opening.
    pub has_embedder: bool,
    /// Documents in the backlog: those that are to be embedded, now or after a failure again.
    pub pending: u64,
    /// Those of them whose embedding has failed, and which wait to be tried again.
    pub failed: u64,
    /// Documents of which the embedder said that they will not have a vector. They are not in the backlog, and tried again when
    /// their text changes or another embedder comes.
    pub parked: u64,
    /// The last failure since the embedder was attached.
    pub last_error: Option<String>,
}

impl EmbeddingStatus {
    /// True if every document has its vector, but for those that are parked.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.pending == 0
    }
}

/// The status of the index of a name, as it is committed: reading it sets nobody against those who embed.
pub(crate) fn status(session: &Session, definition: &Definition, name: &str) -> Result<EmbeddingStatus> {
    let index = definition.indexes.iter().find(|index| index.name == name);
    let index = index.ok_or_else(|| Error::not_found(format!("there is no index {name:?}")))?;
    let fields = match index.parts()? {
        IndexFields::Vector(fields) if fields.is_embedded() => fields,
        _ => {
            let on = index.describe();
            return Err(Error::invalid(format!("the index {name:?} is on {on}, it embeds nothing")));
        }
    };
    let attached = session.core().embedding.attached(index.id);
    let mut status = EmbeddingStatus {
        model: fields.model.clone().unwrap_or_default(),
        has_embedder: attached.is_some(),
        pending: 0,
        failed: 0,
        parked: 0,
        last_error: attached.and_then(|attached| attached.last_error()),
    };
    for_each_value(session, &pending_range(index.id), &mut |value| {
        status.pending += 1;
        status.failed += u64::from(Pending::from_value(value).failures > 0);
    })?;
    for_each_value(session, &parked_range(index.id), &mut |_| status.parked += 1)?;
    Ok(status)
}

fn for_each_value(session: &Session, range: &KeyRange, visit: &mut dyn FnMut(&[u8])) -> Result<()> {
    let mut cursor = session.committed_cursor(Family::Vector, range, Direction::Forward)?;
    while let Some((_, value)) = cursor.next()? {
        visit(value);
    }
    Ok(())
}
