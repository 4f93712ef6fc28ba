//! `--yaml-cfg`: the founding case with its arguments in a file, as a user would run it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value as Json;

const SCRIPT: &str = "tests/cases/yaml-cfg/train.sh";
const FILE: &str = "tests/cases/yaml-cfg/mixtral.yaml";

fn run(words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_moe-lint"));
    command.args(words).current_dir(env!("CARGO_MANIFEST_DIR")).env_clear().env("LANG", "C.UTF-8");
    command.output().expect("it starts")
}

fn json(words: &[&str]) -> (Json, Option<i32>) {
    let output = run(&[&words[..1], &["--format", "json"], &words[1..]].concat());
    let document = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
    (document, output.status.code())
}

/// A script whose file is the case's with some texts replaced.
fn with(changes: &[(&str, &str)]) -> (tempfile::TempDir, String) {
    let read = |path: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("the case");
    let mut text = read(FILE);
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("mixtral.yaml");
    fs::write(&file, text).expect("written");
    let script = folder.path().join("train.sh");
    fs::write(&script, read(SCRIPT).replace(FILE, &file.display().to_string())).expect("written");
    let script = script.display().to_string();
    (folder, script)
}

fn check(script: &str, version: &str) -> (Json, Option<i32>) {
    json(&["check", "--megatron", version, "--te", "1.7", script])
}

#[test]
fn the_cause_stands_in_the_file_and_so_does_the_fix() {
    for version in ["0.8", "0.9", "0.10"] {
        let (document, code) = check(SCRIPT, version);
        assert_eq!(code, Some(1), "{document:#}");
        let cause = &document["diagnoses"][0];
        assert_eq!(cause["rule"], "expert-layout");
        assert_eq!(cause["labels"][0]["file"], FILE);
        assert_eq!(cause["labels"][0]["line"], 9);
        let fix = &cause["fixes"][0];
        assert_eq!(fix["title"], "set moe_grouped_gemm: false in mixtral.yaml");
        assert_eq!((&fix["proven"], &fix["applicability"]), (&Json::Bool(true), &Json::from("safe")));
        let edit = &fix["edits"][0];
        let text = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE)).expect("the file");
        let byte = |name: &str| usize::try_from(edit[name].as_u64().expect("a place")).expect("small");
        assert_eq!(edit["file"], FILE);
        assert_eq!(&text[byte("byte_start")..byte("byte_end")], b"true");
        assert_eq!(edit["replacement"], "false");
    }
    let (_folder, script) = with(&[("moe_grouped_gemm: true", "moe_grouped_gemm: false")]);
    for version in ["0.8", "0.9", "0.10"] {
        let (document, code) = check(&script, version);
        assert_eq!((&document["outcome"], code), (&Json::from("loads"), Some(0)), "{document:#}");
    }
}

#[test]
fn fix_leaves_other_files_than_the_script_alone() {
    let (folder, script) = with(&[]);
    let before = fs::read_to_string(folder.path().join("mixtral.yaml")).expect("the file");
    let output = run(&["check", "--megatron", "0.8", "--te", "1.7", "--fix", "--unsafe-fixes", &script]);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("another file than the launch: set moe_grouped_gemm: false in mixtral.yaml"), "{told}");
    assert_eq!(fs::read_to_string(folder.path().join("mixtral.yaml")).expect("the file"), before);
}

#[test]
fn what_the_file_lacks_is_listed() {
    let (_folder, script) = with(&[("\nseed: 1234\n", "\n"), ("\nskipped_train_samples: 0\n", "\n")]);
    let (document, code) = check(&script, "0.9");
    assert_eq!(code, Some(1));
    let message = document["rejected"]["message"].as_str().expect("a reason");
    assert!(message.contains("no attribute 'seed'; the file lacks seed, skipped_train_samples"), "{message}");
    assert_eq!(document["rejected"]["by"], "validate_yaml");
}

