//! A thousand databases in one process, and one that is opened again and again: memory, files and threads are bounded.
//!
//! They are counted in a process of their own, on Linux, where it tells; elsewhere the databases are only used.

#![expect(clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use blaze::{Database, Document, Durability, Environment, Index, field};

/// Has the child do the work.
const ROLE: &str = "BLAZE_TEST_MANY_ROLE";
const DATABASES: usize = 1_000;
const MIB: usize = 1024 * 1024;

/// What the process uses: resident KiB, open files, threads. Nothing where the system does not tell.
#[derive(Debug)]
struct Usage {
    resident_kib: usize,
    files: usize,
    threads: usize,
}

impl Usage {
    fn now() -> Option<Usage> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse().ok()
        };
        let files = fs::read_dir("/proc/self/fd").ok()?.count();
        Some(Usage { resident_kib: number("VmRSS:")?, files, threads: number("Threads:")? })
    }
}

/// Runs a test of this file in a process of its own, which may open as many files as the system lets it: the limit that a
/// shell hands on is often 1,024, and a process may raise it by itself.
fn run_alone(test: &str) {
    let exe = std::env::current_exe().unwrap();
    let mut command = match cfg!(unix) {
        true => {
            let mut shell = Command::new("sh");
            shell.args(["-c", "ulimit -n \"$(ulimit -H -n)\"; exec \"$0\" \"$@\""]).arg(exe);
            shell
        }
        false => Command::new(exe),
    };
    let output = command
        .args(["--exact", &format!("many_databases::{test}"), "--nocapture", "--test-threads=1"])
        .env(ROLE, test)
        .output()
        .unwrap();
    let (told, failed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{told}\n{failed}", output.status);
}

fn is_alone(test: &str) -> bool {
    std::env::var(ROLE).is_ok_and(|role| role == test)
}

/// How many databases this process may have open, a dozen files each: all of them, unless the system allows fewer files.
#[expect(clippy::print_stderr, reason = "a test that does less says so")]
fn allowed_databases() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let open_files = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let allowed = open_files.and_then(|numbers| numbers.split_whitespace().next()?.parse::<usize>().ok());
    let databases = allowed.map_or(DATABASES, |files| DATABASES.min(files / 16));
    if databases < DATABASES {
        eprintln!("only {databases} databases: this process may have {allowed:?} files open");
    }
    databases
}

/// Where files are fastest: what is counted here does not depend on the disk.
fn directory() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    tempfile::tempdir_in(memory).or_else(|_| tempfile::tempdir()).unwrap()
}

fn environment() -> Environment {
    let builder = Environment::builder().cache_bytes(16 * MIB).write_buffer_bytes(16 * MIB);
    builder.open_files_per_database(32).background_jobs(2).build().unwrap()
}

fn open(environment: &Environment, path: PathBuf) -> Database {
    Database::builder().environment(environment).durability(Durability::Buffered).open(path).unwrap()
}

#[test]
fn a_thousand_open_databases_stay_within_bounds() {
    run_alone("child_opens_a_thousand");
}

#[test]
fn child_opens_a_thousand() {
    if !is_alone("child_opens_a_thousand") {
        return;
    }
    let count = allowed_databases();
    let directory = directory();
    let before = Usage::now();
    let environment = environment();
    let databases: Vec<_> =
        (0..count).map(|number| open(&environment, directory.path().join(number.to_string()))).collect();
    let mut most_held = 0;
    for (number, db) in databases.iter().enumerate() {
        let notes = db.collection::<Document>("notes").unwrap();
        notes.ensure_index(Index::on("number")).unwrap();
        let text = "x".repeat(20_000);
        notes.insert_with_id(1, &Document::new().with("number", number as i64).with("text", text)).unwrap();
        most_held = most_held.max(environment.write_buffer_bytes_used());
    }
    assert!(most_held < 24 * MIB, "{most_held} bytes of writes were held in memory, 16 MiB were set");
    for (number, db) in databases.iter().enumerate() {
        let notes = db.collection::<Document>("notes").unwrap();
        let found = notes.find(field("number").eq(number as i64)).run().unwrap();
        assert_eq!(found.len(), 1, "database {number}");
    }
    if let (Some(before), Some(after)) = (before, Usage::now()) {
        assert!(after.threads <= before.threads + 6, "{before:?} {after:?}");
        assert!(after.files <= before.files + 32 * count + 64, "{before:?} {after:?}");
        // A bit more than half a MiB each, beside what they share.
        assert!(after.resident_kib <= before.resident_kib + 768 * count + 64 * 1024, "{before:?} {after:?}");
    }
    databases.iter().for_each(|db| db.close().unwrap());
    assert_eq!(environment.write_buffer_bytes_used(), 0);
    if let Some(closed) = Usage::now() {
        assert!(closed.files < 64, "{closed:?}");
    }
}

/// The numbers that files were given, up to the last one.
fn last_file(path: &Path) -> usize {
    let names = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.filter_map(|name| name.split('.').next()?.parse().ok()).max().unwrap()
}

#[test]
fn idle_databases_make_room_for_the_one_that_is_written_to() {
    let directory = tempfile::tempdir().unwrap();
    let environment = Environment::builder().cache_bytes(MIB).write_buffer_bytes(MIB).build().unwrap();
    let idle: Vec<_> = (0..40).map(|number| open(&environment, directory.path().join(number.to_string()))).collect();
    for db in &idle {
        db.keyspace("keys").unwrap().put("key", vec![0; 10_000]).unwrap();
    }
    let busy = directory.path().join("busy");
    let db = open(&environment, busy.clone());
    let keys = db.keyspace("keys").unwrap();
    let before = last_file(&busy);
    (0..400_u32).for_each(|key| keys.put(key.to_be_bytes(), "value").unwrap());
    // If the idle ones kept their memory, it would be short all the time, and each commit would make a file.
    let files = last_file(&busy) - before;
    assert!(files < 40, "400 small commits made {files} files");
    for db in idle {
        assert!(db.keyspace("keys").unwrap().contains("key").unwrap());
    }
}

#[test]
fn opening_again_and_again_leaks_nothing() {
    run_alone("child_opens_again_and_again");
}

#[test]
fn child_opens_again_and_again() {
    if !is_alone("child_opens_again_and_again") {
        return;
    }
    let directory = directory();
    let environment = environment();
    let cycle = |number: u32| {
        // Alone and in an environment by turns, for writing and for reading.
        let path = directory.path().join("db");
        let builder = Database::builder().durability(Durability::Buffered);
        let db = match number % 2 {
            0 => builder.environment(&environment).open(&path).unwrap(),
            _ => builder.cache_bytes(MIB).open(&path).unwrap(),
        };
        let keys = db.keyspace("keys").unwrap();
        keys.put(number.to_be_bytes(), [1; 100]).unwrap();
        let leaked = keys.iter().unwrap();
        db.close().unwrap();
        let db = Database::builder().read_only().environment(&environment).open(&path).unwrap();
        assert_eq!(db.keyspace("keys").unwrap().get(number.to_be_bytes()).unwrap(), Some(vec![1; 100]));
        drop(leaked);
    };
    (0..50).for_each(cycle);
    let before = Usage::now();
    (50..200).for_each(cycle);
    if let (Some(before), Some(after)) = (before, Usage::now()) {
        assert_eq!((after.files, after.threads), (before.files, before.threads));
        assert!(after.resident_kib < before.resident_kib + 16 * 1024, "{before:?} {after:?}");
    }
}
