//! Where a workload's figures and progress go.

use std::io;
use std::sync::Mutex;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::measure::{Histogram, Laps, Measurement, Moment, Unit};

/// What a workload tells while it runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// A phase of `total` operations begins; 0 when their number is not known.
    Phase {
        /// What is done.
        name: String,
        /// How many times.
        total: u64,
    },
    /// So many operations of the phase are done.
    Progress(u64),
    /// A figure was found.
    Measured(Measurement),
}

/// Passes on what a workload tells; several threads may.
pub struct Recorder {
    sink: Mutex<Box<dyn FnMut(Event) -> io::Result<()> + Send>>,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

impl Recorder {
    /// Hands each event to `sink`.
    pub fn new(sink: impl FnMut(Event) -> io::Result<()> + Send + 'static) -> Recorder {
        Recorder { sink: Mutex::new(Box::new(sink)) }
    }

    /// Records a figure.
    ///
    /// # Errors
    /// Those of whoever listens; then nobody does any more, and the run should end.
    pub fn measured(&self, measurement: Measurement) -> io::Result<()> {
        self.tell(Event::Measured(measurement))
    }

    /// Begins a phase of `total` operations and its clock.
    ///
    /// # Errors
    /// As [`measured`](Recorder::measured).
    pub fn phase(&self, name: impl Into<String>, total: u64) -> io::Result<Phase<'_>> {
        let name = name.into();
        self.tell(Event::Phase { name: name.clone(), total })?;
        Ok(Phase { recorder: self, name, laps: Laps::start(), done: 0, told: Duration::ZERO, latencies: None })
    }

    fn tell(&self, event: Event) -> io::Result<()> {
        let mut sink = self.sink.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        sink(event)
    }
}

/// A phase that is being measured.
#[derive(Debug)]
pub struct Phase<'a> {
    recorder: &'a Recorder,
    name: String,
    laps: Laps,
    done: u64,
    told: Duration,
    latencies: Option<Latencies>,
}

/// Latencies of the whole phase, and of the second that is passing.
#[derive(Debug, Default)]
struct Latencies {
    all: Histogram,
    moment: Histogram,
    moment_began: Duration,
    timeline: Vec<Moment>,
}

/// How often progress is told, and the latencies of a moment are summed up.
const TELL_EVERY: Duration = Duration::from_millis(250);
const MOMENT: Duration = Duration::from_secs(1);

impl Phase<'_> {
    /// Keeps the latency of each operation, and how it goes over time.
    #[must_use]
    pub fn with_latencies(mut self) -> Self {
        self.latencies = Some(Latencies::default());
        self
    }

    /// `count` operations are done since the last call. It looks at the clock once.
    ///
    /// # Errors
    /// As [`Recorder::measured`].
    pub fn advance(&mut self, count: u64) -> io::Result<()> {
        let lap = self.laps.lap();
        self.done += count;
        if let Some(latencies) = &mut self.latencies {
            latencies.record(lap, self.laps.total());
        }
        self.tell_progress()
    }

    /// Takes in what a thread has measured: `histogram` has the latency of each of its operations since the last call.
    ///
    /// # Errors
    /// As [`Recorder::measured`].
    pub fn absorb(&mut self, histogram: &Histogram) -> io::Result<()> {
        self.laps.lap();
        self.done += histogram.count();
        if let Some(latencies) = &mut self.latencies {
            latencies.all.merge(histogram);
            latencies.moment.merge(histogram);
            latencies.close_moment(self.laps.total());
        }
        self.tell_progress()
    }

    /// What was done since the last call belongs to nobody.
    pub fn skip(&mut self) {
        self.laps.skip();
    }

    /// Operations done so far.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.done
    }

    /// Time since the phase began, up to the last call of [`advance`](Phase::advance) or [`absorb`](Phase::absorb).
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.laps.total()
    }

    /// Ends the phase: its rate, with what was kept beside it.
    #[must_use]
    pub fn rate(mut self) -> Measurement {
        let elapsed = self.finish();
        let rate = self.done as f64 / elapsed.as_secs_f64().max(1e-9);
        let mut measurement = Measurement::new(self.name, Unit::OperationsPerSecond, rate);
        measurement.operations = Some(self.done);
        if let Some(latencies) = self.latencies {
            measurement.latency = Some(latencies.all.latency());
            measurement.timeline = latencies.timeline;
        }
        measurement
    }

    /// Ends the phase: its duration.
    #[must_use]
    pub fn duration(mut self) -> Measurement {
        let elapsed = self.finish();
        Measurement::new(self.name, Unit::Seconds, elapsed.as_secs_f64())
    }

    /// The clock stops at the last operation where there was one: what came after it belongs to nobody.
    fn finish(&mut self) -> Duration {
        if self.done == 0 {
            self.laps.lap();
        }
        self.laps.total()
    }

    fn tell_progress(&mut self) -> io::Result<()> {
        if self.laps.total() - self.told < TELL_EVERY {
            return Ok(());
        }
        self.told = self.laps.total();
        self.recorder.tell(Event::Progress(self.done))
    }
}

impl Latencies {
    fn record(&mut self, latency: Duration, at: Duration) {
        self.all.record(latency);
        self.moment.record(latency);
        self.close_moment(at);
    }

    fn close_moment(&mut self, at: Duration) {
        let length = at - self.moment_began;
        if length < MOMENT {
            return;
        }
        let latency = self.moment.latency();
        self.timeline.push(Moment {
            at_s: at.as_secs_f64(),
            rate: self.moment.count() as f64 / length.as_secs_f64(),
            p50_us: latency.p50_us,
            p99_us: latency.p99_us,
            max_us: latency.max_us,
        });
        self.moment.clear();
        self.moment_began = at;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_phase_tells_its_name_and_then_its_rate_and_latencies() {
        let events = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&events);
        let recorder = Recorder::new(move |event| {
            seen.lock().unwrap().push(event);
            Ok(())
        });
        let mut phase = recorder.phase("reads", 3).unwrap().with_latencies();
        for _ in 0..3 {
            phase.advance(1).unwrap();
        }
        recorder.measured(phase.rate()).unwrap();
        let events = events.lock().unwrap();
        assert_eq!(events[0], Event::Phase { name: "reads".into(), total: 3 });
        let Some(Event::Measured(measurement)) = events.last() else { panic!("no figure: {events:?}") };
        assert_eq!((measurement.operations, measurement.unit), (Some(3), Unit::OperationsPerSecond));
        assert!(measurement.value > 0.0 && measurement.latency.unwrap().max_us > 0.0);
    }

    #[test]
    fn what_was_told_to_nobody_is_an_error() {
        let recorder = Recorder::new(|_| Err(io::ErrorKind::BrokenPipe.into()));
        assert_eq!(recorder.phase("reads", 1).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
