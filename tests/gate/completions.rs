//! Completions in a real bash, and the manual's pages.

use std::fs;
use std::process::Command;

use super::{path, run, text};

/// What bash offers for a line that ends where the cursor is.
fn offered(line: &str) -> Vec<String> {
    let script = r#"
        source /dev/stdin <<<"$1"
        COMP_LINE=$2 COMP_POINT=${#2}
        read -ra COMP_WORDS <<<"$2"
        [[ $2 == *' ' ]] && COMP_WORDS+=('')
        COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
        complete -p moe-lint | grep -q -- '-F _moe__lint ' || exit 3
        _moe__lint moe-lint "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let completions = run(&["completions", "bash"]);
    assert_eq!(completions.status.code(), Some(0));
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", script, "bash", text(&completions.stdout), line]);
    let output = bash.output().expect("bash");
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn bash_offers_commands_options_and_values() {
    let commands = offered("moe-lint ");
    for command in ["check", "schema", "inspect", "snapshot", "diff", "init", "exec", "completions"] {
        assert!(commands.iter().any(|offer| offer == command), "{command} in {commands:?}");
    }
    assert_eq!(offered("moe-lint snap"), ["snapshot"]);
    assert_eq!(offered("moe-lint check --format sa"), ["sarif"]);
    assert_eq!(offered("moe-lint check --megat"), ["--megatron"]);
    assert_eq!(offered("moe-lint completions z"), ["zsh"]);
}

#[test]
fn other_shells_have_theirs() {
    for (shell, says) in [
        ("zsh", "#compdef moe-lint"),
        ("fish", "complete -c moe-lint"),
        ("powershell", "moe-lint"),
        ("elvish", "moe-lint"),
    ] {
        let output = run(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0), "{shell}");
        assert!(text(&output.stdout).contains(says), "{shell}");
    }
}

#[test]
fn every_command_has_a_page_in_the_manual() {
    let directory = tempfile::tempdir().expect("a directory");
    let output = run(&["man", path(directory.path())]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    for (page, says) in [
        ("moe-lint", "moe-lint"),
        ("moe-lint-check", "sarif"),
        ("moe-lint-exec", "warn"),
        ("moe-lint-snapshot", "CHECKPOINT"),
    ] {
        let text =
            fs::read_to_string(directory.path().join(format!("{page}.1"))).unwrap_or_else(|e| panic!("{page}: {e}"));
        assert!(text.contains(".TH") && text.contains(says), "{page}");
    }
}
