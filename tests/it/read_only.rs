//! Databases that are open for reading only: they share, they see everything, they change nothing.

#![expect(clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::SystemTime;

use blaze::{Collection, Database, Document, Durability, Error, ErrorKind, Index, TransactionOptions, field, inc};

/// Tells a child its directory and its role.
const DIRECTORY: &str = "BLAZE_TEST_READ_ONLY_DIRECTORY";
const ROLE: &str = "BLAZE_TEST_READ_ONLY_ROLE";

fn read_only(path: &Path) -> Result<Database, Error> {
    Database::builder().read_only().open(path)
}

/// A keyspace and a collection with an index.
fn fill(db: &Database) {
    db.keyspace("keys").unwrap().put("key", "value").unwrap();
    let films = db.collection::<Document>("films").unwrap();
    films.ensure_index(Index::on("year")).unwrap();
    for year in 1970..1980 {
        films.insert_with_id(year, &Document::new().with("year", year).with("text", "x".repeat(6_000))).unwrap();
    }
}

fn check(db: &Database) {
    assert_eq!(db.keyspace("keys").unwrap().get("key").unwrap().as_deref(), Some(b"value".as_slice()));
    let films = db.collection::<Document>("films").unwrap();
    let found = films.find(field("year").ge(1975)).run().unwrap();
    assert_eq!(found.len(), 5);
    assert_eq!(found[0].get("text").and_then(|text| text.as_str()).map(str::len), Some(6_000));
    assert_eq!(films.find(field("year").ge(1975)).explain().unwrap().index(), Some("year"));
}

/// Everything that can be told about the files of a directory.
fn listing(path: &Path) -> Vec<(String, SystemTime, Vec<u8>)> {
    let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap());
    let mut files: Vec<_> = entries
        .map(|entry| {
            let modified = entry.metadata().unwrap().modified().unwrap();
            (entry.file_name().to_string_lossy().into_owned(), modified, fs::read(entry.path()).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// Copies a directory as the death of the process would leave it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// The other process: it does what its role says, tells that it is done, and waits for its input to end.
#[test]
fn child_plays_its_role() {
    let (Ok(directory), Ok(role)) = (std::env::var(DIRECTORY), std::env::var(ROLE)) else { return };
    let path = Path::new(&directory);
    let db = match role.as_str() {
        "writer" => Database::open(path),
        _ => read_only(path),
    };
    let told = match (role.as_str(), db) {
        ("locked out", Err(error)) => (error.kind() == ErrorKind::Locked).then_some(None),
        ("writer", Ok(db)) => Some(Some(db)),
        ("reader", Ok(db)) => {
            check(&db);
            Some(Some(db))
        }
        _ => None,
    };
    let held = told.expect("the role is played");
    let mut stdout = std::io::stdout();
    writeln!(stdout, "\ndone").unwrap(); // not println: the test harness captures that
    stdout.flush().unwrap();
    std::io::stdin().read_line(&mut String::new()).unwrap();
    drop(held);
}

fn command(path: &Path, role: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "read_only::child_plays_its_role", "--nocapture", "--test-threads=1"])
        .env(DIRECTORY, path)
        .env(ROLE, role)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

/// Starts another process and waits until it has done its part.
fn start(mut command: Command) -> Child {
    let mut child = command.spawn().unwrap();
    let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line == "done"), "the other process failed");
    child
}

fn end(mut child: Child) {
    drop(child.stdin.take());
    drop(child.stdout.take());
    child.wait().unwrap();
}

#[test]
fn any_number_of_readers_share_a_database_and_keep_writers_out() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    fill(&Database::open(path).unwrap());
    let (here, twice, other) = (read_only(path).unwrap(), read_only(path).unwrap(), start(command(path, "reader")));
    check(&here);
    check(&twice);
    let refused = Database::open(path).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Locked);
    assert!(refused.to_string().contains("is open read-only"), "{refused}");
    here.close().unwrap();
    drop(twice);
    assert_eq!(Database::open(path).unwrap_err().kind(), ErrorKind::Locked, "the other process has it");
    end(other);
    check(&Database::open(path).unwrap());
}

#[test]
fn a_writer_keeps_readers_out_until_it_closes_or_dies() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let db = Database::open(path).unwrap();
    fill(&db);
    let refused = read_only(path).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Locked);
    assert!(refused.to_string().contains("is open for writing"), "{refused}");
    end(start(command(path, "locked out")));
    db.close().unwrap();
    check(&read_only(path).unwrap());

    let mut writer = start(command(path, "writer"));
    assert_eq!(read_only(path).unwrap_err().kind(), ErrorKind::Locked);
    writer.kill().unwrap();
    writer.wait().unwrap();
    check(&read_only(path).unwrap());
}

#[test]
fn a_reader_sees_what_is_in_the_log_and_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (path, killed) = (directory.path().join("db"), directory.path().join("killed"));
    let db = Database::builder().durability(Durability::Buffered).open(&path).unwrap();
    fill(&db);
    copy(&path, &killed);
    db.close().unwrap();
    for path in [path, killed] {
        let before = listing(&path);
        for _ in 0..2 {
            let db = read_only(&path).unwrap();
            check(&db);
            db.sync().unwrap();
            db.settle().unwrap();
            db.close().unwrap();
        }
        assert!(listing(&path) == before, "{}", path.display());
    }
}

