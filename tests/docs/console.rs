//! Blocks of commands.
//!
//! A ` ```console ` block is run: lines after `$ ` are typed into one bash a page, which starts in a directory with the
//! founding case; what follows is what they print. Blocks in other languages are not run, but the options of `moe-lint` in
//! them must exist.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::sync::LazyLock;

use regex::Regex;

use super::{blocks, current, pages, sandbox};

/// Stands for a duration, which is another one each time.
static DURATION: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b(under 1|\d+) ms\b").expect("a regular expression"));

/// What each command prints, in order.
fn run(commands: &[String]) -> Vec<String> {
    let directory = tempfile::tempdir().expect("a directory");
    let (bin, here) = (directory.path().join("bin"), directory.path().join("run"));
    fs::create_dir(&bin).expect("a folder");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_moe-lint"), bin.join("moe-lint")).expect("a link");
    fs::create_dir(&here).expect("a folder");
    sandbox(&here);
    let mut script = String::new();
    for command in commands {
        // The mark keeps `$?` for the next command.
        script.push_str(&format!("{command}\n{{ code=$?; printf '\\n\\001\\n'; (exit $code); }} 2>/dev/null\n"));
    }
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", &format!("exec 2>&1\n{script}")]).current_dir(&here).env_clear();
    bash.env("LANG", "C.UTF-8")
        .env("HOME", &here)
        .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", bin.display()));
    let output = bash.output().expect("bash");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let mut parts: Vec<String> =
        text.split("\n\u{1}\n").map(|part| DURATION.replace_all(part, "9 ms").into_owned()).collect();
    assert_eq!(parts.pop().as_deref(), Some(""), "a command of these ends the shell: {commands:?}");
    parts
}

/// The page with the output of its commands as it is now.
fn replayed(page: &str) -> String {
    let lines: Vec<&str> = page.lines().collect();
    let blocks: Vec<_> = blocks(page).into_iter().filter(|(language, ..)| language == "console").collect();
    let mut commands = Vec::new();
    let mut sizes = Vec::new();
    for (_, _, text) in &blocks {
        let before = commands.len();
        for line in text.lines() {
            if let Some(command) = line.strip_prefix("$ ") {
                commands.push(command.to_owned());
            } else if let (Some(more), Some(last)) = (line.strip_prefix("> "), commands.last_mut())
                && commands_continues(last)
            {
                *last = format!("{last}\n{more}");
            }
        }
        sizes.push(commands.len() - before);
    }
    if commands.is_empty() {
        return page.to_owned();
    }
    let mut printed = commands.iter().zip(run(&commands));
    let mut out: Vec<String> = Vec::new();
    let mut at = 0;
    for ((_, start, text), size) in blocks.iter().zip(sizes) {
        out.extend(lines[at..*start].iter().map(|line| (*line).to_owned()));
        for (command, output) in printed.by_ref().take(size) {
            for (number, line) in command.lines().enumerate() {
                out.push(format!("{} {line}", if number == 0 { "$" } else { ">" }));
            }
            out.extend(output.trim_end_matches('\n').lines().map(|line| line.trim_end().to_owned()));
        }
        at = start + text.lines().count();
    }
    out.extend(lines[at..].iter().map(|line| (*line).to_owned()));
    out.join("\n") + "\n"
}

/// Whether the command goes on in the next line.
fn commands_continues(command: &str) -> bool {
    command.ends_with('\\') || command.contains("<<")
}

#[test]
fn commands_print_what_the_pages_show() {
    let mut run = 0;
    for path in pages() {
        let page = fs::read_to_string(&path).expect("a page");
        run += page.lines().filter(|line| line.starts_with("$ ")).count();
        current(&path, &replayed(&page));
    }
    assert!(run >= 20, "only {run} commands");
}

#[test]
fn options_in_other_blocks_exist() {
    let help = |words: &[&str]| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_moe-lint")).args(words).arg("--help").output().expect("it starts");
        output.status.success().then(|| String::from_utf8(output.stdout).expect("UTF-8"))
    };
    let mut helps: BTreeMap<String, String> = BTreeMap::new();
    for path in pages() {
        let page = fs::read_to_string(&path).expect("a page");
        let shell = ["sh", "bash", "yaml", "text"];
        for (language, start, text) in blocks(&page).into_iter().filter(|(l, ..)| shell.contains(&l.as_str())) {
            for (number, line) in text.lines().enumerate() {
                let Some((_, words)) = line.split_once("moe-lint ").filter(|_| language != "text") else { continue };
                let words = words.split(" -- ").next().unwrap_or(words);
                let command = words.split_whitespace().next().unwrap_or("");
                let place = format!("{}:{}", path.display(), start + number + 1);
                let command = if command.chars().all(|c| c.is_ascii_lowercase()) { command } else { "check" };
                let known = helps
                    .entry(command.to_owned())
                    .or_insert_with(|| help(&[command]).unwrap_or_else(|| panic!("{place}: no command `{command}`")));
                for option in words.split_whitespace().filter(|word| word.starts_with("--")) {
                    let option = option.split('=').next().unwrap_or(option);
                    assert!(known.contains(option), "{place}: `moe-lint {command}` has no {option}");
                }
            }
        }
    }
}
