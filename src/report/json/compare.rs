//! The document of `moe-lint diff`.

use serde::Serialize;

use super::Head;
use super::entries::{Entry, IterationDocument, ValueDocument};
use crate::checkpoint::Checkpoint;
use crate::diff::checkpoints::{CheckpointDiff, PartDifference, Sides, State};
use crate::rules::value::Value;

/// The whole document.
#[derive(Serialize)]
pub(super) struct Document<'r> {
    #[serde(flatten)]
    head: Head,
    a: Side,
    b: Side,
    same: bool,
    saved_args: Vec<ValueDifference<'r>>,
    only_a: Vec<&'r str>,
    only_b: Vec<&'r str>,
    parts: Vec<Part<'r>>,
}

#[derive(Serialize)]
struct Side {
    path: String,
    format: &'static str,
    iteration: Option<IterationDocument>,
}

#[derive(Serialize)]
struct ValueDifference<'r> {
    name: &'r str,
    a: Option<ValueDocument<'r>>,
    b: Option<ValueDocument<'r>>,
}

#[derive(Serialize)]
struct Part<'r> {
    file: &'r str,
    state: &'static str,
    vpp: Option<usize>,
    entries: Vec<EntryDifference<'r>>,
    values: Vec<ValueDifference<'r>>,
}

#[derive(Serialize)]
struct EntryDifference<'r> {
    a: Option<Entry<'r>>,
    b: Option<Entry<'r>>,
}

impl<'r> Document<'r> {
    pub(super) fn new(diff: &'r CheckpointDiff, [a, b]: [&'r Checkpoint; 2]) -> Self {
        Self {
            head: Head::new(),
            a: Side::new(a),
            b: Side::new(b),
            same: diff.is_empty(),
            saved_args: diff.saved_args.iter().map(|(name, sides)| ValueDifference::new(name, sides)).collect(),
            only_a: diff.only_a.iter().map(|file| &**file).collect(),
            only_b: diff.only_b.iter().map(|file| &**file).collect(),
            parts: diff.parts.iter().map(Part::new).collect(),
        }
    }
}

impl Side {
    fn new(checkpoint: &Checkpoint) -> Self {
        Self {
            path: checkpoint.directory.display().to_string(),
            format: checkpoint.format.name(),
            iteration: checkpoint.iteration.map(IterationDocument),
        }
    }
}

impl<'r> ValueDifference<'r> {
    fn new(name: &'r str, sides: &'r Sides<Value>) -> Self {
        Self { name, a: sides.a.as_ref().map(ValueDocument), b: sides.b.as_ref().map(ValueDocument) }
    }
}

impl<'r> Part<'r> {
    fn new(part: &'r PartDifference) -> Self {
        let (state, vpp) = match part.state {
            State::Model(stage) => ("model", Some(stage)),
            State::Other => ("other", None),
        };
        let entry = |(key, sides): &'r (crate::tensor::Key, Sides<crate::tensor::Tensor>)| EntryDifference {
            a: sides.a.as_ref().map(|tensor| Entry::new(key, tensor)),
            b: sides.b.as_ref().map(|tensor| Entry::new(key, tensor)),
        };
        Self {
            file: &part.file,
            state,
            vpp,
            entries: part.entries.iter().map(entry).collect(),
            values: part.values.iter().map(|(name, sides)| ValueDifference::new(name, sides)).collect(),
        }
    }
}
