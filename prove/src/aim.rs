//! A place in the database at which a process dies, and how it comes there.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use blaze::fault::{self, Point};
use serde::{Deserialize, Serialize};

use crate::Finding;
use crate::phase::Phase;
use crate::plan::From;
use crate::workload::say;

/// Times of which one is chosen at which a process comes by a place before it dies there.
const TIMES_MAX: u64 = 4;

/// What a process says before it dies, with the name of the place.
pub const REACHED: &str = "reached ";

/// A place at which a process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aim {
    /// The place.
    #[serde(with = "by_name")]
    pub point: Point,
    /// When it comes there for the n-th time; from 1 on.
    pub times: u64,
}

/// How a process comes to a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// What it does.
    pub phase: Phase,
    /// From when on it counts how often it was there.
    pub from: From,
    /// Where the process before it has to die, if anywhere.
    pub after: Option<Point>,
    /// What else has to be so.
    pub needs: Needs,
}

/// What a process needs to come to a place, beside a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// That there is no database yet.
    Nobody,
    /// That the log has a torn end.
    TornLog,
    /// That rows were removed behind the database's back.
    Damage,
    /// That the process before it has made copies.
    Copies,
    /// That much is loaded.
    MuchLoaded,
}

impl Way {
    /// How a process comes to a place.
    #[must_use]
    pub fn to(point: Point) -> Way {
        let (phase, needs) = match point {
            Point::DirectoryMade | Point::MarkerBegun | Point::MarkerWritten | Point::MarkerNamed => {
                return Way::at_opening(None, Needs::Nobody);
            }
            Point::FeatureNoted => return Way::at_opening(None, Needs::Nobody),
            Point::LogAudited | Point::LogReplayed => return Way::at_opening(None, Needs::Nothing),
            Point::BlankLogMade | Point::LogCut => return Way::at_opening(None, Needs::TornLog),
            Point::LeftFileRemoved => return Way::at_opening(Some(Point::LoadFilesWritten), Needs::Nothing),
            Point::OrphansFound => return Way::at_opening(Some(Point::OrphanClaimed), Needs::Nothing),
            Point::ReplicaDrawn => return Way::at_opening(None, Needs::Copies),
            Point::RepairBatchDone | Point::CountMissed | Point::IndexBegunAnew => {
                return Way::at_opening(None, Needs::Damage);
            }
            Point::TextPagesRemoved => {
                let after = Some(Point::TextPagesWritten);
                return Way { after, ..Way::at_opening(None, Needs::Nothing) };
            }
            Point::BatchWritten | Point::LogSynced | Point::CommitsPublished | Point::DictionaryGrown => {
                (Phase::Write, Needs::Nothing)
            }
            Point::LastLogSynced | Point::CeilingSettled | Point::MemoryFlushed => (Phase::Close, Needs::Nothing),
            Point::NumberGiven | Point::NameDropped => (Phase::Churn, Needs::Nothing),
            Point::OrphansLeft => (Phase::Rule, Needs::Nothing),
            Point::OrphanClaimed | Point::OrphanDiscarded | Point::IndexDropped => (Phase::Build, Needs::Nothing),
            Point::IndexDeclared | Point::IndexBatchFilled | Point::IndexFilled => (Phase::Build, Needs::Nothing),
            Point::ReplacementDeclared | Point::IndexCompleted => (Phase::Replace, Needs::Nothing),
            Point::TextPagesWritten | Point::TextFolded | Point::TextMerged => (Phase::Compact, Needs::Nothing),
            Point::GraphBegun | Point::GraphBlocksWritten | Point::GraphCompleted => (Phase::Graph, Needs::Nothing),
            Point::GraphMarksRemoved | Point::GraphStepKept => (Phase::Graph, Needs::Nothing),
            Point::TextsEmbedded => (Phase::Embed, Needs::Nothing),
            Point::LoadBegun | Point::LoadFilesWritten | Point::LoadFilesTaken => (Phase::Load, Needs::Nothing),
            Point::LoadedUnseen | Point::LoadPublished | Point::KeysUnseen => (Phase::Load, Needs::Nothing),
            Point::RunSorted => (Phase::Load, Needs::MuchLoaded),
            Point::ChunkStored | Point::ObjectUnseen => (Phase::Store, Needs::Nothing),
            Point::SchemaDeclared | Point::SchemaChecked | Point::SchemaRefused => (Phase::Rule, Needs::Nothing),
            Point::MigrationBegun | Point::MigrationBatchDone => (Phase::Migrate, Needs::Nothing),
            // After a crash commits are ahead of the clock by which a history becomes old.
            Point::FloorsCommitted => (Phase::Expire, Needs::Nobody),
            Point::RetentionTimeKept | Point::ValuesRemoved | Point::DocumentsRemoved => {
                (Phase::Expire, Needs::Nothing)
            }
            Point::BackupsBegun | Point::BackupGoesOn | Point::BackupCompleted | Point::BackupForgotten => {
                (Phase::Backup, Needs::Nothing)
            }
            Point::RestoreBegun | Point::FilesRestored | Point::CopyNoted => (Phase::Restore, Needs::Nothing),
            Point::CheckpointMade => (Phase::Checkpoint, Needs::Nothing),
            Point::RowsSalvaged | Point::IndexesMissing => (Phase::Salvage, Needs::Nothing),
        };
        Way { phase, from: From::Phase, after: None, needs }
    }

    fn at_opening(after: Option<Point>, needs: Needs) -> Way {
        Way { phase: Phase::Write, from: From::Start, after, needs }
    }

    /// How often a process may come by a place, so that it dies there sometimes at the first and sometimes at a later time.
    #[must_use]
    pub fn times_max(&self) -> u64 {
        match self.from {
            From::Start => 1,
            From::Phase => TIMES_MAX,
        }
    }
}

/// Whether it counts already how often this process was at a place.
static COUNTS: AtomicBool = AtomicBool::new(false);
static TIMES: AtomicU64 = AtomicU64::new(0);

/// Has this process die at a place, once it [counts](begin).
pub fn take(aim: Aim) {
    fault::on_reach(move |point| {
        let is_there = point == aim.point && COUNTS.load(Ordering::Relaxed);
        if is_there && TIMES.fetch_add(1, Ordering::Relaxed) + 1 == aim.times {
            say(&format!("{REACHED}{}", point.name()));
            die();
        }
    });
}

/// From now on it counts how often this process is at a place.
pub fn begin() {
    COUNTS.store(true, Ordering::Relaxed);
}

/// Ends the process as somebody else would, without a word to anybody in it.
fn die() {
    #[cfg(unix)]
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    std::process::abort()
}

/// Places by their names: they are for people, too.
mod by_name {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::{Finding, Point};

    pub(super) fn serialize<S: Serializer>(point: &Point, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(point.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Point, D::Error> {
        let name = String::deserialize(deserializer)?;
        let point = Point::ALL.iter().find(|point| point.name() == name).copied();
        point.ok_or_else(|| D::Error::custom(Finding::new(format!("there is no place {name:?}"))))
    }
}
