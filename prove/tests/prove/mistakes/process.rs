//! A proof in a process of its own: a mistake is made by all databases of a process, until that ends.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs, process, thread};

use blaze::fault::{self, Mistake};
use blaze_prove::Result;
use blaze_prove::workload::say;

use super::{Proof, audit, creation, deaths, durability, graph, histories, leftovers};

/// The test that such a process is.
const TEST: &str = "mistakes::process::does_what_it_is_told";

/// What a process is told: what to do, where, and what mistake to make.
const ROLE: &str = "BLAZE_PROVE_ROLE";
const PLACE: &str = "BLAZE_PROVE_PLACE";
const MISTAKE: &str = "BLAZE_PROVE_MISTAKE";

/// The file in its place with what it found.
const FOUND: &str = "found";

/// A process that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(30);

/// A command for a process of a role, which makes a mistake.
pub(super) fn command(role: &str, place: &Path, mistake: Option<Mistake>) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([TEST, "--exact", "--nocapture"]).stdin(Stdio::null()).stderr(Stdio::piped()).stdout(Stdio::piped());
    command.env(ROLE, role).env(PLACE, place);
    match mistake {
        Some(mistake) => command.env(MISTAKE, format!("{mistake:?}")),
        None => command.env_remove(MISTAKE),
    };
    command
}

/// What a proof finds in a process of its own, whose databases make a mistake.
pub(super) fn found_by(proof: Proof, mistake: Option<Mistake>) -> Option<String> {
    let directory = tempfile::tempdir().unwrap();
    let output = command(&format!("{proof:?}"), directory.path(), mistake).output().unwrap();
    match output.status.success() {
        true => found_in(directory.path()),
        // Something was answered that nobody reckons with.
        false => Some(format!("it ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim())),
    }
}

/// What a process has found that ended.
pub(super) fn found_in(place: &Path) -> Option<String> {
    fs::read_to_string(place.join(FOUND)).ok()
}

#[test]
fn does_what_it_is_told() {
    let Ok(role) = env::var(ROLE) else { return }; // it is not such a process
    thread::spawn(|| {
        thread::park_timeout(LIMIT);
        process::abort();
    });
    say(""); // ends what the runner of tests has begun
    let place = PathBuf::from(env::var(PLACE).unwrap());
    let name = env::var(MISTAKE).ok();
    let mistake = name.map(|name| Mistake::ALL.into_iter().find(|known| format!("{known:?}") == name).unwrap());
    let proof = Proof::ALL.into_iter().find(|proof| format!("{proof:?}") == role);
    // Two of them start processes that make the mistake.
    if !matches!(proof, Some(Proof::Deaths | Proof::Creation)) {
        mistake.into_iter().for_each(fault::plant);
    }
    let done = match proof {
        Some(proof) => run(proof, &place, mistake),
        None if role == deaths::ROLE => deaths::write_until_death(&place),
        None if role == creation::ROLE => creation::create(&place),
        None => panic!("there is no role {role:?}"),
    };
    if let Err(finding) = done {
        fs::write(place.join(FOUND), finding.0).unwrap();
    }
}

fn run(proof: Proof, place: &Path, mistake: Option<Mistake>) -> Result<()> {
    match proof {
        Proof::Audit => audit::run(place),
        Proof::Histories => histories::run(place),
        Proof::Deaths => deaths::run(place, mistake),
        Proof::Creation => creation::run(place, mistake),
        Proof::Durability => durability::run(place),
        Proof::Graph => graph::run(place),
        Proof::Leftovers => leftovers::run(place),
    }
}
