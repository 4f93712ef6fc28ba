//! The difference between what a launch wants and what a checkpoint has.

pub mod checkpoints;
pub mod hooks;

use std::sync::Arc;

use crate::schema::Coordinates;
use crate::tensor::{Inventory, Key, Kind, Tensor};

/// All differences, one part for each rank and virtual stage, or one global part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diff {
    /// Parts in rank order; a part without differences is kept.
    pub parts: Vec<PartDiff>,
}

/// The differences of one state dict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartDiff {
    /// The rank; `None` for the global state.
    pub coordinates: Option<Coordinates>,
    /// The virtual pipeline stage; `None` when there is only one.
    pub vpp: Option<u64>,
    /// The model wants it, the checkpoint does not have it.
    pub missing: Vec<(Key, Tensor)>,
    /// The checkpoint has it, the model does not want it.
    pub unexpected: Vec<(Key, Tensor)>,
    /// Both have it, with another shape.
    pub mismatched: Vec<Mismatch>,
    /// Both have it in one shape, with another dtype. Loading converts it: no difference for the loader.
    pub retyped: Vec<Mismatch>,
}

/// An entry that both sides have and that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// Its key.
    pub key: Key,
    /// What the model wants.
    pub expected: Tensor,
    /// What the checkpoint has.
    pub found: Tensor,
}

/// Ends the key of a module's extra state in torch (`torch.nn.modules.module._EXTRA_STATE_KEY_SUFFIX`). Its size may
/// differ freely: the module takes it as it comes.
const EXTRA_STATE: &str = "_extra_state";

/// Whether an entry is a module's extra state rather than a parameter or buffer.
pub fn is_state(key: &str) -> bool {
    key.rsplit('.').next() == Some(EXTRA_STATE)
}

/// Compares one state dict with another, in the sense of `torch.nn.Module.load_state_dict`. Dtypes are told apart:
/// loading converts them.
pub fn compare(expected: &Inventory, found: &Inventory) -> PartDiff {
    let mut part = PartDiff::default();
    for (key, tensor) in expected.iter() {
        match found.get(key) {
            None => part.missing.push((Arc::clone(key), tensor.clone())),
            Some(there) => {
                let list = if differs(key, tensor, there) {
                    &mut part.mismatched
                } else if is_retyped(key, tensor, there) {
                    &mut part.retyped
                } else {
                    continue;
                };
                list.push(Mismatch { key: Arc::clone(key), expected: tensor.clone(), found: there.clone() });
            }
        }
    }
    for (key, tensor) in found.iter() {
        if expected.get(key).is_none() {
            part.unexpected.push((Arc::clone(key), tensor.clone()));
        }
    }
    part
}

fn differs(key: &str, expected: &Tensor, found: &Tensor) -> bool {
    expected.kind == Kind::Tensor
        && found.kind == Kind::Tensor
        && expected.shape.is_some()
        && expected.shape != found.shape
        && !is_state(key)
}

fn is_retyped(key: &str, expected: &Tensor, found: &Tensor) -> bool {
    expected.dtype.is_some() && found.dtype.is_some() && expected.dtype != found.dtype && !is_state(key)
}

impl Diff {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.parts.iter().all(PartDiff::is_empty)
    }
}

impl PartDiff {
    /// Whether nothing differs for the loader.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty() && self.mismatched.is_empty()
    }
}
