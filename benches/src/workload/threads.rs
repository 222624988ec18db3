//! Several threads that do the same and tell one phase about it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

use super::Phase;
use crate::Result;
use crate::measure::{Histogram, Laps};

/// How often a thread tells what it has done.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// A thread of a phase.
#[derive(Debug)]
pub(super) struct Worker<'a> {
    /// Which of the threads it is, from 0.
    pub(super) number: usize,
    laps: Laps,
    histogram: Histogram,
    told: Duration,
    sender: Sender<Histogram>,
    stop: &'a AtomicBool,
}

impl Worker<'_> {
    /// An operation is done. Fails when another thread has failed: there is no point in going on.
    pub(super) fn advance(&mut self) -> Result<()> {
        let lap = self.laps.lap();
        self.histogram.record(lap);
        if self.laps.total() - self.told < TELL_EVERY {
            return Ok(());
        }
        self.told = self.laps.total();
        if self.stop.load(Ordering::Relaxed) {
            return Err("another thread failed".into());
        }
        self.tell()?;
        self.laps.lap(); // telling is not part of an operation
        Ok(())
    }

    /// Time since this thread began.
    pub(super) fn elapsed(&self) -> Duration {
        self.laps.total()
    }

    fn tell(&mut self) -> Result<()> {
        self.sender.send(self.histogram.clone()).map_err(|_| "the phase has ended")?;
        self.histogram.clear();
        Ok(())
    }
}

/// Runs `work` on `count` threads at once and feeds the phase. The first error of any thread ends all.
pub(super) fn run_threads(
    phase: &mut Phase<'_>,
    count: usize,
    work: impl Fn(&mut Worker<'_>) -> Result<()> + Sync,
) -> Result<()> {
    let stop = AtomicBool::new(false);
    let (sender, receiver) = mpsc::channel();
    let (work, stop) = (&work, &stop);
    thread::scope(|scope| {
        let start = |number| {
            let sender = sender.clone();
            scope.spawn(move || {
                let laps = Laps::start();
                let histogram = Histogram::default();
                let mut worker = Worker { number, laps, histogram, told: Duration::ZERO, sender, stop };
                let done = work(&mut worker).and_then(|()| worker.tell());
                if done.is_err() {
                    // The first error is the cause; those of the others are that there was one.
                    let first = !stop.swap(true, Ordering::Relaxed);
                    return if first { done } else { Ok(()) };
                }
                done
            })
        };
        let threads: Vec<_> = (0..count).map(start).collect();
        drop(sender);
        let absorbed = receiver.iter().try_for_each(|histogram| phase.absorb(&histogram));
        if absorbed.is_err() {
            stop.store(true, Ordering::Relaxed);
        }
        drop(receiver); // whoever still tells something must not wait
        for thread in threads {
            thread.join().map_err(|_| "a thread panicked")??;
        }
        Ok(absorbed?)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;
    use crate::workload::Recorder;

    #[test]
    fn the_operations_of_all_threads_are_counted() {
        let recorder = Recorder::new(|_| Ok(()));
        let mut phase = recorder.phase("work", 4000).unwrap().with_latencies();
        let seen = AtomicU64::new(0);
        run_threads(&mut phase, 4, |worker| {
            for _ in 0..1000 {
                seen.fetch_add(1 << (16 * worker.number), Ordering::Relaxed);
                worker.advance()?;
            }
            Ok(())
        })
        .unwrap();
        assert_eq!(seen.into_inner(), 0x03e8_03e8_03e8_03e8);
        assert_eq!(phase.rate().operations, Some(4000));
    }

    #[test]
    fn the_error_of_one_thread_ends_all_and_is_the_one_that_is_told() {
        let recorder = Recorder::new(|_| Ok(()));
        let mut phase = recorder.phase("work", 0).unwrap();
        let result = run_threads(&mut phase, 3, |worker| {
            if worker.number == 1 {
                return Err("the disk is on fire".into());
            }
            loop {
                worker.advance()?;
            }
        });
        assert_eq!(result.unwrap_err().to_string(), "the disk is on fire");
    }
}
