//! Compares Blaze's record with other formats: `cargo run --release -p blaze-bench --bin codec -- --data DIR`.

#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::hint::black_box;
use std::path::PathBuf;

use blaze_bench::Result;
use blaze_bench::codec::{self, Codec, Sample};
use blaze_bench::corpus::Corpus;
use blaze_bench::stopwatch::{Rounds, measure};

/// Documents that are timed, evenly spaced in the corpus; sizes are those of all documents.
const TIMED: usize = 4_000;

const USAGE: &str = "usage: codec [--data DIR] [--rounds N]";

struct Options {
    data: Option<PathBuf>,
    rounds: usize,
}

/// What was measured of one format.
#[derive(Default)]
struct Row {
    bytes: usize,
    encode: Rounds,
    decode: Rounds,
    read: Rounds,
}

fn main() -> Result<()> {
    let options = parse(std::env::args().skip(1))?;
    for corpus in Corpus::all(options.data.as_deref()) {
        match corpus.missing() {
            Some(reason) => println!("## {}: skipped, {reason}\n", corpus.name),
            None => run(&corpus, options.rounds)?,
        }
    }
    println!("Medians of {} interleaved rounds; in brackets slowest minus fastest in % of the median.", options.rounds);
    println!("Size: all bytes of all documents by all bytes of compact JSON. Times: nanoseconds per document,");
    println!("encode into a buffer that is reused, decode (and drop) to serde_json::Value, for Blaze to Document.");
    println!("Blaze verifies its checksum in every decode and read, and keeps a version and the order of keys.");
    println!("read: Blaze RawDocument::get, BSON its raw document, the others decode everything and look it up.");
    println!("bincode 2 is not self-describing: it encodes an enum that mirrors JSON, tag by tag.");
    Ok(())
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Options> {
    let mut options = Options { data: None, rounds: 7 };
    while let Some(argument) = arguments.next() {
        let value = arguments.next().ok_or(USAGE)?;
        match argument.as_str() {
            "--data" => options.data = Some(value.into()),
            "--rounds" => options.rounds = value.parse()?,
            _ => return Err(USAGE.into()),
        }
    }
    Ok(options)
}

fn run(corpus: &Corpus, rounds: usize) -> Result<()> {
    let mut codecs = codec::all();
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
            measure_times(codec.as_ref(), &samples, corpus, row)?;
        }
    }
    print(corpus, count, &samples, &codecs, &rows);
    Ok(())
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

fn measure_times(codec: &dyn Codec, samples: &[Sample], corpus: &Corpus, row: &mut Row) -> Result<()> {
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
            black_box(codec.read(black_box(record), &corpus.path)?);
            Result::Ok(())
        })
    });
    read?;
    row.read.add(duration, samples.len());
    Ok(())
}

fn print(corpus: &Corpus, count: usize, samples: &[Sample], codecs: &[Box<dyn Codec>], rows: &[Row]) {
    let json = codecs.iter().position(|codec| codec.name() == "JSON").map_or(0, |json| rows[json].bytes);
    let mean = json / count.max(1);
    println!(
        "## {}: {count} documents of {mean} bytes of JSON, {} timed, reading {}\n",
        corpus.name,
        samples.len(),
        corpus.path
    );
    println!("| format | size | encode ns | decode ns | read ns |");
    println!("|---|---|---|---|---|");
    for (codec, row) in codecs.iter().zip(rows) {
        let ratio = row.bytes as f64 / json as f64;
        println!("| {:<12} | {ratio:.4} | {:>12} | {:>13} | {:>13} |", codec.name(), row.encode, row.decode, row.read);
        if let Some(envelope) = codec.envelope_bytes() {
            let ratio = (row.bytes - envelope * count) as f64 / json as f64;
            println!("| without its envelope of {envelope} bytes | {ratio:.4} | | | |");
        }
    }
    println!();
}
