//! Ways out that are proven: everything is gone through again with the change made.

use std::collections::BTreeSet;

use super::pass::pass;
use super::reading::Reading;
use super::understand::Understood;
use super::way::Way;
use crate::convert;
use crate::diagnose::{Candidate, Fix, Proof};
use crate::diff::{Diff, is_state};
use crate::loader::Outcome;
use crate::report::Report;

/// A way out, if going through everything again with it ends in `loads`, or leaves less to cure than the report `before`
/// it, or nothing but what is not known: then its title says so. A command is passed on as it is.
pub(super) fn prove(
    reading: &Reading<'_>,
    understood: &Understood,
    candidate: &Candidate,
    before: &Report,
) -> Option<Fix> {
    if let Some(experts) = &candidate.convert {
        return converted(reading, understood, candidate, experts);
    }
    let mut fix = Fix {
        title: candidate.title.clone(),
        applicability: candidate.applicability,
        edits: Vec::new(),
        command: candidate.command.clone(),
        proof: Proof::None,
    };
    if fix.command.is_some() {
        return Some(fix);
    }
    let way = Way::of(candidate, understood)?;
    if let Some(title) = way.title(understood) {
        fix.title = title;
    }
    let after = judge(reading, understood, &way)?;
    if after.outcome == Outcome::Loads {
        fix.proof = Proof::Loads;
    } else {
        let only_unknown = unknown_left(before, &after).map(|left| (Proof::OnlyUnknown, left));
        let fewer = || Some((Proof::Fewer, keys_left(&before.diff, &after)?));
        let (proof, left) = only_unknown.or_else(fewer)?;
        fix.proof = proof;
        fix.title = format!("{} ({left})", fix.title);
    }
    // Their words were read again: they are those that were judged.
    fix.edits = way.edits(reading, understood);
    Some(fix)
}

/// Whether nothing that can be told differs in the report with a change, against the one before it.
pub(super) fn cures(before: &Report, after: &Report) -> bool {
    after.outcome == Outcome::Loads || unknown_left(before, after).is_some()
}

/// Where nothing differs any more: the values, unknown before and after, that keep it from being a `loads`.
fn unknown_left(before: &Report, after: &Report) -> Option<String> {
    let names: BTreeSet<&str> = after.undetermined.iter().map(|unknown| &*unknown.name).collect();
    let only_unknown = after.outcome == Outcome::Undetermined
        && after.rejected.is_none()
        && after.schema.is_some()
        && after.checkpoint.is_some()
        && differing(&after.diff).is_empty()
        && !names.is_empty()
        && after.undetermined.iter().all(|unknown| before.undetermined.contains(unknown));
    only_unknown.then(|| format!("{} then is all that is unknown", names.into_iter().collect::<Vec<_>>().join(", ")))
}

/// Where a part of the difference is explained away and nothing is added: how much is left.
fn keys_left(before: &Diff, after: &Report) -> Option<String> {
    if after.rejected.is_some() || after.schema.is_none() || after.checkpoint.is_none() {
        return None;
    }
    let (before, left) = (differing(before), differing(&after.diff));
    let smaller = !left.is_empty() && left.len() < before.len() && left.is_subset(&before);
    smaller.then(|| format!("{} of {} keys then still differ", left.len(), before.len()))
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

/// Goes through everything again with a change made.
pub(super) fn judge(reading: &Reading<'_>, understood: &Understood, way: &Way) -> Option<Report> {
    Some(pass(&way.taken(reading, understood)?, &understood.target).ok()?.report)
}

/// A conversion, if the launch loads what it would write. What the launch needs beside it is a part of the proof and not
/// an edit: it must not be applied before the conversion was run.
fn converted(reading: &Reading<'_>, understood: &Understood, candidate: &Candidate, experts: &str) -> Option<Fix> {
    let mut predicted = reading.converted(&|read| convert::predict(read, experts, understood.target.version()));
    if !(candidate.remove.is_empty() && candidate.add.is_empty()) {
        predicted = Way::of(candidate, understood)?.taken(&predicted, understood)?;
    }
    let outcome = pass(&predicted, &understood.target).ok()?.report.outcome;
    (outcome == Outcome::Loads).then(|| Fix {
        title: candidate.title.clone(),
        applicability: candidate.applicability,
        edits: Vec::new(),
        command: candidate.command.clone(),
        proof: Proof::Loads,
    })
}
