//! GitHub Actions: annotations in the log, and a summary of the step in Markdown.

use super::findings::{Finding, Subject, portable};
use crate::diagnose::Severity;

/// One workflow command a finding.
pub fn annotations(subjects: &[Subject]) -> String {
    subjects.iter().flat_map(Subject::open).map(annotation).collect()
}

fn annotation(finding: &Finding) -> String {
    let level = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    };
    let place = &finding.place;
    let mut properties =
        format!("file={},line={},endLine={}", property(&portable(&place.file)), place.line, place.end_line);
    // Columns are for places within one line.
    if place.line == place.end_line {
        properties.push_str(&format!(",col={},endColumn={}", place.column, place.end_column));
    }
    let title = property(&format!("moe-lint {}", finding.rule));
    format!("::{level} {properties},title={title}::{}\n", data(&message(finding)))
}

fn message(finding: &Finding) -> String {
    let lines = std::iter::once(&finding.message).chain(&finding.details);
    lines.map(String::as_str).collect::<Vec<_>>().join("\n")
}

/// The text of a workflow command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property of a workflow command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// The step's summary: a table of the launches, and what is wrong with each.
pub fn summary(subjects: &[Subject]) -> String {
    let mut text = "### moe-lint\n\n| launch | outcome | |\n|---|---|---|\n".to_owned();
    for subject in subjects {
        text.push_str(&format!("| {} | {} | {} |\n", code(&subject.name), outcome(subject), cell(&subject.summary)));
    }
    for finding in subjects.iter().flat_map(Subject::open) {
        let place = &finding.place;
        text.push_str(&format!(
            "\n**{}[{}]** {} ({}:{})\n",
            finding.severity.name(),
            cell(&finding.rule),
            cell(&finding.message),
            code(&place.file),
            place.line
        ));
        for detail in &finding.details {
            text.push_str(&format!("- {}\n", cell(detail)));
        }
    }
    text.push('\n');
    text
}

fn outcome(subject: &Subject) -> String {
    if subject.is_accepted() { format!("{}, accepted", subject.outcome) } else { subject.outcome.to_owned() }
}

/// Text in a Markdown table: nothing in it starts markup or ends the cell.
fn cell(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\n' | '\r' => out.push(' '),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

fn code(text: &str) -> String {
    format!("<code>{}</code>", cell(text))
}
