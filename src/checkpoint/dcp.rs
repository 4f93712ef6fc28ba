//! The index of `torch.distributed.checkpoint`: a pickle of plain objects, no tensor data.
//!
//! Objects are recognised by their attributes, not by their classes: these moved between releases of torch, and a
//! framework may pickle a subclass. Source: torch/distributed/checkpoint/metadata.py (2.0 to 2.15).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::error::{CheckpointError, Problem, Result, malformed};
use super::pickle::{Data, Id, Loaded, Node, load};
use super::store::Store;
use super::torch_file::MAX_PICKLE;
use super::torch_tensor::{dimensions, named_dtype};
use crate::rules::storage::{Distributed, Globals};
use crate::tensor::{Inventory, Shape, Tensor};

/// What the index says.
#[derive(Debug, Default)]
pub struct Index {
    /// All entries; the shards of an object are one entry with the grid as its shape.
    pub entries: Inventory,
    /// Where single objects are stored, by their whole key.
    pub objects: BTreeMap<String, Place>,
    /// Bytes that each data file must have at least.
    pub files: BTreeMap<String, u64>,
    /// Every `module.name` that loading it would import, sorted.
    pub globals: Vec<String>,
    /// What the reader should know.
    pub notes: Vec<String>,
}

/// Where one item is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The data file.
    pub file: String,
    /// Its first byte in it.
    pub offset: u64,
    /// Its bytes.
    pub length: u64,
    /// Whether something was done to the bytes, compression for instance.
    pub is_transformed: bool,
}

/// Reads the index file.
pub fn index(store: &dyn Store, rules: &Distributed, wanted: &dyn Fn(&str) -> bool) -> Result<Index> {
    let blob = store.open(&rules.index)?;
    if blob.is_empty() {
        return Err(CheckpointError::new(blob.path(), Problem::Empty));
    }
    let bytes = blob.all("an index of a distributed checkpoint", MAX_PICKLE)?;
    let loaded =
        load(&bytes).map_err(|failure| CheckpointError::at(blob.path(), failure.at as u64, failure.problem))?;
    let reading = Reading { loaded: &loaded, data: &loaded.data, rules };
    reading.index(wanted).map_err(|problem| CheckpointError::new(blob.path(), problem))
}

struct Reading<'r> {
    loaded: &'r Loaded<'r>,
    data: &'r Data<'r>,
    rules: &'r Distributed,
}

