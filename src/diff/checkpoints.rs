//! The difference between two checkpoints: what was saved, not what would be loaded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::checkpoint::{Checkpoint, Format, Iteration, Part};
use crate::rules::value::Value;
use crate::tensor::{Inventory, Key, Tensor};

/// What differs between a checkpoint A and a checkpoint B.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CheckpointDiff {
    /// The formats, where they differ.
    pub format: Option<(Format, Format)>,
    /// The iterations, where they differ.
    pub iteration: Option<(Option<Iteration>, Option<Iteration>)>,
    /// Saved arguments by name; `None`: not saved there.
    pub saved_args: Vec<(String, Sides<Value>)>,
    /// Files that only A has.
    pub only_a: Vec<Arc<str>>,
    /// Files that only B has.
    pub only_b: Vec<Arc<str>>,
    /// What differs in files that both have, one element a state dict; equal ones are left out.
    pub parts: Vec<PartDifference>,
}

/// What each side has.
#[derive(Debug, Clone, PartialEq)]
pub struct Sides<T> {
    /// In A.
    pub a: Option<T>,
    /// In B.
    pub b: Option<T>,
}

/// What differs in one state dict of one file.
#[derive(Debug, Clone, PartialEq)]
pub struct PartDifference {
    /// The file, as A names it.
    pub file: Arc<str>,
    /// Which of its state dicts.
    pub state: State,
    /// Entries by key: only in one of both, or in both with another kind, shape or dtype.
    pub entries: Vec<(Key, Sides<Tensor>)>,
    /// Single settings by name.
    pub values: Vec<(Key, Sides<Value>)>,
}

/// A state dict of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The model's, of that virtual pipeline stage.
    Model(usize),
    /// Everything else.
    Other,
}

impl CheckpointDiff {
    /// Compares two checkpoints.
    pub fn new(a: &Checkpoint, b: &Checkpoint) -> Self {
        let mut diff = Self {
            format: (a.format != b.format).then_some((a.format, b.format)),
            iteration: (a.iteration != b.iteration).then_some((a.iteration, b.iteration)),
            ..Self::default()
        };
        let empty = BTreeMap::new();
        diff.saved_args = tables(a.saved_args.as_ref().unwrap_or(&empty), b.saved_args.as_ref().unwrap_or(&empty));
        // A checkpoint that is one whole has one part, whatever its file is called.
        if let ([one], [other]) = (&*a.parts, &*b.parts) {
            diff.part(one, other);
            return diff;
        }
        let of_b: BTreeMap<&str, &Part> = b.parts.iter().map(|part| (&*part.file, part)).collect();
        let files: BTreeSet<&str> = a.parts.iter().map(|part| &*part.file).collect();
        for part in &a.parts {
            match of_b.get(&*part.file) {
                Some(other) => diff.part(part, other),
                None => diff.only_a.push(Arc::clone(&part.file)),
            }
        }
        let only_b = b.parts.iter().filter(|part| !files.contains(&*part.file));
        diff.only_b = only_b.map(|part| Arc::clone(&part.file)).collect();
        diff
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn part(&mut self, a: &Part, b: &Part) {
        for index in 0..a.chunks.len().max(b.chunks.len()) {
            let side = |part: &Part| part.chunks.get(index).cloned().unwrap_or_default();
            let entries = inventories(&side(a), &side(b));
            self.push(PartDifference {
                file: Arc::clone(&a.file),
                state: State::Model(index),
                entries,
                values: Vec::new(),
            });
        }
        let (entries, values) = (inventories(&a.other, &b.other), tables(&a.values, &b.values));
        self.push(PartDifference { file: Arc::clone(&a.file), state: State::Other, entries, values });
    }

    fn push(&mut self, part: PartDifference) {
        if !part.entries.is_empty() || !part.values.is_empty() {
            self.parts.push(part);
        }
    }
}

fn inventories(a: &Inventory, b: &Inventory) -> Vec<(Key, Sides<Tensor>)> {
    let mut entries = Vec::new();
    for (key, tensor) in a.iter() {
        let other = b.get(key);
        if other.is_none_or(|other| !alike(tensor, other)) {
            entries.push((Arc::clone(key), Sides { a: Some(tensor.clone()), b: other.cloned() }));
        }
    }
    for (key, tensor) in b.iter().filter(|(key, _)| a.get(key).is_none()) {
        entries.push((Arc::clone(key), Sides { a: None, b: Some(tensor.clone()) }));
    }
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    entries
}

/// The same but for the file: which shard holds a tensor says nothing about it.
fn alike(a: &Tensor, b: &Tensor) -> bool {
    (a.kind, &a.shape, &a.dtype) == (b.kind, &b.shape, &b.dtype)
}

fn tables<K: Ord + Clone>(a: &BTreeMap<K, Value>, b: &BTreeMap<K, Value>) -> Vec<(K, Sides<Value>)> {
    let names: BTreeSet<&K> = a.keys().chain(b.keys()).collect();
    let sides = |name: &K| Sides { a: a.get(name).cloned(), b: b.get(name).cloned() };
    let all = names.into_iter().map(|name| (name.clone(), sides(name)));
    all.filter(|(_, sides)| !same(sides.a.as_ref(), sides.b.as_ref())).collect()
}

/// Equal values; a number that is none is equal to itself here.
fn same(a: Option<&Value>, b: Option<&Value>) -> bool {
    match (a, b) {
        (Some(Value::Float(a)), Some(Value::Float(b))) => a.to_bits() == b.to_bits() || a == b,
        _ => a == b,
    }
}
