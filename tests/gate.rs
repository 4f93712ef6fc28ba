//! The commands of the gate, as they are called: snapshots, comparisons, settings, the wrapper, completions.

#[path = "gate/completions.rs"]
mod completions;
#[cfg(unix)]
#[path = "gate/exec.rs"]
mod exec;
#[path = "gate/settings.rs"]
mod settings;
#[path = "gate/snapshot.rs"]
mod snapshot;

use std::path::Path;
use std::process::{Command, Output};

const CASE: &str = "tests/cases/issue-924";
const SEQUENTIAL: &str = "tests/cases/issue-924/checkpoints/core_v0.8.0-te1.7-sequential";

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

fn path(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}
