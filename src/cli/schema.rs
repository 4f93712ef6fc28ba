//! What can be typed after `moe-lint schema`.

use clap::{Args, ValueEnum};

use super::launch::LaunchArgs;
use super::output::OutputArgs;

/// `moe-lint schema`.
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// The launch.
    #[command(flatten)]
    pub launch: LaunchArgs,
    /// Show the model as this checkpoint format stores it [default: the one that the launch asks for]
    #[arg(long, value_enum, value_name = "torch|torch_dist", hide_possible_values = true)]
    pub checkpoint_format: Option<CheckpointFormat>,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// The two ways in which Megatron-LM stores a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum CheckpointFormat {
    /// A file a rank, with that rank's keys.
    Torch,
    /// One sharded state with global keys.
    TorchDist,
}
