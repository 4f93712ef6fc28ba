//! Settings that a `--yaml-cfg` file cannot do without: as recorded by leaving each out in turn and loading a checkpoint.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;

use moe_lint::launch::yaml;
use moe_lint::rules::arguments_file::ArgumentsFile;
use moe_lint::rules::flags::{FlagTable, Parser};
use moe_lint::rules::value::Value;
use moe_lint::rules::version::Version;
use moe_lint::text::Source;
use moe_lint::training::Arguments;
use moe_lint::training::arguments_file::{Setting, settings, take};
use serde_json::Value as Json;

/// Left out, it is read from the script's own defaults, and another file is missing then.
const OTHERWISE_GIVEN: &str = "tokenizer_type";

fn recorded() -> Json {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/truth/yaml-reads.json.gz");
    let bytes = std::fs::read(path).expect("the recorded truth");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).expect("gzip");
    serde_json::from_str(&text).expect("JSON")
}

/// What is said of a file with these settings.
fn refusal(rules: &ArgumentsFile, parser: &Parser, settings: &[Setting]) -> Option<String> {
    let mut arguments = Arguments::default();
    take(rules, parser, settings, &mut arguments).expect("computable");
    arguments.rejected.map(|rejected| rejected.message)
}

#[test]
fn a_file_needs_what_is_read_and_nothing_else() {
    let (mut needed, mut free) = (0, 0);
    for (tag, cases) in recorded().as_object().expect("versions") {
        let version: Version = tag.parse().expect("a version");
        let rules = ArgumentsFile::load(&version).expect("the rules");
        let parser = FlagTable::load().expect("the flags").parser(&version);
        for (name, case) in cases.as_object().expect("cases") {
            let source = Source::file("config.yaml", case["yaml"].as_str().expect("a text"));
            let root = yaml::load(&source).expect("YAML").expect("settings");
            let all = settings(&rules, &root, &|node| Value::str(&node.text));
            assert_eq!(refusal(&rules, &parser, &all), None, "{tag} {name}");
            let read: BTreeSet<&str> =
                case["read"].as_array().expect("names").iter().filter_map(Json::as_str).collect();
            for one in all.iter().filter(|one| read.contains(&*one.key.text) && one.key.text != OTHERWISE_GIVEN) {
                let path = [&*one.section, &*one.key.text].join(".");
                let path = path.trim_start_matches('.');
                let left: Vec<Setting> =
                    all.iter().filter(|other| !std::sync::Arc::ptr_eq(&other.key, &one.key)).cloned().collect();
                let told = refusal(&rules, &parser, &left);
                match case["needed"][path].as_str() {
                    Some(reason) => {
                        let told = told.unwrap_or_else(|| panic!("{tag} {name}: without {path} it is not refused"));
                        assert!(reason.contains(&told), "{tag} {name}: {reason:?} is recorded, {told:?} told");
                        needed += 1;
                    }
                    None => {
                        assert_eq!(told, None, "{tag} {name}: goes without {path}");
                        free += 1;
                    }
                }
            }
        }
    }
    println!("{needed} settings cannot be left out, {free} can");
    assert!(needed > 1000 && free > 30);
}
