//! One trial: a copy of a specimen with one damage in one file, and what whoever reads it is answered.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use blaze::{Backups, Database, Error, ErrorKind};

use super::damage::Damage;
use super::kind;
use super::specimen::{Place, Specimen, builder};
use crate::model::Lane;
use crate::places::remove;
use crate::promises::Bounds;
use crate::random::Random;
use crate::{Finding, Result, auditor, image};

/// How the system says, after the name of a file, that it is not there.
const MISSING: &str = "No such file";

/// What came of a damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// The database, or the directory of backups, was not opened.
    Opening,
    /// A backup was said to be damaged, or was not restored.
    Copying,
    /// Some read failed.
    Reading,
    /// Verification named it.
    Verification,
    /// The last commits of the log are gone, of which nothing behind them says that they were synced.
    Tail,
    /// The manifest of a database that was not closed has lost its end, and nothing else knows of that.
    Unguarded,
    /// Everything is answered as before.
    Nothing,
    /// It was answered wrongly, or otherwise than it may be.
    Wrong,
}

impl Outcome {
    /// Each of them.
    pub const ALL: [Outcome; 8] = [
        Outcome::Opening,
        Outcome::Copying,
        Outcome::Reading,
        Outcome::Verification,
        Outcome::Tail,
        Outcome::Unguarded,
        Outcome::Nothing,
        Outcome::Wrong,
    ];

    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Opening => "opening",
            Outcome::Copying => "copying",
            Outcome::Reading => "reading",
            Outcome::Verification => "verifying",
            Outcome::Tail => "tail",
            Outcome::Unguarded => "unguarded",
            Outcome::Nothing => "no-effect",
            Outcome::Wrong => "WRONG",
        }
    }
}

/// A file that is damaged.
#[derive(Clone, Debug)]
pub struct Trial {
    place: Place,
    /// Its kind.
    pub kind: String,
    /// Its path within the place.
    file: PathBuf,
    damage: Damage,
    read_only: bool,
}

impl std::fmt::Display for Trial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Trial { file, damage, .. } = self;
        write!(f, "{} {}: {damage}", self.place.name(), file.display())?;
        if self.read_only { f.write_str(", read-only") } else { Ok(()) }
    }
}

impl Trial {
    /// Some damage for a specimen: each kind of file as often as any other.
    ///
    /// # Errors
    /// Those of the system.
    pub fn choose(specimen: &Specimen, random: &Random) -> Result<Trial> {
        let place = match random.below(100) {
            0..60 => Place::Database,
            60..75 => Place::Checkpoint,
            _ => Place::Backups,
        };
        let root = specimen.path(place);
        let mut kinds: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
        for file in files(&root)? {
            kinds.entry(kind::of(&file)?).or_default().push(file);
        }
        let kinds: Vec<_> = kinds.into_iter().collect();
        let (kind, files) = random.pick(&kinds).ok_or_else(|| Finding::new("there are no files"))?;
        let file = random.pick(files).ok_or_else(|| Finding::new("there is no file"))?;
        let damage = Damage::choose(random, fs::metadata(file)?.len());
        let read_only = place != Place::Backups && random.percent(10);
        let file = file.strip_prefix(&root).unwrap_or(file).to_owned();
        let kind = match place {
            Place::Database => kind.clone(),
            Place::Checkpoint => format!("checkpoint: {kind}"),
            Place::Backups => format!("backups: {kind}"),
        };
        Ok(Trial { place, kind, file, damage, read_only })
    }

    /// Damages a copy below a directory and looks at it; answers what came of it, in a word and in more.
    ///
    /// # Errors
    /// Those of the system.
    pub fn run(&self, specimen: &Specimen, directory: &Path, random: &Random) -> Result<(Outcome, String)> {
        let copy = directory.join(self.place.name());
        image::keep(&specimen.path(self.place), &copy)?;
        self.damage.apply(&copy.join(&self.file))?;
        let (outcome, told) = match self.place {
            Place::Backups => self.look_at_backups(specimen, &copy, directory, random)?,
            Place::Checkpoint => self.look(specimen, &copy, &specimen.checkpoint(), random),
            Place::Database => self.look(specimen, &copy, &specimen.database(), random),
        };
        if outcome == Outcome::Wrong && specimen.is_killed && self.kind == "MANIFEST" {
            return Ok((Outcome::Unguarded, told));
        }
        if !matches!(outcome, Outcome::Nothing | Outcome::Wrong) && kind::is_for_nobody(&self.kind) {
            return Ok((Outcome::Wrong, format!("no answer may depend on it: {told}")));
        }
        Ok((outcome, told))
    }

