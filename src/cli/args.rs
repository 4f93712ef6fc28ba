//! What can be typed after `moe-lint args`.

use clap::Args;

use super::launch::LaunchArgs;
use super::output::OutputArgs;

/// `moe-lint args`.
#[derive(Debug, Args)]
pub struct ArgsArgs {
    /// The launch.
    #[command(flatten)]
    pub launch: LaunchArgs,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}
