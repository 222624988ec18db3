//! The process that starts the others, one after the other, and keeps what they tell.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use super::job::{Job, Message, Task};
use super::plan::Step;
use super::progress::Progress;
use super::{Interrupt, Plan, WORKER};
use crate::Result;
use crate::engine::Engine;
use crate::machine::{self, MemoryLimit};
use crate::measure::{Resources, measure};
use crate::report::{Missing, Outcome};

/// How the jobs of a plan run.
#[derive(Debug)]
pub struct Runner {
    /// Where each job gets an empty directory, which is removed after it.
    pub directory: PathBuf,
    /// The seed of everything random.
    pub seed: u64,
    /// The longest that a job may take.
    pub limit: Duration,
    /// False where the system lets nobody limit the memory of a process.
    pub limits_memory: bool,
    /// Ends the run early.
    pub interrupt: Interrupt,
}

impl Runner {
    /// Runs all jobs of a plan: in each round of a step every engine once, each time beginning with another one. Calls
    /// `found` after each with what it found and what is still to come.
    ///
    /// # Errors
    /// Those of the directory, of starting a process, and of `found`.
    pub fn run(
        &self,
        plan: &Plan,
        engines: &[&'static dyn Engine],
        mut found: impl FnMut(Outcome, Vec<Missing>) -> Result<()>,
    ) -> Result<()> {
        let jobs = jobs(plan, engines);
        let mut progress = Progress::over(jobs.len());
        let mut kept: Option<(&Step, TempDir)> = None;
        for (number, &(step, engine, round)) in jobs.iter().enumerate() {
            if self.interrupt.is_raised() {
                break;
            }
            if kept.as_ref().is_none_or(|(of, _)| !std::ptr::eq(*of, step)) {
                drop(kept.take()); // before the next one is made
                kept = Some((step, self.directory("blaze-bench-kept-")?));
            }
            let directory = kept.as_ref().map_or(Path::new(""), |(_, directory)| directory.path());
            let outcome = self.job(step, engine, round, directory, &mut progress)?;
            // What was interrupted has still to come, whatever it has found already.
            let done = number + usize::from(!self.interrupt.is_raised());
            found(outcome, missing(&jobs[done..]))?;
        }
        Ok(())
    }

    /// Everything that a run of the plan would still have to do before it begins.
    #[must_use]
    pub fn all(plan: &Plan, engines: &[&'static dyn Engine]) -> Vec<Missing> {
        missing(&jobs(plan, engines))
    }

    fn directory(&self, prefix: &str) -> io::Result<TempDir> {
        tempfile::Builder::new().prefix(prefix).tempdir_in(&self.directory)
    }

    fn job(
        &self,
        step: &Step,
        engine: &dyn Engine,
        round: u32,
        kept: &Path,
        progress: &mut Progress,
    ) -> Result<Outcome> {
        let directory = self.directory("blaze-bench-")?;
        let memory = match self.limits_memory {
            true => Some(MemoryLimit::of(step.memory_bytes)?),
            false => None,
        };
        let job = Job {
            engine: engine.name().to_owned(),
            workload: step.workload.clone(),
            round,
            directory: directory.path().to_path_buf(),
            kept: kept.to_path_buf(),
            cache_bytes: step.cache_bytes(),
            memory_group: memory.as_ref().map(|limit| limit.group().to_path_buf()),
            seed: self.seed,
        };
        progress.begin(&job);
        machine::settle(&self.directory)?;
        let program = engine.program().map_or_else(std::env::current_exe, |program| Ok(program.to_path_buf()))?;
        let (duration, outcome) = measure(|| self.run_apart(&program, &job, progress));
        let outcome = outcome?;
        progress.end(&outcome, duration.as_secs_f64());
        Ok(outcome)
    }

    /// Runs the job in a process of its own.
    fn run_apart(&self, program: &Path, job: &Job, progress: &Progress) -> Result<Outcome> {
        let mut child = Command::new(program)
            .arg(WORKER)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(mut stdin), Some(stdout), Some(mut stderr)) = pipes else { return Err("a pipe is missing".into()) };
        self.interrupt.guard(child);
        stdin.write_all(&serde_json::to_vec(&Task::Run(job.clone()))?)?;
        drop(stdin);

        let mut outcome = Outcome {
            workload: job.workload.name(),
            description: job.workload.description(),
            engine: job.engine.clone(),
            round: job.round,
            measurements: Vec::new(),
            resources: Resources::default(),
            failure: None,
        };
        let (over, waiting) = mpsc::channel::<()>();
        let (ended, timed_out, said) = thread::scope(|scope| {
            let watch = scope.spawn(move || {
                let timed_out = waiting.recv_timeout(self.limit) == Err(RecvTimeoutError::Timeout);
                if timed_out {
                    self.interrupt.kill();
                }
                timed_out
            });
            // What it says in its last moments is the only trace of a panic.
            let listen = scope.spawn(move || {
                let mut said = Vec::new();
                let _ = stderr.read_to_end(&mut said);
                String::from_utf8_lossy(&said).trim().to_owned()
            });
            let ended = follow(stdout, &mut outcome, progress);
            drop(over);
            (ended, watch.join().unwrap_or(false), listen.join().unwrap_or_default())
        });
        let status = self.interrupt.release().map(|mut child: Child| child.wait()).transpose()?;
        outcome.failure = match ended {
            _ if timed_out => Some(format!("took longer than {} s", self.limit.as_secs())),
            Err(_) | Ok(false) if self.interrupt.is_raised() => Some("interrupted".to_owned()),
            Err(error) => Some(format!("what it told cannot be read: {error}")),
            Ok(false) => Some(death(status, &said)),
            Ok(true) => outcome.failure,
        };
        Ok(outcome)
    }
}

type PlannedJob<'a> = (&'a Step, &'static dyn Engine, u32);

/// All jobs of a plan in their order.
fn jobs<'a>(plan: &'a Plan, engines: &[&'static dyn Engine]) -> Vec<PlannedJob<'a>> {
    plan.steps.iter().flat_map(|step| order(step, engines)).collect()
}

fn missing(jobs: &[PlannedJob<'_>]) -> Vec<Missing> {
    let describe = |&(step, engine, round): &PlannedJob<'_>| Missing {
        workload: step.workload.name(),
        engine: engine.name().to_owned(),
        round,
    };
    jobs.iter().map(describe).collect()
}

/// The jobs of a step, the rounds one after the other.
fn order<'a>(step: &'a Step, engines: &[&'static dyn Engine]) -> Vec<PlannedJob<'a>> {
    let mut able: Vec<&'static dyn Engine> = engines.to_vec();
    able.retain(|engine| engine.faculties().contains(&step.workload.faculty()));
    let mut jobs = Vec::new();
    for round in 0..step.rounds {
        jobs.extend(able.iter().map(|&engine| (step, engine, round)));
        if !able.is_empty() {
            able.rotate_left(1); // what comes first in a round meets a disk that has rested
        }
    }
    jobs
}

/// Reads what the process tells until it says that it is over, or tells no more; then false.
fn follow(stdout: ChildStdout, outcome: &mut Outcome, progress: &Progress) -> io::Result<bool> {
    for line in BufReader::new(stdout).lines() {
        match serde_json::from_str(&line?)? {
            Message::Event(event) => {
                progress.show(&event);
                if let crate::workload::Event::Measured(measurement) = event {
                    outcome.measurements.push(measurement);
                }
            }
            Message::Ended { resources, failure } => {
                outcome.resources = resources;
                outcome.failure = failure;
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn death(status: Option<std::process::ExitStatus>, said: &str) -> String {
    let how = status.map_or_else(|| "in an unknown way".to_owned(), |status| format!("with {status}"));
    let last: Vec<&str> = said.lines().rev().take(3).collect();
    let last: Vec<&str> = last.into_iter().rev().collect();
    match last.is_empty() {
        true => format!("its process ended {how}; if it was killed, memory may have been short"),
        false => format!("its process ended {how}: {}", last.join(" / ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{EngineOptions, Faculty};
    use crate::workload::{Commits, Workload};

    struct Named(&'static str, &'static [Faculty]);

    impl Engine for Named {
        fn name(&self) -> &'static str {
            self.0
        }

        fn version(&self) -> String {
            String::new()
        }

        fn faculties(&self) -> &'static [Faculty] {
            self.1
        }

        fn configuration(&self, _options: &EngineOptions) -> Vec<String> {
            Vec::new()
        }
    }

    #[test]
    fn each_round_has_every_able_engine_once_and_begins_with_another() {
        let step = Step { workload: Workload::Commits(Commits::quick()), rounds: 3, memory_bytes: 0 };
        let engines: [&'static dyn Engine; 4] = [
            &Named("a", &[Faculty::KeyValue]),
            &Named("b", &[Faculty::KeyValue]),
            &Named("unable", &[Faculty::Vectors]),
            &Named("c", &[Faculty::KeyValue]),
        ];
        let names: Vec<&str> = order(&step, &engines).iter().map(|(_, engine, _)| engine.name()).collect();
        assert_eq!(names, ["a", "b", "c", "b", "c", "a", "c", "a", "b"]);
    }

    #[test]
    fn a_death_tells_the_last_lines_that_were_said() {
        assert!(death(None, "").contains("memory may have been short"));
        let told = death(None, "one\ntwo\nthread panicked\nat line 7");
        assert!(told.ends_with("two / thread panicked / at line 7"), "{told}");
    }
}
