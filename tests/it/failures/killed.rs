//! What several threads of a killed process had acknowledged is there, whole, whatever its durability.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use blaze::{Database, Durability, Entropy, Keyspace, SeededEntropy, TransactionOptions};

/// Tells the child which directory to write to, and in which round.
const DIRECTORY: &str = "BLAZE_TEST_KILLED_DIRECTORY";
const ROUND: &str = "BLAZE_TEST_KILLED_ROUND";
const ROUNDS: u64 = 5;
const THREADS: u64 = 4;

/// The role of the child: each thread commits pairs of its own and acknowledges each after its commit.
#[test]
fn child_commits_from_several_threads_until_it_is_killed() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let round = std::env::var(ROUND).unwrap();
    let db = Database::builder().write_buffer_bytes(1 << 20).open(directory).unwrap();
    thread::scope(|scope| {
        for number in 0..THREADS {
            let (db, round) = (&db, &round);
            scope.spawn(move || {
                for n in 0.. {
                    let key = format!("{round}/{number}/{n:06}");
                    commit_pair(db, &key, if (n + number) % 2 == 0 { Durability::Sync } else { Durability::Buffered });
                    // One write, so that the lines of the threads do not mix. Not println: the test harness captures that.
                    std::io::stdout().lock().write_all(format!("\nacknowledged {key}\n").as_bytes()).unwrap();
                }
            });
        }
    });
}

fn commit_pair(db: &Database, key: &str, durability: Durability) {
    let value = key.repeat(1 + key.len() * 7 % 50);
    db.transaction_with(TransactionOptions::new().durability(durability), |tx| {
        tx.keyspace("left")?.put(key, &value)?;
        tx.keyspace("right")?.put(key, key)
    })
    .unwrap();
}

/// Lets the child commit until so many acknowledgements were seen, and kills it; answers all that it acknowledged.
fn run_and_kill(directory: &Path, round: u64, acknowledgements: usize) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "failures::killed::child_commits_from_several_threads_until_it_is_killed", "--nocapture"])
        .env(DIRECTORY, directory)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).split(b'\n');
    let mut acknowledged = Vec::new();
    // What stands in the pipe at the end was acknowledged, too; a line that is torn is too short.
    let whole = format!("{round}/0/000000").len();
    for line in lines.map_while(|line| String::from_utf8(line.ok()?).ok()) {
        let key = line.strip_prefix("acknowledged ").filter(|key| key.len() == whole);
        acknowledged.extend(key.map(str::to_owned));
        if acknowledged.len() == acknowledgements {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(acknowledged.len() >= acknowledgements, "the child ended by itself");
    acknowledged
}

fn keys(keyspace: &Keyspace) -> BTreeSet<String> {
    let keys = keyspace.iter().unwrap().map(|entry| String::from_utf8(entry.unwrap().0).unwrap());
    keys.collect()
}

#[test]
fn what_the_threads_of_a_killed_process_acknowledged_is_there_and_whole() {
    let directory = tempfile::tempdir().unwrap();
    let random = SeededEntropy::new(7);
    let mut acknowledged = BTreeSet::new();
    for round in 0..ROUNDS {
        let wanted = 1 + random.next_u64() as usize % 400;
        acknowledged.extend(run_and_kill(directory.path(), round, wanted));
        let db = Database::builder().must_exist().open(directory.path()).unwrap();
        let (left, right) = (keys(&db.keyspace("left").unwrap()), keys(&db.keyspace("right").unwrap()));
        let lost: Vec<_> = acknowledged.difference(&left).collect();
        assert!(lost.is_empty(), "round {round}: {lost:?} were acknowledged");
        let torn: Vec<_> = left.symmetric_difference(&right).collect();
        assert!(torn.is_empty(), "round {round}: {torn:?} are in one keyspace only");
        for number in 0..THREADS {
            let of_thread = left.iter().filter(|key| key.starts_with(&format!("{round}/{number}/")));
            for (n, key) in of_thread.enumerate() {
                assert!(key.ends_with(&format!("/{n:06}")), "round {round}: a hole before {key}");
            }
        }
    }
}
