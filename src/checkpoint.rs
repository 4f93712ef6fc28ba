//! Reading a checkpoint's headers: which format it has, what it holds, what its launch was. Never its tensors' data.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::rules::storage::StorageRules;
use crate::rules::value::Value;
use crate::tensor::{Inventory, Key};

pub mod locate;
pub mod pickle;
pub mod snapshot;
pub mod store;
pub mod zip_layout;

mod dcp;
mod detect;
mod distributed;
mod error;
mod plain;
mod ranked;
mod safetensors;
mod single;
mod state;
pub(crate) mod torch_file;
pub(crate) mod torch_tensor;
pub(crate) mod zip;

pub use error::{CheckpointError, Problem};
pub use locate::{ChosenBy, Location, Tracker};
pub use safetensors::Found as SafetensorsFiles;

use store::{ItemKind, LocalStore, Store};

/// How a checkpoint is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One `torch.save` file a rank.
    Torch,
    /// `torch.distributed.checkpoint` with the framework's own description: `.metadata` beside `*.distcp` files.
    TorchDist,
    /// `torch.distributed.checkpoint` alone.
    TorchDcp,
    /// safetensors: a file, or a directory of them with or without an index.
    Safetensors,
}

impl Format {
    /// The name that the framework and our JSON use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Torch => "torch",
            Self::TorchDist => "torch_dist",
            Self::TorchDcp => "torch_dcp",
            Self::Safetensors => "safetensors",
        }
    }
}

/// What was saved, as far as headers tell.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// The path the user or the launch named.
    pub root: PathBuf,
    /// The directory (or file) that holds this iteration.
    pub directory: PathBuf,
    /// How it is stored.
    pub format: Format,
    /// The iteration, or `release`; `None` where the format knows none.
    pub iteration: Option<Iteration>,
    /// The saved launch arguments, by dest; `None` when the checkpoint has none.
    pub saved_args: Option<BTreeMap<String, Value>>,
    /// The files that hold state: one a rank for `torch`, one for the whole for the others.
    pub parts: Vec<Part>,
    /// What else a reader of the report should know (a duplicate key, a dangerous pickle global, ...).
    pub notes: Vec<String>,
    /// Damage that leaves the rest readable: a rank's file that is cut off, a data file that is missing. The
    /// framework's loader would stop at it.
    pub problems: Vec<CheckpointError>,
}

/// Which save of a run it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Iteration {
    /// Saved after that many steps.
    Step(u64),
    /// A converted or released checkpoint without a step count.
    Release,
}

/// The state of one rank (`torch`) or of the whole model (`torch_dist`, safetensors).
#[derive(Debug, Clone)]
pub struct Part {
    /// The file relative to the checkpoint directory; for `torch_dist` its `.metadata`.
    pub file: Arc<str>,
    /// Which rank wrote it; `None` for the whole model.
    pub coordinates: Option<Coordinates>,
    /// The model's state dicts: one, or one a virtual pipeline stage.
    pub chunks: Vec<Inventory>,
    /// Everything that is not the model's: top-level entries such as the optimizer, by dotted path.
    pub other: Inventory,
    /// Those of `other` that are single settings (numbers, texts, lists of them), with their values.
    pub values: BTreeMap<Key, Value>,
    /// Every `module.name` that its pickles would import, sorted.
    pub globals: Vec<String>,
}

/// The place of a rank, as its directory's name gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Coordinates {
    /// Tensor-parallel rank.
    pub tp: u64,
    /// Pipeline rank; `None` when the name has none, because there is one stage only.
    pub pp: Option<u64>,
    /// Expert-parallel rank; `None` when the name has none.
    pub ep: Option<u64>,
}

/// How to read a checkpoint.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'o> {
    /// The iteration that the launch asks for instead of the tracker's.
    pub step: Option<u64>,
    /// The framework's layout; the embedded rules when `None`.
    pub rules: Option<&'o StorageRules>,
}

impl<'o> Options<'o> {
    fn rules(&self) -> &'o StorageRules {
        self.rules.unwrap_or_else(|| StorageRules::megatron())
    }
}

/// Reads the checkpoint at a path: a root with a tracker file, an iteration's directory, a directory of safetensors
/// files, a single file, or a snapshot of one of these.
pub fn read(path: &Path, options: &Options<'_>) -> Result<Checkpoint, CheckpointError> {
    let kind = LocalStore::new(path).kind("");
    if kind == Some(ItemKind::File)
        && let Some(snapshot) = snapshot::open(path)?
    {
        return snapshot.read(options.rules(), options.step);
    }
    let mut checkpoint = match kind {
        None => return Err(CheckpointError::new(path, Problem::Missing)),
        Some(ItemKind::Other) => return Err(CheckpointError::new(path, Problem::NotAFile)),
        Some(ItemKind::File) => {
            let name = path.file_name().and_then(|name| name.to_str());
            let name =
                name.ok_or_else(|| CheckpointError::new(path, Problem::Unrecognised("no UTF-8 name".to_owned())))?;
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            single::read(&LocalStore::new(folder), name, options.rules())?
        }
        Some(ItemKind::Folder) => directory(&LocalStore::new(path), options)?,
    };
    path.clone_into(&mut checkpoint.root);
    Ok(checkpoint)
}

/// What the framework's loader would find at a path, stage by stage. Nothing is read but the tracker file and names.
pub fn locate(path: &Path, options: &Options<'_>) -> Location {
    let store = LocalStore::new(path);
    if store.kind("") == Some(ItemKind::File)
        && let Ok(Some(snapshot)) = snapshot::open(path)
    {
        return snapshot.locate(options.rules(), options.step);
    }
    locate::locate(&store, options.rules(), options.step)
}

fn directory(store: &LocalStore, options: &Options<'_>) -> Result<Checkpoint, CheckpointError> {
    let rules = options.rules();
    let location = locate::locate(store, rules, options.step);
    let folder = match locate::directory(store, rules, &location) {
        Ok(folder) => folder,
        Err(error) => return Err(foreign(store, "").unwrap_or(error)),
    };
    let content = &location.content;
    let inner = LocalStore::new(&store.path(&folder));
    // The order is the framework's: its own description decides before rank directories do.
    let mut checkpoint = if content.has_config || (content.has_index && content.ranks.is_empty()) {
        distributed::read(&inner, content, rules)?
    } else if !content.ranks.is_empty() {
        ranked::read(&inner, content, rules)?
    } else if let Some(found) = &content.safetensors {
        single::safetensors(&inner, found)?
    } else {
        let looked_for = locate::looked_for(rules);
        let error = CheckpointError::new(store.path(&folder), Problem::NoCheckpoint { looked_for });
        return Err(foreign(store, &folder).unwrap_or(error));
    };
    checkpoint.iteration = location.iteration.or(checkpoint.iteration);
    if location.chosen_by == Some(ChosenBy::Path) && checkpoint.format != Format::Safetensors {
        checkpoint.notes.push(format!(
            "this is an iteration's own directory: the framework's loader wants the one above it, with `{}`, and finds \
             nothing here",
            rules.tracker.file
        ));
    }
    Ok(checkpoint)
}

fn foreign(store: &LocalStore, folder: &str) -> Option<CheckpointError> {
    let foreign = detect::foreign_directory(store, folder).ok()??;
    Some(detect::unsupported(store, folder, foreign))
}
