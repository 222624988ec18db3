//! One key under many threads: nobody ever sees a value of before or after their read point.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::*;

contracts! {
    hammered_keys_are_never_stale_and_never_from_the_future,
}

const COMMITS: u64 = 4_000;
const READERS: usize = 3;

/// The values of commit `n`: two keys that always agree, sometimes removed one by one, sometimes as a range.
fn writes(n: u64) -> Vec<Write> {
    let value = |salt: u64| (n ^ salt).to_be_bytes();
    match n % 16 {
        7 => vec![delete("0000a"), delete("0000b")],
        15 => vec![delete_range("0000", Some("0001"))],
        _ => vec![Write::put(Family::Data, "0000a", value(0)), Write::put(Family::Data, "0000b", value(1))],
    }
}

/// What `key` must be after commit `n`.
fn expected(n: u64, salt: u64) -> Option<Vec<u8>> {
    (n > 0 && n % 8 != 7).then(|| (n ^ salt).to_be_bytes().to_vec())
}

fn hammered_keys_are_never_stale_and_never_from_the_future(fixture: &Fixture) {
    let is_over = AtomicBool::new(false);
    // The number of each commit is found by its timestamp: they are made in order by one thread.
    let numbers = Log::default();
    thread::scope(|scope| {
        for reader in 0..READERS {
            let (is_over, numbers) = (&is_over, &numbers);
            scope.spawn(move || {
                let mut kept: Vec<(Arc<dyn ReadPoint>, u64)> = Vec::new();
                while !is_over.load(Ordering::Relaxed) {
                    let view = fixture.store.read_only_point().unwrap();
                    let Some(n) = numbers.number_of(view.ts()) else { continue };
                    kept.push((view, n));
                    for (view, n) in &kept {
                        for (key, salt) in [(b"0000a", 0), (b"0000b", 1)] {
                            let value = view.get(Family::Data, key).unwrap();
                            assert_eq!(value, expected(*n, salt), "reader {reader} at commit {n}, key {}", salt);
                        }
                    }
                    if kept.len() > 4 {
                        kept.remove(0);
                    }
                }
            });
        }
        for n in 1..=COMMITS {
            numbers.add(fixture.write(writes(n)));
        }
        is_over.store(true, Ordering::Relaxed);
    });
}

/// The timestamps of the commits that were acknowledged, in order.
#[derive(Default)]
struct Log(std::sync::RwLock<Vec<Timestamp>>);

impl Log {
    fn add(&self, ts: Timestamp) {
        self.0.write().unwrap().push(ts);
    }

    /// The number of the commit, once it is acknowledged; zero for the state before all of them.
    fn number_of(&self, ts: Timestamp) -> Option<u64> {
        let log = self.0.read().unwrap();
        match log.first() {
            Some(first) if ts < *first => Some(0),
            _ => log.binary_search(&ts).ok().map(|position| position as u64 + 1),
        }
    }
}