impl Reading<'_> {
    fn index(&self, wanted: &dyn Fn(&str) -> bool) -> std::result::Result<Index, Problem> {
        let root = self.loaded.root;
        let no_entries = || malformed("an object with `state_dict_metadata`", "another value");
        let entries = self.data.attribute(root, "state_dict_metadata").ok_or_else(no_entries)?;
        let mut index = Index { globals: self.loaded.global_names(), ..Index::default() };
        let real = self.real_shapes(root);
        let form = ShardForm::new(&self.rules.object_shard)?;
        let file: Arc<str> = Arc::from(self.rules.index.as_str());
        let mut dtypes = HashMap::new();
        for (key, entry) in self.data.pairs(entries).ok_or_else(no_entries)? {
            let key = self.data.str(key).ok_or_else(|| malformed("names of entries as text", "another value"))?;
            let (key, tensor) = match self.entry(entry, &mut dtypes).map_err(|problem| in_entry(key, problem))? {
                Some(mut tensor) => {
                    if let Some(shape) = real.get(key) {
                        tensor.shape = Some(shape.clone());
                    }
                    (key, tensor)
                }
                None => {
                    let (key, grid) = form.fold(key);
                    (key, Tensor { shape: grid, ..Tensor::object() })
                }
            };
            // The shards of an object are equal here; anything else of the same name is not.
            if let Some(other) = index.entries.insert(key, tensor.in_file(&file))
                && let Some(tensor) = index.entries.get(key).filter(|tensor| **tensor != other)
            {
                let (first, second) = (&other.shape, &tensor.shape);
                index.notes.push(format!("`{key}` is in the index twice, as {first:?} and as {second:?}"));
            }
        }
        self.storage(root, &mut index, wanted)?;
        Ok(index)
    }

    /// A tensor's entry; `None` for an object, of which the index knows nothing.
    fn entry(
        &self,
        entry: Id,
        dtypes: &mut HashMap<Id, crate::tensor::Dtype>,
    ) -> std::result::Result<Option<Tensor>, Problem> {
        let Some(size) = self.data.attribute(entry, "size") else {
            let is_object = matches!(self.data.node(entry), Node::Object { .. });
            return if is_object { Ok(None) } else { Err(malformed("the description of an entry", "another value")) };
        };
        let shape = dimensions(self.data, size)?;
        let no_dtype = || malformed("properties with a dtype", "none");
        let properties = self.data.attribute(entry, "properties").ok_or_else(no_dtype)?;
        // The state of the properties is a tuple that starts with the dtype, or a dict in foreign writers.
        let state = self.data.state(properties).ok_or_else(no_dtype)?;
        let first = self.data.elements(state).and_then(|parts| parts.first().copied());
        let id = first.or_else(|| self.data.get(state, "dtype")).ok_or_else(no_dtype)?;
        // One dtype object is shared by all entries: so is its name.
        let dtype = match dtypes.get(&id) {
            Some(dtype) => dtype.clone(),
            None => {
                let dtype = named_dtype(self.data, id)?;
                dtypes.insert(id, dtype.clone());
                dtype
            }
        };
        Ok(Some(Tensor::tensor(shape, dtype)))
    }

    /// Shapes before flattening, where the framework wrote them.
    fn real_shapes(&self, root: Id) -> HashMap<&str, Shape> {
        let [table, name] = &self.rules.real_shape;
        let entries = self.data.attribute(root, table).and_then(|table| self.data.pairs(table));
        let shape =
            |(key, entry)| Some((self.data.str(key)?, dimensions(self.data, self.data.get(entry, name)?).ok()?));
        entries.into_iter().flatten().filter_map(shape).collect()
    }

    /// Where everything lies: the sizes that files must have, and the places of wanted objects.
    fn storage(&self, root: Id, index: &mut Index, wanted: &dyn Fn(&str) -> bool) -> std::result::Result<(), Problem> {
        let places = self.data.attribute(root, "storage_data").and_then(|table| self.data.pairs(table));
        let mut sizes: HashMap<&str, u64> = HashMap::new();
        for (key, info) in places.into_iter().flatten() {
            let number = |name| self.data.attribute(info, name).and_then(|id| self.data.int(id));
            let number = |name| number(name).and_then(|n| u64::try_from(n).ok());
            let file = self.data.attribute(info, "relative_path").and_then(|id| self.data.str(id));
            let (Some(file), Some(offset), Some(length)) = (file, number("offset"), number("length")) else {
                return Err(malformed("file, offset and length of each stored item", "fewer"));
            };
            let end = offset.checked_add(length).ok_or_else(|| malformed("a place in a file", "one past 2^64"))?;
            let size = sizes.entry(file).or_default();
            *size = end.max(*size);
            let name = self.data.attribute(key, "fqn").and_then(|id| self.data.str(id)).unwrap_or("");
            if wanted(name) {
                let transforms = self.data.attribute(info, "transform_descriptors");
                let is_transformed = transforms.and_then(|id| self.data.elements(id)).is_some_and(|t| !t.is_empty());
                let place = Place { file: file.to_owned(), offset, length, is_transformed };
                index.objects.insert(name.to_owned(), place);
            }
        }
        index.files = sizes.into_iter().map(|(file, size)| (file.to_owned(), size)).collect();
        Ok(())
    }
}

/// How an object's key names its shard: `{key}` text `{offset}` text `{grid}`.
struct ShardForm<'r> {
    before_offset: &'r str,
    before_grid: &'r str,
}

impl<'r> ShardForm<'r> {
    fn new(form: &'r str) -> std::result::Result<Self, Problem> {
        let parts = form.strip_prefix("{key}").and_then(|rest| rest.strip_suffix("{grid}"));
        let parts = parts.and_then(|rest| rest.split_once("{offset}"));
        let (before_offset, before_grid) = parts.ok_or_else(|| malformed("a rule {key}..{offset}..{grid}", form))?;
        Ok(Self { before_offset, before_grid })
    }

    /// The key without its shard, and the grid; a key of another form as it is.
    fn fold<'k>(&self, key: &'k str) -> (&'k str, Option<Shape>) {
        let folded = key.rsplit_once(self.before_offset).and_then(|(name, shard)| {
            let (offset, grid) = shard.split_once(self.before_grid)?;
            let (offset, grid) = (numbers(offset)?, numbers(grid)?);
            (offset.len() == grid.len()).then_some((name, Some(grid)))
        });
        folded.unwrap_or((key, None))
    }
}

/// Numbers with dots between them; no number at all for an object without axes.
fn numbers(text: &str) -> Option<Shape> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    text.split('.').map(|number| number.parse().ok()).collect()
}

fn in_entry(key: &str, problem: Problem) -> Problem {
    match problem {
        Problem::Malformed { expected, found } => {
            Problem::Malformed { expected: format!("{expected} for the entry `{key}`"), found }
        }
        other => other,
    }
}

/// Notes about the names that a pickle mentions.
pub fn global_notes(file: &str, names: &[String], rules: &Globals, notes: &mut Vec<String>) {
    for name in names {
        if rules.is_dangerous(name) {
            notes.push(format!(
                "{file}: its pickle calls `{name}`, which can run programs or read files when the framework loads it"
            ));
        } else if !rules.is_known(name) {
            notes.push(format!("{file}: its pickle mentions `{name}`, which checkpoints do not usually hold"));
        }
    }
}
