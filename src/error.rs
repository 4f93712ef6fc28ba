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
    /// This build lacks something.
    #[error("`{0}` is not part of this build")]
    NotBuilt(&'static str),
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
    /// A second launch where one is expected.
    #[error("one launch at a time: what is {} for?", .0.display())]
    OneLaunch(PathBuf),
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
    #[error("the launch's checkpoint is not known: {} {}", .0.name, .0.reason)]
    UnknownCheckpoint(Arc<Unknown>),
    /// A framework version before all rules.
    #[error("version {0} is older than the rules that moe-lint has")]
    TooOld(Version),
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
    /// The report could not be written.
    #[error("the report cannot be written: {0}")]
    Output(#[from] io::Error),
}

impl Error {
    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Checkpoint(error) => error.help(),
            Self::Convert(error) => error.help(),
            Self::Settings(error) => error.help(),
            Self::NoTargets => {
                Some("name a launch script, give the command after `--`, or write settings: moe-lint init".to_owned())
            }
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
