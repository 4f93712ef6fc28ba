//! What can be typed. Parsed here and nowhere judged: what it means is the library's business.
//!
//! One file a command: its arguments here in `cli/`, what it does in `commands/`.

mod args;
mod check;
mod convert;
mod exec;
mod generate;
mod infer;
mod init;
mod inspect;
mod launch;
mod output;
mod rules;
mod schema;
mod snapshot;

pub use args::ArgsArgs;
pub use check::{CheckArgs, SettingsArgs};
pub use convert::{ConvertArgs, Verify};
pub use exec::ExecArgs;
pub use generate::{CompletionsArgs, ManArgs};
pub use infer::InferArgs;
pub use init::InitArgs;
pub use inspect::InspectArgs;
pub use launch::{LaunchArgs, TransformerEngine};
pub use output::{OutputArgs, OutputFormat, ReportArgs, ReportFormat, When};
pub use rules::{ExplainArgs, RulesArgs};
pub use schema::{CheckpointFormat, SchemaArgs};
pub use snapshot::{DiffArgs, SnapshotArgs};

use std::path::PathBuf;

use clap::{Parser, Subcommand};

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
    /// Directory with rule files that are added to the built-in ones, or take their place
    #[arg(long, value_name = "DIR", global = true)]
    pub rules: Vec<PathBuf>,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Will the checkpoint load into the model that the launch builds? (the default)
    Check(CheckArgs),
    /// Show the keys, shapes and dtypes that the launch builds; needs no checkpoint
    Schema(SchemaArgs),
    /// Show what a launch would run: the training command's flags, each with its value and place
    Args(ArgsArgs),
    /// Show what a checkpoint holds; needs no launch
    Inspect(InspectArgs),
    /// Show the flags that a checkpoint implies, from its saved args, keys and shapes; needs no launch
    Infer(InferArgs),
    /// Record all that a checkpoint's headers tell in a small file, to check against where the checkpoint is not
    Snapshot(SnapshotArgs),
    /// Compare two checkpoints or snapshots: keys, shapes, dtypes, saved arguments
    Diff(DiffArgs),
    /// Rewrite a checkpoint with the experts stored in another layout
    Convert(Box<ConvertArgs>),
    /// List what a check can find: name, severity, summary
    Rules(RulesArgs),
    /// Explain a rule: what it finds and why it happens
    Explain(ExplainArgs),
    /// Write moe-lint.toml by looking at the repository
    Init(InitArgs),
    /// Check a command and, only when it may go on, run it in place of moe-lint
    Exec(Box<ExecArgs>),
    /// Print the completions of a shell
    Completions(CompletionsArgs),
    /// Write the pages of the manual
    Man(ManArgs),
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
