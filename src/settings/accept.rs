//! What a repository accepts: severities of its own, ignored rules, a baseline. An outcome that cannot be told is never
//! accepted.

use std::path::Path;

use super::baseline::{Baseline, Entry};
use super::{Found, Settings};
use crate::diagnose::Diagnosis;
use crate::report::findings::{NOT_CHECKED, Subject, UNDETERMINED};

/// Gives diagnoses the severities that the settings say.
pub fn set_severities(settings: &Settings, diagnoses: &mut [Diagnosis]) {
    for diagnosis in diagnoses {
        if let Some(severity) = settings.severity.get(&diagnosis.rule) {
            diagnosis.severity = *severity;
        }
    }
}

/// Accepts findings, and remembers what it was asked to accept and did not find.
#[derive(Debug)]
pub struct Accepted<'s> {
    found: &'s Found,
    used: Vec<bool>,
    baseline: Baseline,
}

impl<'s> Accepted<'s> {
    /// What the settings accept.
    pub fn new(found: &'s Found, baseline: Baseline) -> Self {
        Self { found, used: vec![false; found.settings.ignores.len()], baseline }
    }

    /// Marks the findings that are accepted; a launch all of whose findings are passes.
    pub fn apply(&mut self, launch: &Path, subject: &mut Subject) {
        let file = self.found.relative(launch);
        for finding in &mut subject.findings {
            if [UNDETERMINED, NOT_CHECKED].contains(&finding.rule.as_str()) {
                continue;
            }
            let ignores = self.found.settings.ignores.iter().enumerate();
            let mut fitting =
                ignores.filter(|(_, ignore)| ignore.rule == finding.rule && self.found.matches(&ignore.launch, launch));
            if let Some((index, ignore)) = fitting.next() {
                self.used[index] = true;
                finding.accepted = Some(ignore.reason.clone());
            } else if self.baseline.take(&Entry::of(finding, &file)) {
                finding.accepted = Some("in the baseline".to_owned());
            }
        }
        let decided = !["undetermined", "error"].contains(&subject.outcome);
        if decided && !subject.findings.is_empty() {
            subject.passes |= subject.findings.iter().all(|finding| finding.accepted.is_some());
        }
    }

    /// What was accepted in vain, one line each; only sensible when everything was checked.
    pub fn unused(&self) -> Vec<String> {
        let ignores = self.found.settings.ignores.iter().zip(&self.used);
        let unused = ignores.filter(|(_, used)| !**used);
        let mut lines: Vec<String> =
            unused.map(|(ignore, _)| format!("the ignore of `{}` matches nothing any more", ignore.rule)).collect();
        lines.extend(self.baseline.left().map(|entry| {
            format!("the baseline's `{}` in {} does not occur any more: {}", entry.rule, entry.file, entry.line)
        }));
        lines
    }
}

/// A baseline of all findings that may be accepted.
pub fn baseline<'f>(findings: impl IntoIterator<Item = (&'f Path, &'f Subject)>) -> Baseline {
    let mut baseline = Baseline::default();
    for (file, subject) in findings {
        for finding in &subject.findings {
            if ![UNDETERMINED, NOT_CHECKED].contains(&finding.rule.as_str()) && finding.accepted.is_none() {
                baseline.add(Entry::of(finding, file));
            }
        }
    }
    baseline
}
