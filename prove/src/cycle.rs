//! One cycle: a child is started, listened to, and killed.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::aim::REACHED;
use crate::plan::From;
use crate::power::Outage;
use crate::promises::Promises;
use crate::stopwatch::Stopwatch;
use crate::{Finding, Result};

/// How a child may be started, and how long it may take to open and audit.
#[derive(Clone, Debug)]
pub struct Runner {
    /// The program of which the children are.
    pub program: PathBuf,
    /// A child that has not come to its work by then hangs.
    pub limit: Duration,
}

/// What became of a child.
#[derive(Debug)]
pub struct Cycle {
    /// In what it was killed.
    pub during: String,
    /// The place in the database at which it has died by itself.
    pub reached: Option<String>,
    /// True if it had found everything in order before.
    pub audited: bool,
    /// True if the power was cut.
    pub was_cut: bool,
    /// All that it said.
    pub said: Vec<String>,
    /// What it found, or that it hung or ended by itself.
    pub failure: Option<String>,
}

/// How far a child has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Until {
    /// To where it is to be killed.
    Due,
    /// Nowhere.
    Hung,
    /// To an end of its own.
    Gone,
}

/// What is known of a child that lives.
struct Watch<'a> {
    promises: &'a mut Promises,
    cycle: Cycle,
    acknowledged: u64,
    /// From when on its time counts, once it does.
    counts: Option<Stopwatch>,
}

impl Runner {
    /// Has a child live in a directory as the promises plan, and die, by an outage if there is one. What it says moves the promises.
    ///
    /// # Errors
    /// Those of the system. What the child finds is no error.
    pub fn run(&self, life: &Path, promises: &mut Promises, outage: Option<&Outage<'_>>) -> Result<Cycle> {
        let errors = life.join("stderr.log");
        let mut child = Command::new(&self.program)
            .arg("child")
            .arg(life)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&errors)?)
            .spawn()?;
        let stdout = child.stdout.take().ok_or_else(|| Finding::new("a child without a pipe"))?;
        let lines = listen(stdout);
        let cycle = Cycle {
            during: "starting".to_owned(),
            reached: None,
            audited: false,
            was_cut: false,
            said: Vec::new(),
            failure: None,
        };
        let counts = (promises.plan.from == From::Start).then(Stopwatch::start);
        let mut watch = Watch { promises, cycle, acknowledged: 0, counts };
        let writeback = outage.and_then(Outage::begin_writeback);
        let until = watch.wait(&lines, self.limit);
        drop(writeback);
        match outage {
            Some(outage) if until == Until::Due && child.try_wait()?.is_none() => {
                child.kill()?;
                outage.bring()?;
                watch.cycle.was_cut = true;
            }
            _ if until == Until::Gone => drop(child.wait()?),
            _ => child.kill()?,
        }
        lines.iter().for_each(|line| watch.take_in(line));
        watch.cycle.failure = failure(&mut child, until, &errors)?;
        if let Some(failure) = &mut watch.cycle.failure {
            *failure = format!("while {}: {failure}", watch.cycle.during);
        }
        Ok(watch.cycle)
    }
}

impl Watch<'_> {
    /// Listens until it is time to kill the child, or it has ended.
    fn wait(&mut self, lines: &Receiver<String>, limit: Duration) -> Until {
        let started = Stopwatch::start();
        loop {
            let left = match self.counts {
                Some(counts) => counts.left_of(self.promises.plan.time()),
                None => started.left_of(limit),
            };
            if left.is_zero() || self.promises.plan.acknowledgements.is_some_and(|most| self.acknowledged >= most) {
                return if self.counts.is_none() && left.is_zero() { Until::Hung } else { Until::Due };
            }
            match lines.recv_timeout(left) {
                Ok(line) => self.take_in(line),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Until::Gone,
            }
        }
    }

    fn take_in(&mut self, line: String) {
        self.promises.take_in(&line);
        if let Some(phase) = line.strip_prefix("phase ") {
            self.cycle.during = phase.to_owned();
            self.counts.get_or_insert_with(Stopwatch::start);
        } else if line.starts_with("ack ") {
            self.acknowledged += 1;
        } else if let Some(point) = line.strip_prefix(REACHED) {
            self.cycle.reached = Some(point.to_owned());
        } else if line.starts_with("audited ") {
            self.cycle.audited = true;
        } else if line.starts_with("opening")
            || line == "repairing"
            || line.starts_with("auditing")
            || line == "preparing"
        {
            self.cycle.during = line.clone();
        }
        self.cycle.said.push(line);
    }
}

/// The whole lines that a child says.
fn listen(stdout: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        let mut stdout = BufReader::new(stdout);
        loop {
            let mut line = Vec::new();
            let read = stdout.read_until(b'\n', &mut line);
            // What is torn was never said.
            if read.is_err() || line.pop() != Some(b'\n') {
                return;
            }
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
        }
    });
    lines
}

fn failure(child: &mut Child, until: Until, errors: &Path) -> Result<Option<String>> {
    let status = child.wait()?;
    if until == Until::Hung {
        return Ok(Some("it hangs".to_owned()));
    }
    // Whoever found something right before it was killed has found it.
    if status.code().is_none() && status.to_string().contains("SIGKILL") {
        return Ok(None);
    }
    let told = fs::read_to_string(errors).unwrap_or_default();
    Ok(Some(format!("the process ended by itself ({status}): {}", told.trim())))
}
