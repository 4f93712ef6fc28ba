//! Reading a launch: from the text that a person wrote to the words that the training program receives.

pub mod argparse;

use std::sync::Arc;

use crate::rules::value::Unknown;
use crate::text::{Located, Source};

/// One word of a command, or why it cannot be known without running something.
pub type Word = Located<Result<String, Arc<Unknown>>>;

/// What was launched.
#[derive(Debug, Clone, Default)]
pub struct Launch {
    /// Every text that was read (the script, files that it sources).
    pub sources: Vec<Arc<Source>>,
    /// The commands that would run, in order.
    pub commands: Vec<Command>,
    /// Which of `commands` trains; `None` when none of them does.
    pub training: Option<usize>,
    /// What could not be followed, for the reader of the report.
    pub unknowns: Vec<Arc<Unknown>>,
}

/// One simple command as the machine would run it.
#[derive(Debug, Clone, Default)]
pub struct Command {
    /// The program's name and its arguments.
    pub argv: Vec<Word>,
    /// Variables that the command sees and that the launch itself set, by name.
    pub env: Vec<(String, Word)>,
    /// The line of the command in its source, counted from 1.
    pub line: usize,
}

impl Launch {
    /// The training command, if there is one.
    pub fn training_command(&self) -> Option<&Command> {
        self.training.and_then(|index| self.commands.get(index))
    }
}
