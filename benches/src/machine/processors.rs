//! How many processors a measurement has.

use std::io;

/// The processors that this process began with; the current thread, and the threads and processes that it starts from now
/// on, have the first `count` of them. `None` where the system does not let one choose, or there are not so many.
///
/// # Errors
/// Those of the system.
#[cfg(target_os = "linux")]
pub fn use_processors(count: usize) -> io::Result<Option<()>> {
    use std::sync::OnceLock;

    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    static ALL: OnceLock<CpuSet> = OnceLock::new();
    let now = sched_getaffinity(None)?;
    let all = ALL.get_or_init(|| now);
    let mut some = CpuSet::new();
    (0..CpuSet::MAX_CPU)
        .filter(|&processor| all.is_set(processor))
        .take(count)
        .for_each(|processor| some.set(processor));
    if (some.count() as usize) < count {
        return Ok(None);
    }
    sched_setaffinity(None, &some)?;
    Ok(Some(()))
}

/// Nothing: only Linux lets one choose.
///
/// # Errors
/// None.
#[cfg(not(target_os = "linux"))]
pub fn use_processors(_count: usize) -> io::Result<Option<()>> {
    Ok(None)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::thread::available_parallelism;

    use super::*;

    #[test]
    fn a_thread_has_as_many_processors_as_it_was_given() {
        // In a thread of its own: the others keep theirs.
        let seen = std::thread::spawn(|| {
            let all = available_parallelism().unwrap().get();
            assert_eq!(use_processors(all + 1).unwrap(), None);
            use_processors(1).unwrap().unwrap();
            let one = available_parallelism().unwrap().get();
            use_processors(all).unwrap().unwrap();
            (all, one, available_parallelism().unwrap().get())
        });
        let (all, one, again) = seen.join().unwrap();
        assert_eq!((one, again), (1, all));
    }
}