    fn look(&self, specimen: &Specimen, path: &Path, exactly: &[Bounds], random: &Random) -> (Outcome, String) {
        let mut builder = builder();
        if self.read_only {
            builder = builder.read_only();
        }
        let db = match builder.open(path) {
            Ok(db) => db,
            Err(error) => return self.refused(Outcome::Opening, &error),
        };
        let may_be_earlier = self.kind == "log";
        let looked = if may_be_earlier {
            look_at_prefix(&db, specimen, self.damage, random)
        } else {
            look_at(&db, specimen, exactly, random).map(|_| 0)
        };
        let verified = db.verify();
        let closed = db.close();
        match (looked, verified, closed) {
            (Err(finding), Ok(report), _) if !is_told(&finding) => {
                (Outcome::Wrong, format!("{finding} (verification: {} problems)", report.problem_count))
            }
            (Err(finding), _, _) if is_told(&finding) => (Outcome::Reading, finding.to_string()),
            (Err(finding), ..) => (Outcome::Wrong, finding.to_string()),
            (_, Err(error), _) => (Outcome::Wrong, format!("verification answered {:?}: {error}", error.kind())),
            (_, Ok(report), _) if !report.is_healthy() => {
                (Outcome::Verification, report.problems.first().map(ToString::to_string).unwrap_or_default())
            }
            (_, _, Err(error)) => self.refused(Outcome::Reading, &error),
            (Ok(0), ..) => (Outcome::Nothing, String::new()),
            (Ok(lost), ..) => (Outcome::Tail, format!("{lost} commits")),
        }
    }

    fn look_at_backups(
        &self,
        specimen: &Specimen,
        copy: &Path,
        directory: &Path,
        random: &Random,
    ) -> Result<(Outcome, String)> {
        let backups = match Backups::open(copy) {
            Ok(backups) => backups,
            Err(error) => return Ok(self.refused(Outcome::Opening, &error)),
        };
        let listed = match backups.list() {
            Ok(listed) => listed,
            Err(error) => return Ok(self.refused(Outcome::Opening, &error)),
        };
        let mut all = (Outcome::Nothing, String::new());
        for (id, exactly) in specimen.backups() {
            let known = listed.iter().find(|known| known.id == id);
            let verified = backups.verify(id);
            let to = directory.join("restored");
            remove(&to)?;
            let restored = backups.restore(id, &to);
            let of_one = match (known.map(|known| &known.damage), &verified, &restored) {
                (None, ..) if self.damage == Damage::Gone => (Outcome::Copying, format!("backup {id} is not listed")),
                (None, ..) => (Outcome::Wrong, format!("backup {id} is not listed")),
                (Some(Some(damage)), ..) => (Outcome::Copying, damage.clone()),
                (_, Err(error), _) | (_, _, Err(error)) => self.refused(Outcome::Copying, error),
                _ => self.look(specimen, &to, &exactly, random),
            };
            // Whatever was said of it: what was restored is right, or says what it lacks.
            let of_one = match (of_one.0, &restored) {
                (Outcome::Copying, Ok(())) => match self.look(specimen, &to, &exactly, random) {
                    (Outcome::Wrong, told) => (Outcome::Wrong, told),
                    _ => of_one,
                },
                _ => of_one,
            };
            if of_one.0 == Outcome::Wrong || all.0 == Outcome::Nothing {
                all = of_one;
            }
            if all.0 == Outcome::Wrong {
                break;
            }
        }
        Ok(all)
    }

    /// An error is told as it has to be if it says that stored bytes are wrong, or that a file is not there.
    fn refused(&self, when: Outcome, error: &Error) -> (Outcome, String) {
        let is_marker = self.file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("BLAZE"));
        let is_told = match error.kind() {
            ErrorKind::Corruption => true,
            // What says that a directory is a database may be so damaged that it says something else.
            ErrorKind::Invalid | ErrorKind::NotFound => is_marker || self.damage == Damage::Gone,
            // A file that is gone, or that something damaged names, is named.
            ErrorKind::Unavailable => error.to_string().contains(MISSING),
            // A copy is made a database of its own by a commit, which a compaction that met damage may keep from being written.
            ErrorKind::CommitOutcomeUnknown(_) => source(error).contains("Corruption"),
            _ => false,
        };
        (if is_told { when } else { Outcome::Wrong }, format!("{:?}: {error} {}", error.kind(), source(error)))
    }
}

/// What an error was made of, if it was made of another.
fn source(error: &Error) -> String {
    std::error::Error::source(error).map(ToString::to_string).unwrap_or_default()
}

/// True if a finding is that the database has told of damage.
fn is_told(finding: &Finding) -> bool {
    let is_missing = finding.0.contains("the database answered Unavailable") && finding.0.contains(MISSING);
    finding.0.contains("the database answered Corruption") || is_missing
}

fn look_at(db: &Database, specimen: &Specimen, bounds: &[Bounds], random: &Random) -> Result<Vec<Lane>> {
    let lanes = auditor::audit_lanes(db, specimen.seed, bounds, random)?;
    let load = Bounds { acknowledged: 1, asked: 1, durable: 1 };
    auditor::others::check_loaded(db, Some(load), specimen.load_documents, random)?;
    auditor::indexes::check(db, &lanes, random)?;
    Ok(lanes)
}

fn look_at_prefix(db: &Database, specimen: &Specimen, damage: Damage, random: &Random) -> Result<usize> {
    let lanes = look_at(db, specimen, &specimen.earlier(), random)?;
    specimen.check_prefix(&lanes, damage.is_small())
}

fn files(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => found.extend(files(&entry.path())?),
            false => found.push(entry.path()),
        }
    }
    found.sort();
    Ok(found)
}
