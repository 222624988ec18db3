//! Processes that do not die as they should.

use std::fs;
use std::path::Path;
use std::time::Duration;

use blaze_prove::cycle::Runner;
use blaze_prove::promises::Promises;

/// Has a script play the child.
fn failure(script: &str) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("child");
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    run(&program, directory.path())
}

fn run(program: &Path, life: &Path) -> Option<String> {
    let runner = Runner { program: program.to_owned(), limit: Duration::from_millis(300) };
    let mut promises = Promises::default();
    promises.plan.microseconds = 60_000_000;
    runner.run(life, &mut promises, None).unwrap().failure
}

#[test]
fn a_process_that_hangs_finds_something_or_dies_by_itself_is_a_failure() {
    for (script, what) in [
        ("echo opening; exec sleep 60", "while opening: it hangs"),
        ("echo auditing; echo found: it is torn >&2; exit 1", "found: it is torn"),
        ("echo phase writing; kill -SEGV $$", "SIGSEGV"),
        ("exit 0", "ended by itself"),
    ] {
        let failure = failure(script).unwrap();
        assert!(failure.contains(what), "{script}: {failure}");
    }
}
