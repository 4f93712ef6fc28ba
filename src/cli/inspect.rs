//! What can be typed after `moe-lint inspect`.

use std::path::PathBuf;

use clap::Args;

use super::output::OutputArgs;

/// `moe-lint inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// A checkpoint directory or file
    #[arg(value_name = "CHECKPOINT")]
    pub checkpoint: PathBuf,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}
