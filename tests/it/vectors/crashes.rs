//! Killing the process at any moment leaves the index equal to the documents, and its graph with it.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use blaze::{desc, set};

use super::whole::assert_whole;
use super::*;

/// Tells the child which directory to write to.
const DIRECTORY: &str = "BLAZE_TEST_VECTOR_CRASH_DIRECTORY";
const ROUNDS: u64 = 6;

/// Documents that are inserted before the first kill: of so many, enough are left for a graph.
const FIRST: u64 = 5_200;

/// Documents that are inserted at once.
const BATCH: u64 = 100;

/// Documents that a transaction changes.
const TOGETHER: u64 = 20;

fn open(path: &Path) -> Database {
    Database::builder().durability(Durability::Buffered).open(path).unwrap()
}

/// The vector that a document has at first: it tells where one was that is deleted.
fn born(id: u64) -> Vec<f32> {
    random_vector(&SeededEntropy::new(id ^ 0x7EC7))
}

/// The first id after all that are there.
fn next_id(points: &Collection<Document>) -> u64 {
    let last = points.find_all().sort(desc("_id")).limit(1).run().unwrap();
    last.first().map_or(0, |found| found.id.to_string().parse::<u64>().unwrap() + 1)
}

/// Replaces, moves and deletes some documents, one by one and several together.
fn change_some(db: &Database, points: &Collection<Document>, random: &dyn Entropy, next: u64) {
    for _ in 0..30 {
        let id = random.next_u64() % next;
        match random.next_u64() % 3 {
            0 => points.put(id, &document(&random_vector(random), 0)).unwrap(),
            1 => match points.update(id, set("v", Vector::F32(random_vector(random)))) {
                Err(error) if error.kind() == ErrorKind::NotFound => {} // it was deleted
                updated => updated.unwrap(),
            },
            _ => drop(points.delete(id).unwrap()),
        }
    }
    let first = random.next_u64() % (next - TOGETHER);
    db.transaction(|tx| {
        let points = tx.collection::<Document>("points")?;
        (first..first + TOGETHER).try_for_each(|id| match id % 2 {
            0 => points.put(id, &document(&random_vector(random), 0)),
            _ => points.delete(id).map(drop),
        })
    })
    .unwrap();
}

/// The role of the child: it changes vectors and searches until it is killed.
#[test]
fn child_changes_vectors_until_it_is_killed() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let db = open(Path::new(&directory));
    let points = db.collection::<Document>("points").unwrap();
    points.ensure_index(Index::vector("v", DIMENSION).metric(Metric::L2)).unwrap();
    let mut next = next_id(&points);
    let random = SeededEntropy::new(next);
    let mut stdout = std::io::stdout();
    loop {
        points.bulk().insert_with_ids((next..next + BATCH).map(|id| (id, document(&born(id), 0)))).unwrap();
        next += BATCH;
        change_some(&db, &points, &random, next);
        search(&points, &born(next - 1), 3);
        writeln!(stdout, "\nacknowledged {next}").unwrap();
        stdout.flush().unwrap();
    }
}

fn begin_child(path: &Path) -> Child {
    let test = "vectors::crashes::child_changes_vectors_until_it_is_killed";
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(DIRECTORY, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Has a child work until it has inserted so many documents, and kills it a little later. Answers how many it had inserted.
fn kill_after(path: &Path, sought: u64, later_ms: u64) -> u64 {
    let mut child = begin_child(path);
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let number = |line: String| line.strip_prefix("acknowledged ").and_then(|number| number.parse::<u64>().ok());
    let reached = lines.map_while(Result::ok).filter_map(number).find(|reached| *reached >= sought);
    std::thread::park_timeout(std::time::Duration::from_millis(later_ms));
    child.kill().unwrap();
    child.wait().unwrap();
    reached.expect("the child ended by itself")
}

/// Which of a hundred nearest are found.
fn found_of_100(points: &Collection<Document>, queries: &[Vec<f32>], when: &str) -> usize {
    let found = |query: &Vec<f32>| {
        let (_, ids) = search(points, query, 10);
        let expected = exactly(points, query, 10);
        assert_eq!(ids.len(), 10, "{when}");
        ids.iter().filter(|id| expected.contains(id)).count()
    };
    queries.iter().map(found).sum()
}

#[test]
fn after_any_kill_searches_say_what_documents_say() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let mut sought = FIRST;
    for round in 0..ROUNDS {
        // At some moment of the next hundredth of a second.
        sought = kill_after(&path, sought, round * 7 % 40) + 1_000;
        let db = open(&path);
        let points = db.collection::<Document>("points").unwrap();
        let queries = vectors(300 + round, 10);
        let check = |when: &str| {
            let found = found_of_100(&points, &queries, when);
            assert!(found >= 95, "round {round}, {when}: {found} of 100");
        };
        check("at once");
        let there = assert_whole(&db, &points, &format!("round {round}"));
        check("after catching up");
        let deleted: Vec<u64> = (0..next_id(&points)).filter(|id| !there.contains_key(&(*id).into())).collect();
        assert!(deleted.len() > 200, "round {round}: the child has deleted only {deleted:?}");
        for id in deleted {
            let hits = points.search().nearest("v", born(id)).limit(3).ids().unwrap();
            assert!(hits.iter().all(|hit| hit.distance > 0.0), "round {round}: the deleted {id} is found: {hits:?}");
        }
        assert_eq!(db.verify().unwrap().problems, [], "round {round}");
        if round % 2 == 0 {
            db.close().unwrap();
        }
    }
}
