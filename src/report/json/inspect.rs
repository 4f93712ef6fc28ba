//! The document of `moe-lint inspect`.

use serde::Serialize;
use serde::ser::Serializer;

use super::Head;
use super::entries::{Args, Entry, IterationDocument, ValueDocument};
use crate::checkpoint::{Checkpoint, CheckpointError, Part};

/// The whole document.
#[derive(Serialize)]
pub(super) struct Document<'r> {
    #[serde(flatten)]
    head: Head,
    checkpoint: CheckpointDocument<'r>,
    entries: Entries<'r>,
}

#[derive(Serialize)]
struct CheckpointDocument<'r> {
    path: String,
    format: &'static str,
    iteration: Option<IterationDocument>,
    saved_args: Option<Args<'r>>,
    notes: &'r [String],
    problems: Vec<ProblemDocument>,
}

/// A part of the checkpoint that cannot be read.
#[derive(Serialize)]
struct ProblemDocument {
    file: String,
    byte: Option<u64>,
    message: String,
    help: Option<String>,
}

impl ProblemDocument {
    fn new(error: &CheckpointError) -> Self {
        Self {
            file: error.file.display().to_string(),
            byte: error.offset,
            message: error.problem.to_string(),
            help: error.help(),
        }
    }
}

impl<'r> Document<'r> {
    pub(super) fn new(checkpoint: &'r Checkpoint) -> Self {
        Self {
            head: Head::new(),
            checkpoint: CheckpointDocument {
                path: checkpoint.directory.display().to_string(),
                format: checkpoint.format.name(),
                iteration: checkpoint.iteration.map(IterationDocument),
                saved_args: checkpoint.saved_args.as_ref().map(Args),
                notes: &checkpoint.notes,
                problems: checkpoint.problems.iter().map(ProblemDocument::new).collect(),
            },
            entries: Entries(&checkpoint.parts),
        }
    }
}

struct Entries<'r>(&'r [Part]);

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().flat_map(|part| {
            let several = part.chunks.len() > 1;
            let chunks = part.chunks.iter().enumerate();
            let model = chunks.map(move |(i, chunk)| ("model", several.then_some(i), chunk));
            model.chain([("other", None, &part.other)]).flat_map(move |(state, vpp, inventory)| {
                inventory.iter().map(move |(key, tensor)| HeldEntry {
                    file: tensor.file.as_deref().unwrap_or(&part.file),
                    state,
                    vpp,
                    entry: Entry::new(key, tensor),
                    value: part.values.get(key).filter(|_| state == "other").map(ValueDocument),
                })
            })
        }))
    }
}

/// An entry, where it lies and to which state dict of its file it belongs.
#[derive(Serialize)]
struct HeldEntry<'r> {
    file: &'r str,
    state: &'static str,
    vpp: Option<usize>,
    #[serde(flatten)]
    entry: Entry<'r>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<ValueDocument<'r>>,
}
