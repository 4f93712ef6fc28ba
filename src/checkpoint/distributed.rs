//! Distributed checkpoints: the index, what is common to all ranks, and whether the data files are there.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::{CheckpointError, Problem, Result, malformed};
use super::locate::Content;
use super::state::{Role, State};
use super::store::{Section, Store};
use super::torch_file::{self, Purpose, TorchFile};
use super::{Checkpoint, Format, Iteration, Part, dcp, detect};
use crate::rules::storage::{Foreign, StorageRules};
use crate::rules::value::Value;
use crate::tensor::{Inventory, Key};

/// A description of the format is a few words.
const MAX_CONFIG: u64 = 1 << 20;

/// Reads the distributed checkpoint in a directory.
pub fn read(store: &dyn Store, content: &Content, rules: &StorageRules) -> Result<Checkpoint> {
    let names = &rules.distributed;
    if content.has_config {
        check_backend(store, rules)?;
    }
    let is_common = |name: &str| name.split('/').next() == Some(&names.common_entry);
    let is_read = |name: &str| names.objects.iter().any(|pattern| pattern.matches(plain(name)));
    let mut index = dcp::index(store, names, &|name| is_common(name) || is_read(name))?;
    let objects: BTreeMap<_, _> = std::mem::take(&mut index.objects);
    let (common_objects, objects): (BTreeMap<_, _>, BTreeMap<_, _>) =
        objects.into_iter().partition(|(name, _)| is_common(name));
    index.objects = common_objects;
    let format = if content.has_config { Format::TorchDist } else { Format::TorchDcp };
    let (model, other) = split(std::mem::take(&mut index.entries), rules, format);
    let mut part = Part {
        file: Arc::from(names.index.as_str()),
        coordinates: None,
        chunks: vec![model],
        other,
        values: BTreeMap::new(),
        globals: index.globals.clone(),
    };
    let mut checkpoint = Checkpoint {
        root: store.path(""),
        directory: store.path(""),
        format,
        iteration: None,
        saved_args: None,
        parts: Vec::new(),
        notes: index.notes.clone(),
        problems: data_files(store, &index.files),
    };
    dcp::global_notes(&names.index, &index.globals, &rules.globals, &mut checkpoint.notes);
    match common(store, &index, rules) {
        None => {}
        Some(Err(problem)) => checkpoint.problems.push(problem),
        Some(Ok((file, read))) => {
            dcp::global_notes(&file, &read.globals, &rules.globals, &mut checkpoint.notes);
            add_common(read, &mut part, &mut checkpoint.saved_args);
        }
    }
    for (name, place) in &objects {
        match object(store, place, rules) {
            Err(problem) => checkpoint.notes.push(format!("`{name}` cannot be read: {problem}")),
            Ok(read) => {
                let under = |key: &str| Arc::<str>::from(format!("{}.{key}", plain(name)));
                for (key, tensor) in read.state.other.iter() {
                    part.other.insert(under(key), tensor.clone());
                }
                part.values.extend(read.state.values.into_iter().map(|(key, value)| (under(&key), value)));
            }
        }
    }
    checkpoint.iteration = part.values.get(&*rules.entries.iteration).and_then(Value::int).and_then(|step| {
        // A release is saved with the iteration 0.
        u64::try_from(step).ok().filter(|&step| step > 0).map(Iteration::Step)
    });
    checkpoint.parts.push(part);
    Ok(checkpoint)
}

/// The model's entries and the others.
fn split(entries: Inventory, rules: &StorageRules, format: Format) -> (Inventory, Inventory) {
    let names = &rules.distributed;
    let prefix = names.model_prefix.as_str();
    let is_prefixed = format == Format::TorchDcp && entries.iter().any(|(key, _)| key.starts_with(prefix));
    let (mut model, mut other) = (Inventory::new(), Inventory::new());
    for (key, tensor) in entries {
        if let Some(stripped) = key.strip_prefix(prefix).filter(|_| is_prefixed) {
            model.insert(stripped, tensor);
            continue;
        }
        let first = key.split(['.', '/']).next().unwrap_or(&key);
        let is_other = is_prefixed || names.other.iter().any(|pattern| pattern.matches(first));
        if is_other { &mut other } else { &mut model }.insert(key, tensor);
    }
    (model, other)
}

