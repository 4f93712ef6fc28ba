//! Counting a report: how many keys differ, how many tensors match, on how many ranks.

use crate::diff::PartDiff;
use crate::report::Report;
use crate::schema::Schema;
use crate::tensor::{Inventory, Kind, Tensor};

/// The numbers of a check.
pub(super) struct Tally {
    /// Ranks (or virtual stages of them) that were compared; 1 for a global state.
    pub(super) parts: usize,
    /// Keys that differ.
    pub(super) differing: Each,
    /// Those that some diagnosis explains.
    pub(super) explained: u64,
    /// Diagnoses that explain any.
    pub(super) causes: usize,
    /// Tensors that the launch builds and the checkpoint has; `None` when the schema is not known.
    pub(super) matching: Option<Each>,
}

/// A number of things on several ranks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Each {
    /// On all of them together.
    pub(super) total: u64,
    /// On each, where it is the same on all of several ranks.
    pub(super) each: Option<u64>,
}

impl Each {
    fn of(counts: &[u64]) -> Self {
        let same = counts.len() > 1 && counts.iter().all(|count| Some(count) == counts.first());
        Self { total: counts.iter().sum(), each: if same { counts.first().copied() } else { None } }
    }
}

impl Tally {
    pub(super) fn of(report: &Report) -> Self {
        let parts = &report.diff.parts;
        let differing: Vec<u64> =
            parts.iter().map(|p| (p.missing.len() + p.unexpected.len() + p.mismatched.len()) as u64).collect();
        let explained = |d: &crate::diagnose::Diagnosis| {
            (d.explains.missing.len() + d.explains.unexpected.len() + d.explains.mismatched.len()) as u64
        };
        Self {
            parts: parts.len().max(1),
            differing: Each::of(&differing),
            explained: report.diagnoses.iter().map(explained).sum(),
            causes: report.diagnoses.iter().filter(|d| explained(d) > 0).count(),
            matching: report.schema.as_ref().filter(|_| report.checkpoint.is_some()).map(|s| matching(s, parts)),
        }
    }
}

fn matching(schema: &Schema, parts: &[PartDiff]) -> Each {
    let counts: Vec<u64> = match schema {
        Schema::Global(inventory) => vec![match_of(inventory, parts.first())],
        Schema::PerRank(ranks) => ranks
            .iter()
            .flat_map(|rank| rank.chunks.iter().enumerate().map(move |(i, chunk)| (rank, i as u64, chunk)))
            .map(|(rank, vpp, chunk)| {
                let part = parts.iter().find(|part| {
                    part.coordinates == Some(rank.coordinates) && part.vpp.is_none_or(|of_part| of_part == vpp)
                });
                match_of(chunk, part)
            })
            .collect(),
    };
    Each::of(&counts)
}

fn match_of(inventory: &Inventory, part: Option<&PartDiff>) -> u64 {
    let is_tensor = |tensor: &Tensor| tensor.kind == Kind::Tensor;
    let wanted = inventory.iter().filter(|(_, tensor)| is_tensor(tensor)).count();
    let lacking = part.map_or(0, |part| {
        part.missing.iter().filter(|(_, tensor)| is_tensor(tensor)).count()
            + part.mismatched.iter().filter(|mismatch| is_tensor(&mismatch.expected)).count()
    });
    wanted.saturating_sub(lacking) as u64
}
