//! The options that describe a launch, shared by the commands that read one.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use crate::rules::version::Version;

/// A launch and what is to be taken for granted about its machine.
#[derive(Debug, Clone, Default, Args)]
pub struct LaunchArgs {
    /// Bash script or YAML file that launches the training, or @FILE with a command line
    #[arg(value_name = "LAUNCH")]
    pub script: Option<PathBuf>,
    /// More of them, for `check`; without any, it checks all targets of moe-lint.toml
    #[arg(value_name = "MORE", hide = true)]
    pub more: Vec<PathBuf>,
    /// Or the launch itself, after `--`; behind YAML: its changes
    #[arg(last = true, value_name = "ARGV")]
    pub argv: Vec<String>,

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
    /// The settings file that says the versions, where the command line does not.
    #[arg(skip)]
    pub told_by: Option<PathBuf>,

    /// A variable of the script's environment
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = assignment, help_heading = "The script")]
    pub env: Vec<(String, String)>,
    /// File of NAME=VALUE lines for the script's environment
    #[arg(long, value_name = "FILE", help_heading = "The script")]
    pub env_file: Option<PathBuf>,
    /// An argument of the script ($1, $2, ...)
    #[arg(long = "arg", value_name = "VALUE", allow_hyphen_values = true, help_heading = "The script")]
    pub args: Vec<String>,
    /// Which command of the script trains, counted from 1 [default: the one that does]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "The script")]
    pub command: Option<u64>,
}

/// Whether Transformer Engine is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransformerEngine {
    /// In that version.
    Installed(Version),
    /// Not importable.
    Absent,
}

impl FromStr for TransformerEngine {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("none") {
            return Ok(Self::Absent);
        }
        text.parse().map(Self::Installed).map_err(|_| "expected a version such as 1.9, or `none`".to_owned())
    }
}

fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if is_name(name) => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

fn is_name(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && name.bytes().next().is_some_and(|b| !b.is_ascii_digit())
}
