//! What a file or directory is, by its first bytes and its names; what is not read is refused by its own name.

use super::error::{CheckpointError, Problem, Result};
use super::store::{Blob, ItemKind, Store};
use super::{safetensors, torch_file};
use crate::rules::storage::Foreign;

/// A file that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A file of torch.save.
    Torch,
    /// A safetensors file.
    Safetensors,
    /// The index of several.
    SafetensorsIndex,
}

/// Enough of a file to recognise it.
const HEAD: usize = 1024;

/// What that file is.
pub fn file(blob: &dyn Blob, name: &str) -> Result<FileKind> {
    let refuse = |problem| Err(CheckpointError::new(blob.path(), problem));
    let head = blob.head(HEAD)?;
    if head.is_empty() {
        return refuse(Problem::Empty);
    }
    if name.ends_with(safetensors::INDEX) {
        return Ok(FileKind::SafetensorsIndex);
    }
    if let Some(foreign) = Foreign::all().iter().find(|foreign| foreign.is_file(name, &head)) {
        let (name, help) = (foreign.name.clone(), foreign.help.clone());
        return refuse(Problem::Unsupported { name, help });
    }
    if torch_file::is_torch(&head) {
        return Ok(FileKind::Torch);
    }
    if let Some(problem) = text_problem(&head) {
        return refuse(problem);
    }
    // By name as well, so that a damaged file is reported as what it was meant to be.
    if safetensors::is_safetensors(&head) || name.ends_with(safetensors::SUFFIX) {
        return Ok(FileKind::Safetensors);
    }
    let start: Vec<String> = head.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    refuse(Problem::Unrecognised(start.join(" ")))
}

/// A text file in place of a checkpoint: which kind of mistake it is.
pub fn text_problem(head: &[u8]) -> Option<Problem> {
    if head.starts_with(b"version https://git-lfs") {
        return Some(Problem::LfsPointer);
    }
    // The head may end in the middle of a character.
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&head[..error.valid_up_to()]).ok()?,
        Err(_) => return None,
    };
    let start = text.trim_start().get(..14).unwrap_or("").to_ascii_lowercase();
    if start.starts_with("<!doctype html") || start.starts_with("<html") {
        return Some(Problem::Html);
    }
    let is_text = text.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t'));
    is_text.then_some(Problem::Text)
}

/// The foreign format of a directory, by names in it or one level below.
pub fn foreign_directory(store: &dyn Store, folder: &str) -> Result<Option<&'static Foreign>> {
    let mut names = Vec::new();
    for item in store.list(folder)? {
        if item.kind == ItemKind::Folder && names.len() < 10_000 {
            let inner = if folder.is_empty() { item.name.clone() } else { format!("{folder}/{}", item.name) };
            names.extend(store.list(&inner).unwrap_or_default().into_iter().map(|item| item.name));
        }
        names.push(item.name);
    }
    let is_of = |foreign: &&Foreign| foreign.files.iter().any(|pattern| names.iter().any(|name| pattern.matches(name)));
    Ok(Foreign::all().iter().find(is_of))
}

/// The refusal of a foreign directory.
pub fn unsupported(store: &dyn Store, folder: &str, foreign: &Foreign) -> CheckpointError {
    let problem = Problem::Unsupported { name: foreign.name.clone(), help: foreign.help.clone() };
    CheckpointError::new(store.path(folder), problem)
}
