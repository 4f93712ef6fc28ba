//! The YAML reader against PyYAML: `yaml/table.json` holds what `safe_load` makes of hundreds of texts.

use std::sync::Arc;

use moe_lint::launch::yaml::{self, Node, Value};
use moe_lint::text::Source;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

/// A node in the form of the table; floats as Rust prints them.
fn shown(node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Bool(truth) => json!(truth),
        Value::Int(Some(number)) => json!({"int": number.to_string()}),
        Value::Int(None) => json!({"int": "large"}),
        Value::Float(number) => json!({"float": float(*number)}),
        Value::Str => json!(node.text),
        Value::Time | Value::Binary => json!({"other": 1}),
        Value::List(items) => json!({"list": items.iter().map(|item| shown(item)).collect::<Vec<_>>()}),
        Value::Map(entries) => {
            json!({"map": entries.iter().map(|(k, v)| json!([shown(k), shown(v)])).collect::<Vec<_>>()})
        }
    }
}

fn float(number: f64) -> String {
    if number.is_nan() { "nan".to_owned() } else { format!("{number:e}") }
}

/// The table's form with numbers as ours are shown.
fn same_form(json: &Json) -> Json {
    match json {
        Json::Object(fields) => {
            let (name, value) = fields.iter().next().expect("one field");
            match name.as_str() {
                "float" => json!({"float": float(value.as_str().expect("a repr").parse().expect("a float"))}),
                "int" if value.as_str().expect("digits").parse::<i64>().is_err() => json!({"int": "large"}),
                _ => json!({ name: same_form(value) }),
            }
        }
        Json::Array(items) => items.iter().map(same_form).collect(),
        other => other.clone(),
    }
}

fn loaded(text: &str) -> Json {
    match yaml::load(&Source::file("x.yaml", text)) {
        Ok(None) => Json::Null,
        Ok(Some(node)) => shown(&node),
        Err(_) => json!({"error": 1}),
    }
}

#[test]
fn every_text_is_read_as_pyyaml_reads_it() {
    let table: Vec<(String, Json)> = serde_json::from_str(include_str!("yaml/table.json")).expect("the recorded table");
    assert!(table.len() > 400);
    let mut failed = String::new();
    for (text, want) in &table {
        // PyYAML reads these; they are refused here, which says nothing wrong.
        if ["[-]", "[?]", "[?x]", "[!!str , 1]\n"].contains(&text.as_str()) {
            assert_eq!(loaded(text), json!({"error": 1}), "{text}");
            continue;
        }
        let (want, have) = (same_form(want), loaded(text));
        if want != have {
            failed += &format!("{text:?}\n  PyYAML {want}\n  here   {have}\n");
        }
    }
    assert!(failed.is_empty(), "\n{failed}");
}

/// `MOE_LINT_YAML` names a file of lines in the form of the table, made from any collection of YAML files.
#[test]
fn more_texts_are_read_as_pyyaml_reads_them() {
    let Ok(path) = std::env::var("MOE_LINT_YAML") else { return };
    let mut failed = String::new();
    for line in std::fs::read_to_string(path).expect("the lines").lines() {
        let (name, text, want): (String, String, Json) = serde_json::from_str(line).expect("a line");
        if same_form(&want) != loaded(&text) {
            let why = yaml::load(&Source::file(name.as_str(), text.as_str())).err();
            failed += &format!("{name} {}\n", why.map_or("differs".to_owned(), |error| error.to_string()));
        }
    }
    assert!(failed.is_empty(), "\n{failed}");
}

