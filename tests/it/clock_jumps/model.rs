//! A database under a clock that jumps again and again, beside a naive model that has every commit.

use std::collections::BTreeMap;

use blaze::{Change, DatabaseChange, Expires, History, Snapshot};
use proptest::prelude::*;
use proptest::sample::Index;
use tempfile::TempDir;

use super::*;

/// The ages of history and feed: longer than any run.
const AGE: Duration = Duration::from_secs(60 * 60);

type State = BTreeMap<Vec<u8>, Vec<u8>>;

/// What is done. Steps of a run are so few and short that no jump is believed, which takes ten minutes.
#[derive(Clone, Debug)]
enum Step {
    /// The clock shows so many decades more or less than it should.
    Jump(i8),
    Advance(u16),
    /// Puts values under keys, or deletes them.
    Commit(Vec<(u8, Option<u8>)>),
    /// Puts a value that is there for so many milliseconds.
    Session(u8, u8, u32),
    Retain,
    Reopen,
    /// As it was after some commit.
    Past(Index),
    /// The feed, from some commit on.
    Follow(Index),
    Hold,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => prop_oneof![Just(-1_i8), Just(0), Just(1)].prop_map(Step::Jump),
        3 => (0..10_000_u16).prop_map(Step::Advance),
        8 => prop::collection::vec((0..6_u8, prop::option::weighted(0.7, any::<u8>())), 1..4).prop_map(Step::Commit),
        3 => (0..4_u8, any::<u8>(), 1..60_000_u32).prop_map(|(key, value, ms)| Step::Session(key, value, ms)),
        4 => Just(Step::Retain),
        3 => Just(Step::Reopen),
        4 => any::<Index>().prop_map(Step::Past),
        3 => any::<Index>().prop_map(Step::Follow),
        1 => Just(Step::Hold),
    ];
    prop::collection::vec(step, 1..40)
}

/// What else a database has decides by what it knows the time.
#[derive(Clone, Copy, Debug)]
struct Kinds {
    has_sessions: bool,
    forgets: bool,
}

struct Run {
    directory: TempDir,
    kinds: Kinds,
    clock: Arc<ManualClock>,
    /// What the clock should show.
    real_ms: u64,
    db: Option<Database>,
    /// Each commit, with what was there after it.
    commits: Vec<(Timestamp, State)>,
    /// Values with the moments at which they expire.
    sessions: BTreeMap<u8, (u8, u64)>,
    held: Vec<(Snapshot, State)>,
}

impl Run {
    fn new(kinds: Kinds) -> Run {
        let (directory, clock) = (tempfile::tempdir().unwrap(), Arc::new(ManualClock::at_ms(START_MS)));
        let (commits, sessions, held) = (Vec::new(), BTreeMap::new(), Vec::new());
        let mut run = Run { directory, kinds, clock, real_ms: START_MS, db: None, commits, sessions, held };
        run.open();
        let keys = run.db().keyspace("kept").unwrap();
        keys.set_history(if kinds.forgets { History::Age(AGE) } else { History::Forever }).unwrap();
        keys.set_feed(Feed::Images).unwrap();
        if kinds.has_sessions {
            run.db().expiring_keyspace("sessions").unwrap();
        }
        let now = run.db().snapshot().unwrap().read_ts();
        run.commits.push((now, State::new()));
        run
    }

    fn open(&mut self) {
        let path = self.directory.path().join("db");
        self.db = Some(builder(&self.clock).feed_retention(AGE).open(path).unwrap());
    }

    fn db(&self) -> &Database {
        self.db.as_ref().unwrap()
    }

