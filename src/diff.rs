//! The difference between what a launch wants and what a checkpoint has.

use crate::schema::Coordinates;
use crate::tensor::{Key, Tensor};

/// All differences, one part for each rank and virtual stage, or one global part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diff {
    /// Parts in rank order; a part without differences is kept.
    pub parts: Vec<PartDiff>,
}

/// The differences of one state dict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartDiff {
    /// The rank; `None` for the global state.
    pub coordinates: Option<Coordinates>,
    /// The virtual pipeline stage; `None` when there is only one.
    pub vpp: Option<u64>,
    /// The model wants it, the checkpoint does not have it.
    pub missing: Vec<(Key, Tensor)>,
    /// The checkpoint has it, the model does not want it.
    pub unexpected: Vec<(Key, Tensor)>,
    /// Both have it, with another shape or dtype.
    pub mismatched: Vec<Mismatch>,
}

/// An entry that both sides have and that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// Its key.
    pub key: Key,
    /// What the model wants.
    pub expected: Tensor,
    /// What the checkpoint has.
    pub found: Tensor,
}
