//! The last line: how it ends, how much is explained, how long it took.

use std::collections::BTreeSet;
use std::time::Duration;

use super::rows::{self, count, printable, thousands};
use super::tally::{Each, Tally};
use super::{ranks, role, stopped};
use crate::loader::Outcome;
use crate::report::Report;
use crate::report::style::{Role, Style};
use crate::report::versions::short;

/// Writes the summary.
pub(super) fn render(out: &mut String, style: Style, report: &Report) {
    let role = role(report.outcome);
    let tally = Tally::of(report);
    let text = match report.outcome {
        Outcome::Loads => loads(report, &tally),
        _ => ends(report, &tally),
    };
    let small = format!("({})", circumstances(report));
    out.push_str(&format!("{}: {}", style.paint(role, report.outcome.name()), printable(&text)));
    let full = report.outcome.name().len() + 2 + text.chars().count() + 1 + small.chars().count();
    // One line where it is the only one; below the causes it may take a second.
    let wraps = report.outcome != Outcome::Loads && full > style.columns();
    if !wraps {
        out.push_str(&format!(" {}\n", style.paint(Role::Quiet, &small)));
        return;
    }
    out.push('\n');
    let indent = report.outcome.name().len() + 2;
    for line in rows::wrap(&small, style.columns() - indent) {
        out.push_str(&format!("{}{}\n", " ".repeat(indent), style.paint(Role::Quiet, &line)));
    }
}

fn loads(report: &Report, tally: &Tally) -> String {
    let launch = report.launch.sources.first().map_or_else(|| "the launch".to_owned(), |source| source.name());
    let tensors = match tally.matching {
        Some(Each { each: Some(each), .. }) => {
            format!("all {} on each of {} {}", count(each, "tensor"), tally.parts, ranks::noun(&report.diff.parts))
        }
        Some(Each { total, each: None }) => format!("all {}", count(total, "tensor")),
        None => "everything".to_owned(),
    };
    let checkpoint = report.checkpoint.as_ref().map_or_else(String::new, |c| c.directory.display().to_string());
    format!("{launch} finds {tensors} in {checkpoint}{}", converted(report))
}

/// Which dtypes loading turns into which, where it does.
fn converted(report: &Report) -> String {
    let parts = report.diff.parts.iter();
    let dtypes: BTreeSet<String> = parts
        .flat_map(|part| &part.retyped)
        .filter_map(|entry| Some(format!("{} to {}", entry.found.dtype.as_ref()?, entry.expected.dtype.as_ref()?)))
        .collect();
    if dtypes.is_empty() {
        return String::new();
    }
    format!(", converted from {}", dtypes.into_iter().collect::<Vec<_>>().join(", "))
}

fn ends(report: &Report, tally: &Tally) -> String {
    if report.rejected.is_some() {
        return "the launch is rejected before anything is loaded".to_owned();
    }
    let mut text = match report.outcome {
        Outcome::Fresh => "nothing is loaded, training starts from random weights".to_owned(),
        Outcome::Undetermined => match stopped::deciding(report) {
            Some(stage) => stage.message.clone(),
            None => count(report.undetermined.len() as u64, "unknown value"),
        },
        _ if tally.differing.total > 0 => explained(report, tally),
        _ => match stopped::deciding(report) {
            Some(stage) if !report.diagnoses.is_empty() => format!("it ends at stage {}", stage.name),
            Some(stage) => stage.message.clone(),
            None => count(report.diagnoses.len() as u64, "cause"),
        },
    };
    if let (true, Some(matching)) = (tally.differing.total > 0, tally.matching) {
        let n = matching.each.filter(|_| tally.differing.each.is_some()).unwrap_or(matching.total);
        let verb = if n == 1 { "matches" } else { "match" };
        text.push_str(&format!("; {} {verb}", count(n, "other tensor")));
    }
    text
}

fn explained(report: &Report, tally: &Tally) -> String {
    let Each { total, each } = tally.differing;
    let place = match each {
        Some(_) => format!(" on each of {} {}", tally.parts, ranks::noun(&report.diff.parts)),
        None if tally.parts > 1 => format!(" on {} {}", tally.parts, ranks::noun(&report.diff.parts)),
        None => String::new(),
    };
    let verb = if tally.causes == 1 { "explains" } else { "explain" };
    let causes = count(tally.causes as u64, "cause");
    match tally.explained {
        0 => format!("{} differ{place}, and no rule knows why", count(each.unwrap_or(total), "key")),
        n if n >= total => match each.unwrap_or(total) {
            1 => format!("{causes} {verb} the 1 key that differs{place}"),
            keys => format!("{causes} {verb} all {}{place}", count(keys, "key")),
        },
        n => format!("{causes} {verb} {} of {}", thousands(n), count(total, "key")),
    }
}

/// The version checked against, how it is known unless the user has just said it, and the time.
fn circumstances(report: &Report) -> String {
    let (framework, time) = (&report.framework, time(report.elapsed));
    if let [first, .., last] = report.versions.as_slice() {
        return format!("{} {} to {}: every version; {time}", framework.name, short(first), short(last));
    }
    match framework.from.as_str() {
        "" | "--megatron" => format!("{} {}, {time}", framework.name, framework.version),
        from => format!("{} {}: {from}; {time}", framework.name, framework.version),
    }
}

/// A duration as a person would say it.
pub(super) fn time(elapsed: Duration) -> String {
    match elapsed.as_millis() {
        0 => "under 1 ms".to_owned(),
        ms if ms < 10_000 => format!("{ms} ms"),
        ms => format!("{} s", ms / 1000),
    }
}
