//! What can be typed after `moe-lint check`.

use std::path::PathBuf;

use clap::Args;

use super::launch::LaunchArgs;
use super::output::ReportArgs;

/// `moe-lint check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The launch.
    #[command(flatten)]
    pub launch: LaunchArgs,
    /// Checkpoint to check against [default: the one that the launch loads]
    #[arg(long, value_name = "PATH")]
    pub checkpoint: Option<PathBuf>,
    /// How to print.
    #[command(flatten)]
    pub output: ReportArgs,
}
