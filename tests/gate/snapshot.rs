//! `moe-lint snapshot` and `moe-lint diff`.

use std::fs;

use super::{CASE, SEQUENTIAL, path, run, text};

fn schema(name: &str, document: &[u8]) -> serde_json::Value {
    let schema = fs::read_to_string(format!("docs/schema/{name}.json")).expect("a schema");
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema).expect("JSON")).expect("a JSON schema");
    let document = serde_json::from_slice(document).expect("JSON");
    let errors: Vec<String> = validator.iter_errors(&document).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    document
}

#[test]
fn a_check_against_a_snapshot_says_the_same() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("mixtral.moe-lint.json");
    let output = run(&["snapshot", SEQUENTIAL, "-o", path(&file)]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(run(&["snapshot", SEQUENTIAL]).stdout, fs::read(&file).expect("a file"));
    assert_eq!(
        run(&["snapshot", path(&file)]).stdout,
        fs::read(&file).expect("a file"),
        "a snapshot of it is the same"
    );
    for megatron in ["0.8.0", "0.13.0"] {
        let check = |checkpoint: &str| {
            let script = format!("{CASE}/train_mixtral.sh");
            let output =
                run(&["check", &script, "--megatron", megatron, "--checkpoint", checkpoint, "--format", "json"]);
            (output.status.code(), text(&output.stdout).to_owned())
        };
        let from_disk = check(SEQUENTIAL);
        assert_eq!(from_disk.0, Some(1));
        assert_eq!(from_disk, check(path(&file)), "{megatron}");
    }
}

#[test]
fn a_snapshot_that_was_changed_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("x.moe-lint.json");
    let good = text(&run(&["snapshot", SEQUENTIAL]).stdout).to_owned();
    for (from, to, says) in [
        ("[16]", "[17]", "was changed"),
        ("\"moe_lint_snapshot\": 1", "\"moe_lint_snapshot\": 2", "version 2"),
        ("\"notes\"", "\"nodes\"", "damaged"),
        ("{0..3}", "{0..99999999999}", "damaged"),
    ] {
        assert!(good.contains(from), "{from}");
        fs::write(&file, good.replacen(from, to, 1)).expect("a file");
        let output = run(&["inspect", path(&file)]);
        assert_eq!(output.status.code(), Some(2), "{to}");
        assert!(text(&output.stderr).contains(says), "{to}: {}", text(&output.stderr));
    }
    // Layout is not content: a formatter may go over it.
    let compact: serde_json::Value = serde_json::from_str(&good).expect("JSON");
    fs::write(&file, good.replace(": ", ":")).expect("a file");
    assert_eq!(compact["moe_lint_snapshot"], 1);
    assert_eq!(run(&["inspect", path(&file)]).status.code(), Some(0));
}

#[test]
fn equal_checkpoints_do_not_differ() {
    let output = run(&["diff", SEQUENTIAL, SEQUENTIAL]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).starts_with("same: "));
    let document = schema("diff", &run(&["diff", SEQUENTIAL, SEQUENTIAL, "--format", "json"]).stdout);
    assert_eq!(document["same"], true);
}

#[test]
fn what_differs_between_checkpoints_is_folded() {
    let other = fs::read_dir(format!("{CASE}/checkpoints")).expect("a folder");
    let mut others: Vec<_> = other.map(|entry| entry.expect("an entry").path()).collect();
    others.sort();
    let grouped = others.iter().find(|other| path(other).contains("grouped")).expect("a grouped checkpoint");
    let output = run(&["diff", SEQUENTIAL, path(grouped)]);
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!("diff", text(&output.stdout));
    let document = schema("diff", &run(&["diff", SEQUENTIAL, path(grouped), "--format", "json"]).stdout);
    assert_eq!(document["same"], false);
    assert_eq!(run(&["diff", SEQUENTIAL, "no/such"]).status.code(), Some(2));
}