    fn last(&self) -> &(Timestamp, State) {
        self.commits.last().unwrap()
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Jump(decades) => {
                let by = TEN_YEARS_MS.checked_mul(u64::from(decades.unsigned_abs())).unwrap();
                self.clock.set_ms(if *decades < 0 { self.real_ms - by } else { self.real_ms + by });
            }
            Step::Advance(ms) => {
                self.real_ms += u64::from(*ms);
                self.clock.advance_ms(u64::from(*ms));
            }
            Step::Commit(changes) => self.commit(changes),
            Step::Session(..) if !self.kinds.has_sessions => {}
            Step::Session(key, value, ms) => self.put_session(*key, *value, u64::from(*ms)),
            Step::Retain => self.db().apply_retention().unwrap(),
            Step::Reopen => {
                self.check_held();
                self.held.clear();
                self.db.take().unwrap().close().unwrap();
                self.open();
            }
            Step::Past(at) => self.check_past(at.index(self.commits.len())),
            Step::Follow(from) => self.follow(from.index(self.commits.len())),
            Step::Hold => self.held.push((self.db().snapshot().unwrap(), self.last().1.clone())),
        }
        self.check_now();
    }

    fn commit(&mut self, changes: &[(u8, Option<u8>)]) {
        let (before, mut state) = self.last().clone();
        let open = self.db().begin().unwrap();
        let keys = open.keyspace("kept").unwrap();
        for (key, value) in changes {
            match value {
                Some(value) => {
                    keys.put([*key], [*value]).unwrap();
                    state.insert(vec![*key], vec![*value]);
                }
                None => {
                    keys.delete([*key]).unwrap();
                    state.remove(&vec![*key]);
                }
            }
        }
        let ts = open.commit().unwrap();
        assert!(ts > before, "{ts} follows {before}");
        self.commits.push((ts, state));
    }

    /// What whoever begins to read goes by: the clock, but not before the last commit.
    fn seen_ms(&self) -> u64 {
        self.clock.now_ms().max(self.db().snapshot().unwrap().read_ts().ms())
    }

    fn put_session(&mut self, key: u8, value: u8, ms: u64) {
        let expiry_ms = self.seen_ms() + ms;
        let sessions = self.db().expiring_keyspace("sessions").unwrap();
        sessions.put_expiring([key], [value], Expires::After(Duration::from_millis(ms))).unwrap();
        self.sessions.insert(key, (value, expiry_ms));
    }

    fn check_now(&self) {
        assert_eq!(entries(&self.db().snapshot().unwrap()), self.last().1);
        if self.kinds.has_sessions {
            let seen_ms = self.seen_ms();
            let expected: Vec<_> = self.sessions.iter().filter(|(_, (_, expiry_ms))| *expiry_ms > seen_ms).collect();
            let expected: Vec<_> = expected.into_iter().map(|(key, (value, _))| (vec![*key], vec![*value])).collect();
            let found = self.db().expiring_keyspace("sessions").unwrap().iter().unwrap();
            assert_eq!(found.map(|pair| pair.unwrap()).collect::<Vec<_>>(), expected);
        }
    }

    fn check_past(&self, at: usize) {
        let (ts, state) = &self.commits[at];
        assert_eq!(entries(&self.db().as_of(*ts).unwrap()), *state, "as of {ts}");
    }

    fn check_held(&self) {
        for (snapshot, state) in &self.held {
            assert_eq!(entries(snapshot), *state, "held since {}", snapshot.read_ts());
        }
    }

    /// The feeds of the keyspace and of the database lead from each commit to what is there now.
    fn follow(&self, from: usize) {
        let (cursor, state) = &self.commits[from];
        let (mut by_keys, mut by_all, mut last) = (state.clone(), state.clone(), *cursor);
        for set in self.db().keyspace("kept").unwrap().changes(*cursor).unwrap() {
            let set = set.unwrap();
            assert!(set.ts > last, "{} is told after {last}", set.ts);
            last = set.ts;
            set.changes.into_iter().for_each(|change| replay(&mut by_keys, change));
        }
        for set in self.db().changes(*cursor).unwrap() {
            for change in set.unwrap().changes {
                if let DatabaseChange::Key { change, .. } = change {
                    replay(&mut by_all, change);
                }
            }
        }
        assert_eq!((&by_keys, &by_all), (&self.last().1, &self.last().1), "after {cursor}");
    }
}

fn replay(state: &mut State, change: Change<Vec<u8>, Vec<u8>>) {
    match change {
        Change::Put { key, before, after } => assert_eq!(state.insert(key, after.unwrap()), before),
        Change::Removed { key, before } => assert_eq!(state.remove(&key), before),
        other => panic!("nobody asked for {other:?}"),
    }
}

fn entries(view: &Snapshot) -> State {
    view.keyspace("kept").unwrap().iter().unwrap().map(|pair| pair.unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn nothing_young_is_lost_and_the_past_stays_as_it_was_whatever_the_clock_shows(
        has_sessions in any::<bool>(),
        forgets in any::<bool>(),
        steps in steps(),
    ) {
        let mut run = Run::new(Kinds { has_sessions, forgets });
        steps.iter().for_each(|step| run.step(step));
        run.check_held();
        (0..run.commits.len()).for_each(|at| run.check_past(at));
        run.follow(0);
    }
}
