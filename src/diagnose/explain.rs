//! Finding the causes of a difference: which entries each of them explains.

use std::collections::BTreeMap;

use super::open::{Open, Taken};
use super::{Applicability, Candidate, Diagnosis, Found, Label, Note, Severity, prefix, rest};
use crate::diff::Diff;
use crate::launch::argparse::Given;
use crate::rules::causes::{Case, Cause, Remedy};
use crate::rules::expr::{Expr, Scope};
use crate::rules::value::Value;
use crate::rules::version::Version;
use crate::training::place;

/// Everything a cause is judged by.
pub struct Evidence<'a> {
    /// What differs.
    pub diff: &'a Diff,
    /// The launch's values, the checkpoint's facts, and the verdict of each stage of the loader as `stage_<name>`.
    pub scope: &'a Scope<'a>,
    /// By dest, how the launch gives it.
    pub given: &'a BTreeMap<String, Given>,
    /// The framework's version.
    pub version: &'a Version,
}

/// Finds the causes of a difference; what no cause explains becomes a diagnosis of its own. Every entry of the
/// difference is explained exactly once.
pub fn diagnose(causes: &[Cause], evidence: &Evidence<'_>) -> Vec<Found> {
    let mut open = Open::all(evidence.diff);
    let mut found: Vec<Found> = Vec::new();
    for cause in causes {
        for case in cause.cases.iter().filter_map(|case| case.at(evidence.version)) {
            let is_error = |one: &Found| one.diagnosis.severity == Severity::Error;
            let told = |one: &Found| one.stage.as_ref().is_some_and(|stage| case.stages.contains(stage));
            if case.alone && found.iter().any(is_error) || found.iter().any(told) {
                continue;
            }
            if let Some(one) = explain(cause, case, evidence, &mut open) {
                found.push(one);
                if !cause.every {
                    break;
                }
            }
        }
    }
    found.extend(rest::rest(open));
    found.sort_by_key(|one| std::cmp::Reverse(one.diagnosis.severity));
    found
}

fn explain<'d>(cause: &Cause, case: &Case, evidence: &Evidence<'d>, open: &mut Open<'d>) -> Option<Found> {
    if !holds(case.when.as_ref(), evidence.scope) {
        return None;
    }
    let ends = |stage: &&String| {
        matches!(evidence.scope.get(&format!("stage_{stage}")).text(), Some("fails" | "fresh" | "partial"))
    };
    let stage = case.stages.iter().find(ends).cloned();
    if stage.is_none() && !case.stages.is_empty() || open.has_any(&case.without) {
        return None;
    }
    let mut scope = Scope::within(evidence.scope);
    let taken = match case.prefix {
        Some(whose) => prefix::find(open, whose).map(|(prefix, taken)| {
            scope.set("prefix", Value::str(&prefix));
            taken
        }),
        None => open.take(case, evidence.scope),
    }?;
    let wants_keys = case.prefix.is_some() || case.keys.iter().any(|list| !list.needed.is_empty());
    if wants_keys && taken.is_empty() {
        return None;
    }
    taken.tell(evidence.diff, &mut scope);
    if !holds(case.only_if.as_ref(), &scope) {
        return None;
    }
    open.remove(&taken);
    Some(Found { stage, ..found(cause, case, evidence, &scope, taken) })
}

/// Whether a condition holds. One that cannot be computed (a value that is not there, a shape with fewer axes) does not.
fn holds(condition: Option<&Expr>, scope: &Scope<'_>) -> bool {
    condition.is_none_or(|condition| condition.eval(scope).is_ok_and(|value| value.truth() == Some(true)))
}

fn found(cause: &Cause, case: &Case, evidence: &Evidence<'_>, scope: &Scope<'_>, taken: Taken<'_>) -> Found {
    let place = |flag: &str| place(evidence.given, flag);
    let given = || case.labels.iter().filter_map(|(flag, text)| Some((flag, place(flag)?, text)));
    let labels = given().map(|(_, span, text)| Label { span, text: text.show(scope) }).take(1).collect();
    let behind = given().map(|(flag, ..)| flag).next();
    let version = evidence.version;
    let notes = case.notes.iter().filter_map(|note| note.at(version)).filter(|note| holds(note.when.as_ref(), scope));
    let fixes = case.fixes.iter().filter_map(|fix| fix.at(version)).filter(|fix| holds(fix.when.as_ref(), scope));
    Found {
        diagnosis: Diagnosis {
            rule: cause.name.clone(),
            severity: case.severity.unwrap_or(cause.severity),
            message: case.message.show(scope),
            labels,
            explains: taken.explained(),
            notes: notes.map(|note| Note { heading: note.heading.clone(), text: note.text.show(scope) }).collect(),
            fixes: Vec::new(),
        },
        stage: None,
        remedies: fixes.map(|fix| candidate(fix, scope, behind)).collect(),
    }
}

fn candidate(fix: &Remedy, scope: &Scope<'_>, behind: Option<&String>) -> Candidate {
    Candidate {
        title: fix.title.show(scope),
        applicability: if fix.safe { Applicability::Safe } else { Applicability::Unsafe },
        remove: fix.remove.clone(),
        add: fix.add.iter().map(|word| word.show(scope)).collect(),
        behind: behind.cloned(),
        command: fix.command.as_ref().map(|command| command.show(scope)),
        convert: fix.convert.clone(),
    }
}
