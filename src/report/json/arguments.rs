//! The document of `moe-lint args`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Head;
use super::entries::ValueDocument;
use super::places::{Range, UnknownDocument};
use crate::launch::{Command, Word};
use crate::report::{ArgumentsReport, Flag};

/// The whole document.
#[derive(Serialize)]
pub(super) struct Document<'r> {
    #[serde(flatten)]
    head: Head,
    framework: super::FrameworkDocument<'r>,
    source: Option<String>,
    commands: Vec<CommandDocument<'r>>,
    training: Option<usize>,
    flags: Vec<FlagDocument<'r>>,
    unknowns: Vec<UnknownDocument<'r>>,
}

impl<'r> Document<'r> {
    pub(super) fn new(report: &'r ArgumentsReport) -> Self {
        let launch = &report.launch;
        Self {
            head: Head::new(),
            framework: super::FrameworkDocument::new(&report.framework),
            source: launch.sources.first().map(|source| source.name()),
            commands: launch.commands.iter().map(CommandDocument::new).collect(),
            training: launch.training.filter(|index| *index < launch.commands.len()),
            flags: report.flags.iter().map(FlagDocument::new).collect(),
            unknowns: launch.unknowns.iter().map(|unknown| UnknownDocument::new(unknown)).collect(),
        }
    }
}

#[derive(Serialize)]
struct CommandDocument<'r> {
    /// Null where it is not known.
    program: Option<&'r str>,
    argv: Vec<WordDocument<'r>>,
    line: usize,
    env: BTreeMap<&'r str, WordDocument<'r>>,
    via: Option<usize>,
}

impl<'r> CommandDocument<'r> {
    fn new(command: &'r Command) -> Self {
        Self {
            program: command.known(0),
            argv: command.argv.iter().skip(1).map(WordDocument::new).collect(),
            line: command.line,
            env: command.env.iter().map(|(name, word)| (name.as_str(), WordDocument::new(word))).collect(),
            via: command.via,
        }
    }
}

/// `{value, labels}`, or `{unknown: reason, labels}`.
#[derive(Serialize)]
struct WordDocument<'r> {
    #[serde(flatten)]
    content: Content<'r>,
    labels: Vec<Range>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Content<'r> {
    Value(&'r str),
    Unknown(&'r str),
}

impl<'r> WordDocument<'r> {
    fn new(word: &'r Word) -> Self {
        let content = match &word.value {
            Ok(text) => Content::Value(text),
            Err(unknown) => Content::Unknown(&unknown.reason),
        };
        Self { content, labels: word.places.iter().map(Range::new).collect() }
    }
}

#[derive(Serialize)]
struct FlagDocument<'r> {
    flag: &'r str,
    dest: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fork: Option<&'r str>,
    value: ValueDocument<'r>,
    default: ValueDocument<'r>,
    labels: Vec<Range>,
}

impl<'r> FlagDocument<'r> {
    fn new(flag: &'r Flag) -> Self {
        Self {
            flag: &flag.flag,
            dest: flag.dest.as_deref(),
            fork: flag.fork.as_deref(),
            value: ValueDocument(&flag.value),
            default: ValueDocument(&flag.default),
            labels: flag.labels.iter().map(Range::new).collect(),
        }
    }
}
