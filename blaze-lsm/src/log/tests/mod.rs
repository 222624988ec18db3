//! The audit against a log of which every byte is known.

mod rocksdb;

use blaze_core::Timestamp;
use proptest::prelude::*;
use proptest::sample::Index;

use super::audit::{Audit, Findings, Position};
use super::mark::LogMark;
use super::record::{BLOCK_BYTES, HEADER_BYTES, mask};
use crate::crc32c::crc32c;

const NEXT_FILE: u64 = 3; // numbers of log files have gaps

/// A commit in the log.
#[derive(Clone, Copy, Debug)]
struct Commit {
    ts: Timestamp,
    durable: Timestamp,
    at: Position,
    end: u64,
}

/// A log as RocksDB writes it.
#[derive(Clone, Debug, Default)]
struct Log {
    files: Vec<Vec<u8>>,
    commits: Vec<Commit>,
    durable: u64,
    sequence: u64,
}

impl Log {
    /// A log of commits by the bytes of their values, whether they are synced and whether they begin a file.
    fn of(commits: &[(usize, bool, bool)]) -> Log {
        let mut log = Log { files: vec![Vec::new()], ..Log::default() };
        for (bytes, is_synced, begins_file) in commits {
            if *begins_file && log.files.last().is_some_and(|file| !file.is_empty()) {
                log.files.push(Vec::new());
            }
            log.commit(*bytes, *is_synced);
        }
        log
    }

    fn commit(&mut self, bytes: usize, is_synced: bool) {
        let previous = self.commits.last().map_or(100, |commit| commit.ts.to_bits());
        let ts = previous + 10;
        let stamps = [ts, previous, self.durable].map(Timestamp::from_bits);
        let mut batch = self.sequence.to_le_bytes().to_vec();
        batch.extend(1_u32.to_le_bytes());
        batch.extend(LogMark { last: stamps[0], previous: stamps[1], durable: stamps[2] }.entry());
        batch.extend((0..bytes).map(|at| (at * 31 + 7) as u8));
        let number = file_number(self.files.len() - 1);
        let file = self.files.last_mut().unwrap();
        let offset = write(file, &batch);
        let (at, end) = (Position { file: number, offset }, file.len() as u64);
        self.commits.push(Commit { ts: stamps[0], durable: stamps[2], at, end });
        self.sequence += 1;
        if is_synced {
            self.durable = ts;
        }
    }

    fn audit(&self) -> Findings {
        let mut audit = Audit::default();
        for (index, bytes) in self.files.iter().enumerate() {
            audit.read(file_number(index), bytes.as_slice()).unwrap();
        }
        audit.finish()
    }

    /// The first commit that has the byte.
    fn commit_at(&self, position: Position) -> Option<usize> {
        let holds = |commit: &Commit| {
            commit.at.file == position.file && (commit.at.offset..commit.end).contains(&position.offset)
        };
        self.commits.iter().position(holds)
    }

    fn last_before(&self, commit: usize) -> Option<Timestamp> {
        commit.checked_sub(1).map(|before| self.commits[before].ts)
    }
}

/// The log must be cut there, and that loses nothing durable.
fn cut(at: Position) -> Findings {
    Findings { cut: Some(at), ..Findings::default() }
}

fn file_number(index: usize) -> u64 {
    5 + index as u64 * NEXT_FILE
}

fn fragment(file: &mut Vec<u8>, kind: u8, payload: &[u8]) {
    let sum = crc32c(&[&[kind], payload].concat());
    file.extend(mask(sum).to_le_bytes());
    file.extend((payload.len() as u16).to_le_bytes());
    file.push(kind);
    file.extend(payload);
}

/// Writes a batch in as many fragments as it needs; answers where it begins.
fn write(file: &mut Vec<u8>, mut batch: &[u8]) -> u64 {
    let mut offset = None;
    loop {
        let left = BLOCK_BYTES - file.len() % BLOCK_BYTES;
        if left < HEADER_BYTES {
            file.extend(vec![0; left]);
            continue;
        }
        let (payload, rest) = batch.split_at(batch.len().min(left - HEADER_BYTES));
        let kind = match (offset.is_none(), rest.is_empty()) {
            (true, true) => 1,
            (true, false) => 2,
            (false, false) => 3,
            (false, true) => 4,
        };
        offset = offset.or(Some(file.len() as u64));
        fragment(file, kind, payload);
        batch = rest;
        if kind == 1 || kind == 4 {
            return offset.unwrap();
        }
    }
}

fn commits() -> impl Strategy<Value = Log> {
    let bytes = prop_oneof![0..200_usize, 30_000..34_000_usize, Just(100_000)];
    let commit = (bytes, any::<bool>(), prop::bool::weighted(0.2));
    prop::collection::vec(commit, 1..20).prop_map(|commits| Log::of(&commits))
}

