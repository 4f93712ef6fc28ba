//! The flags that a checkpoint implies: the content of `moe-lint infer`.

use crate::checkpoint::Checkpoint;
use crate::infer::Inference;
use crate::rules::version::Version;

/// What `moe-lint infer` found.
#[derive(Debug)]
pub struct InferReport {
    /// The framework version that the flags are spelled for.
    pub version: Version,
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// What it implies.
    pub inference: Inference,
}

impl InferReport {
    /// 0: the checkpoint could be read; 2: a part of it could not, or nothing is known of it.
    pub fn exit_code(&self) -> u8 {
        if self.checkpoint.problems.is_empty() && !self.inference.arguments.is_empty() { 0 } else { 2 }
    }
}
