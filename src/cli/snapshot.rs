//! What can be typed after `moe-lint snapshot` and `moe-lint diff`.

use std::path::PathBuf;

use clap::Args;

use super::output::OutputArgs;

/// `moe-lint snapshot`.
#[derive(Debug, Args)]
pub struct SnapshotArgs {
    /// A checkpoint directory or file
    #[arg(value_name = "CHECKPOINT")]
    pub checkpoint: PathBuf,
    /// File to write, NAME.moe-lint.json by custom [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `moe-lint diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// A checkpoint or a snapshot of one
    #[arg(value_name = "A")]
    pub a: PathBuf,
    /// Another
    #[arg(value_name = "B")]
    pub b: PathBuf,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}
