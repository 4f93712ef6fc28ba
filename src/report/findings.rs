//! What is wrong with each launch, at one place each: what every format for machines but JSON is made of.

use sha2::{Digest, Sha256};

use super::Report;
use crate::diagnose::{Diagnosis, Fix, Severity};
use crate::loader::{Outcome, Verdict};
use crate::text::Span;

/// The rule of an outcome that could not be told.
pub const UNDETERMINED: &str = "undetermined";
/// The rule of a check that could not run.
pub const NOT_CHECKED: &str = "not-checked";

/// One launch that was checked, or that could not be.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The script, or `command line`.
    pub name: String,
    /// `loads`, `fails`, ..., or `error` when it could not be checked.
    pub outcome: &'static str,
    /// Whether it may go on: the exit code is 0.
    pub passes: bool,
    /// The outcome in one line.
    pub summary: String,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// One thing that is wrong.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The rule's name.
    pub rule: String,
    /// How much it matters.
    pub severity: Severity,
    /// One sentence.
    pub message: String,
    /// More lines, each a sentence: what happens, how to get out of it.
    pub details: Vec<String>,
    /// Where it is to be shown; there always is a place.
    pub place: Place,
    /// Changes that were proven to help.
    pub fixes: Vec<Fix>,
    /// Why it is accepted, if it is.
    pub accepted: Option<String>,
}

/// A place in a file; lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file as it was given; `command line` where there is none.
    pub file: String,
    /// First line.
    pub line: usize,
    /// First column.
    pub column: usize,
    /// Last line.
    pub end_line: usize,
    /// The column behind the last character.
    pub end_column: usize,
    /// The line's text.
    pub text: String,
}

impl Place {
    /// The place of a span.
    pub fn of(span: &Span) -> Self {
        let (line, column) = span.line_column();
        let (end_line, end_column) = Span { start: span.end.max(span.start), ..span.clone() }.line_column();
        let text = span.source.text.lines().nth(line - 1).unwrap_or("").to_owned();
        Self { file: span.source.name(), line, column, end_line, end_column, text }
    }

    /// The first line of a file.
    fn top(file: &str, text: &str) -> Self {
        Self { file: file.to_owned(), line: 1, column: 1, end_line: 1, end_column: 1, text: text.to_owned() }
    }
}

impl Finding {
    /// A key that stays the same while other lines move: rule, file and the line without its blanks.
    pub fn fingerprint(&self) -> String {
        let content: Vec<&str> = self.place.text.split_whitespace().collect();
        let mut digest = Sha256::new();
        for part in [self.rule.as_str(), &portable(&self.place.file), &content.join(" ")] {
            digest.update(part.as_bytes());
            digest.update([0]);
        }
        hex(&digest.finalize())
    }
}

/// Bytes in hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A path as it is written everywhere: with `/`, without a leading `./`.
pub(crate) fn portable(path: &str) -> String {
    let path = path.replace('\\', "/");
    path.strip_prefix("./").unwrap_or(&path).to_owned()
}

impl Subject {
    /// What a report says.
    pub fn of(report: &Report) -> Self {
        let source = report.launch.sources.first();
        let name = source.map_or_else(|| "command line".to_owned(), |source| source.name());
        let fallback = training_line(report)
            .unwrap_or_else(|| Place::top(&name, source.and_then(|source| source.text.lines().next()).unwrap_or("")));
        let mut findings: Vec<Finding> = report.diagnoses.iter().map(|d| of_diagnosis(d, &fallback)).collect();
        if report.outcome == Outcome::Undetermined {
            for unknown in &report.undetermined {
                let place = unknown.places.iter().find(|span| span.source.path.is_some()).map(Place::of);
                let message = unknown.told();
                findings.push(plain(UNDETERMINED, message, place.unwrap_or_else(|| fallback.clone())));
            }
        }
        let passes = report.outcome.exit_code() == 0;
        let deciding =
            report.stages.iter().find(|s| !matches!(s.verdict, Verdict::Ok | Verdict::Warns | Verdict::Skipped));
        if findings.is_empty() && !passes {
            let found = match (&report.rejected, deciding) {
                (Some(rejected), _) => {
                    let place = rejected.places.first().map_or_else(|| fallback.clone(), Place::of);
                    plain("launch-rejected", rejected.message.clone(), place)
                }
                (None, Some(stage)) => plain(&stage.name, stage.message.clone(), fallback),
                (None, None) => plain(UNDETERMINED, "the outcome cannot be told".to_owned(), fallback),
            };
            findings.push(found);
        }
        let said =
            findings.first().map(|first| first.message.as_str()).or(deciding.map(|stage| stage.message.as_str()));
        let summary = match said {
            Some(said) if !passes => said.to_owned(),
            _ => report.checkpoint.as_ref().map_or_else(String::new, |c| format!("from {}", c.directory.display())),
        };
        let (outcome, seconds) = (report.outcome.name(), report.elapsed.as_secs_f64());
        Self { name, outcome, passes, summary, findings, seconds }
    }

    /// A launch that could not be checked.
    pub fn failed(name: &str, message: &str, help: Option<String>) -> Self {
        let mut finding = plain(NOT_CHECKED, message.to_owned(), Place::top(name, ""));
        finding.details.extend(help);
        Self {
            name: name.to_owned(),
            outcome: "error",
            passes: false,
            summary: message.to_owned(),
            findings: vec![finding],
            seconds: 0.0,
        }
    }
}

fn plain(rule: &str, message: String, place: Place) -> Finding {
    let rule = rule.to_owned();
    Finding { rule, severity: Severity::Error, message, details: Vec::new(), place, fixes: Vec::new(), accepted: None }
}

fn of_diagnosis(diagnosis: &Diagnosis, fallback: &Place) -> Finding {
    let span = diagnosis.labels.iter().map(|label| &label.span).find(|span| span.source.path.is_some());
    let mut details: Vec<String> =
        diagnosis.notes.iter().map(|note| format!("{}: {}", note.heading, note.text)).collect();
    details.extend(diagnosis.fixes.iter().map(|fix| {
        let command = fix.command.as_deref().map_or_else(String::new, |command| format!(": {command}"));
        format!("fix{}: {}{command}", if fix.proven() { " (proven)" } else { "" }, fix.title)
    }));
    Finding {
        rule: diagnosis.rule.clone(),
        severity: diagnosis.severity,
        message: diagnosis.message.clone(),
        details,
        place: span.map_or_else(|| fallback.clone(), Place::of),
        fixes: diagnosis.fixes.clone(),
        accepted: None,
    }
}

impl Subject {
    /// Whether it goes on only because everything that is wrong is accepted.
    pub fn is_accepted(&self) -> bool {
        self.passes && self.outcome != "loads"
    }

    /// What is wrong and not accepted.
    pub fn open(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.accepted.is_none())
    }
}

/// Where the training command stands.
fn training_line(report: &Report) -> Option<Place> {
    let words = &report.launch.training_command()?.argv;
    let mut spans = words.iter().flat_map(|word| &word.places);
    spans.find(|span| span.source.path.is_some()).map(Place::of)
}
