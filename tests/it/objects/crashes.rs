//! What a killed process was writing is gone, and what it had written is whole.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use blaze::{Database, Durability};

use super::{CHUNK, content, read, stored_keys};

/// Tells the child which directory to write to.
const DIRECTORY: &str = "BLAZE_TEST_OBJECTS_DIRECTORY";

/// The role of the child: it replaces an object, says so, and goes on writing the next one until it is killed.
#[test]
fn child_writes_an_object_until_it_is_killed() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let db = Database::builder().durability(Durability::Buffered).open(directory).unwrap();
    let objects = db.objects("objects").unwrap();
    super::write(&objects, "key", &content(2 * CHUNK + 1, 7));
    let mut stdout = std::io::stdout();
    let mut writer = objects.create("key").unwrap();
    for chunk in 0.. {
        writer.write_all(&content(CHUNK, chunk)).unwrap();
        writeln!(stdout, "\nchunk {chunk}").unwrap();
        stdout.flush().unwrap();
    }
}

fn run_and_kill(directory: &Path, chunks: usize) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "objects::crashes::child_writes_an_object_until_it_is_killed",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let written = lines.filter(|line| line.as_ref().unwrap().starts_with("chunk ")).take(chunks).count();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(written, chunks, "the child ended by itself");
}

#[test]
fn a_killed_writer_leaves_the_old_object_whole_and_nothing_of_the_new_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    for chunks in [1, 3, 20] {
        run_and_kill(&path, chunks);
        assert!(stored_keys(&path).len() >= 3 + chunks.min(2), "some of it had been written ahead");
        let db = Database::open(&path).unwrap();
        let objects = db.objects("objects").unwrap();
        assert!(read(&objects, "key").unwrap() == content(2 * CHUNK + 1, 7));
        assert_eq!(objects.list("").unwrap().count(), 1);
        db.close().unwrap();
        assert_eq!(stored_keys(&path).len(), 4, "the row and three chunks of the old object");
    }
}

#[test]
fn what_was_finished_is_there_after_the_process_was_killed() {
    let directory = tempfile::tempdir().unwrap();
    run_and_kill(directory.path(), 2);
    let db = Database::open(directory.path()).unwrap();
    let mut reader = db.objects("objects").unwrap().open("key").unwrap().unwrap();
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).unwrap();
    assert!(bytes == content(2 * CHUNK + 1, 7));
}
