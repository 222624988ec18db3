//! How many processors a measurement has.

use std::io;

/// Gives this process the first `count` of the processors that it began with: every thread that it has, and the threads and
/// processes that it starts from now on. `None` where the system does not let one choose, or there are not so many.
///
/// # Errors
/// Those of the system.
#[cfg(target_os = "linux")]
pub fn use_processors(count: usize) -> io::Result<Option<()>> {
    use std::sync::OnceLock;

    use rustix::thread::{CpuSet, sched_getaffinity};

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
    // RocksDB keeps its threads from one store to the next, in one pool for the process: where only the current thread was
    // moved, a build on two processors waited for files that those threads wrote on one (2026-11-23).
    let mut moved = Vec::new();
    loop {
        let threads = threads()?;
        if threads == moved {
            return Ok(Some(())); // no thread was started by one that had yet to move
        }
        threads.iter().try_for_each(|&thread| move_to(thread, &some))?;
        moved = threads;
    }
}

/// The threads of this process, by number.
#[cfg(target_os = "linux")]
fn threads() -> io::Result<Vec<i32>> {
    let mut threads = Vec::new();
    for entry in std::fs::read_dir("/proc/self/task")? {
        threads.extend(entry?.file_name().to_str().and_then(|name| name.parse::<i32>().ok()));
    }
    threads.sort_unstable();
    Ok(threads)
}

/// Moves a thread, where it still runs.
#[cfg(target_os = "linux")]
fn move_to(thread: i32, processors: &rustix::thread::CpuSet) -> io::Result<()> {
    match rustix::thread::sched_setaffinity(rustix::thread::Pid::from_raw(thread), processors) {
        Err(rustix::io::Errno::SRCH) => Ok(()),
        done => Ok(done?),
    }
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
    use std::sync::mpsc::channel;
    use std::thread::available_parallelism;

    use super::*;

    #[test]
    fn every_thread_of_the_process_has_as_many_processors_as_the_process_was_given() {
        let (ask, asked) = channel();
        let (answer, answered) = channel();
        let earlier = std::thread::spawn(move || {
            while asked.recv().is_ok() {
                answer.send(available_parallelism().unwrap().get()).unwrap();
            }
        });
        let seen = || {
            ask.send(()).unwrap();
            (available_parallelism().unwrap().get(), answered.recv().unwrap())
        };
        let (all, _) = seen();
        assert_eq!(use_processors(all + 1).unwrap(), None);
        use_processors(1).unwrap().unwrap();
        assert_eq!(seen(), (1, 1));
        use_processors(all).unwrap().unwrap();
        assert_eq!(seen(), (all, all));
        drop(ask);
        earlier.join().unwrap();
    }
}
