//! The document of `moe-lint convert`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Head, check};
use crate::convert::{Depth, Part, Report, Request};
use crate::report::Report as Checked;

/// The whole document.
#[derive(Serialize)]
pub(super) struct Document<'r> {
    #[serde(flatten)]
    head: Head,
    source: String,
    target: String,
    /// `plan`, `all`, `shard` or `finish`.
    part: &'static str,
    complete: bool,
    experts: Option<Change<'r>>,
    layers: Option<Change<'r>>,
    files: usize,
    files_there_already: usize,
    bytes: u64,
    compared: ComparedDocument,
    optimizer_left_out: bool,
    module_states_left_out: usize,
    saved_arguments: BTreeMap<&'r str, String>,
    check: Option<check::Document<'r>>,
}

#[derive(Serialize)]
struct Change<'r> {
    from: &'r str,
    to: &'r str,
}

#[derive(Serialize)]
struct ComparedDocument {
    all_elements: bool,
    tensors: u64,
    of_experts: u64,
    elements: u64,
}

impl<'r> Document<'r> {
    pub(super) fn new(request: &'r Request, report: &'r Report, checked: Option<&'r Checked>) -> Self {
        let change = |change: &'r (String, String)| Change { from: &change.0, to: &change.1 };
        Self {
            head: Head::new(),
            source: request.source.display().to_string(),
            target: request.target.display().to_string(),
            part: match request.part {
                Part::Plan => "plan",
                Part::All => "all",
                Part::Shard { .. } => "shard",
                Part::Finish => "finish",
            },
            complete: report.complete,
            experts: report.layouts.as_ref().map(change),
            layers: report.implementations.as_ref().map(change),
            files: report.files,
            files_there_already: report.kept,
            bytes: report.bytes,
            compared: ComparedDocument {
                all_elements: request.depth == Depth::Full,
                tensors: report.compared.tensors,
                of_experts: report.compared.experts,
                elements: report.compared.elements,
            },
            optimizer_left_out: report.without_optimizer.is_some(),
            module_states_left_out: report.dropped_states.as_ref().map_or(0, |(count, _)| *count),
            saved_arguments: report.saved.iter().map(|(name, value)| (name.as_str(), value.to_string())).collect(),
            check: checked.map(check::Document::new),
        }
    }
}
