//! Checkpoints with one directory a rank: all files are read, each on its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::error::{CheckpointError, Problem, Result};
use super::locate::Content;
use super::state::{Role, State};
use super::store::Store;
use super::torch_file::{self, Purpose, TorchFile};
use super::{Checkpoint, Coordinates, Format, Part, dcp, detect};
use crate::rules::storage::{Ranks, StorageRules};
use crate::rules::value::Value;

/// Reads every rank's file in a directory.
pub fn read(store: &dyn Store, content: &Content, rules: &StorageRules) -> Result<Checkpoint> {
    let names = &content.ranks;
    let read: Vec<Result<Rank>> = names.par_iter().map(|name| rank(store, name, rules)).collect();
    let mut checkpoint = Checkpoint {
        root: store.path(""),
        directory: store.path(""),
        format: Format::Torch,
        iteration: None,
        saved_args: None,
        parts: Vec::new(),
        notes: Vec::new(),
        problems: Vec::new(),
    };
    for name in &content.empty_ranks {
        let file = store.path(&format!("{name}/{}", rules.ranks.file));
        checkpoint.problems.push(CheckpointError::new(file, Problem::Missing));
    }
    for (name, rank) in names.iter().zip(read) {
        match rank {
            Err(problem) => checkpoint.problems.push(problem),
            Ok(rank) => {
                let args = rank.args.as_ref().or(checkpoint.saved_args.as_ref());
                let coordinates = coordinates(&rules.ranks, name, args);
                dcp::global_notes(&rank.part.file, &rank.part.globals, &rules.globals, &mut checkpoint.notes);
                checkpoint.problems.extend(rank.problems);
                checkpoint.parts.push(Part { coordinates, ..rank.part });
                checkpoint.saved_args = checkpoint.saved_args.or(rank.args);
            }
        }
    }
    // Where no rank could be read there is no checkpoint to speak of.
    match checkpoint.problems.first() {
        Some(problem) if checkpoint.parts.is_empty() => Err(problem.clone()),
        _ => {
            checkpoint.parts.sort_by_key(|part| part.coordinates);
            Ok(checkpoint)
        }
    }
}

struct Rank {
    part: Part,
    args: Option<BTreeMap<String, Value>>,
    problems: Vec<CheckpointError>,
}

fn rank(store: &dyn Store, name: &str, rules: &StorageRules) -> Result<Rank> {
    let TorchFile { state, mut globals } = file(store, &format!("{name}/{}", rules.ranks.file), rules, Role::Rank)?;
    let State { chunks, mut other, mut values, args } = state;
    let mut problems = Vec::new();
    for beside in &rules.ranks.beside {
        let path = format!("{name}/{beside}");
        if store.kind(&path).is_none() {
            continue;
        }
        match file(store, &path, rules, Role::Beside) {
            Err(problem) => problems.push(problem),
            Ok(more) => {
                // Its entries stand under the file's own name, for they may be called like entries of the other file.
                let under = |key: &str| Arc::<str>::from(format!("{}.{key}", beside.trim_end_matches(".pt")));
                for (key, tensor) in more.state.other.iter() {
                    other.insert(under(key), tensor.clone());
                }
                values.extend(more.state.values.into_iter().map(|(key, value)| (under(&key), value)));
                globals.extend(more.globals);
            }
        }
    }
    globals.sort_unstable();
    globals.dedup();
    let file = Arc::from(format!("{name}/{}", rules.ranks.file));
    let part = Part { file, coordinates: None, chunks, other, values, globals };
    Ok(Rank { part, args, problems })
}

fn file(store: &dyn Store, path: &str, rules: &StorageRules, role: Role) -> Result<TorchFile> {
    let blob = store.open(path)?;
    match detect::file(&*blob, path)? {
        detect::FileKind::Torch => torch_file::read(&*blob, Purpose { rules, file: &Arc::from(path), role }),
        _ => {
            let help = "a rank's file is one of torch.save".to_owned();
            Err(CheckpointError::new(blob.path(), Problem::Unsupported { name: "safetensors".to_owned(), help }))
        }
    }
}

/// The rank of a directory. One number of a name may be a pipeline or an expert rank: the saved arguments tell.
fn coordinates(rules: &Ranks, name: &str, args: Option<&BTreeMap<String, Value>>) -> Option<Coordinates> {
    let numbers = rules.directories.iter().find_map(|pattern| pattern.numbers(name))?;
    let number = |wanted: &str| numbers.iter().find(|(name, _)| *name == wanted).map(|(_, number)| *number);
    let size = |name: &str| args.and_then(|args| args.get(name)?.int()).unwrap_or(1);
    let either = number("pp_or_ep");
    let is_expert = size(&rules.expert_size) > 1 && size(&rules.pipeline_size) <= 1;
    let (pp, ep) = if is_expert { (None, either) } else { (either, None) };
    Some(Coordinates { tp: number("tp")?, pp: number("pp").or(pp), ep: number("ep").or(ep) })
}
