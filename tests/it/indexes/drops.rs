//! A dropped index leaves nothing behind, whenever the process ends.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use blaze::{Clock, Database, Document, Durability, Index, SystemClock, field};

use super::film;
use crate::objects::stored_keys;

/// Tells the child which directory to write to, and how often it may look at the clock before it dies.
const DIRECTORY: &str = "BLAZE_TEST_DROP_INDEX_DIRECTORY";
const LOOKS: &str = "BLAZE_TEST_DROP_INDEX_LOOKS";

const FILMS: i64 = 300;

/// A clock that ends the process when it was looked at too often: every commit looks at it.
#[derive(Debug)]
pub(super) struct DeadlyClock(pub(super) AtomicU64);

impl Clock for DeadlyClock {
    fn now_ms(&self) -> u64 {
        if self.0.fetch_sub(1, Ordering::Relaxed) == 0 {
            std::process::abort();
        }
        SystemClock.now_ms()
    }
}

fn fill(path: &Path) -> Database {
    let db = Database::builder().durability(Durability::Buffered).open(path).unwrap();
    let films = db.collection::<Document>("films").unwrap();
    films.ensure_index(Index::on("year")).unwrap();
    films.ensure_index(Index::on("title")).unwrap();
    films.bulk().insert_with_ids((0..FILMS).map(|n| (n, film(1970 + n % 10, &n.to_string(), &[])))).unwrap();
    db
}

/// The role of the child: it drops an index, if it lives long enough.
#[test]
fn child_drops_an_index_while_its_clock_lets_it() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let clock = Arc::new(DeadlyClock(AtomicU64::new(u64::MAX)));
    let db = Database::builder().durability(Durability::Buffered).clock(clock.clone()).open(directory).unwrap();
    let films = db.collection::<Document>("films").unwrap();
    clock.0.store(std::env::var(LOOKS).unwrap().parse().unwrap(), Ordering::Relaxed);
    assert!(films.drop_index("year").unwrap());
}

#[test]
fn wherever_a_drop_is_cut_the_index_is_whole_or_leaves_nothing() {
    let (mut kept, mut cut_after_the_commit) = (0, 0);
    for looks in 0..100 {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("db");
        fill(&path).close().unwrap();
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "indexes::drops::child_drops_an_index_while_its_clock_lets_it", "--test-threads=1"])
            .env(DIRECTORY, &path)
            .env(LOOKS, looks.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        let db = Database::open(&path).unwrap();
        let films = db.collection::<Document>("films").unwrap();
        let is_there = films.indexes().unwrap().len() == 2;
        assert_eq!(films.find(field("year").eq(1973)).explain().unwrap().index(), is_there.then_some("year"));
        assert_eq!(films.find(field("year").eq(1973)).count().unwrap(), 30);
        assert_eq!(db.verify().unwrap().problems, [], "cut after {looks}");
        db.close().unwrap();
        let rows = if is_there { 3 * FILMS } else { 2 * FILMS };
        assert_eq!(stored_keys(&path).len() as i64, rows, "cut after {looks}");
        kept += u32::from(is_there);
        cut_after_the_commit += u32::from(!is_there && !child.success());
        if child.success() {
            assert!(!is_there && kept > 0 && cut_after_the_commit > 0, "cut before and after the commit");
            return;
        }
    }
    panic!("an index is dropped in fewer looks at the clock");
}

#[test]
fn an_index_that_is_dropped_gives_its_space_back_unless_someone_reads_an_older_view() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let db = fill(&path);
    let films = db.collection::<Document>("films").unwrap();
    let snapshot = db.snapshot().unwrap();
    assert!(films.drop_index("year").unwrap());
    db.compact().unwrap();
    let before = snapshot.collection::<Document>("films").unwrap().find(field("year").eq(1973));
    assert_eq!(before.explain().unwrap().index(), Some("year"));
    assert_eq!(before.count().unwrap(), 30);
    drop((before, snapshot));
    db.close().unwrap();
    assert_eq!(stored_keys(&path).len() as i64, 2 * FILMS);
}

#[test]
fn a_transaction_drops_an_index_when_it_is_committed_and_not_when_it_is_rolled_back() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let db = fill(&path);
    let rolled_back = db.begin().unwrap();
    assert!(rolled_back.collection::<Document>("films").unwrap().drop_index("year").unwrap());
    drop(rolled_back);
    let to_a_savepoint = db.begin().unwrap();
    let savepoint = to_a_savepoint.savepoint().unwrap();
    assert!(to_a_savepoint.collection::<Document>("films").unwrap().drop_index("year").unwrap());
    to_a_savepoint.rollback_to(&savepoint).unwrap();
    to_a_savepoint.collection::<Document>("films").unwrap().update(1, blaze::set("year", 1973)).unwrap();
    to_a_savepoint.commit().unwrap();
    let films = db.collection::<Document>("films").unwrap();
    let of_a_year = films.find(field("year").eq(1973));
    assert_eq!((of_a_year.explain().unwrap().index(), of_a_year.count().unwrap()), (Some("year"), 31));

    let transaction = db.begin().unwrap();
    let own = transaction.collection::<Document>("films").unwrap();
    assert!(own.drop_index("year").unwrap() && !own.drop_index("year").unwrap());
    own.insert_with_id(FILMS, &film(1973, "last", &[])).unwrap();
    transaction.commit().unwrap();
    assert_eq!((of_a_year.explain().unwrap().index(), of_a_year.count().unwrap()), (None, 32));
    assert_eq!(db.verify().unwrap().problems, []);
    db.close().unwrap();
    assert_eq!(stored_keys(&path).len() as i64, 2 * (FILMS + 1));
}
