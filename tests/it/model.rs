//! A database over RocksDB, one in memory and a naive model, side by side through the same random operations, with
//! reopening at random: all three must agree on every answer.
//!
//! `PROPTEST_CASES=5000` runs more cases.

#![cfg(test)]

mod life;
mod naive;
mod operations;
mod sides;

use std::env;
use std::ops::Bound;
use std::sync::Arc;

use blaze::{ErrorKind, ManualClock};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use naive::{Answer, Complaint, Model, Outcome, View};
use operations::{End, Keys, OnCollection, OnKeyspace, Operation, Step, steps};
use sides::{Side, outcome};

/// Two databases and the model of both.
struct Run {
    sides: [Side; 2],
    clock: Arc<ManualClock>,
    model: Model,
    /// The model as it was, for each snapshot that is kept.
    snapshots: Vec<Model>,
}

type Checked = Result<(), Complaint>;

impl Run {
    fn new() -> Run {
        let clock = Arc::new(ManualClock::at_ms(1_000_000));
        let sides = [Side::over_rocksdb(Arc::clone(&clock)), Side::in_memory(Arc::clone(&clock))];
        Run { sides, clock, model: Model::default(), snapshots: Vec::new() }
    }

    fn step(&mut self, step: &Step) -> Checked {
        self.model.commit += 1;
        match step {
            Step::Do(operation) => self.perform(operation),
            Step::DropCollection(name) => {
                let expected = self.model.drop_collection(name);
                self.all(&expected, |side| side.db().drop_collection(name).map(Answer::Flag))
            }
            Step::DropKeyspace(name) => {
                let expected = self.model.drop_keyspace(name);
                self.all(&expected, |side| side.db().drop_keyspace(name).map(Answer::Flag))
            }
            Step::Names => {
                let expected = Ok(Answer::Names(self.model.names()));
                self.all(&expected, |side| {
                    Ok(Answer::Names([side.db().collections()?, side.db().keyspaces()?].concat()))
                })
            }
            Step::Transaction { inside, meanwhile, after, end } => self.transact(inside, meanwhile, after, *end),
            Step::Snapshot => {
                self.sides.iter_mut().for_each(Side::take_snapshot);
                self.snapshots.push(self.model.clone());
                Ok(())
            }
            Step::ReadSnapshot(which, operation) => match self.snapshots.get_mut(*which) {
                None => Ok(()),
                Some(model) => {
                    let operation = &fresh(operation); // a snapshot has no handles from before
                    let outcomes = self.sides.each_ref().map(|side| side.at_snapshot(*which, operation));
                    agree(&outcomes)?;
                    model.check(View::Snapshot, operation, &outcomes[0])
                }
            },
            Step::ForgetSnapshot(which) => {
                if *which < self.snapshots.len() {
                    self.snapshots.remove(*which);
                    self.sides.iter_mut().for_each(|side| side.forget_snapshot(*which));
                }
                Ok(())
            }
            Step::AdvanceClock(by_ms) => {
                self.clock.advance_ms(*by_ms);
                Ok(())
            }
            Step::Leak(operation) => {
                self.sides.iter_mut().for_each(|side| side.leak(operation));
                Ok(())
            }
            Step::Reopen { explicit } => {
                self.compare_all()?;
                self.snapshots.clear();
                self.clock.advance_ms(60_000); // beyond what is reserved for commits: so automatic ids agree
                self.sides[0].reopen(*explicit)?;
                self.sides[1].forget_handles();
                self.compare_all()
            }
            Step::CompareAll => self.compare_all(),
        }
    }

    /// One operation of its own on the databases.
    fn perform(&mut self, operation: &Operation) -> Checked {
        self.model.commit += 1;
        let operation = &self.settle(operation);
        let outcomes = self.sides.each_mut().map(|side| side.perform(operation));
        agree(&outcomes)?;
        self.model.check(View::Database, operation, &outcomes[0])
    }

    /// A handle can only be stale if there is one.
    fn settle(&self, operation: &Operation) -> Operation {
        let mut operation = operation.clone();
        if let Operation::Collection { name, stale, .. } = &mut operation {
            *stale &= self.sides.iter().all(|side| side.has_handle(name));
        }
        operation
    }

    fn all(&mut self, expected: &Outcome, work: impl Fn(&Side) -> blaze::Result<Answer>) -> Checked {
        for side in &self.sides {
            let actual = outcome(work(side));
            if format!("{actual:?}") != format!("{expected:?}") {
                return Err(format!("{}: expected {expected:?}\n   found {actual:?}", side.name()));
            }
        }
        Ok(())
    }

