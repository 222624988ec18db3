//! The queue of commits: those that arrive while others are written form a group, which the first of them leads.

use std::sync::Arc;

use crate::sync::{AtomicBool, Condvar, Mutex, Ordering, yield_now};

/// Where requests `T` wait for their outcomes `R`. There are never more of them than threads that commit.
#[derive(Debug)]
pub(crate) struct Queue<T, R> {
    /// The group that takes in requests, if there is one.
    forming: Mutex<Option<Forming<T, R>>>,
}

#[derive(Debug)]
struct Forming<T, R> {
    group: Arc<Group<R>>,
    requests: Vec<T>,
    bytes: usize,
}

/// Where the threads of a group meet.
#[derive(Debug)]
pub(crate) struct Group<R> {
    outcomes: Mutex<Vec<Option<R>>>,
    is_done: AtomicBool,
    done: Condvar,
}

/// The place of a request in its group.
#[derive(Debug)]
pub(crate) struct Place<R> {
    group: Arc<Group<R>>,
    position: usize,
}

impl<T, R> Queue<T, R> {
    pub(crate) fn new() -> Queue<T, R> {
        Queue { forming: Mutex::new(None) }
    }

    /// True if nobody waits for a leader's turn.
    pub(crate) fn is_empty(&self) -> bool {
        self.forming.lock().is_none()
    }

    /// How many requests wait.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.forming.lock().as_ref().map_or(0, |forming| forming.requests.len())
    }

    /// Bytes of the requests that wait.
    pub(crate) fn bytes(&self) -> usize {
        self.forming.lock().as_ref().map_or(0, |forming| forming.bytes)
    }

    /// Joins the group that forms, or begins one. Whoever begins one must, when it is their turn to write,
    /// [close](Queue::close) it and [complete](Group::complete) it.
    pub(crate) fn join(&self, request: T, bytes: usize) -> Place<R> {
        let mut forming = self.forming.lock();
        let begin = || Forming { group: Arc::new(Group::new()), requests: Vec::new(), bytes: 0 };
        let forming = forming.get_or_insert_with(begin);
        forming.requests.push(request);
        forming.bytes += bytes;
        Place { group: Arc::clone(&forming.group), position: forming.requests.len() - 1 }
    }

    /// Ends the forming of the group and answers its requests in their order. Only its leader calls this, once.
    pub(crate) fn close(&self) -> Vec<T> {
        self.forming.lock().take().map_or_else(Vec::new, |forming| forming.requests)
    }
}

impl<R> Group<R> {
    fn new() -> Group<R> {
        Group { outcomes: Mutex::new(Vec::new()), is_done: AtomicBool::new(false), done: Condvar::new() }
    }

    /// Hands out the outcomes of all requests, in their order.
    pub(crate) fn complete(&self, outcomes: Vec<R>) {
        let mut all = self.outcomes.lock();
        *all = outcomes.into_iter().map(Some).collect();
        self.is_done.store(true, Ordering::Release);
        drop(all); // not before: whoever has looked under the lock and found nothing must be waiting by the notice
        self.done.notify_all();
    }
}

impl<R> Place<R> {
    /// The group, if this is the place of its leader.
    pub(crate) fn led(&self) -> Option<&Arc<Group<R>>> {
        (self.position == 0).then_some(&self.group)
    }

    /// Waits until the group is done, asleep after it has let others run so many times; none if it was completed with too few outcomes, which no leader does.
    pub(crate) fn wait(self, yields: usize) -> Option<R> {
        for _ in 0..yields {
            if self.group.is_done.load(Ordering::Acquire) {
                break;
            }
            yield_now();
        }
        let mut outcomes = self.group.outcomes.lock();
        while !self.group.is_done.load(Ordering::Acquire) {
            outcomes = self.group.done.wait(outcomes);
        }
        outcomes.get_mut(self.position)?.take()
    }
}
