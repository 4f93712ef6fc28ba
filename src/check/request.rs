//! What is given to a check, and reading it.

use std::path::PathBuf;

use crate::diagnose::Edit;
use crate::error::Error;
use crate::fix::{self, Change};
use crate::launch::{self, Launch, Options};
use crate::rules::value::Value;
use crate::rules::version::Version;
use crate::training::TrainingConfig;

/// What is given to a check.
#[derive(Debug, Clone)]
pub struct Request {
    /// The launch.
    pub input: Input,
    /// The machine it will run on.
    pub machine: Machine,
    /// The checkpoint, instead of the launch's own.
    pub checkpoint: Option<PathBuf>,
    /// Which command trains, counted from 1; `None`: the one that does.
    pub command: Option<u64>,
}

/// A launch as it is given.
#[derive(Debug, Clone)]
pub enum Input {
    /// A shell script.
    Script {
        /// Its path.
        path: PathBuf,
        /// Its text.
        text: String,
        /// Variables of its environment.
        env: Vec<(String, String)>,
        /// Its arguments.
        args: Vec<String>,
    },
    /// The words of a command.
    Words(Vec<String>),
}

/// What is known of the machine that the launch will run on.
#[derive(Debug, Clone)]
pub struct Machine {
    /// The framework's version.
    pub framework: Option<Version>,
    /// Transformer Engine: `None` not said, `Some(None)` not installed.
    pub te: Option<Option<Version>>,
    /// Whether apex is installed.
    pub apex: bool,
    /// The number of processes.
    pub world_size: Option<u64>,
    /// The number of the tokenizer's tokens, where its files are not at hand.
    pub tokenizer_size: Option<u64>,
    /// The settings file that says the framework's version; `None`: the command line does.
    pub told_by: Option<PathBuf>,
    /// Variables of the environment beside those of a script.
    pub env: Vec<(String, String)>,
}

impl Request {
    /// The checkpoint to check against.
    ///
    /// # Errors
    /// When neither the user nor the launch names one, or its name is not known.
    pub(super) fn checkpoint_path(&self, config: &TrainingConfig) -> Result<Option<PathBuf>, Error> {
        if let Some(path) = &self.checkpoint {
            return Ok(Some(path.clone()));
        }
        match config.values.get("load_path") {
            Value::Str(path) => Ok(Some(PathBuf::from(&**path))),
            Value::Unknown(unknown) => Err(Error::UnknownCheckpoint(unknown.clone())),
            _ => Err(Error::NoCheckpointNamed),
        }
    }
}

/// Reads a launch.
pub(super) fn read(input: &Input) -> Result<Launch, Error> {
    match input {
        Input::Words(words) => Ok(launch::from_argv(words)),
        Input::Script { path, text, env, args } => {
            let options = Options { env: env.clone(), args: args.clone(), ..Options::default() };
            Ok(launch::read_script(path, text, &options)?)
        }
    }
}

/// The edits of a script that make a change; none where the launch is not a script, or cannot be changed in its text
/// without changing more.
pub(super) fn edits(input: &Input, launch: &Launch, change: &Change) -> Vec<Edit> {
    let Input::Script { path, text, env, args } = input else { return Vec::new() };
    // Characters that the reader replaces are not ours to write.
    if launch.sources.first().is_none_or(|source| source.text != *text) {
        return Vec::new();
    }
    let text = fix::rewrite(launch, change, &|text| {
        let text = text.to_owned();
        let mut other = read(&Input::Script { path: path.clone(), text, env: env.clone(), args: args.clone() }).ok()?;
        other.training = launch.training;
        Some(other)
    });
    launch.sources.first().zip(text).map(|(source, text)| fix::edits(source, &text)).unwrap_or_default()
}
