//! The launchers that `rules/launchers.toml` tells about, and how their own words end.

use std::sync::LazyLock;

use serde::Deserialize;

use super::{Command, Word};
use crate::rules::{RuleError, check_files, embedded};

/// What a launcher starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Starts {
    /// A command line.
    Program,
    /// A Python script with its arguments.
    Python,
    /// A shell: a text after `-c`, or a script file.
    Shell,
    /// A script file, for a scheduler.
    Batch,
    /// A text for a shell, made of all the words that follow.
    Text,
}

/// What an option that is in no list takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Takes {
    /// Nothing.
    #[default]
    Flag,
    /// The next word.
    Value,
}

/// When a launcher starts something in a container or on another machine.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Elsewhere {
    /// Always, or never.
    Always(bool),
    /// Where it is given one of these options.
    With(Vec<String>),
}

impl Default for Elsewhere {
    fn default() -> Self {
        Self::Always(false)
    }
}

/// The options that tell how many processes there are.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Facts {
    /// Nodes.
    pub nodes: Vec<String>,
    /// Processes on each node.
    pub per_node: Vec<String>,
    /// Processes in all.
    pub total: Vec<String>,
    /// What holds where the option is absent.
    pub default: Defaults,
}

/// What holds where an option is absent.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Defaults {
    /// Nodes.
    pub nodes: Option<i64>,
    /// Processes on each node.
    pub per_node: Option<i64>,
}

/// One launcher.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Launcher {
    /// Names of the program.
    pub programs: Vec<String>,
    /// Names of it as a Python module.
    #[serde(default)]
    pub modules: Vec<String>,
    /// What it starts.
    pub starts: Starts,
    /// Options that take a value.
    #[serde(default)]
    pub values: Vec<String>,
    /// Options that take two values.
    #[serde(default)]
    pub pairs: Vec<String>,
    /// Options that take none.
    #[serde(default)]
    pub flags: Vec<String>,
    /// What other options take.
    #[serde(default)]
    pub unknown: Takes,
    /// Words that must come first, in order, each after options.
    #[serde(default)]
    pub subcommands: Vec<String>,
    /// Words between the options and what is started.
    #[serde(default)]
    pub skip: usize,
    /// The word after which the started command begins.
    pub until: Option<String>,
    /// Whether `NAME=VALUE` may come before the started command.
    #[serde(default)]
    pub assignments: bool,
    /// Whether it is no command of its own: only what it starts is one.
    #[serde(default)]
    pub transparent: bool,
    /// Options after which a module's name stands.
    #[serde(default)]
    pub module: Vec<String>,
    /// Options that make it start a program instead of a script.
    #[serde(default)]
    pub plain: Vec<String>,
    /// Options whose value is a text for a shell.
    #[serde(default)]
    pub text: Vec<String>,
    /// Whether a word that ends in `.py` is started by Python.
    #[serde(default)]
    pub suffix_starts_python: bool,
    /// Whether what it starts sees other files than the launch does.
    #[serde(default)]
    pub elsewhere: Elsewhere,
    /// Whether it starts the processes of one training.
    #[serde(default)]
    pub distributed: bool,
    /// The options that tell numbers of processes.
    #[serde(default)]
    pub facts: Facts,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    launcher: Vec<Launcher>,
}

static LAUNCHERS: LazyLock<Vec<Launcher>> = LazyLock::new(|| {
    let text = embedded::below("launchers.toml").next().map_or("", |(_, text)| text);
    // A test checks that the embedded file is in order.
    toml::from_str::<File>(text).map(|file| file.launcher).unwrap_or_default()
});

/// Checks the rule files.
pub(super) fn check_rules() -> Result<(), RuleError> {
    check_files::<File>(embedded::below("launchers.toml"))
}

/// The launcher of a program.
pub fn by_program(program: &str) -> Option<&'static Launcher> {
    let name = program.rsplit('/').next().unwrap_or(program);
    LAUNCHERS.iter().find(|launcher| launcher.programs.iter().any(|known| known == name))
}

