//! What the command line and comments in the scripts select, ignore and weigh otherwise.

use super::rules::unknown;
use super::tell::Judged;
use crate::diagnose::Selection;
use crate::diagnose::comments::{Comment, comments};
use crate::error::Error;
use crate::report::findings::{Finding, NOT_CHECKED, UNDETERMINED};
use crate::rules::causes;

/// Applies a selection and the comments of each launch's scripts. Gives back what was said in vain, a line each.
///
/// # Errors
/// When a selection names a rule that is none.
pub(super) fn apply(selection: &Selection, judged: &mut [Judged]) -> Result<Vec<String>, Error> {
    for name in selection.names() {
        known(name)?;
    }
    let mut unheard = Vec::new();
    for one in judged {
        weigh(selection, one);
        let scripts = scripts(one);
        let mut used: Vec<Vec<bool>> = scripts.iter().map(|(_, comments)| vec![false; comments.len()]).collect();
        for finding in &mut one.subject.findings {
            // What is not known cannot be accepted.
            if [UNDETERMINED, NOT_CHECKED].contains(&finding.rule.as_str()) {
                continue;
            }
            let typed = selection.accepts(&finding.rule).map(str::to_owned);
            let written = written(finding, &scripts, &mut used);
            finding.accepted = typed.or(written);
        }
        for ((file, comments), used) in scripts.iter().zip(&used) {
            unheard.extend(comments.iter().zip(used).filter_map(|(comment, used)| in_vain(file, comment, *used)));
        }
    }
    Ok(unheard)
}

/// Leaves out what is not to be shown; only after it was decided which launches pass.
pub(super) fn show(selection: &Selection, judged: &mut [Judged]) {
    for one in judged {
        one.subject.findings.retain(|finding| selection.shows(&finding.rule));
        if let Ok(report) = &mut one.result {
            report.diagnoses.retain(|diagnosis| selection.shows(&diagnosis.rule));
        }
    }
}

/// Gives findings the severities that are asked for.
fn weigh(selection: &Selection, judged: &mut Judged) {
    for finding in &mut judged.subject.findings {
        if let Some(severity) = selection.severity.get(&finding.rule) {
            finding.severity = *severity;
        }
    }
    for diagnosis in judged.result.iter_mut().flat_map(|report| &mut report.diagnoses) {
        if let Some(severity) = selection.severity.get(&diagnosis.rule) {
            diagnosis.severity = *severity;
        }
    }
}

/// The files of a launch with their comments.
fn scripts(judged: &Judged) -> Vec<(String, Vec<Comment>)> {
    let sources = judged.result.iter().flat_map(|report| &report.launch.sources);
    let files = sources.filter(|source| source.path.is_some());
    files.map(|source| (source.name(), comments(&source.text))).collect()
}

/// The reason that a comment gives for accepting a finding.
fn written(finding: &Finding, scripts: &[(String, Vec<Comment>)], used: &mut [Vec<bool>]) -> Option<String> {
    for ((file, comments), used) in scripts.iter().zip(used) {
        for (comment, used) in comments.iter().zip(used) {
            let here = comment.about.is_none() || *file == finding.place.file;
            if here && comment.accepts(&finding.rule, finding.place.line) {
                *used = true;
                return Some(comment.reason.clone());
            }
        }
    }
    None
}

/// What is wrong with a comment that accepts nothing.
fn in_vain(file: &str, comment: &Comment, used: bool) -> Option<String> {
    let rules = comment.rules.join(", ");
    let place = format!("{file}:{}", comment.line);
    if comment.reason.is_empty() {
        return Some(format!("{place}: the ignore of `{rules}` gives no reason, so it accepts nothing"));
    }
    if let Some(Err(error)) = comment.rules.iter().map(|rule| known(rule)).find(Result::is_err) {
        let help = error.help().unwrap_or_default();
        return Some(format!("{place}: {error}; {help}"));
    }
    (!used).then(|| format!("{place}: the ignore of `{rules}` matches nothing"))
}

/// Refuses a name that no rule has.
///
/// # Errors
/// When there is no such rule, with the one that was meant.
pub(super) fn known(name: &str) -> Result<(), Error> {
    match causes::all()?.iter().any(|rule| rule.name == name) {
        true => Ok(()),
        false => Err(unknown(name)?),
    }
}
