//! What can be typed after `moe-lint convert`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::launch::LaunchArgs;
use super::output::OutputArgs;

/// `moe-lint convert`.
#[derive(Debug, Args)]
pub struct ConvertArgs {
    /// Checkpoint to convert; it is only read
    #[arg(value_name = "SRC")]
    pub source: PathBuf,
    /// Directory to write; it must not exist
    #[arg(value_name = "DST")]
    pub target: PathBuf,
    /// How to store the experts
    #[arg(long, value_name = "sequential|grouped|te-grouped")]
    pub experts: Option<String>,
    /// Whose names the layers get
    #[arg(long, value_name = "local|transformer_engine")]
    pub transformer_impl: Option<String>,
    /// Take this prefix away from every key of the model
    #[arg(long, value_name = "PREFIX")]
    pub strip_prefix: Option<String>,
    /// Put this prefix before every key of the model
    #[arg(long, value_name = "PREFIX")]
    pub add_prefix: Option<String>,
    /// Experts of a rank [default: as the saved arguments say]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub experts_per_rank: Option<u64>,
    /// Leave the optimizer's state out, which fits no other layout
    #[arg(long)]
    pub drop_optimizer: bool,
    /// Only tell what would be written
    #[arg(long)]
    pub dry_run: bool,
    /// Go on with a conversion that was begun
    #[arg(long)]
    pub resume: bool,
    /// Compare some elements of every tensor with the source, or all of them
    #[arg(long, value_enum, value_name = "sampled|full", hide_possible_values = true, default_value_t = Verify::Sampled)]
    pub verify: Verify,
    /// Threads that write [default: one a core, at most 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1024))]
    pub jobs: Option<u64>,

    /// Write every N-th file from number I (0 to N-1) on [default: SLURM_PROCID/SLURM_NTASKS]
    #[arg(long, value_name = "I/N", value_parser = shard, conflicts_with_all = ["finish", "dry_run"], help_heading = "Many machines")]
    pub shard: Option<(u64, u64)>,
    /// Check that all files are there, and write the tracker file
    #[arg(long, conflicts_with = "dry_run", help_heading = "Many machines")]
    pub finish: bool,

    /// The launch that the target is checked against.
    #[command(flatten)]
    pub launch: LaunchArgs,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// How much of what was written is compared with the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Verify {
    /// Some elements of every tensor.
    Sampled,
    /// All of them.
    Full,
}

fn shard(text: &str) -> Result<(u64, u64), String> {
    let numbers = text.split_once('/').and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
    numbers.filter(|(index, of)| index < of).ok_or_else(|| "expected I/N with I from 0 to N-1, such as 0/4".to_owned())
}
