//! What a reading of a launch is given besides the text: environment, arguments, files, limits.
#![allow(clippy::disallowed_methods, reason = "the one room that reads launches from disk")]

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// The files that a script can see. Nothing is ever written or run.
pub trait Files: Sync {
    /// The text of a file.
    ///
    /// # Errors
    /// Where it cannot be read or is larger than `most` bytes.
    fn read(&self, path: &Path, most: u64) -> io::Result<String>;
    /// Whether a path is there; `Some(true)` for a directory.
    fn is_directory(&self, path: &Path) -> Option<bool>;
    /// The size of a file in bytes.
    fn size(&self, path: &Path) -> Option<u64>;
    /// The names in a directory, unsorted.
    fn list(&self, path: &Path) -> Vec<String>;
    /// The path without links and dots, as far as it exists.
    fn real_path(&self, path: &Path) -> Option<PathBuf>;
}

/// The file system of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path, most: u64) -> io::Result<String> {
        let size = path.metadata()?;
        if !size.is_file() || size.len() > most {
            return Err(io::Error::other("is not a file of a readable size"));
        }
        Ok(String::from_utf8_lossy(&std::fs::read(path)?).into_owned())
    }

    fn is_directory(&self, path: &Path) -> Option<bool> {
        path.metadata().ok().map(|meta| meta.is_dir())
    }

    fn size(&self, path: &Path) -> Option<u64> {
        path.metadata().ok().map(|meta| meta.len())
    }

    fn list(&self, path: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(path).into_iter().flatten().take(10_000);
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect()
    }

    fn real_path(&self, path: &Path) -> Option<PathBuf> {
        path.canonicalize().ok()
    }
}

/// No files at all: for texts whose author is not trusted to look round.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &Path, _: u64) -> io::Result<String> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn is_directory(&self, _: &Path) -> Option<bool> {
        None
    }

    fn size(&self, _: &Path) -> Option<u64> {
        None
    }

    fn list(&self, _: &Path) -> Vec<String> {
        Vec::new()
    }

    fn real_path(&self, _: &Path) -> Option<PathBuf> {
        None
    }
}

/// How much a script may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest text that is read, in bytes.
    pub text: usize,
    /// The longest value of a variable, in bytes.
    pub value: usize,
    /// The steps of an evaluation, each about a word.
    pub steps: u64,
    /// How deep functions, `eval`, `source` and substitutions may call each other.
    pub depth: usize,
    /// The most commands that are kept.
    pub commands: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { text: 2 << 20, value: 256 << 10, steps: 200_000, depth: 60, commands: 2_000 }
    }
}

/// What a reading of a script is given.
pub struct Options<'a> {
    /// Environment variables that the user gave (`--env NAME=VALUE`).
    pub env: Vec<(String, String)>,
    /// Positional arguments that the user gave (`--arg`).
    pub args: Vec<String>,
    /// Whether `env` and `args` are all there is, so that everything else is known to be unset. Otherwise a variable
    /// that nobody sets is unknown.
    pub complete: bool,
    /// The directory that the script is started in; `None` for that of this process.
    pub directory: Option<PathBuf>,
    /// The files it can see.
    pub files: &'a dyn Files,
    /// Limits.
    pub limits: Limits,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            env: Vec::new(),
            args: Vec::new(),
            complete: false,
            directory: None,
            files: &Disk,
            limits: Limits::default(),
        }
    }
}

impl fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("env", &self.env)
            .field("args", &self.args)
            .field("complete", &self.complete)
            .field("directory", &self.directory)
            .finish_non_exhaustive()
    }
}

/// Why a launch cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The text is too large to be a launch.
    #[error("{path}: {size} bytes are too many for a launch script (at most {most})", path = .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        size: usize,
        /// The limit.
        most: usize,
    },
    /// The text is not for a shell.
    #[error("{path}: {reason}", path = .path.display())]
    NotAScript {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The evaluation could not be started.
    #[error("{path}: cannot be evaluated: {reason}", path = .path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}
