//! What stands in a checkpoint: whole shapes, whichever way they are stored.

use std::collections::BTreeMap;

use crate::checkpoint::{Checkpoint, Format, Part};
use crate::rules::expr::Scope;
use crate::rules::infer::{InferRules, KeyPattern};
use crate::rules::value::Value;
use crate::tensor::{Inventory, Kind, Tensor};

/// The names that expressions see. Of ranks: `format`, `tp_files`, `pp_files`, `ep_files` (how many ranks of each kind
/// wrote a file), `chunks` (virtual stages a rank), `layers` and
/// `chunk_layers` (those of each virtual stage). Of each fact: itself (its whole shape, `none` where there is
/// no such tensor), `<name>_dtype`, `<name>_count` (how often it stands in a rank's file), `<name>_stacked` (one tensor for all layers) and `<name>_pattern` (for each
/// layer of the model 1 where it has one, else 0).
pub(super) fn facts(rules: &InferRules, checkpoint: &Checkpoint) -> Scope<'static> {
    let stored = Stored::new(checkpoint);
    let mut scope = Scope::default();
    scope.set("format", Value::str(checkpoint.format.name()));
    scope.set("tp_files", count(stored.tp));
    scope.set("pp_files", count(stored.pp));
    scope.set("ep_files", count(stored.ep));
    scope.set("chunks", count(stored.chunks.iter().map(|chunk| chunk.number + 1).max().unwrap_or(1)));
    scope.set("per_rank", Value::Bool(stored.per_rank));
    let numbers = stored.layer_numbers(rules);
    let total = numbers.values().map(|layers| layers.count).sum::<u64>().min(MOST_LAYERS);
    scope.set("layers", count(total));
    scope.set("chunk_layers", list(numbers.values().map(|layers| layers.count)));
    for fact in &rules.facts {
        let name = &fact.name;
        for pattern in &fact.keys {
            let Some(found) = stored.find(pattern, &numbers) else { continue };
            scope.set(name.as_str(), list(found.shape.iter().copied()));
            scope.set(format!("{name}_dtype"), Value::str(&found.dtype));
            scope.set(format!("{name}_count"), count(found.count));
            let has = |layer| u64::from(found.layers.binary_search(&layer).is_ok());
            scope.set(format!("{name}_stacked"), Value::Bool(found.stacked));
            scope.set(format!("{name}_pattern"), list((0..total).map(has)));
            break;
        }
    }
    scope
}

fn count(number: u64) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

fn list(numbers: impl Iterator<Item = u64>) -> Value {
    Value::List(numbers.map(count).collect())
}

/// The chunks of one rank of each pipeline stage, in the order of the model's layers.
struct Stored<'c> {
    per_rank: bool,
    tp: u64,
    pp: u64,
    ep: u64,
    chunks: Vec<Chunk<'c>>,
}

struct Chunk<'c> {
    /// Which virtual stage.
    number: u64,
    content: &'c Inventory,
}

/// The layers of one chunk, by its place among the chunks.
#[derive(Clone, Copy)]
struct Layers {
    first: u64,
    count: u64,
}

/// One fact.
struct Found {
    shape: Vec<u64>,
    dtype: String,
    count: u64,
    layers: Vec<u64>,
    /// One tensor for all layers.
    stacked: bool,
}

impl<'c> Stored<'c> {
    fn new(checkpoint: &'c Checkpoint) -> Self {
        let per_rank = checkpoint.format == Format::Torch;
        let of = |get: fn(&Part) -> u64| checkpoint.parts.iter().map(|part| get(part) + 1).max().unwrap_or(1);
        let tp = |part: &Part| part.coordinates.map_or(0, |at| at.tp);
        let pp = |part: &Part| part.coordinates.and_then(|at| at.pp).unwrap_or(0);
        let ep = |part: &Part| part.coordinates.and_then(|at| at.ep).unwrap_or(0);
        let mut chunks = Vec::new();
        for part in checkpoint.parts.iter().filter(|part| tp(part) == 0 && ep(part) == 0) {
            for (number, content) in (0..).zip(&part.chunks) {
                chunks.push((number, pp(part), content));
            }
        }
        // Virtual stages go round the pipeline.
        chunks.sort_by_key(|(number, pp, _)| (*number, *pp));
        let chunks = chunks.into_iter().map(|(number, _, content)| Chunk { number, content }).collect();
        Self { per_rank, tp: of(tp), pp: of(pp), ep: of(ep), chunks }
    }

    /// The layers of each chunk. A rank's file counts its layers from 0.
    fn layer_numbers(&self, rules: &InferRules) -> BTreeMap<usize, Layers> {
        let patterns: Vec<&KeyPattern> =
            rules.facts.iter().flat_map(|fact| &fact.keys).filter(|key| key.has_layer()).collect();
        let mut numbers = BTreeMap::new();
        let mut first = 0;
        for (index, chunk) in self.chunks.iter().enumerate() {
            let mut count = 0;
            for (key, tensor) in chunk.content.iter() {
                let of = |pattern: &&KeyPattern| pattern.matches(key);
                match patterns.iter().find_map(of) {
                    Some(Some(layer)) => count = count.max(layer + 1),
                    // One tensor for all layers.
                    Some(None) => count = count.max(leading(tensor)),
                    None => {}
                }
            }
            numbers.insert(index, Layers { first, count });
            if self.per_rank {
                first += count;
            }
        }
        numbers
    }

    fn find(&self, pattern: &KeyPattern, numbers: &BTreeMap<usize, Layers>) -> Option<Found> {
        let mut found: Option<Found> = None;
        for (index, chunk) in self.chunks.iter().enumerate() {
            let mut here = 0;
            for (key, tensor) in chunk.content.iter() {
                let Some(layer) = pattern.matches(key).filter(|_| tensor.kind == Kind::Tensor) else { continue };
                let stacked = pattern.has_layer() && layer.is_none();
                if found.is_none() {
                    found = Some(self.whole(pattern, tensor, stacked)?);
                }
                let Some(found) = &mut found else { continue };
                here += 1;
                found.count = found.count.max(here);
                let of = numbers.get(&index).copied().unwrap_or(Layers { first: 0, count: 0 });
                match layer {
                    Some(layer) => found.layers.push(of.first + layer),
                    None if stacked => found.layers.extend(0..leading(tensor).min(MOST_LAYERS)),
                    None => {}
                }
            }
        }
        if let Some(found) = &mut found {
            found.layers.sort_unstable();
            found.layers.dedup();
        }
        found
    }

    /// A tensor's whole shape, without leading axes that are not its own.
    fn whole(&self, pattern: &KeyPattern, tensor: &Tensor, stacked: bool) -> Option<Found> {
        let mut shape = tensor.shape.clone()?;
        let skip = pattern.skip + usize::from(stacked);
        if shape.len() < skip {
            return None;
        }
        shape.drain(..skip);
        if self.per_rank
            && let Some(axis) = pattern.split.and_then(|axis| shape.get_mut(axis))
        {
            *axis = axis.saturating_mul(self.tp);
        }
        let dtype = tensor.dtype.as_ref().map(|dtype| dtype.name().to_owned()).unwrap_or_default();
        Some(Found { shape, dtype, count: 0, layers: Vec::new(), stacked })
    }
}

/// More layers than any model has.
const MOST_LAYERS: u64 = 100_000;

fn leading(tensor: &Tensor) -> u64 {
    tensor.shape.as_ref().and_then(|shape| shape.first().copied()).unwrap_or(0)
}
