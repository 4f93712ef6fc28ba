//! Finding the causes of a difference: which entries each of them explains.

use std::collections::{BTreeMap, BTreeSet};

use globset::GlobSet;

use super::{Applicability, Candidate, Diagnosis, Explained, Found, Label, Note, Severity};
use crate::diff::{Diff, PartDiff, is_state};
use crate::launch::argparse::Given;
use crate::rules::causes::{Case, Cause, as_path};
use crate::rules::expr::{ExprError, Scope};
use crate::training::place;

/// Everything a cause is judged by.
pub struct Evidence<'a> {
    /// What differs.
    pub diff: &'a Diff,
    /// The launch's values.
    pub scope: &'a Scope<'a>,
    /// By dest, how the launch gives it.
    pub given: &'a BTreeMap<String, Given>,
}

/// Finds the causes of a difference; what no cause explains becomes a diagnosis of its own. Every entry of the
/// difference is explained exactly once.
///
/// # Errors
/// When a cause's rule cannot be computed for this launch.
pub fn diagnose(causes: &[Cause], evidence: &Evidence<'_>) -> Result<Vec<Found>, ExprError> {
    let mut open = Open::all(evidence.diff);
    let mut found = Vec::new();
    for cause in causes {
        for case in &cause.cases {
            if let Some(one) = explain(cause, case, evidence, &mut open)? {
                found.push(one);
                break;
            }
        }
    }
    found.extend(rest(evidence.diff, open));
    Ok(found)
}

/// The entries that nothing explains yet.
struct Open {
    missing: BTreeSet<(usize, usize)>,
    unexpected: BTreeSet<(usize, usize)>,
    mismatched: BTreeSet<(usize, usize)>,
}

impl Open {
    fn all(diff: &Diff) -> Self {
        let of = |length: fn(&PartDiff) -> usize| {
            let parts = diff.parts.iter().enumerate();
            parts.flat_map(|(part, entries)| (0..length(entries)).map(move |entry| (part, entry))).collect()
        };
        Self {
            missing: of(|part| part.missing.len()),
            unexpected: of(|part| part.unexpected.len()),
            mismatched: of(|part| part.mismatched.len()),
        }
    }
}

fn explain(cause: &Cause, case: &Case, evidence: &Evidence<'_>, open: &mut Open) -> Result<Option<Found>, ExprError> {
    if let Some(when) = &case.when
        && when.eval(evidence.scope)?.truth() != Some(true)
    {
        return Ok(None);
    }
    let parts = &evidence.diff.parts;
    let fits = |set: &GlobSet, key: &str| set.is_match(as_path(key));
    let missing: Vec<_> =
        open.missing.iter().copied().filter(|(p, e)| fits(&case.missing, &parts[*p].missing[*e].0)).collect();
    let unexpected: Vec<_> =
        open.unexpected.iter().copied().filter(|(p, e)| fits(&case.unexpected, &parts[*p].unexpected[*e].0)).collect();
    let mismatched: Vec<_> = open
        .mismatched
        .iter()
        .copied()
        .filter(|(p, e)| fits(&case.mismatched, &parts[*p].mismatched[*e].key))
        .collect();
    let lacks = |set: &GlobSet, entries: &[(usize, usize)]| !set.is_empty() && entries.is_empty();
    if lacks(&case.missing, &missing)
        || lacks(&case.unexpected, &unexpected)
        || lacks(&case.mismatched, &mismatched)
        || missing.len() + unexpected.len() + mismatched.len() == 0
    {
        return Ok(None);
    }
    missing.iter().for_each(|entry| _ = open.missing.remove(entry));
    unexpected.iter().for_each(|entry| _ = open.unexpected.remove(entry));
    mismatched.iter().for_each(|entry| _ = open.mismatched.remove(entry));
    let labels: Vec<Label> = case
        .labels
        .iter()
        .filter_map(|(flag, text)| Some(Label { span: place(evidence.given, flag)?, text: text.show(evidence.scope) }))
        .take(1)
        .collect();
    let behind = case.labels.iter().map(|(flag, _)| flag).find(|flag| place(evidence.given, flag).is_some()).cloned();
    let mut remedies = Vec::new();
    for fix in &case.fixes {
        if let Some(when) = &fix.when
            && when.eval(evidence.scope)?.truth() != Some(true)
        {
            continue;
        }
        remedies.push(Candidate {
            title: fix.title.show(evidence.scope),
            applicability: if fix.safe { Applicability::Safe } else { Applicability::Unsafe },
            remove: fix.remove.clone(),
            add: fix.add.clone(),
            behind: behind.clone(),
        });
    }
    let notes =
        case.notes.iter().map(|(heading, text)| Note { heading: heading.clone(), text: text.show(evidence.scope) });
    let diagnosis = Diagnosis {
        rule: cause.name.clone(),
        severity: cause.severity,
        message: case.message.show(evidence.scope),
        labels,
        explains: Explained { missing, unexpected, mismatched },
        notes: notes.collect(),
        fixes: Vec::new(),
    };
    Ok(Some(Found { diagnosis, remedies }))
}

/// Diagnoses for what no cause explains: extra states apart, so that they never bury parameters.
fn rest(diff: &Diff, open: Open) -> Vec<Found> {
    let state = |part: usize, entry: usize, missing: bool| {
        let entries = if missing { &diff.parts[part].missing } else { &diff.parts[part].unexpected };
        is_state(&entries[entry].0)
    };
    let (missing_states, missing): (Vec<_>, Vec<_>) = open.missing.into_iter().partition(|(p, e)| state(*p, *e, true));
    let (unexpected_states, unexpected): (Vec<_>, Vec<_>) =
        open.unexpected.into_iter().partition(|(p, e)| state(*p, *e, false));
    let mut found = Vec::new();
    let mut add = |rule: &str, severity, message: &str, explains: Explained| {
        if explains != Explained::default() {
            let diagnosis = Diagnosis {
                rule: rule.to_owned(),
                severity,
                message: message.to_owned(),
                labels: Vec::new(),
                explains,
                notes: Vec::new(),
                fixes: Vec::new(),
            };
            found.push(Found { diagnosis, remedies: Vec::new() });
        }
    };
    let mismatched = open.mismatched.into_iter().collect();
    add(
        "shape-mismatch",
        Severity::Error,
        "the launch and the checkpoint give the same tensors other shapes",
        Explained { mismatched, ..Explained::default() },
    );
    let both = !missing.is_empty() && !unexpected.is_empty();
    let message = match (missing.is_empty(), unexpected.is_empty()) {
        (false, false) => "the launch builds other parameters than the checkpoint holds",
        (false, true) => "the launch builds parameters that the checkpoint does not hold",
        _ => "the checkpoint holds parameters that the launch does not build",
    };
    let rule = if both {
        "other-keys"
    } else if unexpected.is_empty() {
        "missing-keys"
    } else {
        "unexpected-keys"
    };
    add(rule, Severity::Error, message, Explained { missing, unexpected, mismatched: Vec::new() });
    add(
        "extra-state",
        Severity::Warning,
        "the launch and the checkpoint keep other extra states (of fp8 scaling)",
        Explained { missing: missing_states, unexpected: unexpected_states, mismatched: Vec::new() },
    );
    found
}
