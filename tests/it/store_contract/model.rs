//! Both stores given the same work must answer alike; the engine may refuse without need and never accept wrongly.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    /// Opens a read point, to be kept.
    View,
    /// Lets go of a kept read point.
    Drop(usize),
    /// Commits at a kept read point.
    Commit(usize, Box<Request>),
    /// Reads everything at a kept read point.
    Read(usize),
    /// Has the engine write and rewrite its files, which must not be noticed.
    Compact,
    /// Closes and reopens the engine, which ends the read points.
    Reopen,
}

/// A request without its read point.
#[derive(Clone, Debug)]
struct Request {
    guards: Vec<u8>,
    reads: Vec<u8>,
    ranges: Vec<(u8, Option<u8>)>,
    writes: Vec<Change>,
    isolation: Isolation,
}

#[derive(Clone, Debug)]
enum Change {
    Put(u8, u16),
    Delete(u8),
    DeleteRange(u8, Option<u8>),
    /// Adds to a counter, which are all in a family of their own: elsewhere the first 8 bytes are stamps.
    Add(u8, i8),
    /// Removes some counters.
    DeleteCounters(u8, Option<u8>),
    Touch(u8),
}

/// Few keys, so that transactions meet; of different lengths, so that some are prefixes of others.
fn key(number: u8) -> Vec<u8> {
    vec![b'a' + number / 3; 1 + usize::from(number % 3)]
}

fn key_range((start, end): (u8, Option<u8>)) -> KeyRange {
    KeyRange::new(key(start), end.map(key))
}

fn family(number: u8) -> Family {
    if number.is_multiple_of(5) { Family::Catalog } else { Family::Data }
}

impl Request {
    fn at(&self, read_ts: Timestamp) -> CommitRequest {
        let points = |numbers: &Vec<u8>| {
            numbers.iter().map(|number| PointRead { family: family(*number), key: key(*number) }).collect()
        };
        let ranges = self.ranges.iter();
        CommitRequest {
            read_ts,
            guards: points(&self.guards),
            reads: points(&self.reads),
            ranges: ranges.map(|range| RangeRead { family: family(range.0), range: key_range(*range) }).collect(),
            writes: self.writes.iter().map(Change::write).collect(),
            isolation: self.isolation,
            durability: Durability::Buffered,
            ..CommitRequest::default()
        }
    }
}

impl Change {
    fn write(&self) -> Write {
        match *self {
            Change::Put(number, size) => Write::Put {
                family: family(number),
                key: key(number),
                value: vec![number; usize::from(size)],
                stamp_at: (size >= 8).then_some(0),
            },
            Change::Delete(number) => Write::delete(family(number), key(number)),
            Change::DeleteRange(start, end) => {
                Write::DeleteRange { family: family(start), range: key_range((start, end)) }
            }
            Change::Add(number, delta) => Write::Add { family: Family::Index, key: key(number), delta: delta.into() },
            Change::DeleteCounters(start, end) => {
                Write::DeleteRange { family: Family::Index, range: key_range((start, end)) }
            }
            Change::Touch(number) => Write::Touch { family: family(number), key: key(number) },
        }
    }
}

fn number() -> impl Strategy<Value = u8> {
    0u8..30
}

fn bounds() -> impl Strategy<Value = (u8, Option<u8>)> {
    (number(), proptest::option::weighted(0.8, number()))
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        6 => (number(), prop_oneof![9 => 0u16..40, 1 => 5_000u16..6_000]).prop_map(|(key, size)| Change::Put(key, size)),
        3 => number().prop_map(Change::Delete),
        1 => bounds().prop_map(|(start, end)| Change::DeleteRange(start, end)),
        2 => (0u8..6, any::<i8>()).prop_map(|(key, delta)| Change::Add(key, delta)),
        1 => (0u8..6, proptest::option::of(0u8..6)).prop_map(|(start, end)| Change::DeleteCounters(start, end)),
        2 => number().prop_map(Change::Touch),
    ]
}

fn request() -> impl Strategy<Value = Request> {
    let isolation = prop_oneof![Just(Isolation::Serializable), Just(Isolation::Snapshot)];
    let parts = (vec(number(), 0..2), vec(number(), 0..3), vec(bounds(), 0..2), vec(change(), 0..5), isolation);
    parts.prop_map(|(guards, reads, ranges, writes, isolation)| Request { guards, reads, ranges, writes, isolation })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::View),
        2 => any::<usize>().prop_map(Step::Drop),
        6 => (any::<usize>(), request()).prop_map(|(view, request)| Step::Commit(view, Box::new(request))),
        2 => any::<usize>().prop_map(Step::Read),
        1 => Just(Step::Compact),
        1 => Just(Step::Reopen),
    ]
}

type Views = (Arc<dyn ReadPoint>, Arc<dyn ReadPoint>);

/// The two stores and kept read points, each pair showing the same.
struct Pair {
    clock: Arc<ManualClock>,
    lsm: LsmStore,
    mem: MemStore,
    views: Vec<Views>,
    has_range_delete: bool,
    directory: TempDir, // after the store
}

impl Pair {
    fn new() -> Pair {
        let clock = Arc::new(ManualClock::at_ms(1_000_000));
        let directory = tempfile::tempdir().unwrap();
        let lsm = LsmStore::open(directory.path(), LsmOptions::new(clock.clone())).unwrap();
        let mem = MemStore::new(clock.clone());
        Pair { clock, lsm, mem, views: Vec::new(), has_range_delete: false, directory }
    }

