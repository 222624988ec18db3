//! The corpus: loading it, and what one asks of it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::Duration;

use blaze::{Analyzer, Database, DocumentId, Index, Metric, Search, desc, field};

use crate::Outcome;
use crate::corpus::{Corpus, Package};
use crate::similar_text::{Counter, DIMENSIONS};
use crate::sources::SourceText;
use crate::stopwatch::timed;
use crate::table::{Table, shortened};
use crate::terminal::{Screen, counted, duration, grouped, size};

/// Documents in one commit of the load: small enough for a lively progress bar.
const BATCH_ROWS: usize = 200;

/// The piece of code that the tour looks for.
pub(crate) const CODE: &str = "\
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = 0xFFFF_FFFF;
    for &byte in bytes {
        crc = TABLE[((crc ^ byte as u32) & 0xFF) as usize] ^ (crc >> 8);
    }
    !crc
}";

/// Says what was found and what was left out.
pub(crate) fn introduce(screen: &Screen, corpus: &Corpus, elapsed: Duration) {
    let sources = &corpus.sources;
    screen.say(&format!(
        "{}, {} with {}, checksum {:016x}.",
        counted(corpus.packages.len() as u64, "package"),
        counted(sources.files.len() as u64, "source file"),
        size(sources.bytes),
        sources.checksum,
    ));
    let left_out = &sources.left_out;
    screen.say(&format!(
        "Left out: {} that are not source code, {} over 256 KiB, {} that are not UTF-8 text, and Blaze's own files, \
         which change from run to run.",
        counted(left_out.not_source, "file"),
        grouped(left_out.too_large),
        grouped(left_out.not_text),
    ));
    if let Some(share) = left_out.share_bytes {
        screen.say(&format!(
            "To stay near 60 MB, no package gets more than {}: {} of {} beyond that are left out too, with {}.",
            size(share),
            counted(left_out.beyond_share, "file"),
            counted(left_out.beyond_share_packages, "package"),
            size(left_out.beyond_share_bytes),
        ));
    }
    screen.say(&format!("Found and read in {}.", duration(elapsed)));
}

/// Loads packages and files, builds the indexes, and returns how long the files took.
pub(crate) fn load(screen: &mut Screen, db: &Database, corpus: &Corpus) -> Outcome<Duration> {
    let packages = db.collection::<Package>("packages")?;
    packages.ensure_index(Index::on("licence").then("keywords"))?;
    packages.ensure_index(Index::on("dependencies"))?;
    packages.bulk().insert_with_ids(corpus.packages.iter().map(|package| (package.id(), package.clone())))?;

    let files = db.collection::<SourceText>("files")?;
    let sources = &corpus.sources;
    // Bytes in the first n files, for the rate.
    let bytes: Vec<u64> = std::iter::once(0)
        .chain(sources.files.iter().scan(0, |sum, file| {
            *sum += file.bytes;
            Some(*sum)
        }))
        .collect();
    let (total, all_bytes) = (sources.files.len() as u64, sources.bytes);
    let mut progress = screen.progress("files", total);
    let failure = RefCell::new(None);
    thread::scope(|scope| -> Outcome<()> {
        let documents = sources.documents(&corpus.packages, scope);
        // A file that cannot be read ends the load.
        let documents = documents.map_while(|document| document.map_err(|error| failure.replace(Some(error))).ok());
        let documents = documents
            .zip(&sources.files)
            .map(|(document, file)| (format!("{}/{}", corpus.packages[file.package].id(), file.path), document));
        let bulk = files.bulk().batch_rows(BATCH_ROWS).progress(|done| {
            progress.advance(done, bytes.get(done as usize).copied().unwrap_or(all_bytes));
        });
        bulk.insert_with_ids(documents)?;
        Ok(())
    })?;
    if let Some(error) = failure.into_inner() {
        return Err(error);
    }
    let elapsed = progress.finish(all_bytes);

    let (result, indexing) = timed(|| -> Outcome<()> {
        files.ensure_index(Index::on("package").then_desc("lines"))?;
        files.ensure_index(Index::vector("similar_text", DIMENSIONS).metric(Metric::Cosine))?;
        Ok(())
    });
    result?;
    screen
        .say(&format!("Then built two indexes over them, by package and by similar text, in {}.", duration(indexing)));
    let words = Index::text(["text", "path"]).analyzer(Analyzer::standard().split_identifiers());
    let (result, indexing) = timed(|| files.ensure_index(words));
    result?;
    screen.say(&format!("And one of the words in them, with names split into words, in {}.", duration(indexing)));
    let loaded = (packages.count()?, files.count()?);
    screen.check(
        loaded == (corpus.packages.len() as u64, sources.files.len() as u64),
        &format!("The database holds {} packages and {} files: all of them.", grouped(loaded.0), grouped(loaded.1)),
    );
    Ok(elapsed)
}

