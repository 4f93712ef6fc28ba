//! Why a checkpoint is not rewritten: with what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use crate::checkpoint::CheckpointError;
use crate::rules::RuleError;
use crate::rules::expr::ExprError;

/// What stops a conversion.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// The source, or what was written of the target, cannot be read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A rule file is wrong.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// A rule cannot be computed for this checkpoint.
    #[error("a rule cannot be computed for this checkpoint: {0}")]
    Expression(#[from] ExprError),
    /// The target cannot be written.
    #[error("{}: cannot be written: {error}", .path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system says.
        error: io::Error,
    },
    /// The conversion would be wrong, or there is nothing to do.
    #[error("{message}")]
    Refused {
        /// Why.
        message: String,
        /// What to do.
        help: String,
    },
    /// What was written is not what was to be written.
    #[error("{}: {message}", .path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What differs.
        message: String,
    },
}

/// The result of everything here.
pub type Result<T> = std::result::Result<T, ConvertError>;

impl ConvertError {
    /// A refusal with a way out.
    pub fn refused(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Refused { message: message.into(), help: help.into() }
    }

    /// What the operating system said while writing.
    pub fn write(path: &Path, error: io::Error) -> Self {
        Self::Write { path: path.to_path_buf(), error }
    }

    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Checkpoint(error) => error.help(),
            Self::Refused { help, .. } => Some(help.clone()),
            Self::Write { error, .. } if error.kind() == io::ErrorKind::StorageFull => {
                Some("the half-written file is removed: make room, then go on with --resume".to_owned())
            }
            Self::Write { .. } => Some("what is complete stays: go on with --resume".to_owned()),
            Self::Wrong { .. } => Some("the source is unchanged; do not use this target".to_owned()),
            _ => None,
        }
    }
}
