//! Ends without a cause rule: a launch that is refused, a stage that stops, a value that nobody knows.

use std::sync::Arc;

use super::{rows, snippet};
use crate::diagnose::Label;
use crate::launch::Launch;
use crate::loader::{Stage, Verdict};
use crate::report::style::{Role, Style};
use crate::report::{Framework, Rejection, Report};
use crate::rules::value::Unknown;
use crate::text::Span;

/// More unknown values than this are only counted.
const MOST_UNKNOWNS: usize = 5;

/// The launch is refused before anything is loaded.
pub(super) fn rejected(out: &mut String, style: Style, framework: &Framework, launch: &Launch, rejection: &Rejection) {
    let who = format!("{} {}", framework.name, framework.version);
    let message = format!("{who} stops this launch in {}, before anything is loaded", rejection.by);
    rows::title(out, style, Role::Error, "error[rejected]", &message);
    let labels: Vec<Label> =
        rejection.flags.iter().filter_map(|flag| place_of(launch, flag)).map(|span| label(span, "")).collect();
    snippet::render(out, style, Role::Error, &labels);
    rows::prose(out, style, "it says", &rejection.message);
    out.push('\n');
}

/// The first stage that does not go through.
pub(super) fn stage(out: &mut String, style: Style, report: &Report) {
    let Some(stage) = deciding(report) else { return };
    let (role, word) = match stage.verdict {
        Verdict::Undetermined if report.undetermined.is_empty() => (Role::Warning, "unknown"),
        // The values to give have been named.
        Verdict::Undetermined => return,
        _ => (Role::Error, "error"),
    };
    rows::title(out, style, role, &format!("{word}[{}]", stage.name), &stage.message);
    out.push('\n');
}

/// The stage that decides the outcome.
pub(super) fn deciding(report: &Report) -> Option<&Stage> {
    report.stages.iter().find(|stage| !matches!(stage.verdict, Verdict::Ok | Verdict::Warns | Verdict::Skipped))
}

/// Every value that would have to be known, where it is used, and how to give it.
pub(super) fn unknowns(out: &mut String, style: Style, unknowns: &[Arc<Unknown>]) {
    let mut named: Vec<&Arc<Unknown>> = Vec::new();
    for unknown in unknowns {
        if !named.iter().any(|other| other.name == unknown.name) {
            named.push(unknown);
        }
    }
    for unknown in named.iter().take(MOST_UNKNOWNS) {
        let message = unknown.told();
        rows::title(out, style, Role::Warning, "unknown", &message);
        let labels: Vec<Label> = unknown.places.iter().take(2).map(|span| label(span.clone(), "")).collect();
        snippet::render(out, style, Role::Warning, &labels);
        if let Some(option) = option(&unknown.name) {
            rows::painted(out, style, "give it with", &option, Some(Role::Command));
        }
        out.push('\n');
    }
    let more = named.len().saturating_sub(MOST_UNKNOWNS);
    if more > 0 {
        let text = format!("and {}; --format json lists all\n\n", rows::count(more as u64, "more unknown value"));
        out.push_str(&style.paint(Role::Quiet, text.trim_end()));
        out.push_str("\n\n");
    }
}

/// The option of moe-lint that gives a value to `$NAME` or `$1`.
fn option(name: &str) -> Option<String> {
    let variable = name.strip_prefix('$')?.trim_start_matches('{').trim_end_matches('}');
    if variable.is_empty() || !variable.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return None;
    }
    match variable.parse::<u32>() {
        Ok(number) => Some(format!("--arg VALUE   (the script's argument {number})")),
        Err(_) => Some(format!("--env {variable}=VALUE")),
    }
}

/// Where the training command has that flag.
fn place_of(launch: &Launch, flag: &str) -> Option<Span> {
    let argv = &launch.training_command()?.argv;
    let word = argv.iter().find(|word| {
        word.value.as_ref().is_ok_and(|text| {
            text.strip_prefix(flag).is_some_and(|rest| matches!(rest.bytes().next(), None | Some(b'=')))
        })
    })?;
    word.places.first().cloned()
}

fn label(span: Span, text: &str) -> Label {
    Label { span, text: text.to_owned() }
}
