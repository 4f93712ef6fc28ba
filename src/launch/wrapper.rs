//! Commands that start other commands: where the inner one begins.

use super::Command;
use super::launchers::{self, Starts};

/// What a wrapper starts, as indexes of its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inner {
    /// A command line.
    Command {
        /// Its first word.
        at: usize,
        /// `NAME=VALUE` words before it.
        assignments: Vec<usize>,
        /// Whether the wrapper is no command of its own.
        transparent: bool,
    },
    /// A text for a shell; the words after it are its `$0`, `$1` and on.
    ShellText {
        /// The text's word.
        at: usize,
        /// Where in that word the text starts, in bytes: after `--wrap=`.
        from: usize,
    },
    /// A script file for a shell, with its arguments.
    ShellScript {
        /// The file.
        at: usize,
    },
    /// A shell that reads its standard input.
    ShellInput,
}

/// What a command starts, if it is a wrapper.
pub fn inner(command: &Command) -> Option<Inner> {
    let program = command.known(0)?;
    let Some(launcher) = launchers::by_program(program) else {
        // It may be a script that is run by its path: its first line tells.
        return program.contains('/').then_some(Inner::ShellScript { at: 0 });
    };
    let parsed = launchers::parse(launcher, command, 1);
    match launcher.starts {
        Starts::Program => {
            let parsed = parsed?;
            if parsed.module.is_some() {
                return None;
            }
            let python =
                launcher.suffix_starts_python && command.known(parsed.at).is_some_and(|word| word.ends_with(".py"));
            let transparent = launcher.transparent;
            (!python).then_some(Inner::Command { at: parsed.at, assignments: parsed.assignments, transparent })
        }
        Starts::Python => {
            let mut parsed = parsed?;
            let module = parsed.module.and_then(|at| command.known(at)).and_then(launchers::by_module);
            if let Some(launcher) = module {
                parsed = launchers::parse(launcher, command, parsed.at)?;
            }
            (parsed.plain && parsed.module.is_none()).then_some(Inner::Command {
                at: parsed.at,
                assignments: Vec::new(),
                transparent: false,
            })
        }
        Starts::Shell => shell(command, parsed),
        Starts::Text => {
            // Only a single word is a text of its own; more are joined by the program.
            let at = parsed?.at;
            (at + 1 == command.argv.len()).then_some(Inner::ShellText { at, from: 0 })
        }
        Starts::Batch => {
            let text = (1..command.argv.len()).find_map(|at| {
                let word = command.known(at)?;
                match word.split_once('=') {
                    Some((name, _)) => launchers::is_one_of(&launcher.text, name).then_some((at, name.len() + 1)),
                    None => launchers::is_one_of(&launcher.text, word).then_some((at + 1, 0)),
                }
            });
            match (text, parsed) {
                (Some((at, from)), _) => (at < command.argv.len()).then_some(Inner::ShellText { at, from }),
                (None, Some(parsed)) => Some(Inner::ShellScript { at: parsed.at }),
                (None, None) => Some(Inner::ShellInput),
            }
        }
    }
}

/// `bash -c TEXT`, `bash -lc TEXT`, `bash FILE`, `bash < FILE`
fn shell(command: &Command, parsed: Option<launchers::Parsed>) -> Option<Inner> {
    let mut at = 1;
    while let Some(word) = command.known(at) {
        let letters = word.strip_prefix('-').filter(|letters| !letters.is_empty() && !letters.starts_with('-'));
        let Some(letters) = letters else { break };
        if letters.contains('c') && letters.chars().all(|c| c.is_ascii_alphabetic()) {
            return (at + 1 < command.argv.len()).then_some(Inner::ShellText { at: at + 1, from: 0 });
        }
        if letters == "s" {
            return Some(Inner::ShellInput);
        }
        at += 1 + usize::from(matches!(letters, "o" | "O"));
    }
    Some(match parsed {
        Some(parsed) => Inner::ShellScript { at: parsed.at },
        None => Inner::ShellInput,
    })
}
