//! A process that is killed leaves text indexes equal to their documents.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use blaze::{Database, Document, Durability, Entropy, Index, SeededEntropy, limits};

use super::naive::{FIELDS, WORDS, random_document};
use super::{assert_healthy, films};

/// Tells the child which directory to write to.
const DIRECTORY: &str = "BLAZE_TEST_TEXT_CRASH_DIRECTORY";
const ROUNDS: u64 = 6;

fn open(path: &Path) -> Database {
    Database::builder().durability(Durability::Buffered).open(path).unwrap()
}

/// The role of the child: it writes while it folds and merges, until it is killed.
#[test]
fn child_writes_texts_until_it_is_killed() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let db = open(Path::new(&directory));
    films(&db).ensure_index(Index::text(FIELDS.map(|(name, _)| name))).unwrap();
    let folding = db.clone();
    thread::spawn(move || {
        for round in 1_u64.. {
            match round % 5 {
                0 => folding.compact().unwrap(),
                _ => folding.settle().unwrap(),
            }
        }
    });
    let random = SeededEntropy::new(films(&db).count().unwrap());
    let mut stdout = std::io::stdout();
    for n in 0_u64.. {
        let id = (random.next_u64() % 500) as i64;
        match random.next_u64() % 4 {
            0 => drop(films(&db).delete(id).unwrap()),
            _ => films(&db).put(id, &random_document(&random)).unwrap(),
        }
        // Not println: the test harness captures that.
        writeln!(stdout, "\nwritten {n}").unwrap();
        stdout.flush().unwrap();
    }
}

/// Lets the child write so many documents and kills it.
fn run_and_kill(directory: &Path, documents: u64) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "texts::killed::child_writes_texts_until_it_is_killed", "--nocapture", "--test-threads=1"])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let written =
        lines.map_while(|line| line.ok()).filter(|line| line.starts_with("written ")).take(documents as usize);
    assert_eq!(written.count() as u64, documents, "the child ended by itself");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_killed_process_leaves_text_indexes_equal_to_their_documents() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let random = SeededEntropy::new(3);
    for round in 0..ROUNDS {
        run_and_kill(&path, 1 + random.next_u64() % 400);
        let db = open(&path);
        for settled in [false, true] {
            if settled {
                db.settle().unwrap();
            }
            assert_healthy(&db);
            let documents: Vec<Document> =
                films(&db).find_all().run().unwrap().into_iter().map(|found| found.value).collect();
            for word in WORDS {
                let has = |document: &&Document| {
                    let texts = FIELDS.iter().filter_map(|(name, _)| document.get(name)?.as_str());
                    texts.flat_map(str::split_whitespace).any(|of| of == word)
                };
                let expected = documents.iter().filter(has).count();
                let found = films(&db).search().text(word).limit(limits::SEARCH_LIMIT_MAX).run().unwrap();
                assert_eq!(found.len(), expected, "round {round}, settled: {settled}: {word}");
            }
        }
    }
}
