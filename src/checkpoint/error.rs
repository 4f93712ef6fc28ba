//! Why a checkpoint cannot be read: always with the file, with the byte where that is known, and with a way out.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A checkpoint, or a part of one, that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointError {
    /// The file or directory.
    pub file: PathBuf,
    /// The byte in it, where one can be named.
    pub offset: Option<u64>,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a file or directory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Problem {
    /// Nothing has this name.
    #[error("no such file or directory")]
    Missing,
    /// The operating system refuses.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// A device, a pipe, a socket, or a directory where a file is needed.
    #[error("is not a regular file")]
    NotAFile,
    /// A file of zero bytes.
    #[error("is empty")]
    Empty,
    /// A directory in which nothing looks like a checkpoint.
    #[error("holds no checkpoint: {looked_for}")]
    NoCheckpoint {
        /// What was looked for.
        looked_for: String,
    },
    /// A root with iterations and no tracker file.
    #[error("holds iterations but no `{tracker}`: the framework finds nothing here and starts from random weights")]
    NoTracker {
        /// The missing file's name.
        tracker: String,
        /// An iteration that is there.
        example: String,
    },
    /// A tracker file with other text than a number or the word for a release.
    #[error("says `{text}`: expected an iteration number or `{release}`")]
    BadTracker {
        /// What it says, shortened.
        text: String,
        /// The word for a release.
        release: String,
    },
    /// The iteration that was asked for is not there.
    #[error("does not exist, but {asked_by} asks for it")]
    MissingIteration {
        /// Who asks: the tracker file or the option.
        asked_by: String,
        /// What is there instead.
        present: Vec<String>,
    },
    /// Another iteration than the one in a snapshot.
    #[error("is not in the snapshot, which holds `{held}`")]
    NotRecorded {
        /// The iteration's directory that was recorded.
        held: String,
    },
    /// A snapshot whose facts are not those that were written.
    #[error("was changed after it was written: its digest is another")]
    Edited,
    /// A git-LFS pointer instead of the file.
    #[error("is a git-LFS pointer, not the checkpoint itself")]
    LfsPointer,
    /// A web page saved under a checkpoint's name.
    #[error("is an HTML page, not a checkpoint")]
    Html,
    /// Plain text under a checkpoint's name.
    #[error("is a text file, not a checkpoint")]
    Text,
    /// Bytes of no known format.
    #[error("is no checkpoint format that is known here: it starts with {0}")]
    Unrecognised(String),
    /// A known format that is not read.
    #[error("is a checkpoint of the kind `{name}`, which is not read")]
    Unsupported {
        /// Its name.
        name: String,
        /// What to do.
        help: String,
    },
    /// The file ends too early.
    #[error("is cut off: expected {0}")]
    Truncated(String),
    /// The bytes contradict the format.
    #[error("is damaged: expected {expected}, found {found}")]
    Malformed {
        /// What the format wants.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A size that is claimed and that no sane file has.
    #[error("claims {what} of {claimed}, more than the {limit} that are accepted")]
    TooLarge {
        /// What is too large.
        what: String,
        /// What the file claims.
        claimed: u64,
        /// What is accepted.
        limit: u64,
    },
    /// A name in the checkpoint that leads out of its directory.
    #[error("names the file `{0}`, which is outside the checkpoint's directory")]
    Outside(String),
}

impl CheckpointError {
    /// A problem of a file as a whole.
    pub fn new(file: impl Into<PathBuf>, problem: Problem) -> Self {
        Self { file: file.into(), offset: None, problem }
    }

    /// A problem at a byte of a file.
    pub fn at(file: impl Into<PathBuf>, offset: u64, problem: Problem) -> Self {
        Self { file: file.into(), offset: Some(offset), problem }
    }

    /// What the operating system said about a path.
    pub fn io(file: &Path, error: &io::Error) -> Self {
        let problem = match error.kind() {
            io::ErrorKind::NotFound => Problem::Missing,
            io::ErrorKind::UnexpectedEof => Problem::Truncated("more bytes: the file became shorter".to_owned()),
            _ => Problem::Unreadable(error.to_string()),
        };
        Self::new(file, problem)
    }

    /// What the user can do about it.
    pub fn help(&self) -> Option<String> {
        Some(match &self.problem {
            Problem::Missing => {
                "check the path; a checkpoint is named by its root, an iteration directory or a file".to_owned()
            }
            Problem::LfsPointer => "run `git lfs pull` in that repository to fetch the real file".to_owned(),
            Problem::Html => {
                "the download was answered by a web page (a login or an error): download it again".to_owned()
            }
            Problem::Empty | Problem::Truncated(_) => {
                "the file was not written or copied to its end: copy it again, or use an earlier iteration".to_owned()
            }
            Problem::NoTracker { example, .. } => {
                format!(
                    "name the iteration directory itself (`{example}`) to look into it, or restore the tracker file"
                )
            }
            Problem::BadTracker { release, .. } => format!("write the iteration's number (or `{release}`) into it"),
            Problem::MissingIteration { present, .. } if !present.is_empty() => {
                format!("there is {}", present.join(", "))
            }
            Problem::Unsupported { help, .. } => help.clone(),
            Problem::Malformed { .. } | Problem::TooLarge { .. } => {
                "the file is damaged, or it was made to look like a checkpoint: do not load it".to_owned()
            }
            Problem::NotRecorded { .. } | Problem::Edited => {
                "record it again where the checkpoint is: moe-lint snapshot CHECKPOINT -o FILE".to_owned()
            }
            Problem::Outside(_) => "a checkpoint that names files elsewhere is not to be trusted".to_owned(),
            _ => return None,
        })
    }
}

impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(offset) = self.offset {
            write!(f, ": byte {offset}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl std::error::Error for CheckpointError {}

/// The result of everything that reads checkpoints.
pub type Result<T> = std::result::Result<T, CheckpointError>;

/// The format wants one thing and the bytes hold another.
pub(crate) fn malformed(expected: impl Into<String>, found: impl fmt::Display) -> Problem {
    Problem::Malformed { expected: expected.into(), found: found.to_string() }
}
