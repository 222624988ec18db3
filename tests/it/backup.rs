//! Backups: several generations, taken while threads write, each restorable with nothing but the backup.

#![expect(clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use blaze::{Backups, Database, Document, Durability, Entropy, ErrorKind, Index, SeededEntropy, Value, field};

/// Tells the child which directory to work in.
const DIRECTORY: &str = "BLAZE_TEST_BACKUP_DIRECTORY";

fn document(n: u64) -> Document {
    Document::new().with("n", n as i64).with("text", "x".repeat(n as usize % 2_000))
}

fn continued<T>(_: T) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// All files below a directory with their sizes.
fn sizes(directory: &Path) -> BTreeMap<PathBuf, u64> {
    let mut sizes = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => sizes.extend(self::sizes(&path)),
            false => drop(sizes.insert(path.clone(), fs::metadata(&path).unwrap().len())),
        }
    }
    sizes
}

/// Flips a bit in the middle of a file.
fn damage(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

/// A database with some documents, and backups of it after each hundred.
fn with_backups(directory: &Path, generations: u64) -> (Database, Backups) {
    let db = Database::builder().durability(Durability::Buffered).open(directory.join("db")).unwrap();
    let films = db.collection::<Document>("films").unwrap();
    for generation in 0..generations {
        for n in generation * 100..(generation + 1) * 100 {
            films.insert_with_id(n, &document(n)).unwrap();
        }
        db.backup(directory.join("backups")).unwrap();
    }
    (db, Backups::open(directory.join("backups")).unwrap())
}

fn restored_count(backups: &Backups, id: u32) -> u64 {
    let directory = tempfile::tempdir().unwrap();
    let to = directory.path().join("restored");
    backups.restore(id, &to).unwrap();
    let db = Database::builder().must_exist().open(&to).unwrap();
    assert_eq!(db.verify().unwrap().problems, []);
    db.collection::<Document>("films").unwrap().count().unwrap()
}

/// A writer numbers its documents without gaps, and says after each commit how many it has made.
fn write_in_order(db: &Database, writer: u64, made: &AtomicU64, stop: &AtomicBool) {
    let films = db.collection::<Document>("films").unwrap();
    db.keyspace("log").unwrap();
    for n in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let id = format!("{writer}/{n:06}");
        if n % 2 == 0 {
            films.insert_with_id(id, &document(n).with("writer", writer as i64)).unwrap();
        } else {
            db.transaction(|tx| {
                tx.collection("films")?.insert_with_id(id.as_str(), &document(n).with("writer", writer as i64))?;
                tx.keyspace("log")?.put(&id, [0; 100])
            })
            .unwrap();
        }
        made.store(n + 1, Ordering::Release);
    }
}

/// Stops a writer, also when a test fails.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn backups_taken_while_threads_write_are_restored_with_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let (path, to) = (directory.path().join("db"), directory.path().join("backups"));
    let db = Database::builder().durability(Durability::Buffered).write_buffer_bytes(1 << 20).open(&path).unwrap();
    db.collection::<Document>("films").unwrap().ensure_index(Index::on("n")).unwrap();
    db.collection::<Document>("films").unwrap().ensure_index(Index::on("writer").then("n")).unwrap();
    let (made, stop): (Arc<[AtomicU64; 3]>, _) = (Arc::default(), Arc::new(AtomicBool::new(false)));
    let writers: Vec<_> = (0..3)
        .map(|writer| {
            let (db, made, stop) = (db.clone(), Arc::clone(&made), Arc::clone(&stop));
            thread::spawn(move || write_in_order(&db, writer as u64, &made[writer], &stop))
        })
        .collect();
    let mut taken = Vec::new();
    for round in 1..=4 {
        while made.iter().any(|made| made.load(Ordering::Acquire) < round * 150) {
            thread::yield_now();
        }
        let before: Vec<u64> = made.iter().map(|made| made.load(Ordering::Acquire)).collect();
        let backup = db.backup(&to).unwrap();
        taken.push((backup, before));
    }
    stop.store(true, Ordering::Relaxed);
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    db.close().unwrap();
    fs::remove_dir_all(&path).unwrap();

    let backups = Backups::open(&to).unwrap();
    let listed = backups.list().unwrap();
    assert_eq!(listed, taken.iter().map(|(backup, _)| backup.clone()).collect::<Vec<_>>());
    assert!(listed.is_sorted_by(|one, next| one.id < next.id && one.commit_ts < next.commit_ts), "{listed:?}");
    for (backup, acknowledged) in taken {
        backups.verify(backup.id).unwrap();
        let restored = directory.path().join(format!("restored {}", backup.id));
        backups.restore(backup.id, &restored).unwrap();
        check_restored(&Database::builder().must_exist().open(&restored).unwrap(), &acknowledged);
    }
}

