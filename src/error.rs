//! Why a command cannot run. A finding is never an error.

use std::io;

use crate::checkpoint::CheckpointError;

/// What stops a command before it has anything to report.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// This build lacks the command.
    #[error("`moe-lint {0}` is not part of this build")]
    NotBuilt(&'static str),
    /// The checkpoint cannot be read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The report could not be written.
    #[error("the report cannot be written: {0}")]
    Output(#[from] io::Error),
}

impl Error {
    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Checkpoint(error) => error.help(),
            Self::NotBuilt(_) | Self::Output(_) => None,
        }
    }
}