proptest! {
    #[test]
    fn a_whole_log_and_one_that_is_torn_at_its_end_are_sound(mut log in commits(), cut: Index) {
        prop_assert_eq!(log.audit(), Findings::default());
        let last = log.files.last_mut().unwrap();
        last.truncate(cut.index(last.len() + 1));
        prop_assert_eq!(log.audit(), Findings::default());
    }

    #[test]
    fn one_damaged_byte_is_reported_exactly_when_it_loses_a_commit_that_is_known_as_durable(
        mut log in commits(),
        file: Index,
        offset: Index,
        flip in 1..=255_u8,
    ) {
        let file = file.index(log.files.len());
        prop_assume!(!log.files[file].is_empty());
        let offset = offset.index(log.files[file].len());
        log.files[file][offset] ^= flip;
        let found = log.audit();

        let at = Position { file: file_number(file), offset: offset as u64 };
        let Some(first) = log.commit_at(at) else {
            prop_assert_eq!(found, Findings::default(), "nobody reads what fills a block");
            return Ok(());
        };
        let durable = log.commits[first + 1..].iter().map(|commit| commit.durable).max();
        let durable = durable.filter(|durable| *durable >= log.commits[first].ts);
        // A kind of record on which RocksDB would not end is never left to it.
        let may_be_endless = matches!(log.files[file][offset], 5..=8 | 11 | 131);
        match (found.damage, durable) {
            (Some(damage), Some(durable)) => {
                prop_assert_eq!(damage.durable, durable);
                prop_assert_eq!(damage.kept, log.last_before(first));
                prop_assert_eq!(damage.offset, log.commits[first].at.offset);
                prop_assert_eq!(damage.file, format!("{:06}.log", at.file));
            }
            (None, None) => {
                let position = found.cut.is_none_or(|cut| may_be_endless && cut == log.commits[first].at);
                prop_assert!(position, "cut at {:?}", found.cut);
            }
            (damage, durable) => prop_assert!(may_be_endless && durable.is_none(), "{damage:?} against {durable:?}"),
        }
    }

    #[test]
    fn commits_behind_lost_pages_are_never_replayed(mut log in commits(), first: Index, pages in 1..4_usize) {
        let last = log.files.len() - 1;
        prop_assume!(!log.files[last].is_empty());
        let start = first.index(log.files[last].len()) / 512 * 512;
        let end = log.files[last].len().min(start + pages * 512);
        log.files[last][start..end].fill(0);
        let found = log.audit();

        let at = Position { file: file_number(last), offset: start as u64 };
        let hit = log.commits.iter().position(|commit| {
            commit.at.file == at.file && commit.end > at.offset && commit.at.offset < end as u64
        });
        let Some(hit) = hit else { return Ok(()) };
        let sound = log.commits.iter().filter(|commit| commit.at.file == at.file && commit.at.offset >= end as u64);
        let durable = sound.map(|commit| commit.durable).max();
        if let (Some(kept), Some(durable)) = (log.last_before(hit), durable) {
            prop_assert_eq!(found.damage.is_some(), durable > kept);
        }
        if let Some(cut) = found.cut {
            prop_assert_eq!(cut, log.commits[hit].at);
        }
    }

    #[test]
    fn no_bytes_make_the_audit_panic(files in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..4)) {
        let log = Log { files, ..Log::default() };
        log.audit();
    }
}

#[test]
fn a_commit_that_was_not_synced_may_be_damaged_in_front_of_others() {
    let mut log = Log::of(&[(10, true, false), (10, false, false), (10, false, false)]);
    let Position { offset, .. } = log.commits[1].at;
    log.files[0][offset as usize + 20] ^= 1;
    assert_eq!(log.audit(), Findings::default());
}

#[test]
fn a_missing_file_in_the_middle_is_a_hole() {
    let mut log = Log::of(&[(10, true, false), (10, true, true), (10, true, true)]);
    log.files[1].clear();
    let damage = log.audit().damage.unwrap();
    assert_eq!((damage.kept, damage.durable), (Some(log.commits[0].ts), log.commits[1].ts));

    // Without a sync nothing durable is missing; what lies behind the hole must go all the same.
    let mut log = Log::of(&[(10, false, false), (10, false, true), (10, false, true)]);
    log.files[1].clear();
    assert_eq!(log.audit(), Findings { suspicion: log.audit().suspicion, ..cut(log.commits[1].at) });
}

