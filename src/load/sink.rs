//! Where the rows of a load go.

use blaze_core::{CommitRequest, Durability, Family, Result, Write};
use blaze_lsm::SortedLoad;

use crate::database::core::{Core, Storage};

/// Bytes of one commit of a database in memory, which has no files.
const COMMIT_BYTES: usize = 4 * 1024 * 1024;

/// Where rows of one family go, in ascending order of their keys. Dropped unfinished, it removes its files.
pub(super) enum Sink {
    Files(Box<SortedLoad>),
    Commits { family: Family, pending: Vec<Write>, bytes: usize },
}

impl Sink {
    pub(super) fn open(core: &Core, family: Family) -> Result<Sink> {
        match &core.storage {
            Storage::Directory { store, .. } => Ok(Sink::Files(Box::new(store.load(family)?))),
            Storage::Memory => Ok(Sink::by_commits(family)),
        }
    }

    /// For rows in any order.
    pub(super) fn by_commits(family: Family) -> Sink {
        Sink::Commits { family, pending: Vec::new(), bytes: 0 }
    }

    pub(super) fn put(&mut self, core: &Core, key: &[u8], value: &[u8]) -> Result<()> {
        match self {
            Sink::Files(load) => load.put(key, value),
            Sink::Commits { family, pending, bytes } => {
                if *bytes + key.len() + value.len() > COMMIT_BYTES {
                    commit(core, pending, bytes)?;
                }
                *bytes += key.len() + value.len();
                pending.push(Write::put(*family, key, value));
                Ok(())
            }
        }
    }

    /// Makes all rows a part of the store.
    pub(super) fn finish(self, core: &Core) -> Result<()> {
        match self {
            Sink::Files(load) => load.finish(),
            Sink::Commits { mut pending, mut bytes, .. } => commit(core, &mut pending, &mut bytes),
        }
    }
}

/// Commits rows that nobody sees yet; those that are refused stay.
fn commit(core: &Core, pending: &mut Vec<Write>, bytes: &mut usize) -> Result<()> {
    let writes = pending.clone();
    core.store.commit(CommitRequest { writes, durability: Durability::Buffered, ..CommitRequest::default() })?;
    pending.clear();
    *bytes = 0;
    Ok(())
}
