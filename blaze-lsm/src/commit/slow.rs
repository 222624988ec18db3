//! Commits that take long are told of, by an event of `tracing` without user data.

use std::time::{Duration, Instant};

use super::writer::Tally;

/// From when on a commit is slow, and whose it is.
#[derive(Debug)]
pub(crate) struct SlowCommits {
    threshold: Option<Duration>,
    /// The label of the database, or nothing.
    database: String,
}

/// Watches one turn of the pipeline, and tells of it when it is dropped, if it took too long.
///
/// Drop it without the lock of the writer: whoever listens may commit to the same database.
#[derive(Debug)]
pub(super) struct Watch<'a> {
    slow: &'a SlowCommits,
    /// None if nobody would hear of it.
    began: Option<Instant>,
    turn: Option<Instant>,
    written: Option<Instant>,
    done: Tally,
}

impl SlowCommits {
    pub(crate) fn new(threshold_ms: Option<u64>, database: Option<&str>) -> SlowCommits {
        SlowCommits {
            threshold: threshold_ms.map(Duration::from_millis),
            database: database.unwrap_or_default().to_owned(),
        }
    }

    /// Begins to watch a turn that is going to be waited for.
    pub(super) fn watch(&self) -> Watch<'_> {
        // Looking at the clock three times is about a hundredth of a buffered commit; this is nothing.
        let is_heard = self.threshold.is_some() && tracing::enabled!(tracing::Level::WARN);
        Watch { slow: self, began: is_heard.then(now), turn: None, written: None, done: Tally::default() }
    }
}

impl Watch<'_> {
    /// The turn has come.
    pub(super) fn has_turn(&mut self) {
        self.turn = self.began.map(|_| now());
    }

    /// What the turn was for is in the log, and may have to wait for a sync.
    pub(super) fn has_written(&mut self, done: Tally) {
        self.written = self.began.map(|_| now());
        self.done = done;
    }

    /// Tells of the turn if it took too long.
    fn end(&self, began: Instant) {
        let end = now();
        let took = end - began;
        if self.slow.threshold.is_none_or(|threshold| took < threshold) {
            return;
        }
        let (turn, written) = (self.turn.unwrap_or(end), self.written.unwrap_or(end));
        let Tally { committed, refused, rows, bytes, .. } = self.done;
        tracing::warn!(
            database = self.slow.database,
            took_ms = whole_ms(took),
            turn_ms = whole_ms(turn - began),
            write_ms = whole_ms(written.saturating_duration_since(turn)),
            sync_ms = whole_ms(end - written),
            committed,
            refused,
            rows,
            bytes,
            "slow commit"
        );
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if let Some(began) = self.began {
            self.end(began);
        }
    }
}

