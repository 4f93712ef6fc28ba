//! What can be typed after `moe-lint check`.

use std::path::PathBuf;

use clap::Args;

use super::launch::LaunchArgs;
use super::output::ReportArgs;
use crate::diagnose::selection::severity;
use crate::diagnose::{Ignored, Selection, Severity};

/// `moe-lint check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The launch.
    #[command(flatten)]
    pub launch: LaunchArgs,
    /// Checkpoint, or snapshot of one, to check against [default: the one that the launch loads]
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
    /// The settings.
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// How to print.
    #[command(flatten)]
    pub output: ReportArgs,
}

/// Which settings hold.
#[derive(Debug, Default, Args)]
pub struct SettingsArgs {
    /// Settings to use [default: moe-lint.toml beside the launch or above]
    #[arg(long, value_name = "FILE", help_heading = "Settings")]
    pub config: Option<PathBuf>,
    /// Use no settings
    #[arg(long, conflicts_with = "config", hide_short_help = true, help_heading = "Settings")]
    pub isolated: bool,
    /// Pass over files that belong to no target of the settings
    #[arg(long, conflicts_with = "isolated", hide_short_help = true, help_heading = "Settings")]
    pub only_targets: bool,
    /// File of findings that are accepted [default: the settings']
    #[arg(long, value_name = "FILE", hide_short_help = true, help_heading = "Settings")]
    pub baseline: Option<PathBuf>,
    /// Accept the findings of a rule, with a reason; the outcome stays what it is
    #[arg(long, value_name = "RULE=REASON", hide_short_help = true, help_heading = "Settings")]
    pub ignore: Vec<Ignored>,
    /// Give a rule another severity: error, warning or info
    #[arg(long, value_name = "RULE=LEVEL", value_parser = severity, hide_short_help = true, help_heading = "Settings")]
    pub severity: Vec<(String, Severity)>,
    /// Show the findings of these rules only; changes no exit code
    #[arg(long, value_name = "RULE", value_delimiter = ',', hide_short_help = true, help_heading = "Settings")]
    pub select: Vec<String>,
    /// Accept all findings that there are now: write them to the baseline
    #[arg(long, hide_short_help = true, help_heading = "Settings")]
    pub write_baseline: bool,
}

impl SettingsArgs {
    /// What is selected, ignored and weighed otherwise on the command line.
    pub fn selection(&self) -> Selection {
        Selection {
            select: self.select.clone(),
            ignore: self.ignore.clone(),
            severity: self.severity.iter().cloned().collect(),
        }
    }
}
