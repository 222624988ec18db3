//! The steps of a program's migrations.

use std::fmt;

use blaze_core::{Document, DocumentId, Error, Result};

type Change<'a> = Box<dyn Fn(&mut Document) -> Result<()> + 'a>;

/// The steps by which documents of older forms become those of the newest, numbered from the oldest on.
///
/// ```
/// use blaze::{Document, Migrations, Value};
///
/// let migrations = Migrations::new()
///     .step(1, "years are numbers", |person: &mut Document| {
///         if let Some(year) = person.get("born").and_then(Value::as_str).and_then(|year| year.parse::<i32>().ok()) {
///             person.insert("born", year);
///         }
///         Ok(())
///     })
///     .step(2, "no nicknames", |person| {
///         person.remove("nickname");
///         Ok(())
///     });
/// assert_eq!(migrations.version(), 2);
/// ```
#[derive(Default)]
#[must_use = "nothing is changed before the collection is migrated"]
pub struct Migrations<'a> {
    steps: Vec<Step<'a>>,
}

struct Step<'a> {
    number: u32,
    name: String,
    change: Change<'a>,
}

impl<'a> Migrations<'a> {
    /// No steps.
    pub fn new() -> Migrations<'a> {
        Migrations::default()
    }

    /// Adds a step, whose number must be one above that of the step before it. The first one may have any number from 1 on:
    /// what all collections have behind them need not be kept.
    ///
    /// The step may be called several times for a document, when another transaction gets in its way; what one of the calls
    /// makes of it is kept. So it must do nothing but change the document.
    pub fn step(
        mut self,
        number: u32,
        name: impl Into<String>,
        change: impl Fn(&mut Document) -> Result<()> + 'a,
    ) -> Migrations<'a> {
        self.steps.push(Step { number, name: name.into(), change: Box::new(change) });
        self
    }

    /// The number of the last step: the version of documents that have gone through all; 0 without a step.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.steps.last().map_or(0, |step| step.number)
    }

    pub(super) fn validate(&self) -> Result<()> {
        if let Some(Step { number: 0, name, .. }) = self.steps.first() {
            return Err(Error::invalid(format!("the migration step {name:?} has the number 0, at least 1 is needed")));
        }
        for pair in self.steps.windows(2) {
            if let [before, step] = pair
                && before.number.checked_add(1) != Some(step.number)
            {
                let (name, number, after) = (&step.name, step.number, before.number);
                return Err(Error::invalid(format!(
                    "the migration step {name:?} has the number {number} after {after}"
                )));
            }
        }
        Ok(())
    }

    /// Refuses a collection that these steps cannot bring to where they end.
    pub(super) fn check_reach(&self, version: u32, to: Option<u32>) -> Result<()> {
        let last = self.version();
        let newest = to.unwrap_or(version).max(version);
        if newest > last {
            let state = if to.is_some() { "is being migrated to" } else { "is at" };
            return Err(Error::invalid(format!(
                "it {state} version {newest}, and the program's migrations end at {last}: the program is older than the data"
            )));
        }
        match self.steps.first() {
            Some(first) if version + 1 < first.number => Err(Error::invalid(format!(
                "it is at version {version}, and the first of the program's migrations is step {}",
                first.number
            ))),
            _ => Ok(()),
        }
    }

    /// The document after the steps behind `version` up to `to`.
    pub(super) fn apply(&self, id: &DocumentId, document: &Document, version: u32, to: u32) -> Result<Document> {
        let mut document = document.clone();
        for Step { number, name, change } in self.steps.iter().filter(|step| version < step.number && step.number <= to)
        {
            change(&mut document).map_err(|error| error.context(format!("document {id:?}, step {number} {name:?}")))?;
        }
        Ok(document)
    }
}

impl fmt::Debug for Migrations<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.steps.iter().map(|step| (step.number, &step.name))).finish()
    }
}