fn whole_ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[expect(clippy::disallowed_methods, reason = "it decides what is told, and nothing that is stored")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fmt;
    use std::sync::Arc;
    use std::thread;

    use blaze_core::{CommitRequest, Durability, ErrorKind, Family, ManualClock, Store, Write};
    use parking_lot::Mutex;
    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Level, Metadata, Subscriber};

    use super::*;
    use crate::{LsmOptions, LsmStore};

    /// The fields of an event, as text.
    #[derive(Default)]
    struct Fields(BTreeMap<String, String>);

    impl Visit for Fields {
        fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
            self.0.insert(field.name().to_owned(), format!("{value:?}"));
        }
    }

    /// Hears warnings.
    #[derive(Clone, Default)]
    struct Ear(Arc<Mutex<Vec<BTreeMap<String, String>>>>);

    impl Subscriber for Ear {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            *metadata.level() == Level::WARN
        }

        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}

        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn event(&self, event: &Event<'_>) {
            let mut fields = Fields::default();
            event.record(&mut fields);
            self.0.lock().push(fields.0);
        }

        fn enter(&self, _: &Id) {}

        fn exit(&self, _: &Id) {}
    }

    /// What is heard while `work` is done with a store.
    fn heard(
        set: impl FnOnce(LsmOptions) -> LsmOptions,
        work: impl FnOnce(&LsmStore),
    ) -> Vec<BTreeMap<String, String>> {
        let directory = tempfile::tempdir().unwrap();
        let options = LsmOptions::new(Arc::new(ManualClock::at_ms(1_000)));
        let store = LsmStore::open(directory.path(), set(options)).unwrap();
        let ear = Ear::default();
        tracing::subscriber::with_default(ear.clone(), || work(&store));
        ear.0.lock().clone()
    }

    fn commit(store: &LsmStore) {
        let writes = ["secret key 1", "secret key 2"].map(|key| Write::put(Family::Data, key, "secret value"));
        store.commit(CommitRequest { writes: writes.into(), ..CommitRequest::default() }).unwrap();
    }

    #[test]
    fn a_slow_commit_is_told_with_its_parts_and_without_what_is_stored() {
        let events = heard(|options| options.slow_commit_ms(Some(0)).label("orders"), commit);
        let [event] = events.as_slice() else { panic!("one commit, and not one event: {events:?}") };
        let names: Vec<_> = event.keys().map(String::as_str).collect();
        let expected = [
            "bytes",
            "committed",
            "database",
            "message",
            "refused",
            "rows",
            "sync_ms",
            "took_ms",
            "turn_ms",
            "write_ms",
        ];
        assert_eq!(names, expected);
        let field = |name: &str| event[name].as_str();
        assert_eq!((field("message"), field("database")), ("slow commit", "\"orders\""));
        assert_eq!((field("committed"), field("refused"), field("rows")), ("1", "0", "2"));
        let number = |name: &str| field(name).parse::<u64>().unwrap();
        assert!((48..100).contains(&number("bytes")), "two keys and two values of 12 bytes: {event:?}");
        assert!(number("turn_ms") + number("write_ms") + number("sync_ms") <= number("took_ms"), "{event:?}");
        assert!(!format!("{event:?}").contains("secret"), "{event:?}");
    }

    #[test]
    fn a_quick_commit_is_told_nowhere_and_neither_is_any_without_a_threshold() {
        assert_eq!(heard(|options| options.slow_commit_ms(Some(600_000)), commit), []);
        assert_eq!(heard(|options| options.slow_commit_ms(None), commit), []);
    }

    #[test]
    fn commits_that_are_written_together_are_told_together() {
        let directory = tempfile::tempdir().unwrap();
        let options = LsmOptions::new(Arc::new(ManualClock::at_ms(1_000))).slow_commit_ms(Some(0));
        let store = LsmStore::open(directory.path(), options).unwrap();
        let (ear, engine) = (Ear::default(), store.engine().unwrap());
        thread::scope(|scope| {
            let queue_up = |_: &_| {
                for before in 0..3 {
                    scope.spawn(|| tracing::subscriber::with_default(ear.clone(), || commit(&store)));
                    while store.pipeline.queue.len() <= before {
                        thread::yield_now();
                    }
                }
                Ok(())
            };
            store.pipeline.exclusively(&engine, queue_up).unwrap();
        });
        let events = ear.0.lock().clone();
        let [event] = events.as_slice() else { panic!("one group, and not one event: {events:?}") };
        assert_eq!((event["committed"].as_str(), event["rows"].as_str()), ("3", "6"), "{event:?}");
    }

    #[test]
    fn a_commit_that_waits_in_vain_for_its_turn_is_told_as_waiting() {
        let events = heard(
            |options| options.slow_commit_ms(Some(20)),
            |store| {
                let engine = store.engine().unwrap();
                let refused = |_: &_| {
                    let request = CommitRequest {
                        writes: vec![Write::put(Family::Data, "key", "value")],
                        durability: Durability::Buffered,
                        timeout: Some(Duration::from_millis(20)),
                        ..CommitRequest::default()
                    };
                    assert_eq!(store.commit(request).unwrap_err().kind(), ErrorKind::Unavailable);
                    Ok(())
                };
                store.pipeline.exclusively(&engine, refused).unwrap();
            },
        );
        let [event] = events.as_slice() else { panic!("one commit, and not one event: {events:?}") };
        assert!(event["turn_ms"].parse::<u64>().unwrap() >= 20, "{event:?}");
        assert_eq!((event["committed"].as_str(), event["write_ms"].as_str()), ("0", "0"));
    }
}
