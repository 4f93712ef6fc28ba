//! Versions in which a launch comes to the same, told as one.

use std::sync::Arc;
use std::time::Duration;

use rayon::prelude::*;

use super::pass::Pass;
use super::prove::prove;
use super::reading::Reading;
use super::repair;
use super::target::Target;
use super::understand::Understood;
use crate::diagnose::{Candidate, Diagnosis, Fix, Found};
use crate::diff::Diff;
use crate::error::Error;
use crate::loader::{Outcome, Stage, Verdict};
use crate::report::Report;
use crate::rules::version::Version;

/// Versions that share an outcome and its findings.
pub(super) enum Group<'t> {
    /// They could be judged: the newest, and the others from old to new.
    Judged(Key, Box<Pass>, Vec<Pass>),
    /// They could not, for this reason.
    NotJudged(String, &'t Target, Vec<Version>),
}

/// What has to be the same for two versions to be told as one.
#[derive(PartialEq)]
pub(super) struct Key {
    outcome: Outcome,
    stages: Vec<Stage>,
    diagnoses: Vec<(String, String)>,
    remedies: Vec<(String, Vec<String>, Vec<String>)>,
    undetermined: Vec<String>,
}

impl Key {
    fn of(pass: &Pass) -> Self {
        let remedy = |candidate: &Candidate| (candidate.title.clone(), candidate.remove.clone(), candidate.add.clone());
        let diagnosis = |found: &Found| (found.diagnosis.rule.clone(), found.diagnosis.message.clone());
        Self {
            outcome: pass.report.outcome,
            stages: pass.report.stages.clone(),
            diagnoses: pass.found.iter().map(diagnosis).collect(),
            remedies: pass.found.iter().flat_map(|found| &found.remedies).map(remedy).collect(),
            undetermined: pass.report.undetermined.iter().map(|unknown| unknown.name.clone()).collect(),
        }
    }
}

/// Puts the versions together that come to the same. They come from old to new.
pub(super) fn grouped<'t>(passes: impl Iterator<Item = (&'t Target, Result<Pass, Error>)>) -> Vec<Group<'t>> {
    let mut groups: Vec<Group<'t>> = Vec::new();
    for (target, pass) in passes {
        let fresh = match pass {
            Ok(pass) => Group::Judged(Key::of(&pass), Box::new(pass), Vec::new()),
            Err(error) => Group::NotJudged(error.to_string(), target, Vec::new()),
        };
        let mut open = Some(fresh);
        for group in &mut groups {
            let Some(fresh) = open.take() else { break };
            open = group.take(fresh);
        }
        groups.extend(open);
    }
    groups
}

impl<'t> Group<'t> {
    /// Takes a newer version in that comes to the same; gives another one back.
    fn take(&mut self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Judged(key, newest, older), Self::Judged(same, pass, _)) if *key == same => {
                older.push(*std::mem::replace(newest, pass));
                None
            }
            (Self::NotJudged(reason, newest, older), Self::NotJudged(same, target, _)) if *reason == same => {
                older.push(std::mem::replace(newest, target).version().clone());
                None
            }
            (_, other) => Some(other),
        }
    }

    /// The report of the newest version, with the ways out that are proven in all of them.
    pub(super) fn report(self, reading: &Reading<'_>) -> Report {
        match self {
            Self::Judged(_, newest, older) => judged(reading, *newest, &older),
            Self::NotJudged(reason, newest, mut versions) => {
                versions.push(newest.version().clone());
                not_judged(reading, reason, newest, versions)
            }
        }
    }
}

/// The report of the newest pass, with the ways out that are proven in it and in the older ones.
pub(super) fn judged(reading: &Reading<'_>, newest: Pass, older: &[Pass]) -> Report {
    let together = repair::together(&newest.found);
    let Pass { mut report, found, understood } = newest;
    report.versions = older.iter().map(|pass| &pass.understood).chain([&understood]).map(version).collect();
    let mut diagnoses: Vec<Diagnosis> = std::mem::take(&mut report.diagnoses);
    // A way out holds in all these versions, or it is none.
    let shown = |candidate: &Candidate| {
        let fix = prove(reading, &understood, candidate, &report)?;
        let holds = |pass: &Pass| {
            let other = prove(reading, &pass.understood, candidate, &pass.report);
            other.is_some_and(|other| other.proof >= fix.proof)
        };
        older.par_iter().all(holds).then_some(fix)
    };
    for Found { mut diagnosis, remedies, .. } in found {
        diagnosis.fixes.extend(remedies.iter().filter_map(shown));
        diagnoses.push(diagnosis);
    }
    if !repair::cured(&report, &diagnoses) {
        let proven = |candidate: &Candidate| shown(candidate).filter(Fix::cures);
        let fix = together.as_ref().and_then(proven);
        match diagnoses.first_mut().zip(fix) {
            Some((first, fix)) => first.fixes.insert(0, fix),
            None => repair::repair(reading, &understood, &report, &mut diagnoses, &proven),
        }
    }
    report.diagnoses = diagnoses;
    report
}

fn version(understood: &Understood) -> Version {
    understood.target.version().clone()
}

/// Versions for which nothing could be judged, where others could.
fn not_judged(reading: &Reading<'_>, reason: String, target: &Target, versions: Vec<Version>) -> Report {
    let stage = Stage { name: "launch".to_owned(), verdict: Verdict::Undetermined, message: reason };
    Report {
        framework: target.framework.clone(),
        environment: target.environment.clone(),
        launch: Arc::clone(&reading.launch),
        rejected: None,
        schema: None,
        checkpoint: None,
        outcome: Outcome::Undetermined,
        stages: vec![stage],
        diff: Diff::default(),
        diagnoses: Vec::new(),
        undetermined: Vec::new(),
        versions,
        others: Vec::new(),
        elapsed: Duration::ZERO,
    }
}
