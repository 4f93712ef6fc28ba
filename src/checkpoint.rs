//! Reading a checkpoint's headers: which format it has, what it holds, what its launch was. Never its tensors' data.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::rules::value::Value;
use crate::tensor::Inventory;

/// How a checkpoint is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One `torch.save` file a rank.
    Torch,
    /// `torch.distributed.checkpoint`: `.metadata` beside `*.distcp` files.
    TorchDist,
    /// safetensors: a file, or a directory of them with or without an index.
    Safetensors,
}

impl Format {
    /// The name that the framework and our JSON use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Torch => "torch",
            Self::TorchDist => "torch_dist",
            Self::Safetensors => "safetensors",
        }
    }
}

/// What was saved, as far as headers tell.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// The path the user or the launch named.
    pub root: PathBuf,
    /// The directory (or file) that holds this iteration.
    pub directory: PathBuf,
    /// How it is stored.
    pub format: Format,
    /// The iteration, or `release`; `None` where the format knows none.
    pub iteration: Option<Iteration>,
    /// The saved launch arguments, by dest; `None` when the checkpoint has none.
    pub saved_args: Option<BTreeMap<String, Value>>,
    /// The files that hold state: one a rank for `torch`, one for the whole for the others.
    pub parts: Vec<Part>,
    /// What else a reader of the report should know (a duplicate key, a dangerous pickle global, ...).
    pub notes: Vec<String>,
}

/// Which save of a run it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Iteration {
    /// Saved after that many steps.
    Step(u64),
    /// A converted or released checkpoint without a step count.
    Release,
}

/// The state of one rank (`torch`) or of the whole model (`torch_dist`, safetensors).
#[derive(Debug, Clone)]
pub struct Part {
    /// The file relative to the checkpoint directory; for `torch_dist` its `.metadata`.
    pub file: Arc<str>,
    /// The model's state dicts: one, or one a virtual pipeline stage.
    pub chunks: Vec<Inventory>,
    /// Everything that is not the model's: top-level entries such as the optimizer, by dotted path.
    pub other: Inventory,
}
