//! What a launch builds: the expected entries, for every rank or for the whole model.

mod build;
mod order;
mod walk;

use std::sync::Arc;

pub use build::{Builder, Built};
pub use order::{packed, registered};

use crate::tensor::Inventory;

/// Position of a rank in the model-parallel grid. Data- and context-parallel ranks hold the same state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Coordinates {
    /// Tensor-parallel rank.
    pub tp: u64,
    /// Pipeline stage.
    pub pp: u64,
    /// Expert-parallel rank.
    pub ep: u64,
    /// Expert-tensor-parallel rank; `None` where the framework version has no such dimension.
    pub etp: Option<u64>,
}

/// One rank's state dicts.
#[derive(Debug, Clone)]
pub struct Rank {
    /// Where the rank stands.
    pub coordinates: Coordinates,
    /// The file that this rank writes and reads, relative to the checkpoint directory.
    pub file: Arc<str>,
    /// One inventory a virtual pipeline stage. Ranks that hold the same keys and shapes share them.
    pub chunks: Vec<Arc<Inventory>>,
}

/// The expected side of a check.
#[derive(Debug, Clone)]
pub enum Schema {
    /// A file a rank (`torch` format): keys and local shapes.
    PerRank(Vec<Rank>),
    /// One global state (`torch_dist` format): sharded keys and global shapes.
    Global(Arc<Inventory>),
}
