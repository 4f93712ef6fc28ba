//! The founding case from end to end: the script and the checkpoints of issue 924, as a user would run them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value as Json;

const SCRIPT: &str = "tests/cases/issue-924/train_mixtral.sh";
const FLAG: &str = "--moe-grouped-gemm";

fn run(words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_moe-lint"));
    command.args(words).current_dir(env!("CARGO_MANIFEST_DIR")).env_clear().env("LANG", "C.UTF-8");
    command.output().expect("it starts")
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn json(words: &[&str]) -> (Json, Option<i32>) {
    let output = run(&[&words[..1], &["--format", "json"], &words[1..]].concat());
    let document = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| {
        panic!("{e}: {}{}", text(&output), String::from_utf8_lossy(&output.stderr));
    });
    (document, output.status.code())
}

fn validate(document: &Json, schema: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema").join(schema);
    let schema: Json = serde_json::from_str(&fs::read_to_string(path).expect("a schema")).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a JSON schema");
    let errors: Vec<String> = validator.iter_errors(document).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

/// The script without one line, in a folder of its own; paths in it are relative to the repository.
fn without_flag() -> (tempfile::TempDir, String) {
    let script = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(SCRIPT)).expect("the script");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("train.sh");
    fs::write(&path, script.replace(&format!("    {FLAG}\n"), "")).expect("written");
    let path = path.display().to_string();
    (folder, path)
}

#[test]
fn one_diagnosis_on_one_screen() {
    let output = run(&["check", SCRIPT, "--megatron", "0.8.0", "--te", "1.7"]);
    assert_eq!(output.status.code(), Some(1));
    let printed = text(&output);
    assert!(printed.lines().count() <= 30, "{printed}");
    // A command is there to be copied: it is never wrapped.
    let prose = printed.lines().filter(|line| !line.contains("moe-lint convert"));
    assert!(prose.clone().count() + 1 == printed.lines().count(), "{printed}");
    assert!(prose.into_iter().all(|line| line.chars().count() <= 80), "{printed}");
    assert_eq!(printed.matches("error[").count(), 1, "{printed}");
    for needle in [
        "error[expert-layout]",
        "GroupedMLP",
        "SequentialMLP",
        "train_mixtral.sh:42:5",
        "decoder.layers.{0..3}.mlp.experts.weight{1,2}",
        "on each of 4 EP ranks",
        "Megatron-LM 0.8.0 stops",
        "from 0.13 on it would train with randomly initialised experts",
        "fix (proven)    remove --moe-grouped-gemm",
        "or (proven)     convert the experts and load the result",
        "fails: 1 cause explains",
    ] {
        assert!(printed.contains(needle), "{needle} is not in\n{printed}");
    }
}