    /// A transaction, others amid its own operations: it must be as if it ran when it commits. One that writes nothing
    /// is as if it ran when it began, and never fails.
    fn transact(&mut self, inside: &[Operation], meanwhile: &[Operation], after: &[Operation], end: End) -> Checked {
        let began = self.model.clone();
        let mut own = began.clone();
        let transactions = self.sides.each_ref().map(Side::begin);
        let mut done: Vec<(Operation, Outcome)> = Vec::new();
        let mut work = |model: &mut Model, operations: &[Operation]| {
            for operation in operations.iter().map(fresh) {
                let outcomes = transactions.each_ref().map(|transaction| transaction.perform(&operation));
                agree(&outcomes).map_err(|complaint| format!("in the transaction, {operation:?}:\n{complaint}"))?;
                let [actual, _] = outcomes;
                model
                    .check(View::Transaction, &operation, &actual)
                    .map_err(|complaint| format!("in the transaction, {operation:?}:\n{complaint}"))?;
                done.push((operation, actual));
            }
            Ok::<(), Complaint>(())
        };
        work(&mut own, inside)?;
        for operation in meanwhile {
            self.perform(operation).map_err(|complaint| format!("meanwhile, {operation:?}:\n{complaint}"))?;
        }
        work(&mut own, after)?;
        let [lsm, mem] = transactions;
        let lsm = lsm.end(end);
        // The engine's memory of a removed range holds keys that were not there, too.
        let may_differ = lsm == Err(ErrorKind::Conflict) && meanwhile.iter().any(removes_range);
        let mem = mem.end(if may_differ { End::Rollback } else { end });
        if lsm != mem && !may_differ {
            return Err(format!("the transaction ended differently: {lsm:?} over RocksDB, {mem:?} in memory"));
        }
        match (lsm, end) {
            (Ok(()), End::Commit) if own.differs(&began) || done.iter().any(wrote_blindly) => self.replay(&done),
            (Ok(()), _) => Ok(()),
            (Err(ErrorKind::Conflict), End::Commit) if !meanwhile.is_empty() => Ok(()),
            (other, _) => Err(format!("the transaction ended with {other:?}")),
        }
    }

    /// What a serializable transaction was told must hold at its commit, too.
    fn replay(&mut self, done: &[(Operation, Outcome)]) -> Checked {
        self.model.commit += 1;
        for (operation, told) in done {
            self.model
                .check(View::Transaction, operation, told)
                .map_err(|complaint| format!("not serializable, {operation:?}:\n{complaint}"))?;
        }
        Ok(())
    }

    fn compare_all(&mut self) -> Checked {
        for side in &self.sides {
            side.compare(&self.model).map_err(|complaint| format!("{}: {complaint}", side.name()))?;
            for (which, model) in self.snapshots.iter().enumerate() {
                side.compare_snapshot(which, model)
                    .map_err(|complaint| format!("{}, snapshot {which}: {complaint}", side.name()))?;
            }
        }
        Ok(())
    }
}

/// The same through a handle of its own.
fn fresh(operation: &Operation) -> Operation {
    match operation {
        Operation::Collection { name, on, .. } => Operation::Collection { name, stale: false, on: on.clone() },
        keyspace @ Operation::Keyspace { .. } => keyspace.clone(),
    }
}

/// Both databases answer the same, to the order of the rows and the last bit of a distance.
fn agree(outcomes: &[Outcome; 2]) -> Checked {
    let [lsm, mem] = outcomes.each_ref().map(|outcome| format!("{outcome:?}"));
    if lsm == mem { Ok(()) } else { Err(format!("RocksDB   {lsm}\nin memory {mem}")) }
}

/// True if the operation has written without a look at what was there.
fn wrote_blindly((operation, outcome): &(Operation, Outcome)) -> bool {
    match operation {
        Operation::Keyspace { on: OnKeyspace::Put(..) | OnKeyspace::Delete(_), .. } => outcome.is_ok(),
        Operation::Keyspace { on: OnKeyspace::DeleteRange(keys), .. } => outcome.is_ok() && !is_empty(keys),
        _ => false,
    }
}

fn removes_range(operation: &Operation) -> bool {
    use OnCollection::DropIndex;
    matches!(
        operation,
        Operation::Keyspace { on: OnKeyspace::DeleteRange(_), .. } | Operation::Collection { on: DropIndex(_), .. }
    )
}

/// True if no key can be in the range.
fn is_empty((start, end): &Keys) -> bool {
    let after = |key: &Vec<u8>| [key.as_slice(), &[0]].concat();
    let start = match start {
        Bound::Included(key) => key.clone(),
        Bound::Excluded(key) => after(key),
        Bound::Unbounded => Vec::new(),
    };
    match end {
        Bound::Included(key) => after(key) <= start,
        Bound::Excluded(key) => *key <= start,
        Bound::Unbounded => false,
    }
}

fn run(steps: &[Step]) -> Result<(), TestCaseError> {
    let mut run = Run::new();
    for (position, step) in steps.iter().enumerate() {
        let checked = run.step(step);
        checked.map_err(|complaint| {
            TestCaseError::fail(format!("step {position}, {step:?}:\n{complaint}\nof {steps:?}"))
        })?;
    }
    run.step(&Step::Reopen { explicit: true })
        .map_err(|complaint| TestCaseError::fail(format!("at the end: {complaint}")))
}

fn config() -> ProptestConfig {
    let default = ProptestConfig { failure_persistence: None, max_shrink_iters: 3_000, ..ProptestConfig::default() };
    match env::var_os("PROPTEST_CASES") {
        Some(_) => default,
        None => ProptestConfig { cases: 48, ..default },
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn both_databases_and_the_model_agree_on_everything(steps in steps()) {
        run(&steps)?;
    }
}
