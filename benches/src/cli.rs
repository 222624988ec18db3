//! The command line that all runners share.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, SystemTime};

use blaze_core::Time;
use clap::{Args, Parser, Subcommand};

use crate::Result;
use crate::engine::{Engine, EngineOptions};
use crate::machine::{Machine, MemoryLimit};
use crate::measure::Laps;
use crate::report::{Comparison, EngineInfo, FORMAT, Report, Skipped, Summary};
use crate::run::{self, Interrupt, Plan, Profile, Runner};
use crate::workload::{TextSource, Workload};

/// Measures Blaze, alone or beside other engines, and reports what it found.
#[derive(Debug, Parser)]
#[command(name = "bench", disable_help_subcommand = true, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Action>,
    #[command(flatten)]
    options: RunOptions,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Everything that fits into ten minutes on two cores; what happens without a command.
    Quick(RunOptions),
    /// Everything, at the sizes that others publish. Takes hours.
    Full(RunOptions),
    /// The engine's own table: Blaze beside RocksDB under the same settings, and what it shall reach. Ten minutes.
    Engine {
        /// Rows that are loaded before anything is measured.
        #[arg(long, default_value_t = 2_000_000, value_parser = clap::value_parser!(u64).range(1000..=100_000_000))]
        rows: u64,
        #[command(flatten)]
        options: RunOptions,
    },
    /// The documents' own table: Blaze beside SQLite, with the same struct going in and coming out. Five minutes.
    Orders {
        /// Orders that are loaded before anything is measured.
        #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1000..=10_000_000))]
        orders: u64,
        #[command(flatten)]
        options: RunOptions,
    },
    /// The vectors' own table: Blaze beside libraries for the nearest vectors and beside brute force. Half a day; each part by
    /// itself, see --workloads, takes minutes.
    Vectors {
        /// Generated vectors, where there are most.
        #[arg(long = "rows", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1000..=100_000_000))]
        rows: u64,
        #[command(flatten)]
        options: RunOptions,
    },
    /// The texts' own table: Blaze beside tantivy and SQLite's FTS5. Half an hour a round.
    Text {
        /// Generated texts.
        #[arg(long = "rows", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1000..=100_000_000))]
        rows: u64,
        #[command(flatten)]
        options: RunOptions,
    },
    /// Compares two runs by their report.json, and says what has changed beyond the noise.
    Compare {
        /// The earlier run.
        before: PathBuf,
        /// The later run.
        after: PathBuf,
        /// Changes below so many percent do not count.
        #[arg(long, default_value_t = 5.0)]
        threshold: f64,
        /// Ends with a failure when something has become worse.
        #[arg(long)]
        fail: bool,
    },
    /// Compares the record format of Blaze with other formats: size, encoding, decoding, reading one field.
    Codec {
        /// Where the external data sets are.
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
        /// Interleaved rounds.
        #[arg(long, default_value_t = 7)]
        rounds: usize,
    },
    /// Makes the questions of the texts' own table anew, by the rule that has made them.
    Questions {
        /// Where the external data sets are.
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
        /// Where the files go.
        #[arg(long, value_name = "DIR", default_value = "benches/queries")]
        output: PathBuf,
    },
    /// Lists engines and workloads.
    List {
        /// Where the external data sets are.
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
    },
    #[command(name = run::WORKER, hide = true)]
    Worker,
}

#[derive(Debug, Args)]
struct RunOptions {
    /// Only these engines, separated by commas.
    #[arg(long, value_delimiter = ',')]
    engines: Vec<String>,
    /// Only workloads whose names contain one of these, separated by commas.
    #[arg(long, value_delimiter = ',')]
    workloads: Vec<String>,
    /// Interleaved rounds of every workload, in place of what the plan says.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,
    /// MiB of memory for each process, page cache included, where the data are to fit into it.
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(64..))]
    memory: Option<u64>,
    /// Where the external data sets are.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where the engines write; on the disk that is to be measured.
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    /// Where the report goes.
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    output: PathBuf,
    /// The seed of everything random.
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// The longest that one workload may take on one engine, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    limit: u64,
    /// Documents of your own, a JSON object on each line, to ask the questions of --query.
    #[arg(long, value_name = "FILE", requires = "query", conflicts_with_all = ["vectors", "workloads"])]
    jsonl: Option<PathBuf>,
    /// Questions, a JSON object on each line: {"where": [{"path": "year", "is": "ge", "value": 2015}], "sort": {"path":
    /// "title"}, "limit": 20}.
    #[arg(long, value_name = "FILE", requires = "jsonl")]
    query: Option<PathBuf>,
    /// Vectors of your own: .npy, .fvecs, .bvecs or idx.
    #[arg(long, value_name = "FILE", conflicts_with = "workloads")]
    vectors: Option<PathBuf>,
    /// Vectors to look for, in the same formats; some of --vectors are held back for it otherwise.
    #[arg(long, value_name = "FILE", requires = "vectors")]
    queries: Option<PathBuf>,
}