#[test]
fn releases_that_no_file_satisfies_are_told() {
    for version in ["0.11", "0.14", "0.19", "main"] {
        let (document, code) = check(SCRIPT, version);
        assert_eq!(code, Some(1));
        let message = document["rejected"]["message"].as_str().expect("a reason");
        assert!(message.contains("account_for_embedding_in_pipeline_split"), "{message}");
    }
    let (document, code) = check(SCRIPT, "0.7");
    assert_eq!((code, &document["rejected"]["by"]), (Some(1), &Json::from("parse_args")));
}

#[test]
fn a_name_must_not_stand_twice() {
    let (_folder, script) = with(&[("\nseed: 1234\n", "\nseed: 1234\nnum_layers: 4\n")]);
    let (document, code) = check(&script, "0.8");
    assert_eq!(code, Some(1));
    let message = document["rejected"]["message"].as_str().expect("a reason");
    assert!(message.contains("multiple values for keyword argument 'num_layers'"), "{message}");
}

#[test]
fn what_cannot_be_known_is_said() {
    let cases: [(&[(&str, &str)], &str); 3] = [
        (&[("\nlr: 0.0001\n", "\nlr: 1e-4\n")], "to PyYAML this is a text, where a number belongs"),
        (&[("vocab_size: 100", "vocab_size: ${TOKENS}")], "`$TOKENS` is not set"),
        (&[("hidden_size: 16", "hidden_size: '16'")], "to PyYAML this is a text, where a whole number belongs"),
    ];
    for (changes, reason) in cases {
        let changes = [changes, &[("moe_grouped_gemm: true", "moe_grouped_gemm: false")]].concat();
        let (_folder, script) = with(&changes);
        let (document, code) = check(&script, "0.8");
        assert_eq!(code, Some(2), "{document:#}");
        let unknown = document["undetermined"][0].to_string();
        assert!(unknown.contains(reason), "{unknown}");
    }
    let words = ["--", "torchrun", "pretrain_gpt.py", "--yaml-cfg", "not-there.yaml", "--load", "/ckpt"];
    let (document, code) = json(&[&["check", "--megatron", "0.9"][..], &words].concat());
    assert_eq!(code, Some(2));
    assert!(document["undetermined"][0].to_string().contains("there is no such file"), "{document:#}");
}

#[test]
fn variables_of_the_script_and_the_user_are_put_in() {
    let (_folder, script) = with(&[("vocab_size: 100", "vocab_size: ${TOKENS}"), ("seed: 1234", "seed: '${SEED}'")]);
    let words = ["args", "--megatron", "0.8", "--env", "TOKENS=100", &script];
    let (document, code) = json(&words);
    assert_eq!(code, Some(0));
    let flags = document["flags"].as_array().expect("flags");
    let of = |name: &str| flags.iter().find(|flag| flag["flag"] == name).unwrap_or_else(|| panic!("{name}"));
    assert_eq!(of("vocab_size")["value"], "100");
    assert_eq!(of("seed")["value"], "${SEED}");
    assert_eq!(of("load")["value"], "tests/cases/issue-924/checkpoints/core_v0.8.0-te1.7-sequential");
    let experts = of("language_model.num_moe_experts");
    assert_eq!((&experts["value"], &experts["dest"]), (&Json::from(8), &Json::from("num_experts")));
    assert!(experts["labels"][0]["file"].as_str().expect("a file").ends_with("mixtral.yaml"));
}

#[test]
fn the_command_line_means_nothing_beside_the_file() {
    let (folder, _script) = with(&[("moe_grouped_gemm: true", "moe_grouped_gemm: false")]);
    let file = folder.path().join("mixtral.yaml").display().to_string();
    let checkpoint = "tests/cases/issue-924/checkpoints/core_v0.8.0-te1.7-sequential";
    let words = ["check", "--megatron", "0.8", "--te", "1.7", "--world-size", "4", "--checkpoint", checkpoint];
    let launch = ["--", "python", "pretrain_gpt.py", "--num-layers", "77", "--moe-grouped-gemm", "--yaml-cfg", &file];
    let (document, code) = json(&[&words[..], &launch].concat());
    assert_eq!((&document["outcome"], code), (&Json::from("loads"), Some(0)), "{document:#}");
}
