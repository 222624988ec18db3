//! A writer at an even pace beside what is measured.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::Result;
use crate::measure::Laps;

/// How often the writer looks at the clock: fine enough that its commits are spread evenly, and it sleeps in between.
const TICK: Duration = Duration::from_millis(1);

/// Runs `measured` while another thread calls `write` so many times a second, with 0, 1, 2 and so on. Returns what
/// `measured` returns, and how many writes a second there really were.
pub(super) fn beside<T>(
    a_second: f64,
    mut write: impl FnMut(u64) -> Result<()> + Send,
    measured: impl FnOnce() -> Result<T>,
) -> Result<(T, f64)> {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let (mut laps, mut written) = (Laps::start(), 0_u64);
            while !stop.load(Ordering::Relaxed) {
                laps.lap();
                while (written as f64) < laps.total().as_secs_f64() * a_second && !stop.load(Ordering::Relaxed) {
                    write(written)?;
                    written += 1;
                }
                wait();
            }
            laps.lap();
            Ok(written as f64 / laps.total().as_secs_f64())
        });
        let result = measured();
        stop.store(true, Ordering::Relaxed);
        let rate: Result<f64> = writer.join().map_err(|_| "the writer panicked")?;
        Ok((result?, rate?))
    })
}

#[expect(clippy::disallowed_methods, reason = "what runs beside a measurement keeps real time")]
pub(super) fn wait() {
    thread::sleep(TICK);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_writer_keeps_its_pace_and_ends_with_what_is_measured() {
        let mut seen = Vec::new();
        let write = |number| {
            seen.push(number);
            Ok(())
        };
        let (answer, rate) = beside(10_000.0, write, || {
            (0..50).for_each(|_| wait());
            Ok(42)
        })
        .unwrap();
        assert_eq!(answer, 42);
        assert!(rate > 1000.0 && rate < 11_000.0, "{rate}");
        assert!(!seen.is_empty() && seen.iter().zip(0..).all(|(&number, expected)| number == expected));
    }

    #[test]
    fn an_error_on_either_side_is_told() {
        let asked = AtomicBool::new(false);
        let write = |_| {
            asked.store(true, Ordering::Relaxed);
            Err("the disk is full".into())
        };
        let failed = beside(1000.0, write, || {
            while !asked.load(Ordering::Relaxed) {
                wait();
            }
            Ok(())
        });
        assert_eq!(failed.unwrap_err().to_string(), "the disk is full");
        let failed = beside(1000.0, |_| Ok(()), || Err::<(), _>("a wrong answer".into()));
        assert_eq!(failed.unwrap_err().to_string(), "a wrong answer");
    }
}
