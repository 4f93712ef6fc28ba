//! What stands around the reports when several launches are checked.

use super::rows::{count, printable};
use crate::report::findings::Subject;
use crate::report::style::{Role, Style};

/// The line above a launch's report.
pub fn heading(name: &str, style: Style) -> String {
    format!("{}\n", style.paint(Role::Strong, &printable(name)))
}

/// In place of a report: why there is none.
pub fn failure(message: &str, help: Option<&str>, style: Style) -> String {
    let mut text = format!("{}: {}\n", style.paint(Role::Error, "error"), printable(message));
    if let Some(help) = help {
        text.push_str(&format!("  help: {}\n", printable(help)));
    }
    text
}

/// What is accepted, and why: one line each.
pub fn accepted(subject: &Subject, style: Style) -> String {
    let mut text = String::new();
    if subject.is_accepted() {
        text.push_str(&format!(
            "{}: {}, accepted\n",
            style.paint(Role::Warning, subject.outcome),
            printable(&subject.name)
        ));
    }
    for finding in &subject.findings {
        if let Some(reason) = &finding.accepted {
            text.push_str(&format!("  accepted [{}]: {}\n", printable(&finding.rule), printable(reason)));
        }
    }
    text
}

/// The last line: how many launches end how.
pub fn tally(subjects: &[Subject]) -> String {
    let outcomes = ["loads", "partial", "fresh", "fails", "undetermined", "error"];
    let counts =
        outcomes.map(|outcome| (outcome, subjects.iter().filter(|subject| subject.outcome == outcome).count()));
    let counts: Vec<String> =
        counts.into_iter().filter(|(_, n)| *n > 0).map(|(outcome, n)| format!("{n} {outcome}")).collect();
    format!("{}: {}\n", count(subjects.len() as u64, "launch").replace("launchs", "launches"), counts.join(", "))
}
