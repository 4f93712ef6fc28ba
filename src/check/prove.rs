//! Ways out that are proven: everything is gone through again with the change made.

use std::collections::BTreeSet;

use super::pass::pass;
use super::reading::Reading;
use super::request;
use super::understand::Understood;
use crate::diagnose::{Candidate, Fix};
use crate::diff::{Diff, is_state};
use crate::fix;
use crate::loader::Outcome;
use crate::report::Report;

/// A way out, if going through everything again with it ends in `loads`, or leaves a strictly smaller difference than
/// `before`: then its title says so. A command is passed on as it is.
pub(super) fn prove(
    reading: &Reading<'_>,
    understood: &Understood,
    candidate: &Candidate,
    before: &Diff,
) -> Option<Fix> {
    if candidate.command.is_some() {
        return Some(Fix {
            title: candidate.title.clone(),
            applicability: candidate.applicability,
            edits: Vec::new(),
            command: candidate.command.clone(),
            proven: false,
        });
    }
    let arguments = understood.arguments();
    let change = fix::change(candidate, arguments, &understood.parser)?;
    let edits = fix::edits(&change, arguments).unwrap_or_default();
    let input = request::changed(&reading.request.input, &understood.launch, &change, &edits)?;
    let changed = reading.changed(&input).ok()?;
    let report = pass(&changed, &understood.target).ok()?.report;
    let proven = report.outcome == Outcome::Loads;
    let title = if proven { candidate.title.clone() } else { in_part(candidate, before, &report)? };
    Some(Fix { title, applicability: candidate.applicability, edits, command: None, proven })
}

/// The title of a change that explains a part of the difference away and adds nothing to it.
fn in_part(candidate: &Candidate, before: &Diff, after: &Report) -> Option<String> {
    if after.rejected.is_some() || after.schema.is_none() || after.checkpoint.is_none() {
        return None;
    }
    let (before, left) = (differing(before), differing(&after.diff));
    let smaller = !left.is_empty() && left.len() < before.len() && left.is_subset(&before);
    smaller.then(|| format!("{} ({} of {} keys then still differ)", candidate.title, left.len(), before.len()))
}

/// Each key that differs, and how; extra states aside.
fn differing(diff: &Diff) -> BTreeSet<(u8, &str)> {
    let keys = diff.parts.iter().flat_map(|part| {
        let missing = part.missing.iter().map(|(key, _)| (0, &**key));
        let unexpected = part.unexpected.iter().map(|(key, _)| (1, &**key));
        missing.chain(unexpected).chain(part.mismatched.iter().map(|mismatch| (2, &*mismatch.key)))
    });
    keys.filter(|(_, key)| !is_state(key)).collect()
}
