//! What is wrong with settings, with the place and, for a name that is not known, the one that was meant.

use std::io;
use std::path::{Path, PathBuf};

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("{}: {error}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The file says something that is none of ours.
    #[error("{}: {message}", .path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What, with the line.
        message: String,
        /// What was meant.
        help: Option<String>,
    },
}

impl SettingsError {
    /// An error of the TOML reader.
    pub(super) fn wrong(path: &Path, error: &toml::de::Error) -> Self {
        let message = error.to_string().trim_end().to_owned();
        Self::Wrong { path: path.to_path_buf(), message, help: meant(error.message()) }
    }

    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Unreadable { .. } => None,
            Self::Wrong { help, .. } => help.clone(),
        }
    }
}

/// The known name nearest to an unknown one: the reader lists them behind it, all between backticks.
fn meant(message: &str) -> Option<String> {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = quoted.next().filter(|_| message.starts_with("unknown "))?;
    let (distance, known) = quoted.map(|known| (strsim::damerau_levenshtein(unknown, known), known)).min()?;
    (distance <= 1 + unknown.len() / 3).then(|| format!("did you mean `{known}`?"))
}
