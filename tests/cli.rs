//! The program as it is called: what it prints where, and how it exits.

use std::path::Path;
use std::process::{Command, Output, Stdio};

const CHECKPOINT: &str = "tests/cases/issue-924/checkpoints/core_v0.8.0-te1.7-sequential";

fn command(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_moe-lint"));
    command.args(words).current_dir(env!("CARGO_MANIFEST_DIR")).env_clear().env("LANG", "C.UTF-8");
    command
}

fn run(words: &[&str]) -> Output {
    command(words).output().expect("it starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn a_checkpoint_is_inspected() {
    let output = run(&["inspect", CHECKPOINT]);
    assert_eq!(output.status.code(), Some(0));
    let printed = text(&output.stdout);
    assert!(printed.contains("decoder.layers.{0..3}.mlp.experts.local_experts.{0,1}.linear_fc1.weight"), "{printed}");
    assert!(printed.contains("each of 4 files: mp_rank_00_00{0..3}/model_optim_rng.pt"), "{printed}");
    assert!(!printed.contains('\u{1b}'), "no colour without a terminal");
}

#[test]
fn the_format_is_chosen_and_the_bytes_are_the_same_each_time() {
    let words = ["inspect", CHECKPOINT, "--format", "json"];
    let (first, second) = (run(&words), run(&words));
    assert_eq!(first.status.code(), Some(0));
    assert_eq!(first.stdout, second.stdout);
    let document: serde_json::Value = serde_json::from_slice(&first.stdout).expect("JSON");
    assert_eq!(document["checkpoint"]["iteration"], 10);
    assert_eq!(document["checkpoint"]["saved_args"]["num_experts"], 8);
}

#[test]
fn colour_is_chosen() {
    assert!(text(&run(&["inspect", CHECKPOINT, "--color", "always"]).stdout).contains('\u{1b}'));
    let output = command(&["inspect", CHECKPOINT]).env("FORCE_COLOR", "1").output().expect("it starts");
    assert!(text(&output.stdout).contains('\u{1b}'));
    let both = command(&["inspect", CHECKPOINT]).env("FORCE_COLOR", "1").env("NO_COLOR", "1").output();
    assert!(!text(&both.expect("it starts").stdout).contains('\u{1b}'));
}

#[test]
fn errors_name_the_file_and_help_and_exit_with_2() {
    for (words, needle) in [
        (&["inspect", "no/such/place"][..], "no/such/place"),
        (&["inspect", "tests/cases"], "tests/cases"),
        (&["inspect", "README.md"], "README.md"),
        (&["inspect"], "CHECKPOINT"),
        (&["--no-such-option"], "--no-such-option"),
        (&["--te", "new", "x.sh"], "none"),
    ] {
        let output = run(words);
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(output.stdout.is_empty(), "{words:?}");
        let printed = text(&output.stderr);
        assert!(printed.starts_with("error: ") && printed.contains(needle), "{words:?}: {printed}");
        assert!(!printed.contains("panicked") && !printed.contains("a bug"), "{words:?}: {printed}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = command(&["inspect", CHECKPOINT, "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
}

#[test]
fn help_is_short_enough_to_read() {
    for words in [&["-h"][..], &["check", "-h"], &["schema", "-h"], &["inspect", "-h"]] {
        let output = run(words);
        assert_eq!(output.status.code(), Some(0), "{words:?}");
        assert!(text(&output.stdout).lines().count() < 80, "{words:?}");
        assert!(text(&output.stdout).lines().all(|line| line.chars().count() <= 100), "{words:?}");
    }
}

#[test]
fn the_launch_of_the_founding_case_is_shipped() {
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/issue-924");
    assert!(case.join("train_mixtral.sh").is_file());
    assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(CHECKPOINT).is_dir());
}

/// The launch of the founding case, which fails.
const FAILING: [&str; 6] = ["check", "tests/cases/issue-924/train_mixtral.sh", "--megatron", "0.8.0", "--te", "1.7"];

#[test]
fn the_format_never_changes_the_exit_code() {
    for format in ["human", "json", "sarif", "github", "gitlab", "junit"] {
        let output = run(&[&FAILING[..], &["--format", format]].concat());
        assert_eq!(output.status.code(), Some(1), "{format}");
        assert!(!output.stdout.is_empty() && output.stderr.is_empty(), "{format}");
        let output = run(&["check", "tests/cases/no-such.sh", "--format", format]);
        assert_eq!(output.status.code(), Some(2), "{format}");
        assert!(text(&output.stderr).starts_with("error: "), "{format}");
    }
}

#[test]
fn github_actions_gets_annotations_and_a_summary_unasked() {
    let directory = tempfile::tempdir().expect("a directory");
    let summary = directory.path().join("summary.md");
    std::fs::write(&summary, "before\n").expect("a file");
    let mut command = command(&FAILING);
    command.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", &summary);
    let output = command.output().expect("it starts");
    assert_eq!(output.status.code(), Some(1));
    let printed = text(&output.stdout);
    assert!(printed.contains("error[expert-layout]"), "{printed}");
    assert!(printed.contains("::error file=tests/cases/issue-924/train_mixtral.sh,line=42,"), "{printed}");
    let summary = std::fs::read_to_string(&summary).expect("a file");
    assert!(summary.starts_with("before\n### moe-lint\n") && summary.contains("| fails |"), "{summary}");
    assert!(!text(&run(&FAILING).stdout).contains("::error"));
}

#[test]
fn a_yaml_file_is_a_launch_and_words_change_its_settings() {
    let folder = tempfile::tempdir().expect("a folder");
    let yaml = folder.path().join("run_config.yaml");
    std::fs::write(&yaml, "model: {num_layers: 2}\ntrain: {micro_batch_size: 1}\nddp: {}\n").expect("a file");
    let yaml = yaml.display().to_string();
    let output = run(&["args", &yaml, "--format", "json", "--", "model.num_layers=4"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let flags = json["flags"].as_array().expect("flags");
    let layers = flags.iter().find(|flag| flag["flag"] == "--num-layers").expect("a flag");
    assert_eq!(layers["value"], 4, "{text}");
    // What another program makes of its own arguments is never told as a pass.
    let output = run(&["check", &yaml, "--checkpoint", &folder.path().display().to_string(), "--megatron", "0.12"]);
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stdout));
    let script = folder.path().join("train.sh");
    std::fs::write(&script, "torchrun pretrain_gpt.py\n").expect("a file");
    let output = run(&["check", &script.display().to_string(), "--", "--x"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("words after `--` change YAML files only"));
}
