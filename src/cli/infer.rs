//! What can be typed after `moe-lint infer`.

use std::path::PathBuf;

use clap::Args;

use super::output::OutputArgs;
use crate::rules::version::Version;

/// `moe-lint infer`.
#[derive(Debug, Args)]
pub struct InferArgs {
    /// A checkpoint directory or file, or a snapshot of one
    #[arg(value_name = "CHECKPOINT")]
    pub checkpoint: PathBuf,
    /// Spell the flags for this version of Megatron-LM [default: the newest release known]
    #[arg(long, value_name = "VERSION")]
    pub megatron: Option<Version>,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}
