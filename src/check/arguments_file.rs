//! Reading the file that takes the place of a launch's arguments.

use std::cell::Cell;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use regex::Regex;

use super::reading::Reading;
use crate::launch::yaml::{self, Node};
use crate::launch::{Disk, Files};
use crate::report::Flag;
use crate::rules::arguments_file::ArgumentsFile;
use crate::rules::flags::Parser;
use crate::rules::value::Value;
use crate::rules::version::Version;
use crate::text::Source;
use crate::training::arguments_file::{self, Setting};
use crate::training::{Arguments, ConfigError, Rejection, Unsupported};

/// The largest file that is read, in bytes.
const MOST: u64 = 2 << 20;

/// What variables may add to a file in all, in bytes.
const MOST_PUT_IN: usize = 4 << 20;

/// `${NAME}` in a plain scalar: a variable of the environment, from the shortest name on.
#[allow(clippy::unwrap_used, reason = "the pattern is a constant")]
static VARIABLE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\$\{(.*?)\}").unwrap());

/// Why there are no settings to tell.
enum Problem {
    /// The file is not here.
    Unread(String),
    /// The framework stops, too.
    Refused(String),
}

/// Where a launch names such a file: its settings in place of the arguments, or why they cannot be told.
pub(super) fn read(arguments: &mut Arguments, parser: &Parser, reading: &Reading<'_>) -> Result<(), ConfigError> {
    let Value::Version(version) = arguments.values.get("version").clone() else { return Ok(()) };
    let rules = ArgumentsFile::load(&version)?;
    let flags: Vec<String> =
        arguments.given.get(&rules.argument).map(|given| given.option.clone()).into_iter().collect();
    let unread = |name: &str, reason: String| {
        let message = format!("arguments from {name}");
        Unsupported { message, flags: flags.clone(), unread: Some(reason) }
    };
    let named = match arguments.values.get(&rules.argument) {
        Value::None => return Ok(()),
        Value::Unknown(unknown) => {
            arguments.unsupported.push(unread("a file", unknown.told()));
            return Ok(());
        }
        other => PathBuf::from(other.to_string()),
    };
    arguments.file = Some(named.clone());
    match settings(&named, &rules, reading) {
        Ok(settings) => arguments_file::take(&rules, parser, &changed(settings, reading), arguments)?,
        Err(Problem::Refused(message)) => {
            arguments.rejected = Some(Rejection { by: rules.checked_by, message, flags, places: Vec::new() });
        }
        Err(Problem::Unread(reason)) => {
            arguments.unsupported.push(unread(&named.display().to_string(), reason));
        }
    }
    Ok(())
}

/// The settings of the file that `words` name, as a list for people; none where there is no such file.
pub(super) fn listed(words: &[Flag], parser: &Parser, version: &Version, reading: &Reading<'_>) -> Vec<Flag> {
    let Ok(rules) = ArgumentsFile::load(version) else { return Vec::new() };
    let named =
        words.iter().find(|flag| flag.dest.as_ref() == Some(&rules.argument)).and_then(|flag| flag.value.text());
    let read = named.and_then(|named| settings(Path::new(named), &rules, reading).ok());
    let defaults = parser.defaults();
    let asked: HashSet<&String> = rules.needs.iter().flat_map(|need| &need.names).collect();
    let flag = |one: Setting| {
        let key = &one.key.text;
        let dest = rules.named.iter().find(|(_, named)| *named == key).map_or(key, |(dest, _)| dest);
        let known = defaults.get(dest);
        Flag {
            flag: [&*one.section, key].join(".").trim_start_matches('.').to_owned(),
            dest: (known.is_some() || asked.contains(key)).then(|| dest.clone()),
            fork: None,
            value: one.value,
            default: known.cloned().unwrap_or(Value::None),
            labels: vec![one.key.span.clone(), one.node.span.clone()],
        }
    };
    read.into_iter().flatten().map(flag).collect()
}

fn settings(named: &Path, rules: &ArgumentsFile, reading: &Reading<'_>) -> Result<Vec<Setting>, Problem> {
    let source = text(named, reading).map_err(Problem::Unread)?;
    match yaml::load(&source) {
        Ok(Some(root)) if matches!(root.value, yaml::Value::Map(_)) => {
            let left = Cell::new(MOST_PUT_IN);
            Ok(arguments_file::settings(rules, &root, &|node| resolved(node, reading, &left)))
        }
        Ok(_) => Err(Problem::Refused(format!("{} holds no settings", named.display()))),
        Err(error) => Err(Problem::Refused(error.to_string())),
    }
}

/// The file's text: where the command runs, else where moe-lint runs.
fn text(path: &Path, reading: &Reading<'_>) -> Result<Arc<Source>, String> {
    if reading.launch.trains_elsewhere() {
        return Err("the training runs where other files are".to_owned());
    }
    let directory = reading.launch.training_command().and_then(|command| command.directory.as_deref());
    let places = [directory.map(|directory| directory.join(path)), Some(path.to_path_buf())];
    let place = places.into_iter().flatten().find(|place| Disk.is_directory(place) == Some(false));
    let place = place.ok_or_else(|| "there is no such file".to_owned())?;
    let text = Disk.read(&place, MOST).map_err(|error| error.to_string())?;
    Ok(Source::file(path, text))
}

/// A text with the variables of the environment put in; `left` bytes may be put in yet.
fn resolved(node: &Node, reading: &Reading<'_>, left: &Cell<usize>) -> Value {
    let before = node.span.source.text.get(..node.span.start).and_then(|text| text.chars().next_back());
    let plain = !matches!(before, Some('"' | '\'')) && !node.span.text().starts_with(['|', '>']);
    if !plain || !VARIABLE.is_match(&node.text) {
        return Value::str(&node.text);
    }
    let mut text = String::new();
    let mut read = 0;
    for found in VARIABLE.captures_iter(&node.text) {
        let (Some(whole), Some(name)) = (found.get(0), found.get(1)) else { continue };
        let name = name.as_str();
        let unknown = |reason: String| Value::unknown(format!("${name}"), reason, vec![node.span.clone()]);
        let value = match reading.variable(name) {
            Some(Ok(value)) => value,
            Some(Err(unknown)) => return Value::Unknown(unknown),
            None => return unknown(format!("`${name}` is not set in the launch; give it with --env {name}=...")),
        };
        let Some(rest) = left.get().checked_sub(value.len()) else {
            return unknown(format!("`${name}` is too long to be put in here"));
        };
        left.set(rest);
        text.push_str(&node.text[read..whole.start()]);
        text.push_str(&value);
        read = whole.end();
    }
    text.push_str(&node.text[read..]);
    Value::str(&text)
}

/// The settings with the changes of a way out.
fn changed(mut settings: Vec<Setting>, reading: &Reading<'_>) -> Vec<Setting> {
    for (name, value) in &reading.settings {
        for one in settings.iter_mut().filter(|one| one.key.text == *name) {
            one.value = value.clone();
        }
    }
    settings
}