#[test]
fn without_the_flag_it_loads_in_one_calm_line() {
    let (_folder, script) = without_flag();
    let output = run(&["check", &script, "--megatron", "0.8.0", "--te", "1.7"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let printed = text(&output);
    assert_eq!(printed.lines().count(), 1, "{printed}");
    assert!(printed.starts_with("loads: "), "{printed}");
}

#[test]
fn the_keys_are_those_of_the_real_loader() {
    // What load_state_dict reported: tests/cases/issue-924/README.md.
    let (document, code) = json(&["check", SCRIPT, "--megatron", "core_v0.8.0", "--te", "1.7"]);
    assert_eq!(code, Some(1));
    validate(&document, "check.json");
    assert_eq!(document["outcome"], "fails");
    let parts = document["diff"].as_array().expect("parts");
    assert_eq!(parts.len(), 4);
    for (ep, part) in parts.iter().enumerate() {
        assert_eq!(part["ep"], ep);
        assert_eq!(part["missing"].as_array().map(Vec::len), Some(8));
        let weights = part["unexpected"].as_array().expect("a list");
        let weights = weights.iter().filter(|e| e["key"].as_str().is_some_and(|key| key.ends_with(".weight")));
        assert_eq!(weights.count(), 16);
        assert_eq!(part["mismatched"], Json::Array(Vec::new()));
    }

    let newer = "tests/cases/issue-924/checkpoints/core_v0.15.0-te2.8-sequential";
    let (document, code) = json(&["check", SCRIPT, "--checkpoint", newer, "--megatron", "0.15", "--te", "2.8"]);
    assert_eq!(code, Some(1));
    assert_eq!(document["outcome"], "partial");
    for part in document["diff"].as_array().expect("parts") {
        assert_eq!(part["missing"].as_array().map(Vec::len), Some(24));
        assert_eq!(part["unexpected"].as_array().map(Vec::len), Some(32));
    }
}

#[test]
fn the_offered_edit_does_what_it_promises() {
    let (document, _) = json(&["check", SCRIPT, "--megatron", "0.8", "--te", "1.7"]);
    let diagnosis = &document["diagnoses"][0];
    let label = &diagnosis["labels"][0];
    let script = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(SCRIPT)).expect("the script");
    let at = |value: &Json| usize::try_from(value.as_u64().expect("an offset")).expect("small");
    assert_eq!(&script[at(&label["byte_start"])..at(&label["byte_end"])], FLAG);

    let fix = &diagnosis["fixes"][0];
    assert_eq!(fix["proven"], true);
    let mut edited = script.clone();
    for edit in fix["edits"].as_array().expect("edits").iter().rev() {
        let range = at(&edit["byte_start"])..at(&edit["byte_end"]);
        edited.replace_range(range, edit["replacement"].as_str().expect("a text"));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("train.sh");
    fs::write(&path, edited).expect("written");
    let output = run(&["check", &path.display().to_string(), "--megatron", "0.8", "--te", "1.7"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
}

/// The command of the first fix that has one, with its target in that folder, and the target.
fn offered(document: &Json, folder: &Path) -> (Vec<String>, String) {
    let fixes = document["diagnoses"][0]["fixes"].as_array().expect("fixes");
    let fix = fixes.iter().find(|fix| fix["command"].is_string()).expect("a command");
    assert_eq!(fix["proven"], true);
    assert_eq!(fix["edits"], Json::Array(Vec::new()));
    let words: Vec<String> = fix["command"].as_str().expect("a text").split(' ').map(str::to_owned).collect();
    assert_eq!(words[0], "moe-lint");
    let target = folder.join("converted").display().to_string();
    let words = words.into_iter().skip(1).enumerate();
    (words.map(|(at, word)| if at == 2 { target.clone() } else { word }).collect(), target)
}

#[test]
fn the_offered_conversion_does_what_it_promises() {
    let (_folder, without) = without_flag();
    let cases = "tests/cases/issue-924/checkpoints";
    let sequential = format!("{cases}/core_v0.8.0-te1.7-sequential");
    let grouped = format!("{cases}/core_v0.8.0-te1.7-grouped");
    let newer = format!("{cases}/core_v0.15.0-te2.8-sequential");
    for (script, checkpoint, machine) in [
        (SCRIPT, &sequential, ["--megatron", "0.8", "--te", "1.7"]),
        (without.as_str(), &grouped, ["--megatron", "0.8", "--te", "1.7"]),
        (SCRIPT, &newer, ["--megatron", "0.15", "--te", "2.8"]),
    ] {
        let check = |checkpoint: &str| json(&[&["check", script, "--checkpoint", checkpoint], &machine[..]].concat());
        let (document, code) = check(checkpoint);
        assert_eq!(code, Some(1), "{checkpoint}");
        let folder = tempfile::tempdir().expect("a folder");
        let (words, target) = offered(&document, folder.path());
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        // The launch beside it: the conversion ends with the check.
        let output = run(&[&words[..], &[script], &machine[..]].concat());
        assert_eq!(output.status.code(), Some(0), "{}{}", text(&output), String::from_utf8_lossy(&output.stderr));
        assert!(text(&output).contains("\nloads: "), "{}", text(&output));
        assert_eq!(check(&target).1, Some(0));
        let planned = [&words[..1], &["--format", "json", "--dry-run"], &words[1..]].concat();
        let planned: Json = serde_json::from_slice(&run(&planned).stdout).expect("JSON");
        validate(&planned, "convert.json");
        assert_eq!(planned["experts"]["to"], words.last().copied().expect("a layout"));
    }
}

#[test]
fn the_other_way_round_asks_for_the_flag() {
    let (_folder, script) = without_flag();
    let grouped = "tests/cases/issue-924/checkpoints/core_v0.8.0-te1.7-grouped";
    let (document, code) = json(&["check", &script, "--checkpoint", grouped, "--megatron", "0.8", "--te", "1.7"]);
    assert_eq!(code, Some(1));
    assert_eq!(document["diagnoses"][0]["rule"], "expert-layout");
    assert_eq!(document["diagnoses"][0]["fixes"][0]["title"], "add --moe-grouped-gemm");
}

#[test]
fn the_schema_of_the_launch() {
    let (document, code) = json(&["schema", SCRIPT, "--megatron", "0.8", "--te", "1.7"]);
    assert_eq!(code, Some(0));
    validate(&document, "schema.json");
    assert_eq!(document["schema"]["checkpoint_format"], "torch");
    assert_eq!(document["schema"]["ranks"].as_array().map(Vec::len), Some(4));
    let words = ["schema", SCRIPT, "--megatron", "0.8", "--te", "1.7", "--checkpoint-format", "torch_dist"];
    let (document, _) = json(&words);
    validate(&document, "schema.json");
    let entries = document["schema"]["global"]["entries"].as_array().expect("entries");
    let experts = entries.iter().find(|e| e["key"] == "decoder.layers.mlp.experts.experts.linear_fc1.weight");
    assert_eq!(experts.expect("the experts")["shape"], serde_json::json!([4, 8, 48, 16]));
}

#[test]
fn a_checkpoint_that_is_not_there_is_told_as_the_loader_acts() {
    let folder = tempfile::tempdir().expect("a folder");
    let empty = folder.path().display().to_string();
    let (document, code) = json(&["check", SCRIPT, "--checkpoint", &empty, "--megatron", "0.8", "--te", "1.7"]);
    assert_eq!((document["outcome"].as_str(), code), (Some("fresh"), Some(1)));
    fs::write(folder.path().join("latest_checkpointed_iteration.txt"), "ten").expect("written");
    let (document, code) = json(&["check", SCRIPT, "--checkpoint", &empty, "--megatron", "0.8", "--te", "1.7"]);
    assert_eq!((document["outcome"].as_str(), code), (Some("fails"), Some(1)));
}

#[test]
fn what_is_not_known_is_never_a_pass() {
    let script = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(SCRIPT)).expect("the script");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("train.sh");
    fs::write(&path, script.replace("--num-experts 8", "--num-experts $EXPERTS")).expect("written");
    let path = path.display().to_string();
    let output = run(&["check", &path, "--megatron", "0.8", "--te", "1.7"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("EXPERTS"), "{}", text(&output));
    let output = run(&["check", &path, "--megatron", "0.8", "--te", "1.7", "--env", "EXPERTS=8"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
}

#[test]
fn a_tokenizer_that_cannot_be_read_is_left_alone() {
    let script = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(SCRIPT)).expect("the script");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("train.sh");
    let other = "--tokenizer-type HuggingFaceTokenizer --tokenizer-model /nowhere/tokenizer";
    let text_of = script.replace("--tokenizer-type NullTokenizer", other).replace("    --vocab-size 100\n", "");
    fs::write(&path, text_of).expect("written");
    let output = run(&["check", &path.display().to_string(), "--megatron", "0.8", "--te", "1.7"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let told = text(&output).split_whitespace().collect::<Vec<_>>().join(" ");
    let only = "fix remove --moe-grouped-gemm (the vocabulary size then is all that is unknown) fails:";
    assert!(told.contains(only), "{told}");
}

#[test]
fn another_dtype_is_told_and_is_no_difference() {
    let script = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(SCRIPT)).expect("the script");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("train.sh");
    fs::write(&path, script.replace("    --moe-grouped-gemm\n", "").replace("    --bf16\n", "")).expect("written");
    let words = ["check", &path.display().to_string(), "--megatron", "0.8", "--te", "1.7"];
    let output = run(&words);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains(", converted from bfloat16 to float32 ("), "{}", text(&output));
    let output = run(&[&words[..], &["--format", "json"]].concat());
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let retyped = document["diff"][0]["retyped"].as_array().expect("a list");
    assert_eq!(retyped[0]["found"]["dtype"], "bfloat16");
    assert_eq!(retyped[0]["expected"]["dtype"], "float32");
}

#[test]
fn what_is_outside_of_the_model_is_named() {
    let model = ["--num-layers", "2", "--hidden-size", "16", "--num-attention-heads", "4", "--seq-length", "8"];
    let more = ["--max-position-embeddings", "8", "--micro-batch-size", "1", "--tokenizer-type", "NullTokenizer"];
    for (script, flags, named) in [
        ("pretrain_t5.py", &[][..], "pretrain_t5.py"),
        ("pretrain_bert.py", &[], "pretrain_bert.py"),
        ("pretrain_mamba.py", &[], "pretrain_mamba.py"),
        ("pretrain_vlm.py", &[], "pretrain_vlm.py"),
        ("pretrain_gpt.py", &["--spec", "my.module", "layer_spec"], "--spec"),
        ("pretrain_gpt.py", &["--is-hybrid-model"], "hybrid models"),
        ("pretrain_gpt.py", &["--heterogeneous-layers-config-path", "x.json"], "--heterogeneous-layers-config-path"),
    ] {
        let mut words = vec!["schema", "--megatron", "0.15", "--te", "2.8", "--", "torchrun", script];
        words.extend(model.iter().chain(&more).chain(&["--vocab-size", "100", "--lr", "1e-4"]).chain(flags));
        let output = run(&words);
        assert_eq!(output.status.code(), Some(2), "{script} {flags:?}: {}", text(&output));
        assert!(text(&output).contains(named), "{named} is not in {}", text(&output));
    }
}

#[test]
fn a_launch_that_the_framework_stops_is_rejected_in_its_words() {
    let words = ["schema", "--megatron", "0.12", "--te", "2.2", "--", "pretrain_gpt.py", "--num-layers", "two"];
    let (document, code) = json(&words);
    assert_eq!(code, Some(1));
    validate(&document, "schema.json");
    assert_eq!(document["rejected"]["by"], "argparse");
    assert_eq!(document["rejected"]["message"], "argument --num-layers: invalid int value: 'two'");
}

#[test]
fn without_a_version_every_one_is_checked() {
    let (document, code) = json(&["check", SCRIPT]);
    assert_eq!(code, Some(1));
    validate(&document, "check.json");
    // The worst end is the one of the document.
    assert_eq!(document["outcome"], "fails");
    let groups = document["versions"].as_array().expect("groups");
    let outcome = |version: &str| {
        let holds = |group: &&Json| group["versions"].as_array().is_some_and(|all| all.iter().any(|v| v == version));
        groups.iter().find(holds).map(|group| group["outcome"].as_str().expect("an outcome"))
    };
    for (version, expected) in
        [("0.6.0", "fails"), ("0.8.0", "fails"), ("0.12.0", "fails"), ("0.13.0", "partial"), ("main", "partial")]
    {
        assert_eq!(outcome(version), Some(expected), "{version}");
        // The same as when it is asked for.
        let (alone, _) = json(&["check", SCRIPT, "--megatron", version]);
        assert_eq!(alone["outcome"], expected, "{version}");
        assert_eq!(alone["versions"].as_array().map(Vec::len), Some(1));
    }
    let all: Vec<&Json> = groups.iter().flat_map(|group| group["versions"].as_array().expect("versions")).collect();
    assert_eq!(all.len(), 15, "each version once");
}

#[test]
fn what_loads_in_some_versions_only_is_no_pass() {
    let (_folder, script) = without_flag();
    let (document, code) = json(&["check", &script]);
    assert_eq!(code, Some(1));
    let groups = document["versions"].as_array().expect("groups");
    assert!(groups.iter().any(|group| group["outcome"] == "loads"), "{groups:?}");
}

#[test]
fn every_distinct_outcome_is_told_once() {
    for width in ["80", "120"] {
        let output = run(&["check", SCRIPT, "--width", width]);
        assert_eq!(output.status.code(), Some(1));
        let printed = text(&output);
        let columns = width.parse().expect("a number");
        // A command is never wrapped: it is there to be copied.
        let mut lines = printed.lines().filter(|line| !line.trim_start().starts_with("moe-lint "));
        assert!(lines.all(|line| line.chars().count() <= columns), "{printed}");
        assert_eq!(printed.matches("error[expert-layout]").count(), 1, "{printed}");
        assert!(printed.contains("fails up to 0.12, partial from 0.13 on"), "{printed}");
        let told = printed.lines().map(|line| line.split(" versions, ").next().unwrap_or(line));
        insta::assert_snapshot!(format!("every_version_{width}"), told.collect::<Vec<_>>().join("\n"));
    }
}
