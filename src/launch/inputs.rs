//! Launches that are YAML files: which program's file it is and which words its settings stand for.
//!
//! `rules/inputs/*.toml` describe the files ([`form`]). Keys that are flags already become words as the runner of such
//! files makes them ([`runner`]); other settings become the flags of the same meaning ([`settings`]), after the files that
//! they build on were merged ([`presets`]), words that change settings were applied ([`overrides`]) and references were put
//! in ([`reference`]).

mod flags;
mod form;
mod overrides;
mod presets;
mod reference;
mod runner;
mod settings;

use std::path::Path;
use std::sync::Arc;

use super::options::{LaunchError, Options};
use super::yaml::{self, Node};
use super::{Command, Launch, Word, training};
use crate::rules::value::Unknown;
use crate::text::{Located, Source};
use form::Form;
pub(super) use form::check_rules;

/// Whether a file is a YAML launch, by its name.
pub fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

/// Reads a YAML launch: one command, whose words have their places in the file. The arguments of `options` change settings
/// of the file (`path.to.setting=value`), or follow its flags.
///
/// # Errors
/// Where the text is no YAML, or the file is none that starts a training.
pub fn read(path: &Path, text: &str, options: &Options<'_>) -> Result<Launch, LaunchError> {
    let refused = |reason: String| LaunchError::NotAScript { path: path.to_path_buf(), reason };
    if text.len() > options.limits.text {
        return Err(LaunchError::TooLarge { path: path.to_path_buf(), size: text.len(), most: options.limits.text });
    }
    let source = Source::file(path, text);
    let root = yaml::load(&source).map_err(|error| {
        let (line, column) = error.span.line_column();
        refused(format!("line {line}, column {column}: {}", error.reason))
    })?;
    let root = root.ok_or_else(|| refused("is empty".to_owned()))?;
    let Some(form) = form::of(&root, path) else {
        return Err(refused(format!("is no YAML that starts a training; known are {}", form::names())));
    };
    let (root, more, typed) = match form.flags {
        Some(_) => overrides::words(&root, &options.args),
        None => overrides::apply(&root, &options.args, form.overrides.as_deref().unwrap_or("")),
    };
    let mut reader = Reader { form, path, options, launch: Launch::default(), root };
    reader.launch.sources.push(source);
    if !options.args.is_empty() {
        reader.launch.sources.push(typed);
    }
    reader.command(more);
    let mut launch = reader.launch;
    training::choose(&mut launch);
    Ok(launch)
}

/// A file that is being read.
struct Reader<'o> {
    form: &'static Form,
    path: &'o Path,
    options: &'o Options<'o>,
    launch: Launch,
    root: Arc<Node>,
}

impl Reader<'_> {
    /// The command; `more` are words of the user's own behind it.
    fn command(&mut self, more: Vec<Word>) {
        let directory = self.options.directory.clone().or_else(|| Some(".".into()));
        let mut command = Command { line: 1, directory, ..Command::default() };
        for word in &self.form.command {
            command.argv.push(self.own_word(word));
        }
        if let Some(env) = self.form.env.as_deref().and_then(|path| self.node(path)) {
            for (name, value) in env.entries() {
                command.env.push((name.text.clone(), self.text(value)));
            }
        }
        let words = match self.form.flags.as_deref().and_then(|path| self.node(path)) {
            Some(flags) => self.flag_words(&flags),
            None => self.setting_words(),
        };
        command.argv.extend(words.into_iter().chain(more));
        self.launch.commands.push(command);
    }

    /// A word that the form itself gives: a text, or a variable of the environment.
    fn own_word(&self, word: &str) -> Word {
        let Some(name) = word.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) else {
            return Located::nowhere(Ok(word.to_owned()));
        };
        let default = || self.form.default(name, self.path);
        Located::nowhere(match self.variable(name).or_else(default) {
            Some(value) => Ok(value),
            None => Err(missing(name)),
        })
    }

    /// A variable of the environment.
    fn variable(&self, name: &str) -> Option<String> {
        self.options.env.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    fn node(&self, path: &str) -> Option<Arc<Node>> {
        self.root.at(&path.split('.').collect::<Vec<_>>()).cloned()
    }

    /// Notes something that cannot be followed.
    fn note(&mut self, unknown: &Arc<Unknown>) {
        if !self.launch.unknowns.contains(unknown) {
            self.launch.unknowns.push(Arc::clone(unknown));
        }
    }
}

/// What stands for a variable that nobody gave.
fn missing(name: &str) -> Arc<Unknown> {
    let reason = format!("`${name}` is not set in this file; give it with --env {name}=...");
    Arc::new(Unknown { name: format!("${name}"), reason, places: Vec::new() })
}

/// A word as it is written at a node.
fn word_at(text: impl Into<String>, node: &Node) -> Word {
    Located::new(Ok(text.into()), vec![node.span.clone()])
}

/// An unknown word at a node.
fn unknown_at(name: impl Into<String>, reason: impl Into<String>, node: &Node) -> Word {
    let unknown = Unknown { name: name.into(), reason: reason.into(), places: vec![node.span.clone()] };
    Located::new(Err(Arc::new(unknown)), vec![node.span.clone()])
}