/// Which packages have a licence and a keyword?
pub(crate) fn by_licence_and_keyword(screen: &mut Screen, db: &Database, corpus: &Corpus) -> Outcome<()> {
    // The pair that occurs most often, so that every Cargo.lock has an answer.
    let mut pairs: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for package in &corpus.packages {
        for keyword in &package.keywords {
            *pairs.entry((&package.licence, keyword)).or_default() += 1;
        }
    }
    let most = pairs.into_iter().max_by_key(|&((licence, _), count)| (count, std::cmp::Reverse(licence.len())));
    let Some(((licence, keyword), _)) = most else {
        return Ok(());
    };
    screen.ask(
        &format!("Which packages under {licence} have the keyword {keyword:?}?"),
        &format!(
            "packages.find(\n    \
             field(\"licence\").eq({licence:?}).and(field(\"keywords\").contains({keyword:?}))\n).run()?"
        ),
    );
    let packages = db.collection::<Package>("packages")?;
    let query = packages.find(field("licence").eq(licence).and(field("keywords").contains(keyword)));
    let (found, elapsed) = timed(|| query.run());
    let (found, plan) = (found?, query.explain()?);
    screen.plan(&plan);
    let mut table = Table::new(["package", "#files", "description"]);
    for package in found.iter().take(8) {
        table.row([package.id.to_string(), grouped(package.files), package.description.clone()]);
    }
    screen.table(&table);
    and_more(screen, found.len(), 8);
    screen.time(elapsed);

    let expected: BTreeSet<String> = corpus
        .packages
        .iter()
        .filter(|package| package.licence == licence && package.keywords.iter().any(|word| word == keyword))
        .map(Package::id)
        .collect();
    let found: BTreeSet<String> = found.iter().map(|found| found.id.to_string()).collect();
    screen.check(found == expected, "The same packages as a plain loop over all of them finds.");
    screen.check(plan.index().is_some(), "It took an index and did not read the collection.");
    Ok(())
}

/// What does a package depend on, and what depends on it? Returns the id of that package.
pub(crate) fn dependencies(screen: &mut Screen, db: &Database, corpus: &Corpus) -> Outcome<DocumentId> {
    let dependents = |id: &String| -> BTreeSet<String> {
        corpus.packages.iter().filter(|package| package.dependencies.contains(id)).map(Package::id).collect()
    };
    // A package with much to tell in both directions.
    let chosen =
        corpus.packages.iter().max_by_key(|package| package.dependencies.len() * dependents(&package.id()).len());
    let chosen = chosen.map(Package::id).ok_or("there is no package")?;
    let packages = db.collection::<Package>("packages")?;

    screen.ask(
        &format!("What does {chosen} depend on?"),
        &format!("packages.get_many(packages.get({chosen:?})?.dependencies)?"),
    );
    let (needed, elapsed) = timed(|| -> Outcome<_> {
        let package = packages.get(chosen.as_str())?.ok_or("the package is gone")?;
        Ok(packages.get_many(package.dependencies.iter().map(|id| DocumentId::from(id.as_str())))?)
    });
    let needed = needed?;
    screen.labelled("plan", "two reads by id: the package, then all that it names");
    screen.table(&package_table(needed.iter().flatten().map(|found| &found.value)));
    screen.time(elapsed);
    screen.check(needed.iter().all(Option::is_some), "Every package that it names is there.");

    screen.ask(
        &format!("What depends on {chosen}?"),
        &format!("packages.find(field(\"dependencies\").contains({chosen:?})).run()?"),
    );
    let query = packages.find(field("dependencies").contains(chosen.as_str()));
    let (found, elapsed) = timed(|| query.run());
    let (found, plan) = (found?, query.explain()?);
    screen.plan(&plan);
    screen.table(&package_table(found.iter().take(8).map(|found| &found.value)));
    and_more(screen, found.len(), 8);
    screen.time(elapsed);
    let found: BTreeSet<String> = found.iter().map(|found| found.id.to_string()).collect();
    screen.check(found == dependents(&chosen), "The same packages as a plain loop over all of them finds.");
    Ok(chosen.into())
}

