//! How many tokens a tokenizer has, counted in its files.

mod hugging_face;
mod sentencepiece;

use std::collections::HashSet;
use std::path::Path;

use crate::checkpoint::store::{LocalStore, Store};
use crate::checkpoint::{CheckpointError, Problem};
use crate::rules::tokenizers::{Read, Tokenizer};

/// The largest file of a tokenizer that is read. The largest known have about 40 MB.
const LARGEST: u64 = 256 << 20;

/// The number of tokens of a tokenizer whose file or folder is `path`; `extra` more are put in by the launch.
///
/// # Errors
/// When a file cannot be read, or is not what it should be.
pub fn count(tokenizer: &Tokenizer, path: &Path, extra: u64) -> Result<u64, CheckpointError> {
    let mut tokens = match tokenizer.read {
        Read::Sentencepiece => {
            let bytes = file(path)?;
            let pieces = sentencepiece::pieces(&bytes).map_err(|problem| CheckpointError::new(path, problem))?;
            let control = pieces.control_absent(&tokenizer.with_control);
            let mut tokens = pieces.names;
            tokens.extend(control);
            tokens
        }
        Read::Json => members(path, &file(path)?)?,
        Read::HuggingFace => hugging_face::tokens(path)?,
    };
    tokens.extend(tokenizer.with.iter().cloned());
    tokens.extend((0..extra.min(LARGEST)).map(|number| format!("<extra_id_{number}>")));
    Ok(tokens.len() as u64)
}

/// The names of a JSON object's members.
fn members(path: &Path, bytes: &[u8]) -> Result<HashSet<String>, CheckpointError> {
    let object: serde_json::Map<String, serde_json::Value> = json(path, bytes)?;
    Ok(object.into_iter().map(|(name, _)| name).collect())
}

fn json<T: serde::de::DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T, CheckpointError> {
    serde_json::from_slice(bytes).map_err(|e| CheckpointError::new(path, Problem::Unreadable(e.to_string())))
}

fn file(path: &Path) -> Result<Vec<u8>, CheckpointError> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Err(CheckpointError::new(path, Problem::NotAFile));
    };
    LocalStore::new(folder).open(name)?.all("a tokenizer's file", LARGEST)
}
