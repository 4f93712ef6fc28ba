//! The document of `moe-lint inspect`.

use serde::Serialize;
use serde::ser::Serializer;

use super::Head;
use super::entries::{Args, Entry, IterationDocument};
use crate::checkpoint::{Checkpoint, Part};

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
}
