//! Work on many things by several threads.

use std::thread::{self, ScopedJoinHandle};

/// Things of which a thread takes no fewer: starting one takes as long as working on some.
const SHARE_MIN: usize = 16;

/// Splits `things` into shares, one for each thread, and works on all of them at once, on the first in the calling thread; what
/// comes of each, in order. What `work` does to one thing may not depend on which share it is in.
pub(super) fn in_shares<T: Sync, R: Send>(things: &[T], threads: usize, work: impl Fn(&[T]) -> R + Sync) -> Vec<R> {
    let share = things.len().div_ceil(threads.max(1)).max(SHARE_MIN);
    let (own, others) = things.split_at(share.min(things.len()));
    let work = &work;
    thread::scope(|scope| {
        let begin = |share| {
            let other = thread::Builder::new().name("blaze-graph-build".to_owned());
            other.spawn_scoped(scope, move || work(share)).ok()
        };
        let others: Vec<_> = others.chunks(share).map(|share| (share, begin(share))).collect();
        let mut done = vec![work(own)];
        // A share that no thread has come to the end of is worked on here.
        let ended = |(share, other): (_, Option<ScopedJoinHandle<'_, R>>)| {
            other.and_then(|other| other.join().ok()).unwrap_or_else(|| work(share))
        };
        done.extend(others.into_iter().map(ended));
        done
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_worked_on_once_and_in_order_by_any_number_of_threads() {
        for count in [0, 1, SHARE_MIN, 5 * SHARE_MIN + 3] {
            let things: Vec<usize> = (0..count).collect();
            for threads in [0, 1, 2, 3, 100] {
                let done = in_shares(&things, threads, <[usize]>::to_vec);
                assert_eq!(done.concat(), things, "{count} things, {threads} threads");
                assert!(done.len() <= threads.max(1), "{} shares for {threads} threads", done.len());
            }
        }
    }

    #[test]
    fn a_share_is_worth_its_thread() {
        assert_eq!(in_shares(&[0; 2 * SHARE_MIN], 100, <[i32]>::len), [SHARE_MIN, SHARE_MIN]);
    }
}
