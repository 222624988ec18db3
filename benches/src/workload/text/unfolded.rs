//! Searching while a tenth of the texts is not worked into the index.

use super::question::{Question, Shape};
use super::search::{Asked, ask, geometric_mean};
use super::{Run, TextSource};
use crate::Result;
use crate::engine::{TextItems, TextSkill, Texts};
use crate::measure::{Measurement, Target, Unit};

pub(super) const DESCRIPTION: &str = "Nine tenths of the texts are loaded and merged, the others are inserted in one \
    transaction while nothing is folded. All questions are asked and their answers checked; then everything is folded and merged, \
    and they are asked once more.";

/// How many times as long a search may take.
const TIMES: f64 = 2.0;

pub(super) fn run(run: &Run<'_>, source: &TextSource) -> Result<()> {
    let index = run.engine.open_texts(&run.context.options())?;
    if index.lacks(TextSkill::Unfolded) {
        return Ok(());
    }
    let texts = run.texts(source)?;
    let questions = source.questions(&texts)?;
    let items = TextItems { texts: &texts, vectors: None };
    let loaded = texts.rows() as u64 - texts.rows() as u64 / 10;
    run.load(&*index, items, loaded)?;
    index.merge()?;
    let mut phase = run.phase("insert a tenth", 0)?;
    index.insert(items, loaded)?;
    phase.advance(texts.rows() as u64 - loaded)?;
    run.measured(phase.rate())?;
    let inserted = texts.rows() as u64 - loaded;
    tell_unfolded(run, &*index, inserted, "before the questions")?;
    let unfolded = ask(run, &*index, &texts, &questions)?;
    tell_unfolded(run, &*index, inserted, "after them")?;
    index.merge()?;
    let folded = ask(run, &*index, &texts, &questions)?;
    compare(run, &questions, &unfolded, &folded)
}

/// Says how many of the texts that were inserted are not folded: else nobody knows what was measured.
fn tell_unfolded(run: &Run<'_>, index: &dyn Texts, inserted: u64, when: &str) -> Result<()> {
    let Some(unfolded) = index.unfolded()? else { return Ok(()) };
    let share = unfolded as f64 / inserted.max(1) as f64;
    run.measured(Measurement::new(format!("of the tenth, unfolded {when}"), Unit::Share, share))
}

fn compare(run: &Run<'_>, questions: &[Question], unfolded: &Asked, folded: &Asked) -> Result<()> {
    for shape in Shape::ALL {
        let of = |asked: &Asked| geometric_mean(&asked.of(questions, |class| class.shape == shape));
        let (before, after) = (of(unfolded), of(folded));
        let name = shape.name();
        run.measured(Measurement::new(format!("{name}, a tenth unfolded"), Unit::Seconds, before))?;
        run.measured(Measurement::new(format!("{name}, all folded"), Unit::Seconds, after))?;
        let ratio = Measurement::new(format!("{name}, unfolded by folded"), Unit::Ratio, before / after);
        run.measured(ratio.target(Target::Figure(TIMES)))?;
    }
    Ok(())
}