fn package_table<'a>(packages: impl Iterator<Item = &'a Package>) -> Table {
    let mut table = Table::new(["package", "#needs", "licence", "description"]);
    for package in packages {
        table.row([
            package.id(),
            package.dependencies.len().to_string(),
            package.licence.clone(),
            package.description.clone(),
        ]);
    }
    table
}

/// Which files are the longest of a package?
pub(crate) fn longest_files(screen: &mut Screen, db: &Database, package: &str) -> Outcome<()> {
    screen.ask(
        &format!("Which are the longest files of {package}?"),
        &format!("files.find(field(\"package\").eq({package:?})).sort(desc(\"lines\")).limit(5).run()?"),
    );
    let files = db.collection::<SourceText>("files")?;
    let query = files.find(field("package").eq(package)).sort(desc("lines")).limit(5);
    let (found, elapsed) = timed(|| query.run());
    let found = found?;
    screen.plan(&query.explain()?);
    let mut table = Table::new(["file", "#lines", "#bytes"]);
    for file in &found {
        table.row([file.path.clone(), grouped(file.lines), grouped(file.text.len() as u64)]);
    }
    screen.table(&table);
    screen.time(elapsed);
    screen.check(found.is_sorted_by(|left, right| left.lines >= right.lines), "They come in order, longest first.");
    Ok(())
}

/// Which files are most similar to a piece of code? Returns the package of the best one.
pub(crate) fn similar_files(screen: &mut Screen, db: &Database, corpus: &Corpus) -> Outcome<Option<String>> {
    screen.ask(
        "Which files are most similar to this piece of code?",
        "files.search().nearest(\"similar_text\", &code).limit(5).run()?",
    );
    screen.labelled("code", CODE);
    let files = db.collection::<SourceText>("files")?;
    let code = corpus.sources.similar.vector(CODE, &mut Counter::new());
    let everywhere = files.search().nearest("similar_text", &code).limit(5);
    answer_search(screen, &everywhere)?;
    // The best file's package, so that the filter has something to find.
    let Some(best) = everywhere.run()?.into_iter().next() else {
        return Ok(None);
    };
    let package = best.package.clone();

    screen.ask(
        &format!("And which files of {package} alone?"),
        &format!(
            "files.search().nearest(\"similar_text\", &code)\n    .filter(field(\"package\").eq({package:?})).limit(5).run()?"
        ),
    );
    let within = files.search().nearest("similar_text", &code).filter(field("package").eq(package.as_str())).limit(5);
    answer_search(screen, &within)?;
    let found = within.run()?;
    let expected = files.find(field("package").eq(package.as_str())).count()?.min(5);
    screen.check(
        found.len() as u64 == expected && found.iter().all(|hit| hit.package == package),
        &format!("All {} are files of {package}, nearest first.", found.len()),
    );
    Ok(Some(package))
}

fn answer_search(screen: &Screen, search: &Search<SourceText>) -> Outcome<()> {
    let (found, elapsed) = timed(|| search.run());
    screen.plan(&search.explain()?);
    let mut table = Table::new(["package", "file", "#lines", "#distance"]);
    for hit in &found? {
        table.row([hit.package.clone(), shortened(&hit.path, 60), grouped(hit.lines), format!("{:.3}", hit.distance)]);
    }
    screen.table(&table);
    screen.time(elapsed);
    Ok(())
}

pub(crate) fn and_more(screen: &Screen, rows: usize, shown: usize) {
    if rows > shown {
        screen.labelled("", &format!("and {} more", rows - shown));
    }
}
