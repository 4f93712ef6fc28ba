//! Saved state as one torch.save file holds it: nested dicts and lists become dotted paths.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::{Problem, malformed};
use super::pickle::{Data, Id, Node};
use super::plain::{Values, key_of};
use super::torch_tensor::{StorageFact, tensor};
use crate::rules::storage::StorageRules;
use crate::rules::value::Value;
use crate::tensor::{Inventory, Key, Tensor};

/// Deeper dicts and lists are listed as one object.
const MAX_DEPTH: usize = 64;
/// More entries than any file has.
const MAX_ENTRIES: usize = 4 << 20;
/// More characters than their paths have.
const MAX_PATHS: usize = 512 << 20;

/// The content of one file.
#[derive(Debug, Default)]
pub struct State {
    /// Model state dicts, in the order of their numbers.
    pub chunks: Vec<Inventory>,
    /// Everything else.
    pub other: Inventory,
    /// Single settings among it (numbers, texts, lists of them).
    pub values: BTreeMap<Key, Value>,
    /// The saved launch arguments.
    pub args: Option<BTreeMap<String, Value>>,
}

/// Told about every storage that a tensor uses, with the tensor's path.
pub type OnStorage<'r> = &'r mut dyn FnMut(&str, &StorageFact) -> Result<(), Problem>;

/// The reading of one pickled object.
pub struct Reading<'r> {
    data: &'r Data<'r>,
    rules: &'r StorageRules,
    file: &'r Arc<str>,
    on_storage: OnStorage<'r>,
    budget: Budget,
    values: Values<'r>,
}

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A rank's file: the model, the arguments, the rest.
    Rank,
    /// A file on its own: a rank's file, or a bare state dict.
    Single,
    /// What all ranks of a distributed checkpoint have in common; as an object in it, it is a list of its shards.
    Common,
    /// A file beside a rank's file, of any form.
    Beside,
    /// One object of a distributed checkpoint, of any form, as a list of its shards.
    Object,
}

impl<'r> Reading<'r> {
    /// Reads that data, which that file holds.
    pub fn new(data: &'r Data<'r>, rules: &'r StorageRules, file: &'r Arc<str>, on_storage: OnStorage<'r>) -> Self {
        Self { data, rules, file, on_storage, budget: Budget::of(data), values: Values::new(data, rules) }
    }

    /// A file's whole object.
    pub fn state(mut self, root: Id, role: Role) -> Result<State, Problem> {
        let mut state = State::default();
        let mut chunks = BTreeMap::new();
        let root = match (role, self.data.elements(root)) {
            (Role::Common | Role::Object, Some(&[only])) => only,
            _ => root,
        };
        let entries = match (role, self.data.pairs(root)) {
            (Role::Beside | Role::Object, _) => return self.others(root, "", &mut state).map(|()| state),
            (_, Some(pairs)) => pairs
                .map(|(key, value)| Ok((self.budget.join("", &key_of(self.data, key))?, value)))
                .collect::<Result<Vec<_>, Problem>>()?,
            (_, None) => return Err(malformed("a dict of saved state", "another value")),
        };
        let (data, names) = (self.data, &self.rules.entries);
        let chunk_of = |key: &str, value| {
            let numbers = names.model.iter().find_map(|pattern| pattern.numbers(key));
            numbers.filter(|_| data.pairs(value).is_some()).map(|numbers| numbers.first().map(|(_, number)| *number))
        };
        let is_rank_file = entries.iter().any(|(key, value)| **key == *names.args || chunk_of(key, *value).is_some());
        if role == Role::Single && !is_rank_file {
            state.chunks.push(self.chunk(root)?);
            return Ok(state);
        }
        for (key, value) in entries {
            if let Some(number) = chunk_of(&key, value) {
                chunks.insert(number, self.chunk(value)?);
            } else if *key == *names.args {
                state.args = self.values.attributes(value);
            } else {
                self.others(value, &key, &mut state)?;
            }
        }
        state.chunks = chunks.into_values().collect();
        Ok(state)
    }

    /// One state dict.
    fn chunk(&mut self, root: Id) -> Result<Inventory, Problem> {
        let mut chunk = Inventory::new();
        self.walk(root, "", &mut |key, entry, _| {
            chunk.insert(key, entry);
        })?;
        Ok(chunk)
    }

