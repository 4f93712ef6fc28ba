//! Checkpoints without ranks and iterations: one file, or a directory of safetensors files.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::Result;
use super::state::Role;
use super::store::Store;
use super::torch_file::{self, Purpose};
use super::{Checkpoint, Format, Part, dcp, detect, safetensors};
use crate::rules::storage::StorageRules;
use crate::rules::value::Value;

/// Reads one file.
pub fn read(store: &dyn Store, name: &str, rules: &StorageRules) -> Result<Checkpoint> {
    let blob = store.open(name)?;
    // The index of a distributed checkpoint stands for its directory.
    if name == rules.distributed.index && !blob.is_empty() {
        return super::distributed::read(store, &super::locate::content(store, rules, ""), rules);
    }
    let mut checkpoint = match detect::file(&*blob, name)? {
        detect::FileKind::Torch => torch(store, name, rules)?,
        detect::FileKind::Safetensors => from_safetensors(store, name, safetensors::file(store, name)?),
        detect::FileKind::SafetensorsIndex => from_safetensors(store, name, safetensors::indexed(store, name)?),
    };
    checkpoint.directory = store.path(name);
    Ok(checkpoint)
}

fn torch(store: &dyn Store, name: &str, rules: &StorageRules) -> Result<Checkpoint> {
    let file: Arc<str> = Arc::from(name);
    let read = torch_file::read(&*store.open(name)?, Purpose { rules, file: &file, role: Role::Single })?;
    let mut notes = Vec::new();
    dcp::global_notes(name, &read.globals, &rules.globals, &mut notes);
    Ok(Checkpoint {
        root: store.path(""),
        directory: store.path(name),
        format: Format::Torch,
        iteration: None,
        saved_args: read.state.args,
        parts: vec![Part {
            file,
            coordinates: None,
            chunks: read.state.chunks,
            other: read.state.other,
            values: read.state.values,
            globals: read.globals,
        }],
        notes,
        problems: Vec::new(),
    })
}

/// Reads a directory of safetensors files.
pub fn safetensors(store: &dyn Store, found: &safetensors::Found) -> Result<Checkpoint> {
    let (name, content) = match found {
        safetensors::Found::Index(index) => (index.as_str(), safetensors::indexed(store, index)?),
        safetensors::Found::Files(files) => match files.as_slice() {
            [file] => (file.as_str(), safetensors::file(store, file)?),
            _ => ("", safetensors::directory(store, files)?),
        },
    };
    // Where no file could be read there is no checkpoint to speak of.
    match content.problems.first() {
        Some(problem) if content.tensors.is_empty() => Err(problem.clone()),
        _ => Ok(from_safetensors(store, name, content)),
    }
}

fn from_safetensors(store: &dyn Store, name: &str, content: safetensors::Content) -> Checkpoint {
    let values: BTreeMap<Arc<str>, Value> =
        content.metadata.into_iter().map(|(key, text)| (key.into(), Value::Str(text.into()))).collect();
    Checkpoint {
        root: store.path(""),
        directory: store.path(""),
        format: Format::Safetensors,
        iteration: None,
        saved_args: None,
        parts: vec![Part {
            file: Arc::from(name),
            coordinates: None,
            chunks: vec![content.tensors],
            other: crate::tensor::Inventory::new(),
            values,
            globals: Vec::new(),
        }],
        notes: content.notes,
        problems: content.problems,
    }
}
