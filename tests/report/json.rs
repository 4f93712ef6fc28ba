//! The JSON documents keep to the schemas in `docs/schema/` and say what the reports say.

use std::fs;

use moe_lint::checkpoint::Format;
use moe_lint::report::json;
use moe_lint::rules::value::Value as LaunchValue;
use moe_lint::schema::Schema;
use serde_json::Value;

use crate::founding;

/// Reads a document and holds it against its schema.
fn valid(name: &str, document: &[u8]) -> Value {
    let schema =
        fs::read_to_string(format!("{}/docs/schema/{name}.json", env!("CARGO_MANIFEST_DIR"))).expect("a schema");
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a JSON schema");
    let value: Value = serde_json::from_slice(document).expect("JSON");
    let errors: Vec<String> = validator.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let start = format!(
        "{{\"format_version\":1,\"tool\":{{\"name\":\"moe-lint\",\"version\":\"{}\"}},",
        env!("CARGO_PKG_VERSION")
    );
    assert!(document.starts_with(start.as_bytes()), "the head comes first");
    value
}

fn check(report: &moe_lint::report::Report) -> Value {
    let mut document = Vec::new();
    json::check(&mut document, report).expect("a document");
    valid("check", &document)
}

#[test]
fn a_check_says_everything() {
    let document = check(&founding::fails());
    assert_eq!(document["outcome"], "fails");
    assert_eq!(document["framework"]["version"], "0.8.0");
    assert_eq!(document["launch"]["argv"][3], founding::FLAG);
    assert_eq!(document["checkpoint"]["iteration"], 10);
    assert_eq!(document["checkpoint"]["tensors"], 4 * 39);
    let parts = document["diff"].as_array().expect("a list");
    assert_eq!(parts.len(), 4);
    for (ep, part) in parts.iter().enumerate() {
        assert_eq!(part["ep"], ep);
        assert!(part["vpp"].is_null() && part.get("etp").is_none());
        assert_eq!(part["missing"].as_array().map(Vec::len), Some(8));
        assert_eq!(part["unexpected"].as_array().map(Vec::len), Some(16));
    }
    assert_eq!(parts[0]["missing"][0]["shape"], serde_json::json!([16, 96]));
}

#[test]
fn a_label_points_at_the_flag() {
    let document = check(&founding::fails());
    let label = &document["diagnoses"][0]["labels"][0];
    let byte = |name: &str| label[name].as_u64().expect("a number") as usize;
    let script = founding::script();
    assert_eq!(&script.text[byte("byte_start")..byte("byte_end")], founding::FLAG);
    let line = script.text.lines().nth(byte("line") - 1).expect("the line");
    assert!(line[byte("column") - 1..].starts_with(founding::FLAG));
}

#[test]
fn explained_keys_are_keys_of_the_diff() {
    let document = check(&founding::fails());
    for list in ["missing", "unexpected", "mismatched"] {
        let references = document["diagnoses"][0]["explains"][list].as_array().expect("a list");
        for reference in references {
            let part = &document["diff"][reference["part"].as_u64().expect("an index") as usize];
            assert!(part[list].as_array().expect("a list").iter().any(|entry| entry["key"] == reference["key"]));
        }
    }
}

#[test]
fn a_load_has_no_differences() {
    let document = check(&founding::loads());
    assert_eq!(document["outcome"], "loads");
    assert_eq!(document["diagnoses"], serde_json::json!([]));
    assert_eq!(document["rejected"], Value::Null);
}

#[test]
fn a_schema_for_each_rank_and_a_global_one() {
    let mut report = founding::schema_report();
    let mut document = Vec::new();
    json::schema(&mut document, &report).expect("a document");
    let value = valid("schema", &document);
    assert_eq!(value["schema"]["checkpoint_format"], "torch");
    assert_eq!(value["schema"]["ranks"][3]["file"], "mp_rank_00_003/model_optim_rng.pt");
    let entries = value["schema"]["ranks"][0]["chunks"][0]["entries"].as_array().expect("a list");
    let object = entries.iter().find(|entry| entry["kind"] == "object").expect("an object");
    assert!(object.get("shape").is_none() && object["dtype"].is_null());

    report.schema = Some(Schema::Global(founding::grouped().into()));
    document.clear();
    json::schema(&mut document, &report).expect("a document");
    let value = valid("schema", &document);
    assert_eq!(value["schema"]["checkpoint_format"], "torch_dist");
    assert_eq!(value["schema"]["global"]["entries"].as_array().map(Vec::len), Some(founding::grouped().len()));

    report.schema = None;
    document.clear();
    json::schema(&mut document, &report).expect("a document");
    assert_eq!(valid("schema", &document)["schema"], Value::Null);
}

#[test]
fn an_inspection_is_complete() {
    let mut checkpoint = founding::checkpoint();
    if let Some(args) = &mut checkpoint.saved_args {
        args.insert("inf".into(), LaunchValue::Float(f64::INFINITY));
        args.insert("odd".into(), LaunchValue::unknown("odd", "an object of a class", Vec::new()));
    }
    let mut document = Vec::new();
    json::inspect(&mut document, &checkpoint).expect("a document");
    let value = valid("inspect", &document);
    assert_eq!(value["checkpoint"]["format"], Format::Torch.name());
    assert_eq!(value["checkpoint"]["saved_args"]["num_layers"], 4);
    assert_eq!(value["checkpoint"]["saved_args"]["inf"], "inf");
    assert_eq!(value["checkpoint"]["saved_args"]["odd"]["unknown"], "an object of a class");
    let count: usize = checkpoint.parts.iter().map(|part| part.chunks[0].len() + part.other.len()).sum();
    assert_eq!(value["entries"].as_array().map(Vec::len), Some(count));
}
