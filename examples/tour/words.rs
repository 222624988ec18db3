//! Code search: by words, by words and similarity, and what is offered while somebody types.

use blaze::{Database, Highlighter, TextSearch};

use crate::Outcome;
use crate::corpus::Corpus;
use crate::questions::{CODE, and_more};
use crate::similar_text::Counter;
use crate::sources::SourceText;
use crate::stopwatch::timed;
use crate::table::{Table, shortened};
use crate::terminal::{Screen, grouped};

/// What the tour looks for.
const WORDS: &str = "\"lookup table\" crc32 -benchmark";

/// Added to ranks by the default fusion.
const RANK_CONSTANT: f32 = 60.0;

/// Which files have some words?
pub(crate) fn by_words(screen: &mut Screen, db: &Database) -> Outcome<()> {
    screen.ask(
        &format!("Which files are about {WORDS}?"),
        &format!("files.search().text({WORDS:?}).highlight(\"text\").limit(5).run()?"),
    );
    let files = db.collection::<SourceText>("files")?;
    let marks = Highlighter::new().fragments(1).fragment_length(70).marks("[", "]").escape_html(false);
    let search = files.search().text(WORDS).highlight_with("text", marks).limit(5);
    let (found, elapsed) = timed(|| search.run());
    let found = found?;
    let plan = search.explain()?;
    screen.plan(&plan.explain);
    let mut table = Table::new(["package", "file", "#score", "found"]);
    for hit in &found {
        let snippets = hit.highlights.iter().flat_map(|highlight| &highlight.snippets);
        let snippet = snippets.map(|snippet| snippet.text.clone()).next().unwrap_or_default();
        table.row([hit.package.clone(), shortened(&hit.path, 36), format!("{:.2}", hit.score), snippet]);
    }
    screen.table(&table);
    screen.time(elapsed);
    let has_word = |text: &str| ["lookup", "crc"].iter().any(|word| text.to_lowercase().contains(word));
    let is_hit = |file: &SourceText| has_word(&file.text) || has_word(&file.path);
    screen.check(found.iter().all(|hit| is_hit(hit)), "Each of them has one of the words at least.");
    screen.check(found.is_sorted_by(|left, right| left.score >= right.score), "They come in order, the best first.");

    let (count, packages) = (search.count()?, search.facet("package", 10_000)?);
    let mut table = Table::new(["package", "#files"]);
    for (package, files) in packages.iter().take(5) {
        table.row([package.as_str().unwrap_or_default().to_owned(), grouped(*files)]);
    }
    screen.ask("And how many of which package?", &format!("files.search().text({WORDS:?}).facet(\"package\", 5)?"));
    screen.table(&table);
    and_more(screen, packages.len(), 5);
    let sum: u64 = packages.iter().map(|(_, files)| files).sum();
    screen.check(sum == count, &format!("Together these are the {} files that a count finds.", grouped(count)));
    Ok(())
}

/// Which files have some words, are similar to a piece of code, or both?
pub(crate) fn by_both(screen: &mut Screen, db: &Database, corpus: &Corpus) -> Outcome<()> {
    screen.ask(
        "Which are about these words or similar to the piece of code above, or best both?",
        &format!("files.search().text({WORDS:?}).nearest(\"similar_text\", &code).limit(5).run()?"),
    );
    let files = db.collection::<SourceText>("files")?;
    let code = corpus.sources.similar.vector(CODE, &mut Counter::new());
    let search = files.search().text(WORDS).nearest("similar_text", &code).limit(5);
    let (found, elapsed) = timed(|| search.run());
    let found = found?;
    screen.plan(&search.explain()?.explain);
    let mut table = Table::new(["package", "file", "#by words", "#by similarity", "#score"]);
    let place = |rank: Option<usize>| rank.map_or_else(|| "–".to_owned(), |rank| rank.to_string());
    for hit in &found {
        let (words, similarity) = (hit.by_text.map(|rank| rank.rank), hit.by_vector.map(|rank| rank.rank));
        let path = shortened(&hit.path, 48);
        table.row([hit.package.clone(), path, place(words), place(similarity), format!("{:.5}", hit.score)]);
    }
    screen.table(&table);
    screen.time(elapsed);
    let part = |rank: Option<usize>| rank.map_or(0.0, |rank| 1.0 / (RANK_CONSTANT + rank as f32));
    let is_sum = |score: f32, sum: f32| (score - sum).abs() < 1e-6;
    let sums = found.iter().all(|hit| {
        is_sum(hit.score, part(hit.by_text.map(|rank| rank.rank)) + part(hit.by_vector.map(|rank| rank.rank)))
    });
    screen.check(sums, "Each score is what its two places make by reciprocal ranks.");
    in_one_transaction(screen, db, &search)
}

/// The hits of a transaction that deletes the best one, and of others meanwhile.
fn in_one_transaction(screen: &mut Screen, db: &Database, search: &TextSearch<SourceText>) -> Outcome<()> {
    let Some(best) = search.ids()?.into_iter().next() else { return Ok(()) };
    let tx = db.begin()?;
    let files = tx.collection::<SourceText>("files")?;
    files.delete(&best.id)?;
    let within = files.search().text(WORDS).limit(100).ids()?;
    let outside = search.ids()?;
    tx.rollback();
    screen.check(
        within.iter().all(|hit| hit.id != best.id) && outside.iter().any(|hit| hit.id == best.id),
        "A transaction that deletes the best one finds it no more; everybody else does until it commits.",
    );
    Ok(())
}

/// What may be meant by what somebody has begun to type?
pub(crate) fn suggestions(screen: &mut Screen, db: &Database) -> Outcome<()> {
    screen.ask("What may `check` become?", "files.suggest(\"text\", \"check\").limit(6).run()?");
    let files = db.collection::<SourceText>("files")?;
    let (words, elapsed) = timed(|| files.suggest("text", "check").limit(6).run());
    let words = words?;
    let mut table = Table::new(["word", "#files"]);
    for word in &words {
        table.row([word.text.clone(), grouped(word.documents)]);
    }
    screen.table(&table);
    screen.time(elapsed);
    screen.check(
        words.is_sorted_by(|left, right| left.documents >= right.documents)
            && words.iter().all(|word| word.text.starts_with("check")),
        "They begin so, and come by how many files have them.",
    );
    Ok(())
}
