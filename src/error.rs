//! Why a command cannot run. A finding is never an error.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::checkpoint::CheckpointError;
use crate::convert::ConvertError;
use crate::launch::LaunchError;
use crate::rules::RuleError;
use crate::rules::expr::ExprError;
use crate::rules::flags::FlagError;
use crate::rules::value::Unknown;
use crate::rules::version::Version;
use crate::settings::SettingsError;
use crate::training::ConfigError;

/// What stops a command before it has anything to report.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No rule has this name.
    #[error("there is no rule `{name}`")]
    NoSuchRule {
        /// The name.
        name: String,
        /// The one that was meant.
        meant: Option<String>,
    },
    /// Neither a script nor words after `--`.
    #[error("there is no launch to look at")]
    NoLaunch,
    /// A file cannot be read.
    #[error("{}: {error}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// A file cannot be written.
    #[error("{} cannot be written: {error}", .path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The settings are wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// No launch is named, and no settings name one.
    #[error("there is no launch to look at: no `moe-lint.toml` here or above names one")]
    NoTargets,
    /// Settings without launches.
    #[error("{}: its targets match no file", .0.display())]
    NothingMatches(PathBuf),
    /// The command to run is not there or is none.
    #[error("{program}: {error}")]
    NotStarted {
        /// The program.
        program: String,
        /// Why not.
        error: io::Error,
    },
    /// A second launch where one is expected.
    #[error("one launch at a time: what is {} for?", .0.display())]
    OneLaunch(PathBuf),
    /// A file of words whose quotes do not close.
    #[error("{}: a quote does not close", .0.display())]
    OpenQuote(PathBuf),
    /// `--fix` or `--diff` for a launch that is a list of words.
    #[error("@{} is a list of words: --fix and --diff change scripts", .0.display())]
    NoScript(PathBuf),
    /// Words after `--` beside a script.
    #[error("{} is a script: words after `--` change YAML files only", .0.display())]
    WordsBesideScript(PathBuf),
    /// A file that is there already.
    #[error("{} is there already", .0.display())]
    Exists(PathBuf),
    /// The launch cannot be read.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// No command of the launch trains.
    #[error("no command of this launch starts a training script")]
    NoTrainingCommand,
    /// The launch loads nothing.
    #[error("the launch names no checkpoint")]
    NoCheckpointNamed,
    /// The launch's checkpoint has an unknown name.
    #[error("the launch's checkpoint is not known: {}", .0.told())]
    UnknownCheckpoint(Arc<Unknown>),
    /// A framework version before all rules.
    #[error("version {0} is older than the rules that moe-lint has")]
    TooOld(Version),
    /// The copy that the launch would import is older than all rules; the version and where it is written.
    #[error("{1} is version {0}, which is older than the rules that moe-lint has")]
    CopyTooOld(Version, String),
    /// The checkpoint cannot be read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A checkpoint is not converted.
    #[error(transparent)]
    Convert(#[from] ConvertError),
    /// A rule file is wrong.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// The flags' rule files are wrong.
    #[error(transparent)]
    Flags(#[from] FlagError),
    /// A rule cannot be computed for this launch.
    #[error("a rule cannot be computed for this launch: {0}")]
    Config(#[from] ConfigError),
    /// A rule cannot be computed for this launch.
    #[error("a rule cannot be computed for this launch: {0}")]
    Expression(#[from] ExprError),
    /// The launch is not a file.
    #[error("fixes are edits of a script, and this launch is none")]
    NothingToFix,
    /// A script is not what was checked.
    #[error("{} was not changed: it holds something else than was checked, or is not UTF-8 text", .0.display())]
    ChangedMeanwhile(PathBuf),
    /// Nothing can be inferred from a checkpoint.
    #[error(transparent)]
    Infer(#[from] crate::infer::InferError),
    /// The report could not be written.
    #[error("the report cannot be written: {0}")]
    Output(#[from] io::Error),
}

impl Error {
    /// The exit code: 2, but for a command that cannot be started, where shells have their own.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NotStarted { error, .. } if error.kind() == io::ErrorKind::NotFound => 127,
            Self::NotStarted { .. } => 126,
            _ => 2,
        }
    }

    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Checkpoint(error) => error.help(),
            Self::NoSuchRule { meant: Some(meant), .. } => Some(format!("did you mean `{meant}`?")),
            Self::NoSuchRule { .. } => Some("`moe-lint rules` lists them".to_owned()),
            Self::Convert(error) => error.help(),
            Self::Settings(error) => error.help(),
            Self::NoTargets => {
                Some("name a launch script, give the command after `--`, or write settings: moe-lint init".to_owned())
            }
            Self::CopyTooOld(..) => Some("--megatron VERSION asks for another version".to_owned()),
            Self::WordsBesideScript(_) => {
                Some("give its arguments with --arg VALUE, its variables with --env NAME=VALUE".to_owned())
            }
            Self::NoLaunch => Some("name a launch script, or give the command after `--`".to_owned()),
            Self::NoTrainingCommand => Some("choose a command with --command N, or give it after `--`".to_owned()),
            Self::NoCheckpointNamed => Some("give one with --checkpoint PATH".to_owned()),
            Self::UnknownCheckpoint(_) => Some("give it with --checkpoint PATH, or the variable with --env".to_owned()),
            _ => None,
        }
    }
}
