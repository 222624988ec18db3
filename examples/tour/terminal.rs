//! How the tour looks: sections, questions, tables, progress. Colour only where somebody sees it.

use std::env;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use crate::stopwatch::Stopwatch;
use crate::table::Table;

const INDENT: &str = "   ";
const LABEL_COLUMNS: usize = 8;
const BAR_COLUMNS: usize = 24;
const REDRAW: Duration = Duration::from_millis(80);

/// A way to set off a piece of text.
#[derive(Clone, Copy)]
pub(crate) enum Style {
    Accent,
    Strong,
    Faint,
    Alarm,
}

/// What standard output can show.
#[derive(Clone, Copy)]
pub(crate) struct Output {
    colour: bool,
    terminal: bool,
}

impl Output {
    /// Prints as it is. A reader that has gone away, as in `tour | head`, is no reason to stop the work.
    fn print(self, text: &str) {
        let mut out = io::stdout().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    fn style(self, style: Style, text: &str) -> String {
        let code = match style {
            Style::Accent => "38;5;208",
            Style::Strong => "1",
            Style::Faint => "2",
            Style::Alarm => "1;31",
        };
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Where the tour prints, and what has been said so far.
pub(crate) struct Screen {
    output: Output,
    width: usize,
    sections: usize,
    checks: usize,
    failures: Vec<String>,
}

impl Screen {
    pub(crate) fn new() -> Screen {
        let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let terminal = io::stdout().is_terminal();
        let width = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).unwrap_or(100);
        let colour = terminal && !is_set("NO_COLOR") && env::var_os("TERM").is_none_or(|term| term != "dumb");
        Screen {
            output: Output { colour, terminal },
            width: usize::clamp(width, 60, 140),
            sections: 0,
            checks: 0,
            failures: Vec::new(),
        }
    }

    fn print(&self, text: &str) {
        self.output.print(text);
    }

    pub(crate) fn style(&self, style: Style, text: &str) -> String {
        self.output.style(style, text)
    }

    pub(crate) fn title(&self, title: &str, subtitle: &str) {
        self.print(&format!("\n{INDENT}{}\n", self.style(Style::Accent, title)));
        self.say(subtitle);
    }

    /// Begins a numbered section.
    pub(crate) fn section(&mut self, title: &str) {
        self.sections += 1;
        let number = self.style(Style::Accent, &format!("{:>2}", self.sections));
        let rule = "─".repeat(self.width.saturating_sub(title.chars().count() + 4));
        self.print(&format!("\n{number} {} {}\n", self.style(Style::Strong, title), self.style(Style::Faint, &rule)));
    }

    /// A paragraph, wrapped.
    pub(crate) fn say(&self, text: &str) {
        for line in wrapped(text, self.width - INDENT.len()) {
            self.print(&format!("{INDENT}{line}\n"));
        }
    }

    /// What is asked, and the code that asks it.
    pub(crate) fn ask(&self, question: &str, code: &str) {
        self.print(&format!("\n{INDENT}{}\n", self.style(Style::Strong, question)));
        for line in code.lines() {
            self.print(&format!("{INDENT}{}\n", self.style(Style::Accent, line)));
        }
    }

    /// A labelled text, its further lines below the first.
    pub(crate) fn labelled(&self, label: &str, text: &str) {
        let mut label = format!("{label:<LABEL_COLUMNS$}");
        for line in text.lines().flat_map(|line| wrapped(line, self.width - INDENT.len() - LABEL_COLUMNS)) {
            self.print(&format!("{INDENT}{}{line}\n", self.style(Style::Faint, &label)));
            label = " ".repeat(LABEL_COLUMNS);
        }
    }

    /// How the database went about it.
    pub(crate) fn plan(&self, plan: &impl Display) {
        self.labelled("plan", &plan.to_string());
    }

    pub(crate) fn time(&self, elapsed: Duration) {
        self.labelled("time", &duration(elapsed));
    }

    pub(crate) fn table(&self, table: &Table) {
        for (row, line) in table.lines(self.width - INDENT.len() - LABEL_COLUMNS).iter().enumerate() {
            let line = if row == 0 && table.has_header() { self.style(Style::Faint, line) } else { line.clone() };
            self.print(&format!("{INDENT}{}{line}\n", " ".repeat(LABEL_COLUMNS)));
        }
    }

    /// States something that must hold. What does not is said at the end too, and the tour then fails.
    pub(crate) fn check(&mut self, holds: bool, claim: &str) {
        self.checks += 1;
        let (style, mark) = if holds { (Style::Accent, "✓") } else { (Style::Alarm, "✗ FAILED:") };
        let mark = self.style(style, mark);
        for (row, line) in wrapped(claim, self.width - INDENT.len() - 2).iter().enumerate() {
            let lead = if row == 0 { format!("{mark} ") } else { "  ".to_owned() };
            self.print(&format!("{INDENT}{lead}{line}\n"));
        }
        if !holds {
            self.failures.push(claim.to_owned());
        }
    }

    pub(crate) fn checks(&self) -> usize {
        self.checks
    }

    pub(crate) fn failures(&self) -> &[String] {
        &self.failures
    }

    /// Shows the progress of something with `total` parts.
    pub(crate) fn progress(&self, what: &str, total: u64) -> Progress {
        Progress {
            output: self.output,
            what: what.to_owned(),
            total,
            stopwatch: Stopwatch::start(),
            drawn: None,
            quarters: 0,
        }
    }
}

/// A bar that fills on a terminal; a line for each quarter in a pipe.
pub(crate) struct Progress {
    output: Output,
    what: String,
    total: u64,
    stopwatch: Stopwatch,
    drawn: Option<Duration>,
    quarters: u64,
}

impl Progress {
    /// Shows that `done` parts with so many bytes are through.
    pub(crate) fn advance(&mut self, done: u64, bytes: u64) {
        let elapsed = self.stopwatch.elapsed();
        if self.output.terminal {
            if done >= self.total || self.drawn.is_none_or(|drawn| elapsed - drawn >= REDRAW) {
                self.drawn = Some(elapsed);
                self.output.print(&format!("\r\x1b[2K{INDENT}{}", self.bar(done, bytes, elapsed)));
            }
        } else {
            let quarters = (done * 4).checked_div(self.total).unwrap_or(4);
            if quarters > self.quarters {
                self.quarters = quarters;
                self.output.print(&format!("{INDENT}{}\n", self.figures(done, bytes, elapsed)));
            }
        }
    }

    /// Leaves the bar behind and says how long it took.
    pub(crate) fn finish(&mut self, bytes: u64) -> Duration {
        self.advance(self.total, bytes);
        if self.output.terminal {
            self.output.print("\n");
        }
        self.stopwatch.elapsed()
    }

    fn bar(&self, done: u64, bytes: u64, elapsed: Duration) -> String {
        let share = if self.total == 0 { 1.0 } else { (done as f64 / self.total as f64).clamp(0.0, 1.0) };
        let filled = (0..BAR_COLUMNS).filter(|&column| (column as f64 + 0.5) / (BAR_COLUMNS as f64) < share).count();
        let (full, empty) = ("━".repeat(filled), "━".repeat(BAR_COLUMNS - filled));
        let bar = if self.output.colour {
            self.output.style(Style::Accent, &full) + &self.output.style(Style::Faint, &empty)
        } else {
            full + &"·".repeat(BAR_COLUMNS - filled)
        };
        let left = match share {
            share if share >= 1.0 => format!("  in {}", duration(elapsed)),
            share if share > 0.0 => format!("  {:.0} s left", elapsed.as_secs_f64() * (1.0 - share) / share),
            _ => String::new(),
        };
        format!("{bar}  {}{left}", self.figures(done, bytes, elapsed))
    }

    fn figures(&self, done: u64, bytes: u64, elapsed: Duration) -> String {
        let seconds = elapsed.as_secs_f64().max(1e-6);
        let mut text = format!("{:>3}%  {} {}", done * 100 / self.total.max(1), grouped(done), self.what);
        if bytes > 0 && done > 0 {
            text += &format!(
                "  {}  {}/s  {}/s",
                size(bytes),
                grouped((done as f64 / seconds) as u64),
                size((bytes as f64 / seconds) as u64)
            );
        }
        text
    }
}

/// Breaks a text at blanks into lines of at most `width` characters; what has no blank stays whole.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    if text.chars().count() <= width {
        return vec![text.to_owned()]; // as it is: plans may be indented
    }
    let mut lines = vec![String::new()];
    let mut columns = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if columns > 0 && columns + 1 + length > width {
            lines.push(String::new());
            columns = 0;
        }
        if let Some(line) = lines.last_mut() {
            if columns > 0 {
                line.push(' ');
                columns += 1;
            }
            line.push_str(word);
            columns += length;
        }
    }
    lines
}

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes in decimal units.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}

/// A duration with three digits or so.
pub(crate) fn duration(elapsed: Duration) -> String {
    let micros = elapsed.as_secs_f64() * 1e6;
    match micros {
        micros if micros < 100.0 => format!("{micros:.1} µs"),
        micros if micros < 1e3 => format!("{micros:.0} µs"),
        micros if micros < 1e5 => format!("{:.2} ms", micros / 1e3),
        micros if micros < 1e6 => format!("{:.0} ms", micros / 1e3),
        _ => format!("{:.2} s", micros / 1e6),
    }
}

/// `1 file`, `2 files`: a count and its noun.
pub(crate) fn counted(number: u64, singular: &str) -> String {
    if number == 1 { format!("1 {singular}") } else { format!("{} {singular}s", grouped(number)) }
}