/// The launcher of a Python module.
pub fn by_module(module: &str) -> Option<&'static Launcher> {
    LAUNCHERS.iter().find(|launcher| launcher.modules.iter().any(|known| known == module))
}

/// Whether a command's words up to `end` start the rest in a container or on another machine.
pub fn go_elsewhere(command: &Command, end: usize) -> bool {
    (0..end.min(command.argv.len())).any(|at| match command.known(at).and_then(by_program).map(|l| (l, &l.elsewhere)) {
        None => false,
        Some((_, Elsewhere::Always(always))) => *always,
        Some((launcher, Elsewhere::With(options))) => {
            let given = parse(launcher, command, at + 1).map(|parsed| parsed.options).unwrap_or_default();
            given.iter().any(|(name, _)| has(options, name))
        }
    })
}

/// Where a launcher's own words end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parsed {
    /// The index of the first word of what is started; the number of words where nothing is.
    pub at: usize,
    /// Its options: the name, and the index of the word with the value (the same word for `--name=value`).
    pub options: Vec<(String, Option<usize>)>,
    /// The index of a module's name that stands in place of a script.
    pub module: Option<usize>,
    /// Whether it starts a program, by one of its options.
    pub plain: bool,
    /// The indexes of `NAME=VALUE` words.
    pub assignments: Vec<usize>,
    /// The indexes of options that want a value where another option follows: the launcher stops there.
    pub valueless: Vec<usize>,
}

/// The name of an option as it is compared.
fn plain_name(option: &str) -> String {
    let dashes = option.len() - option.trim_start_matches('-').len();
    format!("{}{}", &option[..dashes], option[dashes..].replace('_', "-"))
}

fn has(list: &[String], option: &str) -> bool {
    let option = plain_name(option);
    list.iter().any(|known| plain_name(known) == option)
}

/// Reads a launcher's own words, from index `from` on. `None` where it starts nothing.
pub fn parse(launcher: &Launcher, command: &Command, from: usize) -> Option<Parsed> {
    let mut parsed = Parsed { at: from, ..Parsed::default() };
    let mut subcommands = launcher.subcommands.as_slice();
    let mut skip = launcher.skip;
    // Whether an unknown word may have been one of its options, or several.
    let mut unsure = false;
    while parsed.at < command.argv.len() {
        let at = parsed.at;
        let Some(word) = command.known(at) else {
            unsure |= command.open.contains(&at);
            // `--nnodes=$N`: its written start tells that it is an option.
            let option = command.argv[at].places.first().is_some_and(|span| span.text().starts_with('-'));
            // `$ROOT/train.py`: its written end tells that it is the script.
            if launcher.starts == Starts::Python && !option && written_name(&command.argv[at]).is_some() {
                return Some(parsed);
            }
            if !option && !command.open.contains(&at) && subcommands.is_empty() && launcher.until.is_none() {
                if skip == 0 {
                    return Some(parsed);
                }
                skip -= 1;
            }
            parsed.at += 1;
            continue;
        };
        if launcher.until.as_deref() == Some(word) {
            parsed.at += 1;
            return Some(parsed);
        }
        if word == "--" && launcher.until.is_none() {
            parsed.at += 1;
            continue;
        }
        let option = word.starts_with('-') && word.len() > 1;
        if !option {
            if launcher.assignments && word.contains('=') {
                parsed.assignments.push(at);
                parsed.at += 1;
            } else if let Some(position) = subcommands.iter().position(|known| known == word) {
                // Subcommands are alternatives (`run`, `exec`) or come one after the other (`job submit`).
                subcommands = &subcommands[position + 1..];
                if launcher.until.is_none() {
                    subcommands = &[];
                }
                parsed.at += 1;
            } else if subcommands.len() == launcher.subcommands.len() && !subcommands.is_empty() {
                return None;
            } else if launcher.until.is_some() {
                parsed.at += 1;
            } else if skip > 0 {
                skip -= 1;
                parsed.at += 1;
            } else if unsure && !likely_start(launcher, word) {
                parsed.at += 1;
            } else {
                return Some(parsed);
            }
            continue;
        }
        let (name, inline) = word.split_once('=').map_or((word, false), |(name, _)| (name, true));
        parsed.plain |= has(&launcher.plain, name);
        if has(&launcher.module, name) {
            parsed.module = Some(at + 1);
            parsed.at += 2;
            // A module's arguments follow it at once.
            return (parsed.at <= command.argv.len()).then_some(parsed);
        }
        // `-m` of Python may stand at the end of other letters: `-um`.
        let letters = launcher.starts == Starts::Python && !word.starts_with("--");
        if letters && word.ends_with('m') && word[1..].len() > 1 && has(&launcher.module, "-m") {
            parsed.module = Some(at + 1);
            parsed.at += 2;
            return Some(parsed);
        }
        let short = word.char_indices().nth(2).map_or(word, |(end, _)| &word[..end]);
        let short_with_value = !word.starts_with("--") && short.len() < word.len() && has(&launcher.values, short);
        let (value, length) = if inline {
            (Some(at), 1)
        } else if has(&launcher.values, name) && no_value(launcher, command.known(at + 1)) {
            parsed.valueless.push(at);
            (None, 1)
        } else if has(&launcher.values, name) {
            (Some(at + 1), 2)
        } else if has(&launcher.pairs, name) {
            (None, 3)
        } else if short_with_value {
            (Some(at), 1)
        } else if launcher.unknown == Takes::Value && !has(&launcher.flags, name) {
            (Some(at + 1), 2)
        } else {
            (None, 1)
        };
        let short_with_value = short_with_value && !inline && length == 1;
        parsed.options.push((plain_name(if short_with_value { short } else { name }), value));
        parsed.at += length;
    }
    None
}

