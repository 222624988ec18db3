//! Killing the process at any moment leaves the index equal to the documents.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use super::*;

/// Tells the child which directory to write to.
const DIRECTORY: &str = "BLAZE_TEST_VECTOR_CRASH_DIRECTORY";
const ROUNDS: u64 = 6;

/// The role of the child: it changes vectors and searches until it is killed.
#[test]
fn child_changes_vectors_until_it_is_killed() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let db = Database::builder().durability(Durability::Buffered).open(directory).unwrap();
    let points = db.collection::<Document>("points").unwrap();
    points.ensure_index(Index::vector("v", DIMENSION).metric(Metric::L2)).unwrap();
    let mut n = points.count().unwrap();
    let random = SeededEntropy::new(n);
    let mut stdout = std::io::stdout();
    loop {
        let batch = (0..100).map(|_| random_vector(&random)).collect::<Vec<_>>();
        let documents = batch.iter().enumerate().map(|(at, vector)| (n + at as u64, document(vector, at)));
        points.bulk().insert_with_ids(documents).unwrap();
        n += 100;
        for _ in 0..20 {
            let id = random.next_u64() % n;
            points.put(id, &document(&random_vector(&random), 0)).unwrap();
        }
        search(&points, &batch[0], 3);
        writeln!(stdout, "\nacknowledged {n}").unwrap();
        stdout.flush().unwrap();
    }
}

#[test]
fn after_any_kill_searches_say_what_documents_say() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let mut sought = 4_000;
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "vectors::crashes::child_changes_vectors_until_it_is_killed",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(DIRECTORY, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let number = |line: String| line.strip_prefix("acknowledged ").and_then(|number| number.parse::<u64>().ok());
        let reached = lines.map_while(Result::ok).filter_map(number).find(|reached| *reached >= sought);
        // At some moment of the next hundredth of a second.
        std::thread::park_timeout(std::time::Duration::from_millis(round * 7 % 40));
        child.kill().unwrap();
        child.wait().unwrap();
        sought = reached.expect("the child ended by itself") + 1_000;

        let db = Database::builder().durability(Durability::Buffered).open(&path).unwrap();
        let points = db.collection::<Document>("points").unwrap();
        let queries = vectors(300 + round, 10);
        let check = |when: &str| {
            let mut found = 0;
            for query in &queries {
                let (_, ids) = search(&points, query, 10);
                let expected = exactly(&points, query, 10);
                assert_eq!(ids.len(), 10, "round {round}, {when}");
                found += ids.iter().filter(|id| expected.contains(id)).count();
            }
            assert!(found >= 95, "round {round}, {when}: {found} of 100");
        };
        check("at once");
        db.settle().unwrap();
        check("after catching up");
        assert_eq!(db.verify().unwrap().problems, [], "round {round}");
        if round % 2 == 0 {
            db.close().unwrap();
        }
    }
}