/// The whole program: reads the command line, measures `engines`, the first of which the others are compared with, and
/// says how it went.
#[must_use]
pub fn main(engines: &[&'static dyn Engine]) -> ExitCode {
    let cli = Cli::parse();
    let run = |profile, options| plan(profile, options).and_then(|plan| measure(engines, plan, options));
    let done = match cli.command {
        None => run(Profile::Quick, &cli.options),
        Some(Action::Quick(options)) => run(Profile::Quick, &options),
        Some(Action::Full(options)) => run(Profile::Full, &options),
        Some(Action::Engine { rows, options }) => {
            engine_plan(rows, &options).and_then(|plan| measure(engines, plan, &options))
        }
        Some(Action::Orders { orders, options }) => {
            orders_plan(orders, &options).and_then(|plan| measure(engines, plan, &options))
        }
        Some(Action::Vectors { rows, options }) => {
            vectors_plan(rows, &options).and_then(|plan| measure(engines, plan, &options))
        }
        Some(Action::Text { rows, options }) => {
            text_plan(rows, &options).and_then(|plan| measure(engines, plan, &options))
        }
        Some(Action::Compare { before, after, threshold, fail }) => compare(&before, &after, threshold, fail),
        Some(Action::Codec { data, rounds }) => crate::codec::compare(data.as_deref(), rounds).and_then(say),
        Some(Action::Questions { data, output }) => questions(data, &output),
        Some(Action::List { data }) => list(engines, data.as_deref()),
        Some(Action::Worker) => return run::serve(engines),
    };
    done.unwrap_or_else(|error| {
        let _ = writeln!(io::stderr(), "bench: {error}");
        ExitCode::FAILURE
    })
}

fn say(text: impl AsRef<str>) -> Result<ExitCode> {
    writeln!(io::stdout(), "{}", text.as_ref())?;
    Ok(ExitCode::SUCCESS)
}

fn list(engines: &[&'static dyn Engine], data: Option<&Path>) -> Result<ExitCode> {
    let mut text = String::from("engines:\n");
    for engine in engines {
        let version = engine.missing().unwrap_or_else(|| engine.version());
        text += &format!("  {} {version}, stores {:?}\n", engine.name(), engine.faculties());
    }
    for (profile, name) in [(Profile::Quick, "quick"), (Profile::Full, "full")] {
        let plan = Plan::of(profile, data, None, None);
        text += &format!("workloads of {name}, and their rounds:\n");
        for step in &plan.steps {
            text += &format!("  {} ({})\n", step.workload.name(), step.rounds);
        }
        for skipped in &plan.skipped {
            text += &format!("  {}: skipped, {}\n", skipped.what, skipped.why);
        }
    }
    say(text.trim_end())
}

fn questions(data: Option<PathBuf>, output: &Path) -> Result<ExitCode> {
    let mut text = String::new();
    for (name, source) in TextSource::with_files(data) {
        match source.missing() {
            Some(why) => text += &format!("{name}: skipped, {why}\n"),
            None => {
                let made = source.made_questions()?;
                std::fs::write(output.join(name), &made)?;
                text += &format!("{name}: {} questions\n", made.lines().count());
            }
        }
    }
    say(text.trim_end())
}

fn compare(before: &Path, after: &Path, threshold: f64, fail: bool) -> Result<ExitCode> {
    let read = |file: &Path| Report::read(file).map_err(|error| format!("{}: {error}", file.display()));
    let comparison = Comparison::of(&read(before)?, &read(after)?, threshold / 100.0);
    say(comparison.to_string())?;
    Ok(if fail && comparison.has_regressions() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn measure(engines: &[&'static dyn Engine], mut plan: Plan, options: &RunOptions) -> Result<ExitCode> {
    let mut engines = chosen(engines, &options.engines)?;
    engines.retain(|engine| plan.steps.iter().any(|step| engine.faculties().contains(&step.workload.faculty())));
    leave_out_missing(&mut engines, &options.engines, &mut plan)?;
    let directory = options.directory.as_ref().unwrap_or(&options.output);
    std::fs::create_dir_all(directory)?;
    let machine = Machine::of(directory)?;
    if machine.disk.is_memory {
        let why = format!("{} is memory ({})", directory.display(), machine.disk.filesystem);
        plan.leave_out(Workload::is_durable, &why);
    }
    let limit = MemoryLimit::of(1 << 30).map(drop);
    if let Err(error) = &limit {
        plan.leave_out(Workload::needs_little_memory, &format!("memory cannot be limited here ({error})"));
    }
    if plan.steps.is_empty() {
        let left_out = plan.skipped.iter().map(|skipped| format!("\n  {}: {}", skipped.what, skipped.why));
        let left_out = left_out.collect::<String>();
        return Err(format!("nothing is left to measure; `list` shows the workloads{left_out}").into());
    }
    let runner = Runner {
        directory: directory.clone(),
        seed: options.seed,
        limit: Duration::from_secs(options.limit),
        limits_memory: limit.is_ok(),
        interrupt: Interrupt::default(),
    };
    let mut report = empty_report(&plan, &engines, machine);
    report.conditions = conditions(&plan, limit.err().as_ref(), options.seed);
    runner.interrupt.install()?;
    let mut laps = Laps::start();
    report.write(&options.output)?;
    runner.run(&plan, &engines, |outcome, missing| {
        report.outcomes.push(outcome);
        laps.lap();
        report.elapsed_s = laps.total().as_secs_f64();
        report.missing = missing;
        Ok(report.write(&options.output)?)
    })?;
    conclude(&report, &options.output)
}

fn chosen(engines: &[&'static dyn Engine], wanted: &[String]) -> Result<Vec<&'static dyn Engine>> {
    let names: Vec<&str> = engines.iter().map(|engine| engine.name()).collect();
    if let Some(unknown) = wanted.iter().find(|name| !names.contains(&name.as_str())) {
        return Err(format!("there is no engine '{unknown}'; there are {}", names.join(", ")).into());
    }
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name);
    Ok(engines.iter().copied().filter(|engine| is_wanted(engine.name())).collect())
}

/// An engine that is not there is an error for who asks for it by name.
fn leave_out_missing(engines: &mut Vec<&'static dyn Engine>, wanted: &[String], plan: &mut Plan) -> Result<()> {
    for engine in engines.extract_if(.., |engine| engine.missing().is_some()) {
        let (what, why) = (engine.name().to_owned(), engine.missing().unwrap_or_default());
        if wanted.contains(&what) {
            return Err(format!("{what} cannot be measured: {why}").into());
        }
        plan.skipped.push(Skipped { what, why });
    }
    Ok(())
}

fn plan(profile: Profile, options: &RunOptions) -> Result<Plan> {
    let memory = options.memory.map(|mebibytes| mebibytes << 20);
    let (own_memory, own_rounds) = (memory.unwrap_or(4 << 30), options.rounds.unwrap_or(3));
    if let (Some(documents), Some(questions)) = (&options.jsonl, &options.query) {
        return Plan::of_documents(documents.clone(), questions.clone(), own_memory, own_rounds);
    }
    if let Some(vectors) = &options.vectors {
        return Plan::of_vectors(vectors.clone(), options.queries.clone(), own_memory, own_rounds);
    }
    let mut plan = Plan::of(profile, options.data.as_deref(), memory, options.rounds);
    if !options.workloads.is_empty() {
        plan.keep(&options.workloads);
    }
    Ok(plan)
}

fn engine_plan(rows: u64, options: &RunOptions) -> Result<Plan> {
    if options.jsonl.is_some() || options.vectors.is_some() {
        return Err("the engine's own table has its own rows: leave out --jsonl and --vectors".into());
    }
    let memory = options.memory.map(|mebibytes| mebibytes << 20);
    let mut plan = Plan::of_engine(rows, memory, options.rounds.unwrap_or(3));
    if !options.workloads.is_empty() {
        plan.keep(&options.workloads);
    }
    Ok(plan)
}

fn orders_plan(orders: u64, options: &RunOptions) -> Result<Plan> {
    if options.jsonl.is_some() || options.vectors.is_some() {
        return Err("the documents' own table has its own orders: leave out --jsonl and --vectors".into());
    }
    let memory = options.memory.map(|mebibytes| mebibytes << 20);
    let mut plan = Plan::of_orders(orders, options.data.as_deref(), memory, options.rounds.unwrap_or(3));
    if !options.workloads.is_empty() {
        plan.keep(&options.workloads);
    }
    Ok(plan)
}

fn vectors_plan(rows: u64, options: &RunOptions) -> Result<Plan> {
    if options.jsonl.is_some() || options.vectors.is_some() {
        return Err("the vectors' own table has its own vectors: leave out --jsonl and --vectors".into());
    }
    let memory = options.memory.map(|mebibytes| mebibytes << 20);
    let mut plan = Plan::of_vector_table(rows, options.data.as_deref(), memory, options.rounds.unwrap_or(3));
    if !options.workloads.is_empty() {
        plan.keep(&options.workloads);
    }
    Ok(plan)
}

fn text_plan(rows: u64, options: &RunOptions) -> Result<Plan> {
    if options.jsonl.is_some() || options.vectors.is_some() {
        return Err("the texts' own table has its own texts: leave out --jsonl and --vectors".into());
    }
    let memory = options.memory.map(|mebibytes| mebibytes << 20);
    let mut plan = Plan::of_text_table(rows, options.data.as_deref(), memory, options.rounds.unwrap_or(3));
    if !options.workloads.is_empty() {
        plan.keep(&options.workloads);
    }
    Ok(plan)
}

fn empty_report(plan: &Plan, engines: &[&'static dyn Engine], machine: Machine) -> Report {
    let cache_bytes = plan.steps.first().map_or(0, |step| step.cache_bytes());
    let options = EngineOptions { directory: PathBuf::new(), cache_bytes };
    Report {
        format: FORMAT,
        started: now(),
        elapsed_s: 0.0,
        command: std::env::args().skip(1).collect::<Vec<_>>().join(" "),
        revision: revision(),
        machine,
        conditions: Vec::new(),
        engines: engines.iter().map(|engine| EngineInfo::of(*engine, &options)).collect(),
        outcomes: Vec::new(),
        skipped: plan.skipped.clone(),
        missing: Runner::all(plan, engines),
    }
}

fn conditions(plan: &Plan, no_limit: Option<&io::Error>, seed: u64) -> Vec<String> {
    let mut conditions = vec![
        "Each workload runs on each engine in a process of its own and an empty directory; the rounds are interleaved."
            .to_owned(),
        format!("The seed of everything random is {seed}, the same for all engines and rounds."),
    ];
    let mut sizes: Vec<u64> = plan.steps.iter().map(|step| step.memory_bytes >> 20).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let sizes: Vec<String> = sizes.iter().map(u64::to_string).collect();
    let sizes = sizes.join(", ");
    conditions.push(match no_limit {
        None => format!(
            "Memory, page cache included, is limited by a control group to the same for all engines ({sizes} MiB, see each \
             workload); a quarter of it is the engine's own cache."
        ),
        Some(error) => format!(
            "Memory is NOT limited here ({error}); engines get their own caches as if it were {sizes} MiB, and as much of the \
             system's page cache as there is."
        ),
    });
    conditions
}

fn conclude(report: &Report, output: &Path) -> Result<ExitCode> {
    let summary = Summary::of(report);
    let mut right = true;
    for failure in report.failures() {
        right = false;
        let why = failure.failure.as_deref().unwrap_or_default();
        writeln!(io::stderr(), "FAILED: {} on {}: {why}", failure.workload, failure.engine)?;
    }
    for (table, row) in summary.disagreements() {
        right = false;
        writeln!(io::stderr(), "WRONG: the engines give different answers to '{}' of {}", row.name, table.workload)?;
    }
    if !report.missing.is_empty() {
        right = false;
        writeln!(io::stderr(), "The run was interrupted; the report has what was found until then.")?;
    }
    if let Some(targets) = report.targets() {
        writeln!(io::stdout(), "{targets}")?;
    }
    say(format!("{}\n{}", output.join("report.md").display(), output.join("report.html").display()))?;
    Ok(if right { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The time in UTC, to the second.
fn now() -> String {
    #[expect(clippy::disallowed_methods, reason = "a report tells when it was made")]
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Time::from_micros(i64::try_from(since_1970.as_secs() * 1_000_000).unwrap_or(i64::MAX)).to_string()
}

fn revision() -> String {
    let output = Command::new("git").args(["describe", "--always", "--dirty", "--abbrev=12"]).output();
    let name = output.ok().filter(|output| output.status.success()).map(|output| output.stdout);
    name.map(|name| String::from_utf8_lossy(&name).trim().to_owned()).unwrap_or_default()
}
