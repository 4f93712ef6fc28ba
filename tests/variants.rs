//! What `torch.save` can hold beyond plain state dicts: read as torch itself describes it (tests/truth/variants).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use moe_lint::checkpoint::{self, Checkpoint, Format, Options, Problem};
use moe_lint::tensor::{Inventory, Kind};
use serde_json::{Value as Json, json};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/truth/variants").join(name)
}

fn read(name: &str) -> Checkpoint {
    checkpoint::read(&file(name), &Options::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn told<'i>(inventories: impl IntoIterator<Item = (&'i str, &'i Inventory)>) -> BTreeMap<String, Json> {
    let mut told = BTreeMap::new();
    for (prefix, inventory) in inventories {
        for (key, tensor) in inventory.iter() {
            let dtype = tensor.dtype.as_ref().map(|dtype| dtype.name());
            let value = if tensor.kind == Kind::Tensor { json!([tensor.shape, dtype]) } else { Json::Null };
            told.insert(format!("{prefix}{key}"), value);
        }
    }
    told
}

#[test]
fn every_variant_is_read_as_torch_reads_it() {
    let expected = std::fs::read_to_string(file("expected.json")).expect("a file");
    let expected: BTreeMap<String, BTreeMap<String, Json>> = serde_json::from_str(&expected).expect("JSON");
    assert!(expected.len() > 15);
    for (name, entries) in expected {
        let found = read(&name);
        assert_eq!(found.format, Format::Torch);
        let [part] = found.parts.as_slice() else { panic!("{name}: one part") };
        let is_bare = part.other.is_empty();
        let chunks = part.chunks.iter().map(|chunk| (if is_bare { "" } else { "model." }, chunk));
        // Python writes the key ("x", 1) with the quotes of its representation, as we do.
        assert_eq!(told(chunks.chain([("", &part.other)])), entries, "{name}");
        assert!(found.problems.is_empty(), "{name}: {:?}", found.problems);
        assert!(found.notes.is_empty(), "{name}: {:?}", found.notes);
    }
}

#[test]
fn a_call_in_a_pickle_is_listed_and_not_run() {
    let found = read("exploit.pt");
    let [note] = found.notes.as_slice() else { panic!("one note: {:?}", found.notes) };
    assert!(note.contains("posix.system") && note.contains("run programs"), "{note}");
    let chunk = &found.parts[0].chunks[0];
    assert_eq!(chunk.get("weight").and_then(|tensor| tensor.shape.clone()), Some(vec![4, 6]));
    assert_eq!(chunk.get("evil").map(|tensor| tensor.kind), Some(Kind::Object));
    assert!(found.parts[0].globals.contains(&"posix.system".to_owned()));
}

#[test]
fn a_saved_program_is_refused_by_name() {
    let error = checkpoint::read(&file("script.jit"), &Options::default()).expect_err("a refusal");
    assert!(matches!(&error.problem, Problem::Unsupported { name, .. } if name == "TorchScript"), "{error}");
}

#[test]
fn a_checkpoint_of_torch_alone_is_read_by_its_prefix() {
    let found = read("dcp");
    assert_eq!(found.format, Format::TorchDcp);
    let [part] = found.parts.as_slice() else { panic!("one part") };
    let model = told([("", &part.chunks[0])]);
    assert_eq!(model.get("weight"), Some(&json!([[4, 6], "float32"])));
    assert_eq!(model.get("bias"), Some(&json!([[4], "bfloat16"])));
    assert_eq!(model.len(), 2);
    assert_eq!(part.other.get("optimizer.step").map(|tensor| tensor.shape.clone()), Some(Some(Vec::new())));
    assert_eq!(part.other.get("epoch").map(|tensor| tensor.kind), Some(Kind::Object));
    assert!(found.problems.is_empty() && found.notes.iter().all(|note| note.contains("own directory")), "{found:?}");
}

#[test]
fn a_flattened_tensor_has_its_real_shape() {
    let found = read("flattened");
    assert_eq!(found.format, Format::TorchDist);
    let part = &found.parts[0];
    assert_eq!(told([("", &part.other)]).into_values().collect::<Vec<_>>(), [json!([[2, 16, 64], "float32"])]);
    assert_eq!(told([("", &part.chunks[0])]).into_values().collect::<Vec<_>>(), [json!([[2, 1, 1, 1024], "float32"])]);
}

#[test]
fn the_index_of_a_distributed_checkpoint_stands_for_it() {
    assert_eq!(read("dcp/.metadata").parts[0].chunks[0].len(), 2);
}