/// What each writer had made is there without a gap, whole, and in the indexes.
fn check_restored(db: &Database, acknowledged: &[u64]) {
    let report = db.verify().unwrap();
    assert!(report.is_healthy() && report.indexes == 2, "{:?}", report.problems);
    let films = db.collection::<Document>("films").unwrap();
    let log = db.keyspace("log").unwrap();
    for (writer, acknowledged) in acknowledged.iter().enumerate() {
        let found = films.find(field("writer").eq(writer as i64)).sort(blaze::asc("n")).run().unwrap();
        assert!(found.len() as u64 >= *acknowledged, "{} of {acknowledged} are there", found.len());
        for (n, found) in found.iter().enumerate() {
            let id = format!("{writer}/{n:06}");
            assert_eq!(found.id, id.as_str().into(), "a hole");
            assert_eq!(found.value, document(n as u64).with("writer", writer as i64));
            assert_eq!(log.contains(&id).unwrap(), n % 2 == 1, "a transaction is torn");
        }
        assert!(!log.contains(format!("{writer}/{:06}", found.len())).unwrap(), "a transaction is torn");
    }
}

#[test]
fn files_that_do_not_change_are_shared_between_backups() {
    let directory = tempfile::tempdir().unwrap();
    let (db, to) = (with_megabytes(directory.path()), directory.path().join("backups"));
    db.backup(&to).unwrap();
    let before = sizes(&to);
    db.keyspace("noise").unwrap().delete(1_u32.to_be_bytes()).unwrap();
    let second = db.backup(&to).unwrap();
    let after = sizes(&to);
    let is_sorted = |path: &&PathBuf| path.extension().is_some_and(|extension| extension == "sst");
    assert!(before.keys().filter(is_sorted).all(|path| after.contains_key(path)), "{before:?} {after:?}");
    let added: u64 = after.iter().filter(|(path, _)| !before.contains_key(*path)).map(|(_, bytes)| bytes).sum();
    assert!(added < second.bytes / 50, "{added} bytes were added for a backup of {}", second.bytes);
    for (id, count) in [(1, 3_000), (2, 2_999)] {
        let restored = directory.path().join(format!("restored {id}"));
        Backups::open(&to).unwrap().restore(id, &restored).unwrap();
        assert_eq!(Database::open(&restored).unwrap().keyspace("noise").unwrap().count().unwrap(), count);
    }
}

