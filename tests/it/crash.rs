//! What a killed process had acknowledged is there, whole, and in the indexes.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use blaze::{Collection, Database, Document, Entropy, ErrorKind, Index, Result, SeededEntropy, Value, field};

/// Tells the child which directory to write to.
const DIRECTORY: &str = "BLAZE_TEST_CRASH_DIRECTORY";
const ROUNDS: u64 = 6;

/// The role of the child: it writes pairs and acknowledges each after its commit, until it is killed.
#[test]
fn child_writes_until_it_is_killed() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let db = Database::open(directory).unwrap();
    let (left, right) = (db.collection::<Document>("left").unwrap(), db.collection::<Document>("right").unwrap());
    left.ensure_index(Index::on("n")).unwrap();
    right.ensure_index(Index::on("tags")).unwrap();
    let building = db.clone();
    std::thread::spawn(move || build_again_and_again(&building));
    let mut stdout = std::io::stdout();
    for n in left.count().unwrap() as i64.. {
        // Whoever changes the indexes again and again may be in the way a hundred times.
        let write = || db.transaction(|tx| write_pair(&tx.collection("left")?, &tx.collection("right")?, n));
        while let Err(error) = write() {
            assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
        }
        // Not println: the test harness captures that.
        writeln!(stdout, "\nacknowledged {n}").unwrap();
        stdout.flush().unwrap();
    }
}

/// Builds and drops a unique index while pairs are written, so that the process is killed amid it.
fn build_again_and_again(db: &Database) {
    let left = db.collection::<Document>("left").unwrap();
    loop {
        left.ensure_index(Index::on("n").unique().named("unique")).unwrap();
        left.drop_index("unique").unwrap();
    }
}

fn write_pair(left: &Collection<Document>, right: &Collection<Document>, n: i64) -> Result<()> {
    left.insert_with_id(n, &Document::new().with("n", n).with("even", n % 2 == 0))?;
    let tags: Value = [format!("t{n}"), format!("m{}", n % 7)].into_iter().collect();
    // Every fourth document has a shape of its own, so that the dictionary grows.
    let key = if n % 4 == 0 { format!("k{n}") } else { "k".to_owned() };
    right.insert_with_id(n, &Document::new().with("tags", tags).with(key, "x".repeat(n as usize % 500)))?;
    if n >= 3 {
        right.update(n - 3, blaze::set("last", n))?;
    }
    Ok(())
}

fn spawn(directory: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child_writes_until_it_is_killed", "--nocapture", "--test-threads=1"])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Lets the child write for a random number of acknowledgements and kills it; answers the last one.
fn run_and_kill(directory: &Path, acknowledgements: u64) -> i64 {
    let mut child = spawn(directory);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let number = |line: &str| line.strip_prefix("acknowledged ")?.parse().ok();
    let mut acknowledged = lines.by_ref().filter_map(|line| number(&line.unwrap()));
    let last = acknowledged.by_ref().take(acknowledgements as usize).last();
    child.kill().unwrap();
    // What stood in the pipe was acknowledged, too; its last line may be torn.
    let rest = lines.map_while(|line| line.ok()).filter_map(|line| number(&line)).last();
    child.wait().unwrap();
    rest.or(last).expect("the child ended before it had written anything")
}

#[test]
fn what_a_killed_process_acknowledged_is_there_and_whole() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let random = SeededEntropy::new(1);
    let mut before = 0;
    for round in 0..ROUNDS {
        let last = run_and_kill(&path, 1 + random.next_u64() % 150);
        let db = Database::builder().must_exist().open(&path).unwrap();
        let count = check(&db, round);
        assert!(count > last, "round {round}: {last} was acknowledged, {count} pairs are there");
        assert!(count > before, "round {round} wrote nothing");
        before = count;
    }
}

/// Checks pairs and indexes, and answers how many pairs there are.
fn check(db: &Database, round: u64) -> i64 {
    let (left, right) = (db.collection::<Document>("left").unwrap(), db.collection::<Document>("right").unwrap());
    let count = left.count().unwrap() as i64;
    assert_eq!(right.count().unwrap() as i64, count, "round {round}: a pair is torn");
    assert_eq!(db.verify().unwrap().problems, [], "round {round}");
    let rights = right.find_all().run().unwrap();
    for (n, found) in left.find_all().run().unwrap().iter().enumerate() {
        let n = n as i64;
        assert_eq!(found.get("n").and_then(Value::as_i64), Some(n), "round {round}: a hole before {n}");
        let last = rights[n as usize].get("last").and_then(Value::as_i64);
        assert_eq!(last, (n + 3 < count).then_some(n + 3), "round {round}: document {n} is torn from its successor");
        let by_index = left.find(field("n").eq(n));
        let tagged = right.find(field("tags").contains(format!("t{n}")));
        for ids in [by_index.run().unwrap(), tagged.run().unwrap()] {
            assert_eq!(ids.iter().map(|found| found.id.to_string()).collect::<Vec<_>>(), [n.to_string()]);
        }
    }
    let all = left.find(field("n").exists(true)).hint(blaze::Hint::index("n")).explain().unwrap();
    assert_eq!((all.index(), all.keys_examined as i64, all.rows as i64), (Some("n"), count, count), "{all}");
    left.ensure_index(Index::on("n").unique().named("unique")).unwrap();
    assert_eq!(db.verify().unwrap().problems, [], "round {round}: after the build was gone on with");
    left.drop_index("unique").unwrap();
    let tags = right.find(field("tags").contains("m3"));
    let scan = rights.iter().filter(|found| field("tags").contains("m3").matches(found)).count();
    assert_eq!((tags.explain().unwrap().index(), tags.count().unwrap() as usize), (Some("tags"), scan));
    count
}
