//! Work on many things by several threads.

use std::thread;

/// Things of which a thread takes no fewer: starting one takes as long as working on some.
const SHARE_MIN: usize = 16;

/// Splits `things` into shares, one for each thread, and works on all of them at once, on the first in the calling thread; what
/// comes of each, in order. What `work` does to one thing may not depend on which share it is in.
pub(super) fn in_shares<T: Sync, R: Send>(things: &[T], threads: usize, work: impl Fn(&[T]) -> R + Sync) -> Vec<R> {
    let share = things.len().div_ceil(threads.max(1)).max(SHARE_MIN);
    let (own, others) = things.split_at(share.min(things.len()));
    thread::scope(|scope| {
        let work = &work;
        let others: Vec<_> = others.chunks(share).map(|share| (share, scope.spawn(move || work(share)))).collect();
        let mut done = vec![work(own)];
        done.extend(others.into_iter().map(|(share, other)| other.join().unwrap_or_else(|_| work(share))));
        done
    })
}