    /// Entries that are not the model's.
    fn others(&mut self, root: Id, prefix: &str, state: &mut State) -> Result<(), Problem> {
        let mut settings = Vec::new();
        self.walk(root, prefix, &mut |key: Key, entry, id| {
            settings.extend(id.map(|id| (Arc::clone(&key), id)));
            state.other.insert(key, entry);
        })?;
        state.values.extend(settings.into_iter().map(|(key, id)| (key, self.values.value(id))));
        Ok(())
    }

    /// Calls `found` for every leaf below `root`; with its value where it is a single setting.
    fn walk(&mut self, root: Id, prefix: &str, found: &mut dyn FnMut(Key, Tensor, Option<Id>)) -> Result<(), Problem> {
        let mut stack = vec![(root, Arc::<str>::from(prefix), 0_usize)];
        while let Some((id, path, depth)) = stack.pop() {
            let depth = depth + 1;
            if depth <= MAX_DEPTH
                && let Some(pairs) = self.data.pairs(id).filter(|pairs| pairs.len() > 0)
            {
                for (key, value) in pairs {
                    stack.push((value, self.budget.join(&path, &key_of(self.data, key))?, depth));
                }
                continue;
            }
            if depth <= MAX_DEPTH
                && let Some(elements) = self.nested(id)
            {
                for (i, &element) in elements.iter().enumerate() {
                    stack.push((element, self.budget.join(&path, &i.to_string())?, depth));
                }
                continue;
            }
            self.leaf(id, path, found)?;
        }
        Ok(())
    }

    /// The elements of a list or tuple that holds more than scalars.
    fn nested(&self, id: Id) -> Option<&'r [Id]> {
        if !matches!(self.data.node(id), Node::List(_) | Node::Tuple(_)) {
            return None;
        }
        let is_complex = |id: &Id| {
            matches!(self.data.node(*id), Node::Object { .. } | Node::List(_) | Node::Tuple(_) | Node::Dict(_))
        };
        self.data.elements(id).filter(|elements| elements.iter().any(is_complex))
    }

    fn leaf(&mut self, id: Id, path: Arc<str>, found: &mut dyn FnMut(Key, Tensor, Option<Id>)) -> Result<(), Problem> {
        let at = |problem| entry_problem(&path, problem);
        let Some(fact) = tensor(self.data, id, &self.rules.entries.quantised).map_err(at)? else {
            let is_setting = !matches!(self.data.node(id), Node::Dict(_) | Node::Bytes(_) | Node::Persistent(_));
            found(path, Tensor::object().in_file(self.file), is_setting.then_some(id));
            return Ok(());
        };
        if let Some(storage) = &fact.storage {
            (self.on_storage)(&path, storage).map_err(at)?;
        }
        found(path, Tensor::tensor(fact.shape, fact.dtype).in_file(self.file), None);
        Ok(())
    }
}

/// How much of a file may still be listed. Dicts that are shared cost their pickle little and are listed at each of
/// their places: without a limit that follows the pickle's length they would multiply without end.
#[derive(Debug)]
struct Budget {
    limit: usize,
    entries: usize,
    characters: usize,
}

impl Budget {
    /// The budget of a pickle.
    fn of(data: &Data<'_>) -> Self {
        let limit = data.pickle_length().saturating_mul(4).saturating_add(100_000).min(MAX_ENTRIES);
        let characters = data.pickle_length().saturating_mul(64).saturating_add(16 << 20).min(MAX_PATHS);
        Self { limit, entries: limit, characters }
    }

    /// The dotted path of an entry.
    fn join(&mut self, path: &str, key: &str) -> Result<Arc<str>, Problem> {
        let entries = self.entries.checked_sub(1);
        let characters = self.characters.checked_sub(path.len() + key.len());
        let (Some(entries), Some(characters)) = (entries, characters) else {
            let (claimed, limit) = (self.limit as u64 + 1, self.limit as u64);
            return Err(Problem::TooLarge { what: "a number of entries".to_owned(), claimed, limit });
        };
        (self.entries, self.characters) = (entries, characters);
        Ok(if path.is_empty() { Arc::from(key) } else { Arc::from(format!("{path}.{key}")) })
    }
}

/// The same problem with the entry's name in it.
fn entry_problem(path: &str, problem: Problem) -> Problem {
    match problem {
        Problem::Malformed { expected, found } => {
            Problem::Malformed { expected: format!("{expected} for the entry `{path}`"), found }
        }
        other => other,
    }
}
