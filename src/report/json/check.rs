//! The document of `moe-lint check`.

use serde::Serialize;

use super::diagnoses::DiagnosisDocument;
use super::diff::Parts;
use super::entries::IterationDocument;
use super::places::UnknownDocument;
use super::versions::VersionsDocument;
use super::{Assumed, Head};
use crate::checkpoint::{Checkpoint, Part};
use crate::launch::Launch;
use crate::loader::Stage;
use crate::report::Report;
use crate::tensor::{Inventory, Kind};

/// The whole document.
#[derive(Serialize)]
pub(super) struct Document<'r> {
    #[serde(flatten)]
    head: Head,
    #[serde(flatten)]
    assumed: Assumed<'r>,
    launch: LaunchDocument<'r>,
    checkpoint: Option<CheckpointDocument>,
    outcome: &'static str,
    stages: Vec<StageDocument<'r>>,
    undetermined: Vec<UnknownDocument<'r>>,
    diff: Parts<'r>,
    diagnoses: Vec<DiagnosisDocument<'r>>,
    versions: Vec<VersionsDocument<'r>>,
}

impl<'r> Document<'r> {
    pub(super) fn new(report: &'r Report) -> Self {
        Self {
            head: Head::new(),
            assumed: Assumed::new(&report.framework, &report.environment, report.rejected.as_ref()),
            launch: LaunchDocument::new(&report.launch),
            checkpoint: report.checkpoint.as_deref().map(CheckpointDocument::new),
            outcome: report.outcome.name(),
            stages: report.stages.iter().map(StageDocument::new).collect(),
            undetermined: report.undetermined.iter().map(|unknown| UnknownDocument::new(unknown)).collect(),
            diff: Parts(&report.diff),
            diagnoses: report.diagnoses.iter().map(|d| DiagnosisDocument::new(d, &report.diff)).collect(),
            versions: report.by_version().into_iter().map(VersionsDocument::new).collect(),
        }
    }
}

#[derive(Serialize)]
struct LaunchDocument<'r> {
    source: Option<String>,
    /// A word that is not known is null.
    argv: Vec<Option<&'r str>>,
}

impl<'r> LaunchDocument<'r> {
    fn new(launch: &'r Launch) -> Self {
        let words = launch.training_command().map_or(&[][..], |command| &command.argv);
        Self {
            source: launch.sources.first().map(|source| source.name()),
            argv: words.iter().map(|word| word.value.as_deref().ok()).collect(),
        }
    }
}

#[derive(Serialize)]
struct CheckpointDocument {
    path: String,
    format: &'static str,
    iteration: Option<IterationDocument>,
    tensors: usize,
}

impl CheckpointDocument {
    fn new(checkpoint: &Checkpoint) -> Self {
        let in_chunk = |chunk: &Inventory| chunk.iter().filter(|(_, tensor)| tensor.kind == Kind::Tensor).count();
        let in_part = |part: &Part| part.chunks.iter().map(in_chunk).sum::<usize>();
        Self {
            path: checkpoint.directory.display().to_string(),
            format: checkpoint.format.name(),
            iteration: checkpoint.iteration.map(IterationDocument),
            tensors: checkpoint.parts.iter().map(in_part).sum(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct StageDocument<'r> {
    name: &'r str,
    verdict: &'static str,
    message: &'r str,
}

impl<'r> StageDocument<'r> {
    pub(super) fn new(stage: &'r Stage) -> Self {
        Self { name: &stage.name, verdict: stage.verdict.name(), message: &stage.message }
    }
}
