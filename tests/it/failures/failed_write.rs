//! A write or a sync that fails ends all commits until the store is reopened; nothing acknowledged is lost, and the
//! commit whose outcome is not known is whole or absent.

use std::path::Path;
use std::process::Command;

use blaze_core::{Durability, ErrorKind, Store};

use super::{get, open, put, value};

/// Tells the child which directory to write to.
const DIRECTORY: &str = "BLAZE_TEST_FAILURE_DIRECTORY";
const BYTES: usize = 3_000;

/// The role of the child: it commits until that fails, and checks what is promised for then.
#[test]
fn child_commits_until_that_fails() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let store = open(Path::new(&directory)).unwrap();
    let failed = (0_u32..10_000).find_map(|key| Some((key, put(&store, key, BYTES, Durability::Sync).err()?)));
    let (acknowledged, error) = failed.expect("no commit failed");
    let ErrorKind::CommitOutcomeUnknown(ts) = error.kind() else { panic!("{error:?}") };
    assert!(ts > store.read_point().unwrap().ts());
    for durability in [Durability::Sync, Durability::Buffered] {
        let refused = put(&store, acknowledged + 1, 1, durability).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Unavailable, "{refused}");
    }
    assert_eq!(store.sync().unwrap_err().kind(), ErrorKind::Unavailable);
    for key in 0..acknowledged {
        assert_eq!(get(&store, key), Some(value(key, BYTES)), "reads go on");
    }
    assert_eq!(get(&store, acknowledged), None, "what may be lost is not shown");
    assert_eq!(store.close().unwrap_err().kind(), ErrorKind::Unavailable);
    println!("\nacknowledged {acknowledged}");
}

/// Runs the child below a program that makes its writes fail, and checks what it leaves.
fn check(below: &mut Command) {
    let directory = tempfile::tempdir().unwrap();
    let output = below
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "failures::failed_write::child_commits_until_that_fails", "--nocapture", "--test-threads=1"])
        .env(DIRECTORY, directory.path())
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let acknowledged = stdout.lines().find_map(|line| line.strip_prefix("acknowledged ")?.parse().ok());
    assert!(output.status.success(), "{stdout}{}", String::from_utf8_lossy(&output.stderr));
    let acknowledged: u32 = acknowledged.unwrap();
    assert!(acknowledged > 0, "the first commit failed already");

    let store = open(directory.path()).unwrap();
    for key in 0..acknowledged {
        assert_eq!(get(&store, key), Some(value(key, BYTES)), "{key} of {acknowledged} acknowledged commits is lost");
    }
    let unknown = get(&store, acknowledged);
    assert!(unknown.is_none_or(|found| found == value(acknowledged, BYTES)), "the unknown commit is torn");
    assert_eq!(get(&store, acknowledged + 1), None, "a refused commit is there");
    put(&store, acknowledged + 1, BYTES, Durability::Sync).unwrap();
}

#[test]
#[cfg(unix)]
fn after_a_failed_write_commits_wait_for_reopening() {
    // A limit on the size of files, whose signal is ignored, makes writes fail.
    check(Command::new("sh").args(["-c", "trap '' XFSZ; ulimit -f 300; exec \"$0\" \"$@\""]));
}

#[test]
#[cfg(target_os = "linux")]
fn after_a_failed_sync_commits_wait_for_reopening() {
    let strace = || Command::new("strace");
    let can_trace = strace().args(["-o", "/dev/null", "true"]).status().is_ok_and(|status| status.success());
    if !can_trace {
        eprintln!("skipped: strace cannot trace here");
        return;
    }
    // The first of them belong to the opening. One failure must be enough, whatever later syncs say.
    let inject = "inject=fdatasync:error=EIO:when=20";
    check(strace().args(["-f", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", inject]));
}
