//! Snapshots: everything that headers tell, in one small file of text, so that a launch can be checked where the
//! checkpoint is not.
//!
//! Keys are folded into patterns, ranks that hold the same share it, everything has a fixed order and a line of its own:
//! a change of the checkpoint is a readable difference of the file. [`write()`] takes every field of a [`Checkpoint`]
//! apart by name, so that a new one cannot be forgotten.

mod entries;
mod read;
mod values;
mod write;

use std::path::Path;

pub use write::write;

use super::error::{CheckpointError, Problem, Result};
use super::locate::{self, ChosenBy, Location};
use super::store::{Blob as _, LocalFile, LocalStore};
use super::{Checkpoint, Iteration};
use crate::rules::storage::StorageRules;

/// The end of a snapshot's name, by custom.
pub const SUFFIX: &str = ".moe-lint.json";

/// The first name in a snapshot; its value is the version of the format.
const MARK: &str = "moe_lint_snapshot";
/// Raised when an older moe-lint would misread what is written.
const VERSION: u64 = 1;
/// A larger file is none of ours: a snapshot of 20,000 ranks has 4 MB.
const MOST_BYTES: u64 = 256 << 20;
/// More entries, all ranks together, are refused.
const MOST_ENTRIES: u64 = 1 << 24;

/// A checkpoint as it was recorded.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// What it holds.
    pub checkpoint: Checkpoint,
    /// What the loader finds at its root when no step is asked for.
    pub location: Location,
}

/// The snapshot at a path; `None` when there is something else.
///
/// # Errors
/// When it is a snapshot and cannot be read.
pub fn open(path: &Path) -> Result<Option<Snapshot>> {
    let Ok(file) = LocalFile::open(path.to_path_buf()) else { return Ok(None) };
    let head = file.head(256)?;
    let is_ours = std::str::from_utf8(&head)
        .unwrap_or("")
        .trim_start()
        .strip_prefix('{')
        .is_some_and(|rest| rest.trim_start().strip_prefix('"').is_some_and(|rest| rest.starts_with(MARK)));
    if !is_ours {
        return Ok(None);
    }
    let bytes = file.all("a snapshot", MOST_BYTES)?;
    read::read(&bytes).map(Some).map_err(|problem| CheckpointError::new(path, problem))
}

impl Snapshot {
    /// What the loader finds at the recorded root, for the option that names a step.
    pub fn locate(&self, rules: &StorageRules, step: Option<u64>) -> Location {
        let mut location = self.location.clone();
        let Some(step) = step else { return location };
        let folder = locate::folder_of(rules, Iteration::Step(step));
        let held = location.folder.as_deref() == Some(&*folder) && location.folder_exists;
        location.iteration = Some(Iteration::Step(step));
        location.chosen_by = Some(ChosenBy::Option);
        location.folder_exists = held || location.present.contains(&folder);
        location.folder = Some(folder);
        if !held {
            location.content = locate::Content::default();
        }
        location
    }

    /// The checkpoint, for the option that names a step.
    ///
    /// # Errors
    /// When that step is not the recorded one.
    pub fn read(self, rules: &StorageRules, step: Option<u64>) -> Result<Checkpoint> {
        if step.is_none() || self.location.is_file {
            return Ok(self.checkpoint);
        }
        let location = self.locate(rules, step);
        let root = self.checkpoint.root.clone();
        let folder = locate::directory(&LocalStore::new(&root), rules, &location)?;
        if self.location.folder.as_deref() == Some(&*folder) {
            return Ok(self.checkpoint);
        }
        Err(CheckpointError::new(
            root.join(folder),
            Problem::NotRecorded { held: self.location.folder.unwrap_or_default() },
        ))
    }
}
