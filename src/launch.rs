//! Reading a launch: from the text that a person wrote to the words that the training program receives.
//!
//! [`read_script`] follows a shell script without running anything, [`from_argv`] takes a command line as it is, and
//! [`entry`] tells which script a command starts with which arguments. This module and the checkpoint store are the
//! only places that read files.

mod argv;
mod entry;
pub mod forks;
mod inputs;
mod launchers;
mod options;
mod script;
mod shell;
mod training;
mod wrapper;
pub mod yaml;

pub mod argparse;

use std::path::PathBuf;
use std::sync::Arc;

pub use argv::{from_argv, quoted};
pub use entry::{Entry, entry};
pub use inputs::is_yaml;
pub use options::{Disk, Files, LaunchError, Limits, NoFiles, Options};
pub use script::read_script;
pub use training::{EntryPoint, entry_point};

use crate::rules::RuleError;
use crate::rules::value::Unknown;
use crate::text::{Located, Source, Span};

/// Checks the rule files that are taken to be in order afterwards.
///
/// # Errors
/// When one of them cannot be read.
pub fn check_rules() -> Result<(), RuleError> {
    launchers::check_rules()?;
    training::check_rules()?;
    forks::check_rules()?;
    inputs::check_rules()
}

/// The line and the reason of the first place where a shell would refuse a text; `None` where it is all in order.
pub fn syntax_error(text: &str) -> Option<(usize, String)> {
    shell::syntax_error(text)
}

/// One word of a command, or why it cannot be known without running something.
pub type Word = Located<Result<String, Arc<Unknown>>>;

/// What was launched.
#[derive(Debug, Clone, Default)]
pub struct Launch {
    /// Every text that was read (the script, files that it sources).
    pub sources: Vec<Arc<Source>>,
    /// The commands that would run, in order; the command inside a wrapper follows it.
    pub commands: Vec<Command>,
    /// Which of `commands` trains; `None` when none of them does.
    pub training: Option<usize>,
    /// What could not be followed, for the reader of the report.
    pub unknowns: Vec<Arc<Unknown>>,
    /// What the shell itself would complain about.
    pub remarks: Vec<Remark>,
}

/// Something in a launch that its shell would complain about or that surely is not meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// What is wrong.
    pub message: String,
    /// Where.
    pub place: Option<Span>,
}

/// One simple command as the machine would run it.
#[derive(Debug, Clone, Default)]
pub struct Command {
    /// The program's name and its arguments.
    pub argv: Vec<Word>,
    /// Indexes of unknown words of `argv` that stood outside quotes: there may be none of it, or several.
    pub open: Vec<usize>,
    /// Variables that the command sees and that the launch itself set, by name.
    pub env: Vec<(String, Word)>,
    /// The directory that it runs in; `None` where that is not known.
    pub directory: Option<PathBuf>,
    /// The line of the command in its source, counted from 1.
    pub line: usize,
    /// The wrapper that starts it (`srun`, `bash -c`): an index of [`Launch::commands`].
    pub via: Option<usize>,
    /// What decides whether it runs at all.
    pub depends_on: Option<Arc<Unknown>>,
}

impl Launch {
    /// The training command, if there is one.
    pub fn training_command(&self) -> Option<&Command> {
        self.training.and_then(|index| self.commands.get(index))
    }
}

impl Command {
    /// A known word of the command.
    pub fn known(&self, index: usize) -> Option<&str> {
        self.argv.get(index).and_then(|word| word.value.as_deref().ok())
    }
}