/// The launcher that a command is, and its options whose value is not there.
pub fn valueless(command: &Command) -> (&str, Vec<usize>) {
    let program = command.known(0).unwrap_or_default();
    let Some(parsed) = by_program(program).and_then(|launcher| parse(launcher, command, 1)) else {
        return (program, Vec::new());
    };
    let module = parsed.module.and_then(|at| command.known(at));
    match module.and_then(|name| Some((name, parse(by_module(name)?, command, parsed.at)?))) {
        Some((name, inner)) => (name, inner.valueless),
        None => (program, parsed.valueless),
    }
}

/// Whether a word is one of the launcher's long options, which argparse takes for no value.
fn no_value(launcher: &Launcher, word: Option<&str>) -> bool {
    let name =
        word.filter(|word| word.starts_with("--")).map(|word| word.split_once('=').map_or(word, |(name, _)| name));
    launcher.starts == Starts::Python && name.is_some_and(|name| has(&launcher.values, name))
}

/// The name of a Python script whose folder is not known, as it is written: `$ROOT/train.py`.
pub fn written_name(word: &Word) -> Option<&str> {
    word.places.iter().find_map(|place| {
        let (_, name) = place.text().trim_end_matches('"').rsplit_once('/')?;
        (name.ends_with(".py") && !name.contains(['$', '`', ')', '}', ' '])).then_some(name)
    })
}

/// After unknown words: whether this one surely starts the inner command.
fn likely_start(launcher: &Launcher, word: &str) -> bool {
    let script = word.ends_with(".py") || word.ends_with(".sh");
    match launcher.starts {
        Starts::Python | Starts::Shell | Starts::Batch => script,
        Starts::Program | Starts::Text => script || by_program(word).is_some(),
    }
}

/// Whether an option is in a list, however it is written.
pub fn is_one_of(list: &[String], option: &str) -> bool {
    has(list, option)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_file_is_in_order() {
        let text = embedded::below("launchers.toml").next().expect("embedded").1;
        let file: File = toml::from_str(text).expect("valid");
        assert!(file.launcher.len() > 10);
        assert!(by_program("/usr/bin/python3").is_some_and(|l| l.starts == Starts::Python));
    }
}
