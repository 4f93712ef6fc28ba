//! What can be typed after `moe-lint exec`.

use std::path::PathBuf;

use clap::Args;

use super::launch::TransformerEngine;
use super::output::ReportArgs;
use crate::rules::version::Version;

/// `moe-lint exec`.
#[derive(Debug, Args)]
pub struct ExecArgs {
    /// Start the command whatever the check says
    #[arg(long)]
    pub warn_only: bool,
    /// Checkpoint, or snapshot of one, to check against [default: the one that the launch loads]
    #[arg(long, value_name = "PATH")]
    pub checkpoint: Option<PathBuf>,
    /// Megatron-LM's version, such as 0.12, core_v0.12.0 or main
    #[arg(long, value_name = "VERSION", help_heading = "The training machine")]
    pub megatron: Option<Version>,
    /// Transformer Engine's version, or `none` where it is not installed
    #[arg(long, value_name = "VERSION", help_heading = "The training machine")]
    pub te: Option<TransformerEngine>,
    /// apex is not installed
    #[arg(long, help_heading = "The training machine")]
    pub no_apex: bool,
    /// Number of processes [default: as the launch says]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "The training machine")]
    pub world_size: Option<u64>,
    /// Number of the tokenizer's tokens [default: as its files say]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "The training machine")]
    pub tokenizer_size: Option<u64>,
    /// Settings to use [default: moe-lint.toml here or above]
    #[arg(long, value_name = "FILE", help_heading = "Settings")]
    pub config: Option<PathBuf>,
    /// Use no settings
    #[arg(long, conflicts_with = "config", help_heading = "Settings")]
    pub isolated: bool,
    /// How to print.
    #[command(flatten)]
    pub output: ReportArgs,
    /// The command that launches the training, after `--`
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub argv: Vec<String>,
}
