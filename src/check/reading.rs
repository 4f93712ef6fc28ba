//! What is read once, however many versions and ways out are judged by it: the launch, the checkpoints, the tokenizers.

use std::collections::HashMap;
use std::hash::Hash;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::request::{self, Request};
use crate::checkpoint::{self, Checkpoint, CheckpointError, Options};
use crate::error::Error;
use crate::launch::Launch;
use crate::rules::tokenizers::Tokenizer;
use crate::rules::value::{Unknown, Value};
use crate::tokenizer;

/// A request with its launch read.
pub(super) struct Reading<'r> {
    /// What was asked.
    pub request: &'r Request,
    /// The launch, as it is given or as a way out would change it.
    pub launch: Arc<Launch>,
    /// The files that were looked at.
    pub files: Arc<Files>,
    /// Settings that a way out would change in the file of the launch's arguments.
    pub settings: Vec<(String, Value)>,
}

impl<'r> Reading<'r> {
    /// Reads a request's launch.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn new(request: &'r Request) -> Result<Self, Error> {
        let mut launch = request::read(&request.input)?;
        if let Some(command) = request.command {
            launch.training = usize::try_from(command).ok().and_then(|n| n.checked_sub(1));
        }
        Ok(Self { request, launch: Arc::new(launch), files: Arc::default(), settings: Vec::new() })
    }

    /// The same request with another launch: the files that were read stay.
    pub fn changed(&self, launch: Launch) -> Self {
        Self { launch: Arc::new(launch), ..self.again() }
    }

    /// The same request with other settings in the file of the launch's arguments.
    pub fn with_settings(&self, settings: Vec<(String, Value)>) -> Self {
        Self { settings, ..self.again() }
    }

    /// The same once more.
    pub fn again(&self) -> Self {
        let (launch, files) = (Arc::clone(&self.launch), Arc::clone(&self.files));
        Self { request: self.request, launch, files, settings: self.settings.clone() }
    }

    /// A variable of the environment that the training sees, as far as the launch or the user tells it.
    pub fn variable(&self, name: &str) -> Option<Result<String, Arc<Unknown>>> {
        let set = self.launch.training_command().and_then(|command| {
            let (_, word) = command.env.iter().rev().find(|(known, _)| known == name)?;
            Some(word.value.clone())
        });
        let given = || self.request.machine.env.iter().rev().find(|(known, _)| known == name);
        set.or_else(|| given().map(|(_, value)| Ok(value.clone())))
    }

    /// The same request, as if every checkpoint that was read so far were converted; one that cannot be stays as it is.
    pub fn converted(&self, convert: &dyn Fn(&Checkpoint) -> Option<Checkpoint>) -> Self {
        let changed = self.files.checkpoints.all().into_iter().map(|(key, read)| {
            let read = read.map(|read| convert(&read).map_or(read, Arc::new));
            (key, read)
        });
        let files = Files { checkpoints: Memo(Mutex::new(changed.collect())), ..Files::default() };
        Self { files: Arc::new(files), ..self.again() }
    }
}

/// Files that were read, each once.
#[derive(Default)]
pub(super) struct Files {
    checkpoints: Memo<(PathBuf, Option<u64>), Result<Arc<Checkpoint>, CheckpointError>>,
    tokenizers: Memo<(String, PathBuf, u64), Result<u64, CheckpointError>>,
}

impl Files {
    /// The checkpoint at a path; `step` is the iteration that the launch asks for.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn checkpoint(&self, path: &Path, step: Option<u64>) -> Result<Arc<Checkpoint>, CheckpointError> {
        let read = || checkpoint::read(path, &Options { step, rules: None }).map(Arc::new);
        self.checkpoints.get((path.to_path_buf(), step), read)
    }

    /// The number of a tokenizer's tokens.
    ///
    /// # Errors
    /// When its files cannot be read.
    pub fn tokens(&self, tokenizer: &Tokenizer, path: &Path, extra: u64) -> Result<u64, CheckpointError> {
        let kind = format!("{:?} {:?} {:?}", tokenizer.read, tokenizer.with, tokenizer.with_control);
        self.tokenizers.get((kind, path.to_path_buf(), extra), || tokenizer::count(tokenizer, path, extra))
    }
}

/// Results by what was asked.
struct Memo<K, V>(Mutex<HashMap<K, V>>);

impl<K, V> Default for Memo<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash + Clone, V: Clone> Memo<K, V> {
    /// Everything so far.
    fn all(&self) -> HashMap<K, V> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn get(&self, key: K, make: impl FnOnce() -> V) -> V {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        // Not made under the lock: making may wait for threads that wait for the lock.
        known.unwrap_or_else(|| {
            let made = make();
            self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_insert(made).clone()
        })
    }
}
