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
    /// Apply safe fixes to the script, then check it again
    #[arg(long, conflicts_with = "argv", help_heading = "Fixes")]
    pub fix: bool,
    /// With --fix or --diff: apply also those that change what is trained or how
    #[arg(long, help_heading = "Fixes")]
    pub unsafe_fixes: bool,
    /// Print what --fix would change; write nothing
    #[arg(long, conflicts_with_all = ["fix", "argv"], help_heading = "Fixes")]
    pub diff: bool,
    /// How to print.
    #[command(flatten)]
    pub output: ReportArgs,
}