#[test]
fn each_backup_is_the_database_of_its_moment_and_can_be_removed() {
    let directory = tempfile::tempdir().unwrap();
    let (db, backups) = with_backups(directory.path(), 4);
    let ids = |backups: &Backups| backups.list().unwrap().iter().map(|backup| backup.id).collect::<Vec<_>>();
    assert_eq!(ids(&backups), [1, 2, 3, 4]);
    backups.delete(2).unwrap();
    assert_eq!(backups.keep_last(2).unwrap(), [1]);
    assert_eq!(backups.keep_last(2).unwrap(), [0_u32; 0]);
    assert_eq!(ids(&backups), [3, 4]);
    assert_eq!((restored_count(&backups, 3), restored_count(&backups, 4)), (300, 400));
    let with_two: u64 = sizes(&directory.path().join("backups")).values().sum();
    backups.delete(3).unwrap();
    assert!(sizes(&directory.path().join("backups")).values().sum::<u64>() < with_two, "nothing was freed");
    assert_eq!(restored_count(&backups, 4), 400);
    assert_eq!(db.backup(directory.path().join("backups")).unwrap().id, 5);

    assert_eq!(backups.keep_last(0).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(backups.delete(2).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(backups.verify(9).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(backups.restore(9, directory.path().join("x")).unwrap_err().kind(), ErrorKind::NotFound);
    assert!(!directory.path().join("x").exists());
}

#[test]
fn every_damaged_file_is_found_and_never_restored() {
    let directory = tempfile::tempdir().unwrap();
    let (_db, backups) = with_backups(directory.path(), 1);
    let to = directory.path().join("restored");
    let files = sizes(&directory.path().join("backups"));
    let in_backup = |path: &&PathBuf| {
        let path = path.to_string_lossy();
        path.contains("private") || path.contains("shared_checksum")
    };
    let files: Vec<_> = files.iter().filter(|(_, bytes)| **bytes > 0).map(|(path, _)| path).filter(in_backup).collect();
    assert!(files.len() > 4, "{files:?}");
    for path in files {
        let good = fs::read(path).unwrap();
        damage(path);
        let error = backups.verify(1).expect_err("a damaged file was not found");
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(error.kind() == ErrorKind::Corruption && error.to_string().contains(name), "{error}");
        assert_eq!(backups.restore(1, &to).unwrap_err().kind(), ErrorKind::Corruption, "{name}");
        assert!(!to.exists(), "something of a damaged backup was left");

        fs::remove_file(path).unwrap();
        assert_eq!(backups.verify(1).unwrap_err().kind(), ErrorKind::Corruption);
        let listed = backups.list().unwrap();
        assert!(listed[0].damage.as_ref().unwrap().contains(name), "{listed:?}");
        assert_eq!(backups.restore(1, &to).unwrap_err().kind(), ErrorKind::Corruption, "{name}");
        fs::write(path, good).unwrap();
    }
    backups.verify(1).unwrap();
    fs::write(directory.path().join("backups/meta/1"), "what?").unwrap();
    assert_eq!(backups.verify(1).unwrap_err().kind(), ErrorKind::Corruption);
    assert!(backups.list().unwrap()[0].damage.is_some());
}

#[test]
fn directories_of_something_else_are_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let db = Database::open(directory.path().join("db")).unwrap();
    let other = directory.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("notes.txt"), "mine").unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "mine").unwrap();
    for place in [&other, &file, &directory.path().join("db"), &directory.path().join("db/below/backups")] {
        let error = db.backup(place).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    }
    assert_eq!(sizes(&other).len(), 1);
    assert!(!directory.path().join("db/below").exists());
    assert_eq!(Backups::open(&other).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(Backups::open(directory.path().join("none")).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(Database::in_memory().unwrap().backup(&other).unwrap_err().kind(), ErrorKind::Invalid);

    let backups = directory.path().join("backups");
    db.backup(&backups).unwrap();
    assert_eq!(Backups::open(&backups).unwrap().restore(1, &other).unwrap_err().kind(), ErrorKind::AlreadyExists);
    let within = Backups::open(&backups).unwrap().restore(1, backups.join("restored"));
    assert_eq!(within.unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(db.checkpoint(directory.path().join("db/copy")).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(Database::open(&backups).unwrap_err().kind(), ErrorKind::Invalid, "backups are no database");
    let marker = backups.join("BLAZE-BACKUPS");
    let good = fs::read(&marker).unwrap();
    fs::write(&marker, [&good[..11], &[9], &good[12..]].concat()).unwrap();
    assert_eq!(db.backup(&backups).unwrap_err().kind(), ErrorKind::Corruption);
    assert_eq!(Backups::open(&backups).unwrap_err().kind(), ErrorKind::Corruption);
    db.close().unwrap();
    assert_eq!(db.backup(directory.path().join("late")).unwrap_err().kind(), ErrorKind::Closed);
    assert!(!directory.path().join("late").exists());
}

/// A database whose backup takes several reports.
fn with_megabytes(directory: &Path) -> Database {
    let db = Database::builder().durability(Durability::Buffered).open(directory.join("db")).unwrap();
    let random = SeededEntropy::new(7);
    let keyspace = db.keyspace("noise").unwrap();
    for n in 0..3_000_u32 {
        let noise: Vec<u8> = (0..256).flat_map(|_| random.next_u64().to_le_bytes()).collect();
        keyspace.put(n.to_be_bytes(), noise).unwrap();
    }
    db
}

#[test]
fn a_backup_tells_how_far_it_is_and_stops_when_asked() {
    let directory = tempfile::tempdir().unwrap();
    let (db, to) = (with_megabytes(directory.path()), directory.path().join("backups"));
    let mut reports = Vec::new();
    let stopped = db.backup_with(&to, |progress| {
        reports.push(progress.bytes);
        if reports.len() == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!(reports, [0, 1 << 20, 2 << 20]);
    let backups = Backups::open(&to).unwrap();
    assert_eq!(backups.list().unwrap(), []);
    let mut bytes = 0;
    let backup = db.backup_with(&to, |progress| {
        bytes = progress.bytes;
        ControlFlow::Continue(())
    });
    assert!(bytes > 4 << 20 && bytes <= backup.unwrap().bytes);
    backups.verify(1).unwrap();
    let files = sizes(&to);
    assert!(files.keys().all(|path| path.extension().is_none_or(|extension| extension != "tmp")), "{files:?}");
}

#[test]
fn a_panic_in_the_progress_of_a_backup_is_the_callers() {
    let directory = tempfile::tempdir().unwrap();
    let (db, to) = (with_megabytes(directory.path()), directory.path().join("backups"));
    let outcome = thread::scope(|scope| {
        let backup = || db.backup_with(&to, |progress| if progress.bytes > 0 { panic!("mine") } else { continued(()) });
        scope.spawn(backup).join()
    });
    assert_eq!(outcome.unwrap_err().downcast_ref::<&str>(), Some(&"mine"));
    assert_eq!(db.backup(&to).unwrap().damage, None);
}

#[test]
fn backups_are_written_by_one_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let (db, to) = (with_megabytes(directory.path()), directory.path().join("backups"));
    let mut kinds = Vec::new();
    db.backup_with(&to, |progress| {
        if progress.bytes == 0 {
            let backups = Backups::open(&to).unwrap();
            kinds.push(backups.list().unwrap_err().kind());
            kinds.push(backups.keep_last(1).unwrap_err().kind());
            kinds.push(db.backup(&to).unwrap_err().kind());
        }
        continued(())
    })
    .unwrap();
    assert_eq!(kinds, [ErrorKind::Locked; 3]);
    assert_eq!(Backups::open(&to).unwrap().list().unwrap().len(), 1);
}

/// The role of the child: it writes and backs up until it is killed, and says when.
#[test]
fn child_backs_up_until_it_is_killed() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let directory = Path::new(&directory);
    let db = Database::builder().durability(Durability::Buffered).open(directory.join("db")).unwrap();
    let (films, random) = (db.collection::<Document>("films").unwrap(), SeededEntropy::new(3));
    let mut stdout = std::io::stdout();
    for n in films.count().unwrap().. {
        let noise: Vec<u8> = (0..8_000).flat_map(|_| random.next_u64().to_le_bytes()).collect();
        films.insert_with_id(n, &Document::new().with("n", n as i64).with("noise", Value::Bytes(noise))).unwrap();
        if n % 5 == 4 {
            let backup = db.backup(directory.join("backups")).unwrap();
            // Not println: the test harness captures that.
            writeln!(stdout, "\nbackup {} {n}", backup.id).unwrap();
            stdout.flush().unwrap();
        }
    }
}

fn spawn(directory: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "backup::child_backs_up_until_it_is_killed", "--nocapture", "--test-threads=1"])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn a_process_killed_while_it_backs_up_harms_no_backup_and_the_next_one_works() {
    let directory = tempfile::tempdir().unwrap();
    let random = SeededEntropy::new(5);
    let mut made = BTreeMap::new();
    for round in 0..5 {
        let mut child = spawn(directory.path());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let parse = |line: String| {
            let (id, n) = line.strip_prefix("backup ")?.split_once(' ')?;
            Some((id.parse::<u32>().ok()?, n.parse::<u64>().ok()?))
        };
        let told = 1 + random.next_u64() % 3;
        made.extend(lines.by_ref().filter_map(|line| parse(line.unwrap())).take(told as usize));
        // Into the middle of whatever it does next.
        let (_never, wait) = std::sync::mpsc::channel::<()>();
        let _ = wait.recv_timeout(std::time::Duration::from_micros(random.next_u64() % 20_000));
        child.kill().unwrap();
        made.extend(lines.map_while(|line| line.ok()).filter_map(parse));
        child.wait().unwrap();

        let backups = Backups::open(directory.path().join("backups")).unwrap();
        let listed = backups.list().unwrap();
        assert!(listed.iter().all(|backup| backup.damage.is_none()), "round {round}: {listed:?}");
        for (id, n) in &made {
            assert!(listed.iter().any(|backup| backup.id == *id), "round {round}: backup {id} is gone");
            backups.verify(*id).unwrap();
            assert_eq!(restored_count(&backups, *id), n + 1, "round {round}: backup {id}");
        }
    }
    let db = Database::builder().must_exist().open(directory.path().join("db")).unwrap();
    let next = db.backup(directory.path().join("backups")).unwrap();
    let backups = Backups::open(directory.path().join("backups")).unwrap();
    assert_eq!(backups.keep_last(1).unwrap().len(), next.id as usize - 1);
    assert_eq!(restored_count(&backups, next.id), db.collection::<Document>("films").unwrap().count().unwrap());
    let left = sizes(&directory.path().join("backups"));
    assert_eq!(left.len() as u64, next.files + 2, "more than the marker, the description and the files: {left:?}");
}

#[test]
fn a_checkpoint_holds_what_was_committed_before_it() {
    let directory = tempfile::tempdir().unwrap();
    let db = Database::builder().durability(Durability::Buffered).open(directory.path().join("db")).unwrap();
    let (made, stop): ([AtomicU64; 1], _) = (Default::default(), AtomicBool::new(false));
    thread::scope(|scope| {
        let _stop = StopAtEnd(&stop);
        scope.spawn(|| write_in_order(&db, 0, &made[0], &stop));
        for round in 1..=3 {
            while made[0].load(Ordering::Acquire) < round * 100 {
                thread::yield_now();
            }
            let before = made[0].load(Ordering::Acquire);
            let to = directory.path().join(format!("checkpoint {round}"));
            db.checkpoint(&to).unwrap();
            assert_eq!(db.checkpoint(&to).unwrap_err().kind(), ErrorKind::AlreadyExists);
            let copy = Database::builder().must_exist().open(&to).unwrap();
            assert!(copy.verify().unwrap().is_healthy());
            let count = copy.collection::<Document>("films").unwrap().count().unwrap();
            assert!(count >= before, "{count} of {before} are there");
            assert!(copy.collection::<Document>("films").unwrap().contains(format!("0/{:06}", count - 1)).unwrap());
        }
    });
}
