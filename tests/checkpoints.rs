//! Every recorded checkpoint is read exactly as torch itself read it.

mod support;

use std::collections::{BTreeMap, BTreeSet};

use moe_lint::checkpoint::{self, Checkpoint, Coordinates, Format, Iteration, Options, Part};
use moe_lint::rules::value::Value;
use moe_lint::tensor::{Inventory, Kind, Tensor};
use serde_json::Value as Json;

fn read(name: &str) -> Checkpoint {
    checkpoint::read(&support::checkpoints().join(name), &Options::default()).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// A tensor as `[shape, dtype]`, an object as null, as in the recorded facts.
fn told(tensor: &Tensor) -> Json {
    match tensor.kind {
        Kind::Tensor => serde_json::json!([tensor.shape, tensor.dtype.as_ref().expect("a dtype").name()]),
        Kind::Object => Json::Null,
    }
}

fn told_all(inventory: &Inventory) -> BTreeMap<String, Json> {
    inventory.iter().map(|(key, tensor)| (key.to_string(), told(tensor))).collect()
}

fn json(value: &Value) -> Json {
    match value {
        Value::None => Json::Null,
        Value::Bool(b) => (*b).into(),
        Value::Int(i) => (*i).into(),
        Value::Float(x) => (*x).into(),
        Value::List(items) => items.iter().map(json).collect(),
        other => other.to_string().into(),
    }
}

/// The recorded value as moe-lint spells it: dtypes and enum members by their name alone.
fn spelled(recorded: &Json) -> Json {
    match recorded.as_str() {
        Some(text) if text.starts_with("torch.") || text.starts_with("megatron.core.") => {
            text.rsplit('.').next().into()
        }
        _ => recorded.clone(),
    }
}

/// Recorded arguments, which are written as differences.
#[derive(Default)]
struct Arguments(BTreeMap<String, Json>);

impl Arguments {
    fn next(&mut self, file: &Json) -> Option<&BTreeMap<String, Json>> {
        if file["has_args"] == false {
            return None;
        }
        for name in file["without"].as_array().expect("a list") {
            self.0.remove(name.as_str().expect("a name"));
        }
        for (name, value) in file["args"].as_object().expect("an object") {
            self.0.insert(name.clone(), spelled(value));
        }
        Some(&self.0)
    }
}

fn chunk_number(name: &str) -> Option<usize> {
    name.strip_prefix("model").map(|number| number.parse().unwrap_or(0))
}

/// What a rank file holds, by chunk (`None`: not the model's), then by dotted path.
fn recorded(file: &Json) -> BTreeMap<Option<usize>, BTreeMap<String, Json>> {
    let mut content: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    let tensors = file["tensors"].as_object().expect("an object").iter().map(|(k, v)| (k, v.clone()));
    let objects = file["other"].as_object().expect("an object").keys().map(|k| (k, Json::Null));
    for (path, told) in tensors.chain(objects) {
        let (first, rest) = path.split_once('/').unwrap_or((path, ""));
        match chunk_number(first).filter(|_| !rest.is_empty()) {
            Some(chunk) => content.entry(Some(chunk)).or_default().insert(rest.replace('/', "."), told),
            None => content.entry(None).or_default().insert(path.replace('/', "."), told),
        };
    }
    content
}

fn assert_settings(name: &str, part: &Part, file: &Json) {
    for (path, value) in file["other"].as_object().expect("an object") {
        if path.starts_with("model") || value.is_object() {
            continue;
        }
        let found = part.values.get(&*path.replace('/', ".")).unwrap_or_else(|| panic!("{name}: no value for {path}"));
        // The name of this enum's members is in no rule, and its value is a plain number.
        if !value.as_str().is_some_and(|text| text.contains("RerunState")) {
            assert_eq!(json(found), *value, "{name}: {path}");
        }
    }
}

fn assert_args(name: &str, found: &Checkpoint, expected: &BTreeMap<String, Json>) {
    let args = found.saved_args.as_ref().unwrap_or_else(|| panic!("{name}: no saved args"));
    let args: BTreeMap<String, Json> = args.iter().map(|(key, value)| (key.clone(), json(value))).collect();
    for (key, value) in expected {
        assert_eq!(args.get(key), Some(value), "{name}: argument {key}");
    }
    assert_eq!(args.len(), expected.len(), "{name}");
}

#[test]
fn every_recorded_torch_checkpoint_is_read_as_torch_reads_it() {
    let mut arguments = Arguments::default();
    let mut files = 0;
    for fact in support::facts() {
        let name = fact["checkpoint"].as_str().expect("a name");
        let is_torch = fact["format"] == "torch";
        let found = is_torch.then(|| read(name));
        let mut first_args = None;
        for (path, file) in fact["files"].as_object().expect("an object") {
            let args = arguments.next(file);
            let Some(found) = &found else { continue };
            let path = path.split_once('/').expect("iteration and file").1;
            let part = found.parts.iter().find(|part| &*part.file == path);
            let part = part.unwrap_or_else(|| panic!("{name}: {path} was not read"));
            let mut expected = recorded(file);
            assert_eq!(told_all(&part.other), expected.remove(&None).unwrap_or_default(), "{name}/{path}");
            let chunks: Vec<_> = part.chunks.iter().map(told_all).collect();
            assert_eq!(chunks, expected.into_values().collect::<Vec<_>>(), "{name}/{path}");
            assert_settings(name, part, file);
            if *path == *found.parts[0].file {
                first_args = args.cloned();
            }
            files += 1;
        }
        if let Some(found) = found {
            assert_eq!(found.format, Format::Torch);
            assert_eq!(found.iteration, Some(Iteration::Step(10)));
            assert_eq!(found.parts.len(), fact["files"].as_object().expect("an object").len(), "{name}");
            assert_args(name, &found, &first_args.expect("arguments"));
            assert!(
                found.notes.is_empty() && found.problems.is_empty(),
                "{name}: {:?} {:?}",
                found.notes,
                found.problems
            );
        }
    }
    assert!(files > 300, "{files}");
}

#[test]
fn every_recorded_distributed_checkpoint_is_read_as_torch_reads_it() {
    let mut arguments = Arguments::default();
    let mut read_ones = 0;
    for fact in support::facts() {
        let name = fact["checkpoint"].as_str().expect("a name");
        let mut expected_args = None;
        let mut common = None;
        for (path, file) in fact["files"].as_object().expect("an object") {
            expected_args = arguments.next(file).cloned();
            common = Some((path, file));
        }
        if fact["format"] == "torch" {
            continue;
        }
        let found = read(name);
        assert_eq!(found.format, Format::TorchDist);
        assert_eq!(found.iteration, Some(Iteration::Step(10)));
        let [part] = found.parts.as_slice() else { panic!("{name}: one part") };
        let [model] = part.chunks.as_slice() else { panic!("{name}: one chunk") };
        let mut entries = BTreeMap::new();
        for (key, entry) in fact["entries"].as_object().expect("an object") {
            match key.split_once("/shard_") {
                Some((folded, shard)) => {
                    let grid = shard.split_once('_').expect("a grid").1;
                    let grid: Vec<u64> = grid.split('.').map(|n| n.parse().expect("a number")).collect();
                    assert_eq!(*entry, Json::Null);
                    entries.insert(folded.to_owned(), serde_json::json!({ "grid": grid }));
                }
                None => drop(entries.insert(key.clone(), entry.clone())),
            }
        }
        let told_part = |inventory: &Inventory| {
            let told = |tensor: &Tensor| match tensor.kind {
                Kind::Tensor => told(tensor),
                Kind::Object => serde_json::json!({ "grid": tensor.shape }),
            };
            inventory.iter().map(|(key, tensor)| (key.to_string(), told(tensor))).collect::<BTreeMap<_, _>>()
        };
        let others = ["common_state", "rerun_state_machine_state", "rng_state"];
        let (other, expected): (BTreeMap<_, _>, BTreeMap<_, _>) =
            entries.into_iter().partition(|(key, _)| others.contains(&key.as_str()));
        assert_eq!(told_part(model), expected, "{name}");
        let found_other = told_part(&part.other);
        for (key, entry) in &other {
            assert_eq!(found_other.get(key), Some(entry), "{name}");
        }
        if let Some((path, file)) = common {
            assert!(path.ends_with("common.pt"));
            let mut all: BTreeSet<String> = other.into_keys().collect();
            all.extend(recorded(file).remove(&None).unwrap_or_default().into_keys());
            assert_eq!(found_other.keys().cloned().collect::<BTreeSet<_>>(), all, "{name}");
            assert_settings(name, part, file);
            assert_args(name, &found, &expected_args.expect("arguments"));
        } else {
            // From 0.19 on the arguments are in an object in a data file.
            assert!(other.contains_key("common_state"), "{name}");
            let args = found.saved_args.as_ref().expect("arguments");
            assert_eq!(args.get("ckpt_format").and_then(Value::text), Some("torch_dist"), "{name}");
            assert!(args.get("num_layers").and_then(Value::int).is_some(), "{name}");
        }
        assert!(found.notes.is_empty() && found.problems.is_empty(), "{name}: {:?} {:?}", found.notes, found.problems);
        read_ones += 1;
    }
    assert!(read_ones > 80, "{read_ones}");
}

#[test]
fn ranks_have_coordinates() {
    let coordinates =
        |name: &str| read(name).parts.iter().map(|part| part.coordinates.expect("a rank")).collect::<Vec<_>>();
    let rank = |tp, pp, ep| Coordinates { tp, pp, ep };
    assert_eq!(coordinates("core_v0.15.0/d_default.torch"), [rank(0, None, None)]);
    assert_eq!(coordinates("core_v0.15.0/d_tp2.torch"), [rank(0, None, None), rank(1, None, None)]);
    assert_eq!(coordinates("core_v0.15.0/d_pp2.torch"), [rank(0, Some(0), None), rank(0, Some(1), None)]);
    assert_eq!(coordinates("core_v0.15.0/m_ep2.torch"), [rank(0, None, Some(0)), rank(0, None, Some(1))]);
    let four = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(tp, ep)| rank(tp, None, Some(ep)));
    assert_eq!(coordinates("core_v0.15.0/layouts/gelu_tp2_ep2/grouped.torch"), four);
}
