//! What is read once, however many versions and ways out are judged by it: the launch and the checkpoints.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::request::{self, Input, Request};
use crate::checkpoint::{self, Checkpoint, CheckpointError, Options};
use crate::error::Error;
use crate::launch::Launch;

/// A request with its launch read.
pub(super) struct Reading<'r> {
    /// What was asked.
    pub request: &'r Request,
    /// The launch, as it is given or as a way out would change it.
    pub launch: Arc<Launch>,
    /// The checkpoints that were looked at.
    pub checkpoints: Arc<Checkpoints>,
}

impl<'r> Reading<'r> {
    /// Reads a request's launch.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn new(request: &'r Request) -> Result<Self, Error> {
        Self::read(request, &request.input, Arc::default())
    }

    /// The same request with another launch: what was read of checkpoints stays.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn changed(&self, input: &Input) -> Result<Self, Error> {
        Self::read(self.request, input, Arc::clone(&self.checkpoints))
    }

    /// The same request with another launch, as if every checkpoint that was read so far were converted; one that cannot
    /// be stays as it is.
    ///
    /// # Errors
    /// When the launch cannot be read.
    pub fn converted(&self, input: &Input, convert: &dyn Fn(&Checkpoint) -> Option<Checkpoint>) -> Result<Self, Error> {
        let read = self.checkpoints.read.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let changed = read.into_iter().map(|(key, read)| {
            let read = read.map(|read| convert(&read).map_or(read, Arc::new));
            (key, read)
        });
        let checkpoints = Checkpoints { read: Mutex::new(changed.collect()) };
        Self::read(self.request, input, Arc::new(checkpoints))
    }

    fn read(request: &'r Request, input: &Input, checkpoints: Arc<Checkpoints>) -> Result<Self, Error> {
        let mut launch = request::read(input)?;
        if let Some(command) = request.command {
            launch.training = usize::try_from(command).ok().and_then(|n| n.checked_sub(1));
        }
        Ok(Self { request, launch: Arc::new(launch), checkpoints })
    }
}

/// What was read, by path and iteration.
type Read = HashMap<(PathBuf, Option<u64>), Result<Arc<Checkpoint>, CheckpointError>>;

/// Checkpoints, each read once.
#[derive(Default)]
pub(super) struct Checkpoints {
    read: Mutex<Read>,
}

impl Checkpoints {
    /// The checkpoint at a path; `step` is the iteration that the launch asks for.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&self, path: &Path, step: Option<u64>) -> Result<Arc<Checkpoint>, CheckpointError> {
        let key = (path.to_path_buf(), step);
        let known = self.read.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        // Not read under the lock: reading may wait for threads that wait for the lock.
        known.unwrap_or_else(|| {
            let read = checkpoint::read(path, &Options { step, rules: None }).map(Arc::new);
            self.read.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_insert(read).clone()
        })
    }
}
