//! What is read once, however many versions and ways out are judged by it: the launch and the checkpoints.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::request::{self, Request};
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
        let mut launch = request::read(&request.input)?;
        if let Some(command) = request.command {
            launch.training = usize::try_from(command).ok().and_then(|n| n.checked_sub(1));
        }
        Ok(Self { request, launch: Arc::new(launch), checkpoints: Arc::default() })
    }

    /// The same request with another launch: what was read of checkpoints stays.
    pub fn changed(&self, launch: Launch) -> Self {
        Self { request: self.request, launch: Arc::new(launch), checkpoints: Arc::clone(&self.checkpoints) }
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
