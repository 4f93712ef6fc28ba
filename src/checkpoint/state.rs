//! Saved state as one torch.save file holds it: nested dicts and lists become dotted paths.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::{Problem, malformed};
use super::pickle::{Data, Id, Node};
use super::plain::{attributes, key_of, value_of};
use super::torch_tensor::{StorageFact, tensor};
use crate::rules::storage::StorageRules;
use crate::rules::value::Value;
use crate::tensor::{Inventory, Key, Tensor};

/// Deeper dicts and lists are listed as one object.
const MAX_DEPTH: usize = 64;
/// More entries than any file has: shared dicts that contain each other would multiply without end.
const MAX_ENTRIES: usize = 4 << 20;
/// No more characters in all paths together than this.
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

/// The reading of one pickled object.
pub struct Reading<'r> {
    /// The pickle's values.
    pub data: &'r Data<'r>,
    /// The framework's names.
    pub rules: &'r StorageRules,
    /// The file, for the entries that it holds.
    pub file: &'r Arc<str>,
    /// Told about every storage that a tensor uses.
    pub storage: &'r mut dyn FnMut(&str, &StorageFact) -> Result<(), Problem>,
    /// What may still be listed.
    pub budget: Budget,
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
}

impl<'r> Reading<'r> {
    /// A file's whole object.
    pub fn state(mut self, root: Id, role: Role) -> Result<State, Problem> {
        let mut state = State::default();
        let mut chunks = BTreeMap::new();
        let root = match (role, self.data.elements(root)) {
            (Role::Common, Some(&[only])) => only,
            _ => root,
        };
        let entries = match (role, self.data.pairs(root)) {
            (Role::Beside, _) => return self.others(root, "", &mut state).map(|()| state),
            (_, Some(pairs)) => {
                pairs.map(|(key, value)| (key_of(self.data, key, self.rules), value)).collect::<Vec<_>>()
            }
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
                state.args = attributes(data, value, self.rules);
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
        let (data, rules) = (self.data, self.rules);
        let State { other, values, .. } = state;
        self.walk(root, prefix, &mut |key: Key, entry, id| {
            if let Some(id) = id {
                values.insert(Arc::clone(&key), value_of(data, id, rules));
            }
            other.insert(key, entry);
        })
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
                    stack.push((value, self.budget.join(&path, &key_of(self.data, key, self.rules))?, depth));
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
        let Some(fact) = tensor(self.data, id).map_err(at)? else {
            let is_setting = !matches!(self.data.node(id), Node::Dict(_) | Node::Bytes(_) | Node::Persistent(_));
            found(path, Tensor::object().in_file(self.file), is_setting.then_some(id));
            return Ok(());
        };
        if let Some(storage) = &fact.storage {
            (self.storage)(&path, storage).map_err(at)?;
        }
        found(path, Tensor::tensor(fact.shape, fact.dtype).in_file(self.file), None);
        Ok(())
    }
}

/// How much of a file was listed already.
#[derive(Debug, Default)]
pub struct Budget {
    entries: usize,
    characters: usize,
}

impl Budget {
    /// The dotted path of an entry.
    fn join(&mut self, path: &str, key: &str) -> Result<Arc<str>, Problem> {
        self.entries += 1;
        self.characters += path.len() + key.len();
        if self.entries > MAX_ENTRIES || self.characters > MAX_PATHS {
            let (claimed, limit) = (self.entries as u64, MAX_ENTRIES as u64);
            return Err(Problem::TooLarge { what: "a number of entries".to_owned(), claimed, limit });
        }
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
