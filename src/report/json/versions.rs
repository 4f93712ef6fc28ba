//! What holds in which versions, in the document of `moe-lint check`.

use serde::Serialize;

use super::check::StageDocument;
use super::{Rejected, rejected};
use crate::diagnose::Diagnosis;
use crate::report::Report;

/// Versions that come to the same.
#[derive(Serialize)]
pub(super) struct VersionsDocument<'r> {
    versions: Vec<String>,
    outcome: &'static str,
    rejected: Option<Rejected<'r>>,
    stages: Vec<StageDocument<'r>>,
    diagnoses: Vec<Brief<'r>>,
    undetermined: Vec<&'r str>,
}

/// A diagnosis without its entries.
#[derive(Serialize)]
struct Brief<'r> {
    rule: &'r str,
    severity: &'static str,
    message: &'r str,
}

impl<'r> VersionsDocument<'r> {
    pub(super) fn new(report: &'r Report) -> Self {
        let brief = |diagnosis: &'r Diagnosis| Brief {
            rule: &diagnosis.rule,
            severity: diagnosis.severity.name(),
            message: &diagnosis.message,
        };
        Self {
            versions: report.versions.iter().map(ToString::to_string).collect(),
            outcome: report.outcome.name(),
            rejected: report.rejected.as_ref().map(rejected),
            stages: report.stages.iter().map(StageDocument::new).collect(),
            diagnoses: report.diagnoses.iter().map(brief).collect(),
            undetermined: report.undetermined.iter().map(|unknown| unknown.name.as_str()).collect(),
        }
    }
}
