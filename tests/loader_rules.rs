//! Differences between the releases' loaders that no recorded pair shows, each read in the release's own source and held
//! here from both sides: the version that has it, and its neighbour that does not.

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;

const SCRIPT: &str = "tests/cases/issue-924/train_mixtral.sh";
const CHECKPOINT: &str = "tests/cases/issue-924/checkpoints/core_v0.15.0-te2.8-sequential";

/// A check of the founding launch without grouped experts and with more flags: outcome, and the stage that decides.
fn check(flags: &str, version: &str, checkpoint: &str) -> (String, String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = fs::read_to_string(root.join(SCRIPT)).expect("the script");
    let script =
        script.replace("    --moe-grouped-gemm\n", "").replace("    --bf16\n", &format!("    --bf16 {flags}\n"));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("train.sh");
    fs::write(&path, script).expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_moe-lint"));
    command.arg("check").arg(&path).args(["--checkpoint", checkpoint, "--megatron", version, "--format", "json"]);
    let output = command.current_dir(root).env_clear().output().expect("it starts");
    let document: Json = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let decides = document["stages"]
        .as_array()
        .expect("stages")
        .iter()
        .find(|stage| !matches!(stage["verdict"].as_str(), Some("ok" | "skipped")));
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    (text(&document["outcome"]), decides.map_or_else(String::new, |stage| text(&stage["message"])))
}

#[track_caller]
fn ends(flags: &str, version: &str, outcome: &str, message: &str) {
    let (found, told) = check(flags, version, CHECKPOINT);
    assert_eq!(found, outcome, "{flags} in {version}: {told}");
    assert!(told.contains(message), "{message} is not in {told}");
}

/// check_checkpoint_args compares the batch size where the run changes it on the way; core 0.16 began with it.
#[test]
fn batch_sizes_are_compared_for_phase_transitions() {
    for version in ["0.16", "0.17", "0.18", "0.19", "main"] {
        ends("", version, "loads", "");
        ends("--phase-transition-iterations 5 --global-batch-size 8", version, "fails", "global_batch_size value from");
        ends("--phase-transition-iterations 5 --global-batch-size 4", version, "loads", "");
        ends("--global-batch-size 8", version, "loads", "");
    }
}

/// core 0.19 raises where --override-ckpt-iteration meets another batch size; main warns.
#[test]
fn another_iteration_with_another_batch_size() {
    ends("--override-ckpt-iteration 7 --global-batch-size 8", "0.19", "fails", "--override-ckpt-iteration");
    ends("--override-ckpt-iteration 7 --global-batch-size 4", "0.19", "loads", "");
    ends("--override-ckpt-iteration 7 --global-batch-size 8", "main", "loads", "");
}

/// A checkpoint without the argument counts as 3.
#[test]
fn the_number_of_householder_steps_is_compared_since_main() {
    ends("--gdp-num-householder 2", "main", "fails", "gdp_num_householder value from checkpoint");
    ends("--gdp-num-householder 3", "main", "loads", "");
}

/// load_checkpoint hands over to ModelOpt's loader in two releases.
#[test]
fn another_loader_is_not_modelled() {
    for version in ["0.13", "0.14"] {
        ends("--load-model-opt-format", version, "undetermined", "--load-model-opt-format");
    }
}

/// verify_integrity_manifest hashes all files, which headers do not tell.
#[test]
fn hashes_are_not_looked_at() {
    let checkpoint = support::checkpoints().join("core_v0.12.0/m_bias.torch_dist");
    let checkpoint = checkpoint.display().to_string();
    for version in ["0.18", "0.19", "main"] {
        let (outcome, message) = check("--verify-integrity --ckpt-format torch_dist", version, &checkpoint);
        assert_eq!(outcome, "undetermined", "{message}");
        assert!(message.contains("--verify-integrity"), "{message}");
    }
}
