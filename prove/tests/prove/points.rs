//! A process dies at every place that has a name, and what it leaves is found in order.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use blaze::fault::Point;
use blaze_prove::aim::{Needs, Way};
use blaze_prove::cycle::{Cycle, Runner};
use blaze_prove::life::Life;
use blaze_prove::phase::Phase;
use blaze_prove::plan::{From, Plan};

/// Databases in which places are reached by turns, and how often a process may try to come to one.
const WORKERS: u64 = 2;
const TRIES: u64 = 3;

/// Has processes of one database die.
struct Dying<'a> {
    runner: &'a Runner,
    directory: &'a Path,
    life: Life,
    /// It has more than others, so that to look at all of it takes longer.
    has_much: bool,
    /// So that each life has a number of its own.
    lives: &'a AtomicUsize,
}

impl<'a> Dying<'a> {
    fn begin(runner: &'a Runner, directory: &'a Path, lives: &'a AtomicUsize, has_much: bool) -> Dying<'a> {
        let number = lives.fetch_add(1, Ordering::Relaxed) as u64;
        let mut life = Life::begin(directory, 7, number, false).unwrap();
        life.load_much(has_much);
        Dying { runner, directory, life, has_much, lives }
    }

    fn live(&mut self, plan: Plan) -> Cycle {
        let cycle = self.life.live(self.runner, plan).unwrap();
        if let Some(failure) = &cycle.failure {
            let kept = self.life.keep_failure(self.directory, &cycle).unwrap();
            panic!("{plan:?}: {failure}, kept in {}", kept.display());
        }
        cycle
    }

    /// Has a process die at a place; true if it came there.
    fn die_at(&mut self, point: Point) -> bool {
        let way = Way::to(point);
        let has_much = way.needs == Needs::MuchLoaded || way.phase == Phase::Graph;
        if way.needs == Needs::Nobody || has_much != self.has_much {
            self.audit();
            *self = Dying::begin(self.runner, self.directory, self.lives, has_much);
        }
        (0..TRIES).any(|_| {
            match way {
                Way { after: Some(before), .. } if !self.die_at(before) => return false,
                Way { needs: Needs::Copies, .. } => {
                    let to_phase = Plan { phase: Phase::Checkpoint, microseconds: 60_000, ..Plan::default() };
                    assert!(self.live(Plan { writers: 1, ..to_phase }).audited);
                }
                Way { needs: Needs::Damage, .. } => self.audit(),
                _ => {}
            }
            let mut plan = Plan { writers: 1, ..Plan::default() };
            plan.aim_at(point, 1);
            plan.microseconds = 6_000_000;
            self.live(plan).reached.is_some_and(|reached| reached == point.name())
        })
    }

    /// Has a process look at all of it, which has something to look at.
    fn audit(&mut self) {
        let plan =
            Plan { phase: Phase::Write, from: From::Phase, writers: 1, acknowledgements: Some(40), ..Plan::default() };
        assert!(self.live(Plan { microseconds: 2_000_000, ..plan }).audited);
    }
}

#[test]
fn a_process_dies_at_every_place_that_has_a_name_and_nothing_is_lost() {
    let directory = tempfile::tempdir().unwrap().keep();
    let directory = directory.as_path();
    let runner = Runner { program: env!("CARGO_BIN_EXE_blaze-prove").into(), limit: Duration::from_secs(60) };
    let (next, lives) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        let mut dying = Dying::begin(&runner, directory, &lives, false);
        dying.audit();
        let mut missed = Vec::new();
        while let Some(point) = Point::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
            if !dying.die_at(*point) {
                missed.push(point.name());
            }
        }
        dying.audit();
        missed
    };
    let missed: Vec<&str> = thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_else(|_| panic!("{:?}", directory))).collect()
    });
    assert!(missed.is_empty(), "no process came to {missed:?}");
    std::fs::remove_dir_all(directory).unwrap(); // what was found stays
}
