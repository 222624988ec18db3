//! Blaze's record beside other formats: sizes over whole corpora, times over samples of them.

use std::fmt::Write;
use std::hint::black_box;
use std::path::Path as FilePath;

use blaze_core::Path;

use super::{Codec, Sample};
use crate::Result;
use crate::dataset::corpus::Corpus;
use crate::measure::{Rounds, measure};

/// Documents that are timed, evenly spaced in the corpus; sizes are those of all documents.
const TIMED: usize = 4_000;

const LEGEND: &str = "\
Medians of interleaved rounds; in brackets slowest minus fastest in % of the median.
Size: all bytes of all documents by all bytes of compact JSON. Times: nanoseconds per document,
encode into a buffer that is reused, decode (and drop) to serde_json::Value, for Blaze to Document.
Blaze verifies its checksum in every decode and read, and keeps a version and the order of keys.
read: Blaze RawDocument::get, BSON its raw document, the others decode everything and look it up.
bincode 2 is not self-describing: it encodes an enum that mirrors JSON, tag by tag.";

/// What was measured of one format.
#[derive(Default)]
struct Row {
    bytes: usize,
    encode: Rounds,
    decode: Rounds,
    read: Rounds,
}

/// Measures all formats on all corpora that are there, in so many interleaved rounds, and returns the tables in Markdown.
///
/// # Errors
/// Those of reading a corpus, and of a format.
pub fn compare(data: Option<&FilePath>, rounds: usize) -> Result<String> {
    let mut text = String::new();
    for corpus in Corpus::all(data) {
        match (corpus.missing(), corpus.path()) {
            (None, Some(path)) => text += &compare_on(&corpus, &path, rounds)?,
            (Some(why), _) => writeln!(text, "## {}: skipped, {why}\n", corpus.name())?,
            (None, None) => {}
        }
    }
    Ok(text + LEGEND)
}

fn compare_on(corpus: &Corpus, path: &Path, rounds: usize) -> Result<String> {
    let mut codecs = super::all();
    let mut count = 0;
    corpus.for_each(|line| {
        count += 1;
        let sample = Sample::parse(line)?;
        codecs.iter_mut().for_each(|codec| codec.prepare(&sample));
        Ok(())
    })?;
    let mut rows: Vec<Row> = codecs.iter().map(|_| Row::default()).collect();
    let samples = measure_sizes(corpus, count, &codecs, &mut rows)?;
    for _ in 0..rounds {
        for (codec, row) in codecs.iter().zip(&mut rows) {
            measure_times(codec.as_ref(), &samples, path, row)?;
        }
    }
    table(&format!("{}: {count} documents", corpus.name()), path, count, &samples, &codecs, &rows)
}

/// Encodes every document once for its size and returns those to be timed.
fn measure_sizes(corpus: &Corpus, count: usize, codecs: &[Box<dyn Codec>], rows: &mut [Row]) -> Result<Vec<Sample>> {
    let (mut samples, mut position, mut bytes) = (Vec::new(), 0, Vec::new());
    let step = count.div_ceil(TIMED).max(1);
    corpus.for_each(|line| {
        let sample = Sample::parse(line)?;
        for (codec, row) in codecs.iter().zip(rows.iter_mut()) {
            bytes.clear();
            codec.encode(&sample, &mut bytes)?;
            row.bytes += bytes.len();
        }
        if position % step == 0 {
            samples.push(sample);
        }
        position += 1;
        Ok(())
    })?;
    Ok(samples)
}

fn measure_times(codec: &dyn Codec, samples: &[Sample], path: &Path, row: &mut Row) -> Result<()> {
    let mut buffer = Vec::new();
    let (duration, encoded) = measure(|| {
        samples.iter().try_for_each(|sample| {
            buffer.clear();
            codec.encode(black_box(sample), &mut buffer)?;
            black_box(&buffer);
            Result::Ok(())
        })
    });
    encoded?;
    row.encode.add(duration, samples.len());

    let mut records = Vec::with_capacity(samples.len());
    for sample in samples {
        let mut bytes = Vec::new();
        codec.encode(sample, &mut bytes)?;
        records.push(bytes);
    }
    let (duration, decoded) = measure(|| {
        records.iter().try_for_each(|record| {
            black_box(codec.decode(black_box(record))?);
            Result::Ok(())
        })
    });
    decoded?;
    row.decode.add(duration, samples.len());

    let (duration, read) = measure(|| {
        records.iter().try_for_each(|record| {
            black_box(codec.read(black_box(record), path)?);
            Result::Ok(())
        })
    });
    read?;
    row.read.add(duration, samples.len());
    Ok(())
}

fn table(
    title: &str,
    path: &Path,
    count: usize,
    samples: &[Sample],
    codecs: &[Box<dyn Codec>],
    rows: &[Row],
) -> Result<String> {
    let json = codecs.iter().position(|codec| codec.name() == "JSON").map_or(0, |json| rows[json].bytes);
    let mean = json / count.max(1);
    let mut text = String::new();
    writeln!(text, "## {title} of {mean} bytes of JSON, {} timed, reading {path}\n", samples.len())?;
    writeln!(text, "| format | size | encode ns | decode ns | read ns |")?;
    writeln!(text, "|---|---|---|---|---|")?;
    for (codec, row) in codecs.iter().zip(rows) {
        let ratio = row.bytes as f64 / json as f64;
        let (encode, decode, read) = (&row.encode, &row.decode, &row.read);
        writeln!(text, "| {:<12} | {ratio:.4} | {encode:>12} | {decode:>13} | {read:>13} |", codec.name())?;
        if let Some(envelope) = codec.envelope_bytes() {
            let ratio = (row.bytes - envelope * count) as f64 / json as f64;
            writeln!(text, "| without its envelope of {envelope} bytes | {ratio:.4} | | | |")?;
        }
    }
    writeln!(text)?;
    Ok(text)
}
