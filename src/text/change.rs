//! What a commit changes of the texts of indexes.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use blaze_core::{Error, Family, Result, Timestamp, Write};
use blaze_text::{DocumentPostings, DocumentTerms};

use super::change_row::ChangeRow;
use super::{Texts, layout};
use crate::database::core::Core;
use crate::index::{BUILD_POSITION, is_entry};

/// What a commit did to a document, as its change row says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RecentChange {
    /// What follows the number of the index in the key of the change row.
    pub(super) key: Box<[u8]>,
    /// The id of the document, as in the key of its entry.
    pub(super) id: Box<[u8]>,
    /// The entry row before, if there was one.
    pub(super) before: Option<Box<[u8]>>,
    /// What there is since, if anything.
    pub(super) after: Option<NewText>,
}

/// What an index has of a document since a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NewText {
    /// The entry row.
    pub(super) entry: Box<[u8]>,
    /// How often and where its terms are.
    pub(super) occurrences: Box<[u8]>,
}

impl NewText {
    pub(super) fn read(&self) -> Result<DocumentPostings> {
        DocumentPostings::read(&self.entry, &self.occurrences)
    }
}

impl RecentChange {
    /// Bytes that it takes in memory.
    pub(super) fn bytes(&self) -> usize {
        let before = self.before.as_ref().map_or(0, |before| before.len());
        let after = self.after.as_ref().map_or(0, |after| after.entry.len() + after.occurrences.len());
        size_of::<RecentChange>() + self.key.len() + self.id.len() + before + after
    }
}

/// What a commit does to one index.
#[derive(Clone, Debug)]
pub(super) enum IndexChange {
    /// Documents were changed, each once.
    Documents(Arc<[Arc<RecentChange>]>),
    /// So many were, of an index that nobody has in memory; by its build if `fills`.
    Unread { changes: usize, bytes: usize, fills: bool },
    /// Its build is complete.
    Complete,
    /// The segments are others now, and these changes are in them.
    Folded(Arc<HashSet<Box<[u8]>>>),
    /// All that the index had is gone.
    Dropped,
}

/// What a commit does to all indexes of text, told when it is certain.
#[derive(Debug)]
pub(crate) struct TextChanges {
    texts: Arc<Texts>,
    indexes: Vec<(u32, IndexChange)>,
}

/// What is collected of one index.
#[derive(Default)]
struct Collected<'a> {
    /// By what follows the number of the index in the key: the id in it, and what is under it.
    changes: BTreeMap<&'a [u8], (&'a [u8], &'a [u8])>,
    entries: HashMap<&'a [u8], &'a [u8]>,
    folded: HashSet<Box<[u8]>>,
    has_header: bool,
    is_dropped: bool,
    /// True while the index is built: nobody has searched it before this commit, so that no search conflicts with that.
    is_filled: bool,
    is_complete: bool,
}

impl TextChanges {
    /// What writes do, if anything. Appends what counts as written by that: the terms of the documents.
    pub(crate) fn of(texts: &Arc<Texts>, writes: &mut Vec<Write>) -> Result<Option<TextChanges>> {
        let mut collected: BTreeMap<u32, Collected<'_>> = BTreeMap::new();
        for write in writes.iter().filter(|write| write.family() == Family::Text) {
            if let Write::DeleteRange { range, .. } = write
                && let Some(index) = layout::whole_index(range)
            {
                collected.insert(index, Collected { is_dropped: true, ..Collected::default() });
            }
            let Some((index, rest)) = write.key().and_then(layout::split) else { continue };
            let collected = collected.entry(index).or_default();
            match (write, layout::split_change(rest)?) {
                // A transaction may have written a key several times: the last one counts.
                (Write::Put { value, .. }, Some((id, _))) => {
                    collected.folded.remove(rest);
                    collected.changes.insert(rest, (id, value));
                }
                (Write::Delete { .. }, Some(_)) => {
                    collected.changes.remove(rest);
                    collected.folded.insert(rest.into());
                }
                (Write::Delete { .. }, None) if is_entry(rest) => drop(collected.entries.remove(rest)),
                (Write::Put { .. }, None) if layout::is_header(rest) => collected.has_header = true,
                (Write::Put { .. }, None) if rest == BUILD_POSITION => collected.is_filled = true,
                (Write::Delete { .. }, None) if rest == BUILD_POSITION => collected.is_complete = true,
                (Write::Put { value, .. }, None) if is_entry(rest) => drop(collected.entries.insert(rest, value)),
                _ => {}
            }
        }
        let (mut indexes, mut touches) = (Vec::new(), Vec::new());
        for (index, collected) in collected {
            collected.tell(texts, index, &mut indexes, &mut touches)?;
        }
        writes.extend(touches);
        Ok((!indexes.is_empty()).then(|| TextChanges { texts: Arc::clone(texts), indexes }))
    }

