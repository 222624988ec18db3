//! Mistakes that are made on purpose: the auditor names each of them.

mod commits;
mod contents;
mod copies;
#[cfg(unix)]
mod processes;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use blaze::{Collection, Database, Document};
use blaze_core::{CommitRequest, Direction, Family, KeyRange, ManualClock, Store, Write};
use blaze_lsm::{LsmOptions, LsmStore};
use blaze_prove::model::{Lane, Shelf};
use blaze_prove::places::Places;
use blaze_prove::promises::{Bounds, Promises};
use blaze_prove::random::Random;
use blaze_prove::shelves::{self, LOADED};
use blaze_prove::side::loaded;
use blaze_prove::{auditor, workload};
use tempfile::TempDir;

const SEED: u64 = 5;
const COMMITS: u64 = 120;
const LOADED_DOCUMENTS: u64 = 30;

/// A database that keeps its promises, until something is done to it.
struct Planted {
    directory: TempDir,
    promises: Promises,
    lanes: Vec<Lane>,
}

impl Planted {
    fn new() -> Planted {
        let directory = tempfile::tempdir().unwrap();
        let lanes = vec![Lane::new(SEED, 0), Lane::new(SEED, 1)];
        let promises = Promises {
            seed: SEED,
            lanes: vec![Bounds::default(); lanes.len()],
            load_documents: LOADED_DOCUMENTS,
            ..Promises::default()
        };
        let mut planted = Planted { directory, promises, lanes };
        let db = planted.open();
        shelves::prepare(&db).unwrap();
        let mut loader = db.load_collection::<Document>(LOADED);
        for index in [blaze::Index::on("n").named("n"), blaze::Index::text(["text"]).named("text")] {
            loader = loader.ensure_index(index);
        }
        let mut loader = loader.ensure_index(blaze::Index::vector("at", 3).named("at")).begin().unwrap();
        (0..LOADED_DOCUMENTS).for_each(|n| loader.insert_with_id(n as i64, &loaded(1, n)).unwrap());
        loader.finish().unwrap();
        planted.promises.load = Bounds { acknowledged: 1, asked: 1, durable: 0 };
        planted.commit(&db, COMMITS);
        db.close().unwrap();
        planted
    }

    fn places(&self) -> Places {
        Places(self.directory.path().to_owned())
    }

    fn path(&self) -> PathBuf {
        self.places().database()
    }

    fn open(&self) -> Database {
        shelves::open(&self.path()).unwrap()
    }

    /// Does something to the database that is in no lane.
    fn with_database(&self, change: impl FnOnce(&Database)) {
        let db = self.open();
        change(&db);
        db.close().unwrap();
    }

    /// What the auditor's second look compares.
    fn digest(&self) -> BTreeMap<String, u64> {
        let db = self.open();
        let digest = auditor::digest::of(&db).unwrap();
        db.close().unwrap();
        digest
    }

    /// Commits so many transactions in each lane, as a process that acknowledges them.
    fn commit(&mut self, db: &Database, transactions: u64) {
        for lane in &mut self.lanes {
            for _ in 0..transactions {
                let step = lane.advance();
                workload::commit(db, lane.number, &step).unwrap();
            }
            self.promises.lanes[lane.number as usize].settle(lane.position);
        }
    }

    /// What the auditor finds, of the indexes, too, and of the copies if they are to be audited.
    fn found(&self) -> Option<String> {
        let random = Random::of(&[1]);
        let look = || -> blaze_prove::Result<()> {
            let db = shelves::open(&self.path())?;
            let audit = auditor::audit(&db, &self.promises, &random)?;
            if self.promises.audits_copies {
                auditor::copies::check(&self.places(), &self.promises, &random)?;
            }
            auditor::indexes::check(&db, &audit.lanes, &random)
        };
        look().err().map(|finding| finding.0)
    }

    fn assert_found(&self, what: &str) {
        let found = self.found().unwrap_or_else(|| panic!("nothing was found instead of {what:?}"));
        assert!(found.contains(what), "{what:?} was to be found, and the auditor says: {found}");
    }

    /// Removes, behind the database's back, a row whose key or value has some bytes in it and that is no row of the index's own.
    fn remove_row(&self, family: Family, with: &str) {
        let store = LsmStore::open(&self.path(), LsmOptions::new(Arc::new(ManualClock::at_ms(0)))).unwrap();
        let has = |bytes: &[u8]| bytes.windows(with.len()).any(|window| window == with.as_bytes());
        let mut cursor = store.read_point().unwrap().cursor(family, &KeyRange::all(), Direction::Forward).unwrap();
        let mut row = None;
        while let Some((key, value)) = cursor.next().unwrap() {
            if key.get(4) != Some(&0xFF) && (has(key) || has(value)) {
                row = Some(key.to_vec());
                break;
            }
        }
        drop(cursor);
        let row = row.expect("no such row");
        store.commit(CommitRequest { writes: vec![Write::delete(family, row)], ..CommitRequest::default() }).unwrap();
        store.close().unwrap();
    }
}

fn people(db: &Database) -> Collection<Document> {
    shelves::collection(db, Shelf::People).unwrap()
}