    fn run(&mut self, step: &Step) -> Result<(), TestCaseError> {
        if self.views.is_empty() {
            self.views.push(self.view());
        }
        let count = self.views.len();
        match step {
            Step::View => self.views.push(self.view()),
            Step::Drop(view) => drop(self.views.swap_remove(view % count)),
            Step::Commit(view, request) => self.commit(view % count, request)?,
            Step::Read(view) => self.compare(&self.views[view % count])?,
            Step::Compact => {
                self.lsm.flush().unwrap();
                Family::ALL.into_iter().for_each(|family| self.lsm.compact(family, &KeyRange::all()).unwrap());
            }
            Step::Reopen => {
                let last = self.view().0.ts();
                self.lsm.close().unwrap();
                self.lsm = LsmStore::open(self.directory.path(), LsmOptions::new(self.clock.clone())).unwrap();
                prop_assert_eq!(self.view().0.ts(), last);
                self.views.clear();
            }
        }
        Ok(())
    }

    fn view(&self) -> Views {
        (self.lsm.read_point().unwrap(), self.mem.read_point().unwrap())
    }

    fn commit(&mut self, view: usize, request: &Request) -> Result<(), TestCaseError> {
        let (lsm_view, mem_view) = &self.views[view];
        let (lsm, mem) = (request.at(lsm_view.ts()), request.at(mem_view.ts()));
        match self.lsm.commit(lsm) {
            Ok(ts) => {
                let model = self.mem.commit(mem);
                prop_assert!(model.is_ok(), "the engine accepted what the model refuses: {model:?}");
                let is_empty = request.writes.iter().all(|change| matches!(change, Change::Touch(_)));
                prop_assert_eq!(is_empty, ts == lsm_view.ts());
                let is_range = |change: &Change| matches!(change, Change::DeleteRange(..) | Change::DeleteCounters(..));
                self.has_range_delete |= request.writes.iter().any(is_range);
            }
            Err(error) => {
                prop_assert_eq!(error.kind(), ErrorKind::Conflict);
                // The engine does not know which keys a range delete really removed; it is exact otherwise.
                let needed = self.mem.commit(probe(mem)).is_err();
                prop_assert!(needed || self.has_range_delete, "refused without need: {request:?}");
            }
        }
        Ok(())
    }

    fn compare(&self, (lsm, mem): &Views) -> Result<(), TestCaseError> {
        for number in 0..6 {
            let counter = |view: &dyn ReadPoint| view.get(Family::Index, &key(number)).unwrap();
            prop_assert_eq!(counter(&**lsm), counter(&**mem), "counter {}", number);
        }
        for family in [Family::Catalog, Family::Data] {
            for direction in [Direction::Forward, Direction::Reverse] {
                for range in [KeyRange::all(), key_range((3, Some(20))), key_range((10, None))] {
                    let (lsm, mem) =
                        (entries(&**lsm, family, &range, direction), entries(&**mem, family, &range, direction));
                    prop_assert_eq!(lsm, mem, "{:?} {:?} {:?}", family, range, direction);
                }
            }
            let keys: Vec<Vec<u8>> = (0..30).map(key).collect();
            let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
            prop_assert_eq!(values(&**lsm, family, &keys), values(&**mem, family, &keys));
            for key in keys {
                prop_assert_eq!(
                    lsm.get(family, key).unwrap().map(unstamped),
                    mem.get(family, key).unwrap().map(unstamped)
                );
            }
        }
        Ok(())
    }
}

/// A request that the model refuses as it would refuse `request`, but which writes nothing that is looked at.
fn probe(request: CommitRequest) -> CommitRequest {
    let mut probe = CommitRequest { isolation: Isolation::Serializable, ..request };
    if request.isolation == Isolation::Snapshot {
        (probe.reads, probe.ranges) = (Vec::new(), Vec::new());
        for write in probe.writes {
            match write {
                Write::Put { family, key, .. } | Write::Delete { family, key } => {
                    probe.reads.push(PointRead { family, key });
                }
                Write::Add { .. } | Write::Touch { .. } => {}
                Write::DeleteRange { family, range } => probe.ranges.push(RangeRead { family, range }),
            }
        }
    }
    probe.writes = vec![Write::put(Family::Vector, "probe", "")];
    probe
}

/// A value without its stamp, which is the timestamp of its own store.
fn unstamped(mut value: Vec<u8>) -> Vec<u8> {
    if value.len() >= 8 {
        value.drain(..8);
    }
    value
}

fn entries(view: &dyn ReadPoint, family: Family, range: &KeyRange, direction: Direction) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut cursor = view.cursor(family, range, direction).unwrap();
    let mut entries = Vec::new();
    while let Some((key, value)) = cursor.next().unwrap() {
        entries.push((key.to_vec(), unstamped(value.to_vec())));
    }
    entries
}

fn values(view: &dyn ReadPoint, family: Family, keys: &[&[u8]]) -> Vec<Option<Vec<u8>>> {
    let mut values = vec![None; keys.len()];
    let visit = &mut |position: usize, value: Option<&[u8]>| {
        values[position] = value.map(|value| unstamped(value.to_vec()));
        Ok(())
    };
    view.visit_many(family, keys, visit).unwrap();
    values
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_answers_as_the_model_does(steps in vec(step(), 1..80)) {
        let mut pair = Pair::new();
        for step in &steps {
            pair.run(step)?;
        }
        for views in pair.views.iter().chain([&pair.view()]) {
            pair.compare(views)?;
        }
    }
}
