//! What can be typed. Parsed here and nowhere judged: what it means is the library's business.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::rules::version::Version;

/// Tells, before a GPU is booked, what Megatron-LM's checkpoint loader will do with a launch and a checkpoint.
#[derive(Debug, Parser)]
#[command(name = "moe-lint", version, args_conflicts_with_subcommands = true, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 loads, 1 does not load as asked, 2 cannot be told or cannot run.")]
pub struct Cli {
    /// What to do; `check` where nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The arguments of `check`.
    #[command(flatten)]
    pub check: CheckArgs,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Will the checkpoint load into the model that the launch builds? (the default)
    Check(CheckArgs),
    /// Show the keys, shapes and dtypes that the launch builds; needs no checkpoint
    Schema(SchemaArgs),
    /// Show what a checkpoint holds; needs no launch
    Inspect(InspectArgs),
}

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
    pub output: OutputArgs,
}

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

/// A launch and what is to be taken for granted about its machine.
#[derive(Debug, Args)]
pub struct LaunchArgs {
    /// Bash script that launches the training
    #[arg(value_name = "LAUNCH")]
    pub script: Option<PathBuf>,
    /// Or the launch itself, after `--`
    #[arg(last = true, value_name = "ARGV", conflicts_with = "script")]
    pub argv: Vec<String>,

    /// Megatron-LM's version, such as 0.12, core_v0.12.0 or main
    #[arg(long, value_name = "VERSION", help_heading = "The training machine")]
    pub megatron: Option<Version>,
    /// Transformer Engine's version, or `none` where it is not installed
    #[arg(long, value_name = "VERSION", value_parser = engine, help_heading = "The training machine")]
    pub te: Option<TransformerEngine>,
    /// apex is not installed
    #[arg(long, help_heading = "The training machine")]
    pub no_apex: bool,
    /// Number of processes [default: as the launch says]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "The training machine")]
    pub world_size: Option<u64>,

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

    /// Directory with more rules, for a fork of the framework
    #[arg(long, value_name = "DIR")]
    pub rules: Vec<PathBuf>,
}

/// How to print; never changes the exit code.
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// Print for people or for programs
    #[arg(long, value_enum, value_name = "human|json", hide_possible_values = true, default_value_t = OutputFormat::Human, help_heading = "Output")]
    pub format: OutputFormat,
    /// Colour; NO_COLOR, FORCE_COLOR and CLICOLOR are heard too
    #[arg(long, value_enum, value_name = "auto|always|never", hide_possible_values = true, default_value_t = When::Auto, help_heading = "Output")]
    pub color: When,
    /// Columns to print in [default: the terminal's, or 80]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), help_heading = "Output")]
    pub width: Option<u16>,
}

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For people.
    Human,
    /// For programs.
    Json,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// On a terminal, unless the environment says otherwise.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
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

/// Whether Transformer Engine is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransformerEngine {
    /// In that version.
    Installed(Version),
    /// Not importable.
    Absent,
}

fn engine(text: &str) -> Result<TransformerEngine, String> {
    if text.eq_ignore_ascii_case("none") {
        return Ok(TransformerEngine::Absent);
    }
    text.parse().map(TransformerEngine::Installed).map_err(|_| "expected a version such as 1.9, or `none`".to_owned())
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(words: &[&str]) -> Cli {
        Cli::try_parse_from(std::iter::once("moe-lint").chain(words.iter().copied())).expect("a command line")
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn check_is_the_default() {
        let cli = parse(&["train.sh", "--megatron", "core_v0.12.0"]);
        assert!(cli.command.is_none());
        assert_eq!(cli.check.launch.script, Some("train.sh".into()));
        let Some(Command::Check(check)) = parse(&["check", "train.sh"]).command else { panic!("check") };
        assert_eq!(check.launch.script, Some("train.sh".into()));
    }

    #[test]
    fn argv_comes_after_two_dashes() {
        for words in [&["check", "--", "torchrun", "--load", "x"][..], &["--", "torchrun", "--load", "x"]] {
            let cli = parse(words);
            let launch = match cli.command {
                Some(Command::Check(check)) => check.launch,
                _ => cli.check.launch,
            };
            assert_eq!(launch.argv, ["torchrun", "--load", "x"]);
        }
    }

    #[test]
    fn values_are_checked() {
        let check = parse(&["--te", "none", "--env", "A=b=c", "--env", "B=", "--arg", "-x", "train.sh"]).check;
        assert_eq!(check.launch.te, Some(TransformerEngine::Absent));
        assert_eq!(check.launch.env, [("A".into(), "b=c".into()), ("B".into(), String::new())]);
        assert_eq!(check.launch.args, ["-x"]);
        for words in [&["--te", "x"][..], &["--env", "A"], &["--env", "1=2"], &["--megatron", "new"], &["--width", "0"]]
        {
            assert!(
                Cli::try_parse_from(std::iter::once("moe-lint").chain(words.iter().copied())).is_err(),
                "{words:?}"
            );
        }
    }
}
