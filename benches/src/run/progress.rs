//! What a user sees while a run goes on.

use std::io::{self, IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Job;
use crate::report::Outcome;
use crate::workload::Event;

/// A bar with rate and remaining time for each phase on a terminal; a line for each job elsewhere.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    jobs: usize,
    begun: usize,
}

impl Progress {
    pub(super) fn over(jobs: usize) -> Progress {
        let target =
            if io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Progress { bar: ProgressBar::with_draw_target(None, target), jobs, begun: 0 }
    }

    pub(super) fn begin(&mut self, job: &Job) {
        self.begun += 1;
        self.bar.set_prefix(format!("{}/{} {} on {}", self.begun, self.jobs, job.workload.name(), job.engine));
    }

    pub(super) fn show(&self, event: &Event) {
        match event {
            Event::Phase { name, total } => {
                self.bar.reset();
                self.bar.set_style(style(*total > 0));
                self.bar.set_message(name.clone());
                self.bar.set_length(*total);
            }
            Event::Progress(done) => self.bar.set_position(*done),
            Event::Measured(_) => {}
        }
    }

    pub(super) fn end(&self, outcome: &Outcome, seconds: f64) {
        let prefix = self.bar.prefix();
        let how = outcome.failure.as_ref().map_or_else(String::new, |failure| format!(": FAILED: {failure}"));
        let round = outcome.round + 1;
        self.bar.suspend(|| {
            // Nobody to tell is no reason to stop measuring.
            let _ = writeln!(io::stderr(), "{prefix}, round {round}: {seconds:.1} s{how}");
        });
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn style(total_is_known: bool) -> ProgressStyle {
    let template = match total_is_known {
        true => "{prefix}: {msg} {wide_bar} {percent} % {per_sec}, {eta} left",
        false => "{prefix}: {msg} {spinner} {pos} {per_sec}",
    };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