#[test]
fn every_write_to_a_read_only_database_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    fill(&Database::open(path).unwrap());
    let db = read_only(path).unwrap();
    let (keys, films) = (db.keyspace("keys").unwrap(), db.collection::<Document>("films").unwrap());
    let film = Document::new().with("year", 2000);
    let within = |work: fn(&Collection<Document>) -> Result<(), Error>| {
        db.transaction(|tx| work(&tx.collection("films")?)).map(drop)
    };
    let attempts = [
        ("put", keys.put("key", "other")),
        ("delete", keys.delete("absent")),
        ("delete a range", keys.delete_range("a".."b")),
        ("clear", keys.clear()),
        ("insert", films.insert(&film).map(drop)),
        ("insert with id", films.insert_with_id(1, &film)),
        ("insert many", films.insert_many([film.clone()]).map(drop)),
        ("insert none", films.insert_many([]).map(drop)),
        ("bulk", films.bulk().insert([film.clone()]).map(drop)),
        ("put a document", films.put(1970, &film)),
        ("replace", films.replace(1970, &film)),
        ("update", films.update(1970, inc("year", 1))),
        ("update what is absent", films.update(1, inc("year", 1))),
        ("delete a document", films.delete(1970).map(drop)),
        ("delete what is absent", films.delete(1).map(drop)),
        ("ensure a new index", films.ensure_index(Index::on("text"))),
        ("ensure an index that is there", films.ensure_index(Index::on("year"))),
        ("drop an index", films.drop_index("year").map(drop)),
        ("drop a collection", db.drop_collection("films").map(drop)),
        ("drop a keyspace", db.drop_keyspace("keys").map(drop)),
        ("compact", db.compact()),
        ("checkpoint", db.checkpoint(path.join("copy"))),
        ("insert in a transaction", within(|films| films.insert(&Document::new()).map(drop))),
        ("delete in a transaction", within(|films| films.delete(1).map(drop))),
        ("index in a transaction", within(|films| films.ensure_index(Index::on("text")))),
    ];
    for (what, result) in attempts {
        let error = result.expect_err(what);
        assert_eq!(
            (error.kind(), error.to_string().contains("open read-only")),
            (ErrorKind::Invalid, true),
            "{what}: {error}"
        );
    }
    for name in ["films", "absent"] {
        let created = db.keyspace(name).unwrap_err().kind();
        assert_eq!(created, if name == "films" { ErrorKind::Invalid } else { ErrorKind::NotFound });
    }
    assert_eq!(db.collection::<Document>("absent").unwrap_err().kind(), ErrorKind::NotFound);
    check(&db);
}

#[test]
fn transactions_that_only_read_work_in_a_read_only_database() {
    let directory = tempfile::tempdir().unwrap();
    fill(&Database::open(directory.path()).unwrap());
    let db = read_only(directory.path()).unwrap();
    let years = db.transaction(|tx| tx.collection::<Document>("films")?.find(field("year").ge(1975)).count()).unwrap();
    assert_eq!(years, 5);
    let transaction = db.begin_with(TransactionOptions::new()).unwrap();
    let films = transaction.collection::<Document>("films").unwrap();
    assert_eq!(films.count().unwrap(), 10);
    transaction.commit().unwrap();
    assert_eq!(films.count().unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(db.snapshot().unwrap().collection::<Document>("films").unwrap().count().unwrap(), 10);
    assert_eq!((db.collections().unwrap(), db.keyspaces().unwrap()), (vec!["films".into()], vec!["keys".into()]));
}

#[test]
fn there_must_be_something_to_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    assert_eq!(read_only(path).unwrap_err().kind(), ErrorKind::NotFound, "an empty directory");
    assert_eq!(read_only(&path.join("absent")).unwrap_err().kind(), ErrorKind::NotFound);
    fs::write(path.join("notes.txt"), "mine").unwrap();
    assert_eq!(read_only(path).unwrap_err().kind(), ErrorKind::Invalid, "something else");
    assert_eq!(read_only(&path.join("notes.txt")).unwrap_err().kind(), ErrorKind::Unavailable, "a file");
    assert_eq!(fs::read_dir(path).unwrap().count(), 1);
}

/// As somebody who may not write there: another user, if this process is one who may write everywhere.
#[test]
#[cfg(target_os = "linux")]
fn a_directory_without_permission_to_write_can_be_read() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::os::unix::process::CommandExt as _;

    let directory = tempfile::tempdir().unwrap();
    let (path, nobody) = (directory.path().join("db"), 65_534);
    fill(&Database::open(&path).unwrap());
    let permit = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    listing(&path).iter().for_each(|(name, ..)| permit(&path.join(name), 0o444));
    permit(directory.path(), 0o755);
    permit(&path, 0o555);
    let mut reader = command(&path, "reader");
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        reader.uid(nobody);
    }
    match reader.spawn() {
        // The test binary itself is out of that user's reach: then this cannot be tried here.
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {}
        Err(error) => panic!("{error}"),
        Ok(mut probe) => {
            probe.kill().unwrap();
            probe.wait().unwrap();
            end(start(reader));
        }
    }
    permit(&path, 0o755);
}