/// The JSON file names a format that is read.
fn check_backend(store: &dyn Store, rules: &StorageRules) -> Result<()> {
    let blob = store.open(&rules.distributed.config)?;
    let bytes = blob.all("a description of a checkpoint", MAX_CONFIG)?;
    let parsed: serde_json::Value = serde_json::from_slice(&bytes).map_err(|error| {
        let problem = detect::text_problem(&bytes).filter(|problem| *problem != Problem::Text);
        CheckpointError::new(blob.path(), problem.unwrap_or_else(|| malformed("a JSON object", error)))
    })?;
    let backend = parsed.get(&rules.distributed.backend).and_then(serde_json::Value::as_str);
    let expected = || format!("a JSON object with `{}`", rules.distributed.backend);
    let backend = backend.ok_or_else(|| CheckpointError::new(blob.path(), malformed(expected(), "none")))?;
    if rules.distributed.supported.iter().any(|name| name == backend) {
        return Ok(());
    }
    let foreign = Foreign::all().iter().find(|foreign| foreign.name == backend);
    let help = foreign.map_or_else(|| "load and save it in another format".to_owned(), |foreign| foreign.help.clone());
    Err(CheckpointError::new(store.path(""), Problem::Unsupported { name: backend.to_owned(), help }))
}

/// Data files that are missing or shorter than the index says.
fn data_files(store: &dyn Store, files: &BTreeMap<String, u64>) -> Vec<CheckpointError> {
    let check = |(name, needed): (&String, &u64)| match store.open(name) {
        Err(error) => Some(error),
        Ok(blob) if blob.len() < *needed => {
            let expected = format!("{needed} bytes in all, as the index says");
            Some(CheckpointError::at(blob.path(), blob.len(), Problem::Truncated(expected)))
        }
        Ok(_) => None,
    };
    files.iter().filter_map(check).collect()
}

/// An object's name without its place among the shards.
fn plain(name: &str) -> &str {
    name.split('/').next().unwrap_or(name)
}

/// One object out of a data file. A compressed one holds nothing for us.
fn object(store: &dyn Store, place: &dcp::Place, rules: &StorageRules) -> Result<TorchFile> {
    let blob = store.open(&place.file)?;
    if place.is_transformed {
        return Ok(TorchFile { state: State::default(), globals: Vec::new() });
    }
    let section = Section::part(&*blob, place.offset, place.length)?;
    let file = &Arc::from(place.file.as_str());
    torch_file::zip(&section, Purpose { rules, file, role: Role::Object })
}

/// What all ranks have in common: a file of its own, or an object in a data file.
fn common(store: &dyn Store, index: &dcp::Index, rules: &StorageRules) -> Option<Result<(String, TorchFile)>> {
    let name = &rules.distributed.common_file;
    if store.kind(name).is_some() {
        let read = || {
            let blob = store.open(name)?;
            detect::file(&*blob, name)?;
            let file = &Arc::from(name.as_str());
            Ok((name.clone(), torch_file::read(&*blob, Purpose { rules, file, role: Role::Common })?))
        };
        return Some(read());
    }
    let place = index.objects.values().next()?;
    let read = || {
        let blob = store.open(&place.file)?;
        if place.is_transformed {
            let help = "its saved arguments cannot be read; the tensors' shapes can".to_owned();
            let problem = Problem::Unsupported { name: "compressed torch.distributed.checkpoint".to_owned(), help };
            return Err(CheckpointError::at(blob.path(), place.offset, problem));
        }
        let section = Section::part(&*blob, place.offset, place.length)?;
        let file = &Arc::from(place.file.as_str());
        Ok((place.file.clone(), torch_file::zip(&section, Purpose { rules, file, role: Role::Common })?))
    };
    Some(read())
}

fn add_common(read: TorchFile, part: &mut Part, args: &mut Option<BTreeMap<String, Value>>) {
    for (key, tensor) in read.state.other.iter() {
        // An entry of the index is the more exact one.
        if part.other.get(key).is_none() {
            part.other.insert(Key::clone(key), tensor.clone());
        }
    }
    part.values.extend(read.state.values);
    part.globals.extend(read.globals);
    part.globals.sort_unstable();
    part.globals.dedup();
    *args = read.state.args;
}
