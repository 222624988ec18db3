//! [`Audit`]: which commits RocksDB would replay, and whether those it would drop had been synced.

use std::fmt;
use std::io::{self, Read};

use blaze_core::Timestamp;

use super::reader::{Batch, Event, LogReader};

/// Damage in the log that loses commits which had been synced.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogDamage {
    /// The log file, by its name in the directory of the database.
    pub file: String,
    /// Where in the file the first batch lies that is damaged or missing.
    pub offset: u64,
    /// The last commit before the damage; none when the damage begins with the first batch that is still in the log.
    pub kept: Option<Timestamp>,
    /// Commits up to this one had been synced, says the log behind the damage; none behind what is kept, where the manifest
    /// alone says that more had been.
    pub durable: Timestamp,
}

impl fmt::Display for LogDamage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LogDamage { file, offset, durable, .. } = self;
        write!(f, "the log {file} is damaged at byte {offset}: ")?;
        match self.kept {
            Some(kept) => write!(f, "the commits after {kept} are lost")?,
            None => f.write_str("all commits of the log are lost")?,
        }
        match *durable > self.kept.unwrap_or_default() {
            true => write!(f, ", and those up to {durable} had been synced"),
            false => f.write_str(", and the manifest says that more of the log had been synced"),
        }
    }
}

/// A place in the log: the number of a file and an offset in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) file: u64,
    pub(crate) offset: u64,
}

/// What an [`Audit`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    /// Something durable is lost.
    pub(crate) damage: Option<LogDamage>,
    /// Something durable is lost if the manifest knows that more of the log was synced than is left by the cut.
    pub(crate) suspicion: Option<LogDamage>,
    /// The log must be cut here before RocksDB replays it, which would not stop here, or not end.
    pub(crate) cut: Option<Position>,
}

impl Findings {
    /// True when RocksDB may replay the log as it is.
    pub(crate) fn are_none(&self) -> bool {
        self.damage.is_none() && self.cut.is_none()
    }
}

/// Reads the files of a log, in the order of their numbers, as RocksDB's recovery to a point in time does, and what that
/// drops as well.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    file: u64,
    /// The last commit that is replayed.
    kept: Option<Timestamp>,
    /// The sequence number behind what is replayed.
    next_sequence: Option<u64>,
    /// Where zeros lie behind what is replayed, or a file with nothing in it: RocksDB begins the next one only behind commits.
    nothing: Option<Position>,
    stop: Option<Stop>,
    findings: Findings,
}

/// Where the replay should stop.
#[derive(Debug)]
struct Stop {
    position: Position,
    /// RocksDB stops there by itself.
    by_itself: bool,
    endless: bool,
    /// The last commit that is not lost, or one just before the first that is.
    kept: Option<Timestamp>,
}

impl Audit {
    /// Reads the next file.
    pub(crate) fn read(&mut self, number: u64, input: impl Read) -> io::Result<()> {
        self.file = number;
        let mut reader = LogReader::new(input);
        let mut is_stopped_here = false; // RocksDB drops the rest of a file, and only that
        let mut is_empty = true;
        while let Some(event) = reader.next()? {
            is_empty = false;
            match event {
                Event::Zeros { offset } => self.nothing = self.nothing.or(Some(Position { file: number, offset })),
                Event::Damage { offset } => {
                    self.stop_at(offset, true);
                    is_stopped_here = true;
                }
                Event::Endless => {
                    if let Some(stop) = &mut self.stop {
                        (stop.by_itself, stop.endless) = (false, true);
                    }
                }
                Event::Batch(batch) => {
                    let goes_on = Some(batch.sequence) == self.next_sequence && !is_stopped_here;
                    if goes_on && self.stop.as_ref().is_some_and(|stop| stop.by_itself) {
                        self.stop = None; // it was written after the recovery that stopped there
                    }
                    if self.stop.is_none() && !self.continues(&batch) {
                        self.stop_at(batch.offset, false);
                    }
                    match self.stop {
                        None => self.keep(&batch),
                        Some(_) => {
                            self.lose(&batch);
                            is_stopped_here = true;
                        }
                    }
                }
            }
        }
        if is_empty {
            self.nothing = self.nothing.or(Some(Position { file: number, offset: 0 }));
        }
        Ok(())
    }

    /// What was found in all files.
    pub(crate) fn finish(mut self) -> Findings {
        if let Some(stop) = self.stop {
            let must_be_cut = stop.endless || !stop.by_itself;
            let is_lost = self.findings.damage.is_some();
            if must_be_cut && !is_lost && stop.position.file != self.file {
                // Before RocksDB flushes anything, it syncs all files but the last one, and the manifest says so. A loss of
                // power may as well leave the file as it is here, where later ones were written and this one was not.
                self.findings.suspicion = Some(damage(stop.position, self.kept, self.kept.unwrap_or_default()));
            }
            self.findings.cut = (must_be_cut || is_lost).then_some(stop.position);
        }
        self.findings
    }

    fn stop_at(&mut self, offset: u64, by_itself: bool) {
        if self.stop.is_none() {
            // Behind zeros whatever stands there may be the rest of what they were.
            let position = self.nothing.unwrap_or(Position { file: self.file, offset });
            self.stop = Some(Stop { position, by_itself, endless: false, kept: self.kept });
        }
    }

    /// True when nothing is missing before the batch.
    fn continues(&self, batch: &Batch) -> bool {
        let follows = |mark: super::LogMark| match self.kept {
            Some(kept) => mark.previous == kept,
            None => self.nothing.is_none(),
        };
        Some(batch.sequence) == self.next_sequence || batch.mark.is_none_or(follows)
    }

    fn keep(&mut self, batch: &Batch) {
        self.next_sequence = Some(batch.sequence.saturating_add(batch.count.into()));
        self.kept = batch.mark.map(|mark| mark.last).or(self.kept);
        self.nothing = None;
    }

    /// Takes in a batch that is not replayed, which may know that something durable is lost.
    fn lose(&mut self, batch: &Batch) {
        let (Some(stop), Some(mark)) = (&mut self.stop, batch.mark) else { return };
        // Something older, as where a file system shows what its blocks had before, or no batch at all but bytes of a value that
        // look like one.
        let is_older = self.next_sequence.is_some_and(|next| batch.sequence < next);
        if is_older || self.kept.is_some_and(|kept| mark.previous < kept) {
            return;
        }
        // Without a batch before it, all that is known of the damaged one is that it is the previous one.
        let one_before = || Timestamp::from_bits(mark.previous.to_bits().saturating_sub(1));
        let kept = *stop.kept.get_or_insert_with(one_before);
        match &mut self.findings.damage {
            Some(damage) => damage.durable = damage.durable.max(mark.durable),
            None if mark.durable > kept => {
                self.findings.damage = Some(damage(stop.position, self.kept, mark.durable));
            }
            None => {}
        }
    }
}

fn damage(at: Position, kept: Option<Timestamp>, durable: Timestamp) -> LogDamage {
    LogDamage { file: file_name(at.file), offset: at.offset, kept, durable }
}

/// RocksDB's name for the log file of a number.
fn file_name(number: u64) -> String {
    format!("{number:06}.log")
}
