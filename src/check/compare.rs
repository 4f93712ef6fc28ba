//! Comparing what a launch builds with what a checkpoint holds, rank by rank or globally.

use std::collections::HashMap;

use crate::checkpoint::{Checkpoint, Part};
use crate::diff::{Diff, PartDiff, compare, hooks};
use crate::rules::loader::{Hook, LoaderRules};
use crate::schema::{Rank, Schema};
use crate::tensor::Inventory;

/// What differs, and what cannot be compared because it is not there.
#[derive(Debug, Default)]
pub(super) struct Compared {
    /// The differences.
    pub diff: Diff,
    /// Files that ranks look for and do not find.
    pub missing_files: Vec<String>,
    /// The launch wants one virtual pipeline stage, and the checkpoint holds none or several.
    pub one_of_many_chunks: bool,
    /// Virtual stages that the checkpoint does not hold.
    pub chunks_absent: usize,
}

/// Compares everything. `active` are the load hooks that this launch has.
pub(super) fn differences(schema: &Schema, checkpoint: &Checkpoint, rules: &LoaderRules, active: &[&Hook]) -> Compared {
    let mut compared = Compared::default();
    match schema {
        Schema::Global(expected) => {
            for part in &checkpoint.parts {
                for chunk in &part.chunks {
                    compared.diff.parts.push(compare(expected, chunk));
                }
            }
        }
        Schema::PerRank(ranks) => {
            // A large model has thousands of ranks and files.
            let parts: HashMap<&str, &Part> = checkpoint.parts.iter().map(|part| (&*part.file, part)).collect();
            for rank in ranks {
                match parts.get(&*rank.file) {
                    None => compared.missing_files.push(rank.file.to_string()),
                    Some(part) => of_rank(rank, part, (active, &rules.order), &mut compared),
                }
            }
        }
    }
    compared
}

/// One rank. A single state dict is stored under another name than the first of several.
fn of_rank(rank: &Rank, part: &Part, (active, order): (&[&Hook], &[String]), compared: &mut Compared) {
    let (wanted, there) = (rank.chunks.len(), part.chunks.len());
    compared.one_of_many_chunks |= wanted == 1 && there != 1;
    let found = chunks(rank, part);
    for vpp in 0..wanted.max(found.len()) {
        let empty = Inventory::new();
        let (expected, found) = (rank.chunks.get(vpp).map_or(&empty, |chunk| &**chunk), found.get(vpp));
        compared.chunks_absent += usize::from(found.is_none());
        let mut part = compare(expected, found.unwrap_or(&empty));
        part.missing.retain(|(_, tensor)| !tensor.optional);
        hooks::take_back(active, order, expected, &mut part);
        let vpp = (wanted > 1).then_some(vpp as u64);
        compared.diff.parts.push(PartDiff { coordinates: Some(rank.coordinates), vpp, ..part });
    }
}

/// The stored state dicts that a rank's virtual stages find.
fn chunks<'p>(rank: &Rank, part: &'p Part) -> &'p [Inventory] {
    match (rank.chunks.len(), part.chunks.len()) {
        (1, several) if several > 1 => &part.chunks[..1],
        (several, 1) if several > 1 => &[],
        _ => &part.chunks,
    }
}