    /// Waits until what is not folded has room; before the commit, so that no other one waits for it.
    pub(crate) fn wait_for_room(&self, core: &Arc<Core>, timeout: Option<Duration>) -> Result<()> {
        let mut written = self.indexes.iter().filter(|(_, change)| change.documents() > 0);
        written.try_for_each(|(index, _)| self.texts.wait_for_room(core, *index, timeout))
    }

    /// Called once when the commit is certain, before anybody can see it.
    pub(crate) fn committed(&self, ts: Timestamp) {
        self.texts.take_in(ts, &self.indexes);
    }
}

impl IndexChange {
    pub(super) fn documents(&self) -> usize {
        match self {
            IndexChange::Documents(changes) => changes.len(),
            IndexChange::Unread { changes, .. } => *changes,
            IndexChange::Folded(_) | IndexChange::Complete | IndexChange::Dropped => 0,
        }
    }

    /// Bytes that it takes in memory.
    pub(super) fn bytes(&self) -> usize {
        match self {
            IndexChange::Documents(changes) => changes.iter().map(|change| change.bytes()).sum(),
            IndexChange::Unread { bytes, .. } => *bytes,
            IndexChange::Folded(folded) => folded.iter().map(|key| key.len()).sum(),
            IndexChange::Complete | IndexChange::Dropped => 0,
        }
    }
}

impl Collected<'_> {
    fn tell(
        self,
        texts: &Texts,
        index: u32,
        indexes: &mut Vec<(u32, IndexChange)>,
        touches: &mut Vec<Write>,
    ) -> Result<()> {
        if self.is_dropped {
            indexes.push((index, IndexChange::Dropped));
        }
        if self.has_header {
            indexes.push((index, IndexChange::Folded(Arc::new(self.folded))));
        }
        if self.is_complete {
            indexes.push((index, IndexChange::Complete));
        }
        if self.changes.is_empty() {
            return Ok(());
        }
        let mut touched = HashSet::new();
        let (is_open, mut bytes) = (texts.is_open(index), 0);
        let mut changes = Vec::new();
        for (key, (id, value)) in &self.changes {
            let row = ChangeRow::read(value)?;
            bytes += key.len() + value.len();
            let after = row.after.map(|occurrences| {
                let entry = self.entries.get(*id).copied();
                let lacking = || Error::internal("a document has changed in a text index and has no entry there");
                entry.map(|entry| (entry, occurrences)).ok_or_else(lacking)
            });
            let after = after.transpose()?;
            for entry in row.before.into_iter().chain(after.map(|(entry, _)| entry)) {
                bytes += entry.len();
                if !self.is_filled {
                    touch_terms(index, entry, &mut touched)?;
                }
            }
            if is_open {
                let after = after.map(|(entry, rest)| NewText { entry: entry.into(), occurrences: rest.into() });
                let before = row.before.map(Into::into);
                changes.push(Arc::new(RecentChange { key: (*key).into(), id: (*id).into(), before, after }));
            }
        }
        touches.extend(touched.into_iter().map(|key| Write::Touch { family: Family::Text, key }));
        indexes.push((
            index,
            match is_open {
                true => IndexChange::Documents(changes.into()),
                false => IndexChange::Unread { changes: self.changes.len(), bytes, fills: self.is_filled },
            },
        ));
        Ok(())
    }
}

/// Adds the keys that stand for the terms of a document.
fn touch_terms(index: u32, entry: &[u8], touched: &mut HashSet<Vec<u8>>) -> Result<()> {
    let terms = DocumentTerms::from_bytes(entry)
        .map_err(|error| error.context("what a text index has of a document; to build the index anew, repair it"))?;
    touched.extend(terms.iter().map(|(field, term)| layout::term_key(index, field, term)));
    Ok(())
}
