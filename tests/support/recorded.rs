//! Reads what was recorded from real programs: `tests/truth/<folder>/<tag>.json.gz`.

use std::fs;
use std::io::Read as _;
use std::path::PathBuf;

use flate2::read::GzDecoder;
use moe_lint::rules::value::Value;
use serde_json::{Value as Json, json};

/// Every file of that folder with its stem, sorted by name.
pub fn files(folder: &str) -> Vec<(String, Json)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/truth").join(folder);
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "gz"));
    paths.sort();
    assert!(!paths.is_empty(), "nothing was recorded");
    paths.iter().map(|path| (stem(path), read(path))).collect()
}

fn stem(path: &std::path::Path) -> String {
    let name = path.file_name().expect("a name").to_string_lossy();
    name.strip_suffix(".json.gz").expect("a .json.gz file").to_owned()
}

fn read(path: &PathBuf) -> Json {
    let mut text = String::new();
    GzDecoder::new(fs::File::open(path).expect("a file")).read_to_string(&mut text).expect("gzip");
    serde_json::from_str(&text).expect("JSON")
}

/// A value as Python's `json` writes it.
pub fn json(value: &Value) -> Json {
    match value {
        Value::None => Json::Null,
        Value::Bool(b) => json!(b),
        Value::Int(i) => json!(i),
        Value::Float(x) => json!(x),
        Value::Str(s) => json!(&**s),
        Value::List(items) => items.iter().map(json).collect(),
        other => json!(other.to_string()),
    }
}
