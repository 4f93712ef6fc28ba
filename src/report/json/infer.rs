//! The document of `moe-lint infer`.

use serde::Serialize;

use super::Head;
use super::entries::{IterationDocument, ValueDocument};
use crate::infer::{Inferred, Known};
use crate::report::InferReport;

/// The whole document.
#[derive(Serialize)]
pub(super) struct Document<'r> {
    #[serde(flatten)]
    head: Head,
    version: String,
    checkpoint: CheckpointDocument,
    words: Vec<&'r str>,
    arguments: Vec<ArgumentDocument<'r>>,
}

#[derive(Serialize)]
struct CheckpointDocument {
    path: String,
    format: &'static str,
    iteration: Option<IterationDocument>,
    problems: Vec<String>,
}

#[derive(Serialize)]
struct ArgumentDocument<'r> {
    name: &'r str,
    flag: &'r str,
    from: Option<&'static str>,
    value: Option<ValueDocument<'r>>,
    words: &'r [String],
    assumes: Option<&'r str>,
    saved: Option<ValueDocument<'r>>,
    reason: Option<&'r str>,
}

impl<'r> Document<'r> {
    pub(super) fn new(report: &'r InferReport) -> Self {
        let arguments: Vec<_> = report.inference.arguments.iter().map(ArgumentDocument::new).collect();
        let checkpoint = &report.checkpoint;
        Self {
            head: Head::new(),
            version: report.version.to_string(),
            checkpoint: CheckpointDocument {
                path: checkpoint.directory.display().to_string(),
                format: checkpoint.format.name(),
                iteration: checkpoint.iteration.map(IterationDocument),
                problems: checkpoint.problems.iter().map(ToString::to_string).collect(),
            },
            words: arguments.iter().flat_map(|one| one.words.iter().map(String::as_str)).collect(),
            arguments,
        }
    }
}

impl<'r> ArgumentDocument<'r> {
    fn new(inferred: &'r Inferred) -> Self {
        let nothing = Self {
            name: &inferred.name,
            flag: &inferred.option,
            from: None,
            value: None,
            words: &[],
            assumes: None,
            saved: None,
            reason: None,
        };
        match &inferred.known {
            Known::Nothing(reason) => Self { reason: Some(reason), ..nothing },
            Known::Value { value, words, from, assumes, saved } => Self {
                from: Some(from.name()),
                value: Some(ValueDocument(value)),
                words,
                assumes: assumes.as_deref(),
                saved: saved.as_ref().map(ValueDocument),
                ..nothing
            },
        }
    }
}
