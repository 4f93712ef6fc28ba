//! `moe-lint exec`: in front of a real command, here a script that stands in for the launcher.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use super::{CASE, SEQUENTIAL, command, path, text};

/// A directory with a `torchrun` that tells how it was started.
struct Bin(tempfile::TempDir);

impl Bin {
    fn new(script: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("torchrun");
        fs::write(&file, format!("#!/bin/bash\n{script}\n")).expect("a file");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("a mode");
        Self(directory)
    }

    fn torchrun(&self) -> PathBuf {
        self.0.path().join("torchrun")
    }

    fn command(&self, options: &[&str], arguments: &[String]) -> Command {
        let torchrun = self.torchrun();
        let base = ["exec", "--megatron", "0.8.0", "--te", "1.7", "--checkpoint", SEQUENTIAL];
        let mut command = command(&[&base, options, &["--", path(&torchrun)]].concat());
        command.args(arguments).env("PATH", "/usr/bin:/bin");
        command
    }

    fn run(&self, options: &[&str], arguments: &[String]) -> Output {
        self.command(options, arguments).output().expect("it starts")
    }
}

/// The words behind `torchrun` in the founding case's script, as the check of it tells them.
fn arguments(grouped: bool) -> Vec<String> {
    let script = format!("{CASE}/train_mixtral.sh");
    let output = super::run(&["check", &script, "--megatron", "0.8.0", "--te", "1.7", "--format", "json"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let words = document["launch"]["argv"].as_array().expect("words").iter().map(|word| word.as_str().expect("a word"));
    let words = words.map(str::to_owned).filter(|word| grouped || word != "--moe-grouped-gemm");
    words.skip(1).collect()
}

#[test]
fn what_loads_is_started_with_its_words_and_its_exit_code() {
    let bin = Bin::new("echo \"out $#\"; echo err >&2; printf '%s\\n' \"${@: -1}\"; exit 37");
    let arguments = arguments(false);
    let output = bin.run(&[], &arguments);
    assert_eq!(output.status.code(), Some(37));
    let last = arguments.last().expect("words");
    assert_eq!(
        text(&output.stdout),
        format!("out {}\n{last}\n", arguments.len()),
        "standard output is the command's own"
    );
    assert!(text(&output.stderr).starts_with("loads: ") && text(&output.stderr).ends_with("err\n"));
}

#[test]
fn what_does_not_load_is_not_started_unless_only_warnings_are_wanted() {
    let bin = Bin::new("echo started");
    let output = bin.run(&[], &arguments(true));
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), ""));
    assert!(text(&output.stderr).contains("error[expert-layout]"));
    let output = bin.run(&["--warn-only"], &arguments(true));
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), "started\n"));
    assert!(text(&output.stderr).contains("error[expert-layout]") && text(&output.stderr).contains("--warn-only"));
    // What cannot be told is no pass either.
    let output = bin.run(&[], &["--no-python".to_owned(), "hostname".to_owned()]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""));
    let output = bin.run(&["--warn-only"], &["--no-python".to_owned(), "hostname".to_owned()]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), "started\n"));
}

#[test]
fn of_many_processes_one_prints_and_all_decide() {
    let bin = Bin::new("echo started");
    for (variable, rank, prints) in
        [("SLURM_PROCID", "0", true), ("SLURM_PROCID", "1", false), ("RANK", "3", false), ("RANK", "0", true)]
    {
        let output = bin.command(&[], &arguments(true)).env(variable, rank).output().expect("it starts");
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), ""), "{variable}={rank}");
        assert_eq!(!output.stderr.is_empty(), prints, "{variable}={rank}");
    }
    let output = bin.command(&[], &arguments(false)).env("SLURM_PROCID", "5").output().expect("it starts");
    assert_eq!((output.status.code(), text(&output.stdout), text(&output.stderr)), (Some(0), "started\n", ""));
}

#[test]
fn a_command_that_is_one_of_the_processes_knows_how_many_there_are() {
    let bin = Bin::new("exit 0");
    // Behind torchrun's own options stands the training script.
    let words = arguments(false);
    let script = words.iter().position(|word| word.ends_with(".py")).expect("a script");
    let python = bin.0.path().join("python");
    fs::copy(bin.torchrun(), &python).expect("a file");
    let run = |variables: &[(&str, &str)]| {
        let base = ["exec", "--megatron", "0.8.0", "--te", "1.7", "--checkpoint", SEQUENTIAL, "--", path(&python)];
        let mut command = command(&base);
        command.args(&words[script..]).env("PATH", "/usr/bin:/bin").envs(variables.iter().copied());
        command.output().expect("it starts").status.code()
    };
    assert_eq!(run(&[("WORLD_SIZE", "4"), ("RANK", "0")]), Some(0));
    assert_eq!(run(&[("WORLD_SIZE", "4"), ("SLURM_PROCID", "2")]), Some(0));
    assert_ne!(run(&[("WORLD_SIZE", "3"), ("RANK", "0")]), Some(0), "3 processes do not divide");
    assert_ne!(run(&[]), Some(0), "alone, as parse_args takes it");
}

/// Waits until the command says that it runs.
fn started(child: &mut Child) {
    use std::io::{BufRead as _, BufReader};
    let mut line = String::new();
    let out = child.stdout.as_mut().expect("a pipe");
    BufReader::new(out).read_line(&mut line).expect("a line");
    assert_eq!(line, "ready\n");
}

#[test]
fn the_process_is_replaced_so_signals_are_the_commands_own() {
    let bin = Bin::new("trap 'echo caught; exit 5' TERM; echo ready; while true; do sleep 0.05; done");
    let mut child =
        bin.command(&[], &arguments(false)).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
    started(&mut child);
    let name = fs::read_to_string(format!("/proc/{}/comm", child.id())).expect("a process");
    assert_eq!(name, "torchrun\n", "there is no moe-lint left");
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill").success());
    assert_eq!(child.wait().expect("it ends").code(), Some(5));

    let bin = Bin::new("echo ready; exec sleep 60");
    let mut child =
        bin.command(&[], &arguments(false)).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
    started(&mut child);
    assert!(Command::new("kill").args(["-KILL", &child.id().to_string()]).status().expect("kill").success());
    assert_eq!(child.wait().expect("it ends").signal(), Some(9));
}

#[test]
fn a_pipe_that_closes_ends_the_command_as_it_would_without_us() {
    // Rust programs ignore SIGPIPE; the command must not inherit that.
    let bin = Bin::new("echo ready; trap - PIPE; while echo more; do :; done; exit 9");
    let mut child =
        bin.command(&[], &arguments(false)).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
    started(&mut child);
    drop(child.stdout.take());
    let ended = (0..200).find_map(|_| {
        std::thread::sleep(Duration::from_millis(20));
        child.try_wait().expect("a child")
    });
    assert_eq!(ended.expect("it ends").signal(), Some(13));
}

#[test]
fn a_command_that_is_not_there_ends_as_in_a_shell() {
    let arguments = arguments(false);
    let base = ["exec", "--megatron", "0.8.0", "--te", "1.7", "--checkpoint", SEQUENTIAL, "--", "no/such/torchrun"];
    let output = command(&base).args(&arguments).output().expect("it starts");
    assert_eq!(output.status.code(), Some(127), "{}", text(&output.stderr));
    let bin = Bin::new("");
    fs::set_permissions(bin.torchrun(), fs::Permissions::from_mode(0o644)).expect("a mode");
    assert_eq!(bin.run(&[], &arguments).status.code(), Some(126));
}