#[test]
fn spans_are_those_of_the_scalars() {
    let text = "# é\nmodel:\n  name: 'a b'   # c\n  layers: 32\n  list: [1, \"x\"]\n  text: |\n    p\n";
    let root = yaml::load(&Source::file("x.yaml", text)).expect("YAML").expect("a document");
    let at = |path: &[&str]| root.at(path).expect("a node").span.text().to_owned();
    assert_eq!(at(&["model", "name"]), "a b");
    assert_eq!(at(&["model", "layers"]), "32");
    let list = root.at(&["model", "list"]).expect("a list");
    assert_eq!(list.span.text(), "[1, \"x\"]");
    assert_eq!(list.items()[1].span.text(), "x");
    assert_eq!(root.get("model").expect("a map").entry("layers").expect("a key").0.span.line_column(), (4, 3));
}

#[test]
fn what_stands_for_too_much_is_refused_soon() {
    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..40 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        laughs += &format!("a{level}: &a{level} [{aliases}]\n");
    }
    let mut merges = "a0: &a0 {x: 1}\n".to_owned();
    for level in 1..60 {
        merges += &format!("a{level}: &a{level} {{<<: [*a{0}, *a{0}, *a{0}], k{level}: 1}}\n", level - 1);
    }
    let texts = [
        laughs,
        merges,
        "[".repeat(100_000),
        "{a: ".repeat(100_000),
        "- ".repeat(100_000),
        format!("a: {}", "&x ".repeat(50_000)),
        (0..20_000).map(|i| format!("k{i}: {i}\n")).collect(),
        format!("a: \"{}\"", "x".repeat(1_000_000)),
        "? ".repeat(50_000),
        "!".repeat(100_000),
    ];
    for (i, text) in texts.iter().enumerate() {
        let start = std::time::Instant::now();
        let _ = yaml::load(&Source::file("x.yaml", text.as_str()));
        assert!(start.elapsed().as_millis() < 2_000, "text {i} took {:?}", start.elapsed());
    }
}

/// Values and how Python's `yaml.safe_dump` and people write them.
fn value() -> impl Strategy<Value = (String, Json)> {
    let leaf = prop_oneof![
        Just(("null".to_owned(), Json::Null)),
        any::<bool>().prop_map(|truth| (truth.to_string(), json!(truth))),
        any::<i64>().prop_map(|number| (number.to_string(), json!({"int": number.to_string()}))),
        (-1000i32..1000)
            .prop_map(|n| (format!("{:.2}", f64::from(n) / 100.0), json!({"float": float(f64::from(n) / 100.0)}))),
        "[ -~]{0,12}".prop_map(|text| (format!("'{}'", text.replace('\'', "''")), json!(text))),
        "[g-m][g-m0-9_-]{0,8}".prop_map(|text| (text.clone(), json!(text))),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| {
                let (texts, values): (Vec<String>, Vec<Json>) = items.into_iter().unzip();
                (format!("[{}]", texts.join(", ")), json!({"list": values}))
            }),
            prop::collection::btree_map("[g-m]{1,4}", inner, 0..4).prop_map(|entries| {
                let texts: Vec<String> = entries.iter().map(|(k, (text, _))| format!("{k}: {text}")).collect();
                let values: Vec<Json> = entries.iter().map(|(k, (_, value))| json!([k, value])).collect();
                (format!("{{{}}}", texts.join(", ")), json!({"map": values}))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read((text, value) in value()) {
        // A whole number written as one, a text in quotes: nothing is lost or taken for something else.
        prop_assert_eq!(loaded(&format!("top:\n  - {text}\n")), json!({"map": [["top", {"list": [value]}]]}));
    }

    #[test]
    fn no_text_panics(text in "[a-z0-9:{}\\[\\]\\-?,&*!|>'\"%@`# \n\t<=~.é]{0,60}") {
        if let Ok(Some(node)) = yaml::load(&Source::file("x.yaml", text.as_str())) {
            let mut rest = vec![Arc::clone(&node)];
            while let Some(next) = rest.pop() {
                prop_assert!(text.get(next.span.start..next.span.end).is_some());
                rest.extend(next.items().iter().cloned());
                rest.extend(next.entries().iter().flat_map(|(k, v)| [k.clone(), v.clone()]));
            }
        }
    }
}