#[test]
fn a_file_before_others_that_was_not_written_is_a_hole_and_lost_something_durable_if_the_manifest_says_so() {
    let whole = Log::of(&[(10, false, false), (10, false, true), (10, false, true)]);
    for zeros in [0, 100] {
        let mut log = whole.clone();
        log.files[1] = vec![0; zeros];
        let Findings { damage, suspicion, cut } = log.audit();
        assert_eq!((damage, cut), (None, Some(log.commits[1].at)));
        let suspicion = suspicion.unwrap();
        assert_eq!((suspicion.kept, suspicion.offset), (Some(log.commits[0].ts), 0));
        let said = suspicion.to_string();
        assert!(said.ends_with("the manifest says that more of the log had been synced"), "{said}");

        // Nothing tells of what is before the first file.
        log.files[0] = vec![0; zeros];
        assert_eq!(log.audit().cut, Some(log.commits[0].at));
        log.files[2].clear();
        assert_eq!(log.audit(), Findings::default());
    }
}

#[test]
fn what_an_older_log_has_left_in_the_blocks_of_a_file_is_cut_off() {
    let mut log = Log::of(&[(10, false, false), (10, false, false), (10, false, true), (10, false, false)]);
    log.files[1] = log.files[0].clone();
    assert_eq!(log.audit(), cut(Position { file: file_number(1), offset: 0 }));
    // Not all of the file has to be older.
    let mut log = Log::of(&[(10, false, false), (10, false, false), (10, false, true)]);
    let [first, last] = [log.files[0].clone(), log.files[1].clone()];
    log.files[1] = [last.as_slice(), &first].concat();
    assert_eq!(log.audit(), cut(Position { file: file_number(1), offset: last.len() as u64 }));
}

#[test]
fn zeros_at_the_end_are_nothing_and_in_front_of_commits_they_are_a_hole() {
    let mut log = Log::of(&[(10, false, false), (10, false, false), (10, false, false)]);
    log.files[0].extend([0; 5_000]);
    assert_eq!(log.audit(), Findings::default());

    let Commit { at, end, .. } = log.commits[1];
    log.files[0][at.offset as usize..end as usize].fill(0);
    assert_eq!(log.audit(), cut(at));
}

#[test]
fn what_was_written_after_a_recovery_goes_on_from_the_damage() {
    let mut log = Log::of(&[(10, true, false), (10, false, false)]);
    let torn = log.files[0].len() - 5;
    log.files[0].truncate(torn);
    // As RocksDB does, the next incarnation takes the sequence number of the commit that was torn.
    log.sequence -= 1;
    log.commits.pop();
    log.files.push(Vec::new());
    log.durable = 1_000;
    log.commit(10, true);
    log.commit(10, true);
    assert_eq!(log.audit(), Findings::default());
}

#[test]
fn a_record_of_a_recycled_log_is_cut_off_before_rocksdb_spins_on_it() {
    let mut log = Log::of(&[(10, true, false), (10, false, false)]);
    let Position { offset, .. } = log.commits[1].at;
    log.files[0][offset as usize + 6] = 5;
    assert_eq!(log.audit(), cut(log.commits[1].at));
}

#[test]
fn a_record_of_a_recycled_log_behind_damage_is_cut_off_with_it() {
    // RocksDB drops the rest of the block, and spins on what stands at the beginning of the next one.
    let mut log = Log::of(&[(10, true, false), (70_000, false, false)]);
    let Position { offset, .. } = log.commits[1].at;
    log.files[0][offset as usize + 20] ^= 1;
    assert_eq!(log.audit(), Findings::default());
    log.files[0][2 * BLOCK_BYTES + 6] = 131;
    assert_eq!(log.audit(), cut(log.commits[1].at));
    log.files[0][BLOCK_BYTES + 6] = 5;
    assert_eq!(log.audit(), cut(log.commits[1].at));
}

#[test]
fn what_rocksdb_does_not_come_to_is_no_reason_to_cut() {
    let mut log = Log::of(&[(10, true, false), (40_000, false, false), (10, false, false), (40_000, false, false)]);
    let damaged = log.commits[1].at.offset as usize;
    log.files[0][damaged + 20] ^= 1;
    // Behind the rest of the damaged commit there is a whole one, with which RocksDB stops.
    log.files[0][2 * BLOCK_BYTES + 6] = 5;
    assert_eq!(log.audit(), Findings::default());
}

#[test]
fn zeros_over_the_beginning_of_a_long_commit_are_where_the_log_ends() {
    let mut log = Log::of(&[(40_000, true, false), (10, true, false), (10, true, false)]);
    log.files[0][..512].fill(0);
    let damage = log.audit().damage.unwrap();
    assert_eq!((damage.offset, damage.kept, damage.durable), (0, None, log.commits[1].ts));
}
