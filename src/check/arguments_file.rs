//! Reading the file that takes the place of a launch's arguments.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use regex::Regex;

use super::reading::Reading;
use crate::launch::yaml::{self, Node};
use crate::launch::{Disk, Files};
use crate::rules::arguments_file::ArgumentsFile;
use crate::rules::flags::Parser;
use crate::rules::value::Value;
use crate::text::Source;
use crate::training::arguments_file::{self, Setting};
use crate::training::{Arguments, ConfigError, Rejection, Unsupported};

/// The largest file that is read, in bytes.
const MOST: u64 = 2 << 20;

/// `${NAME}` in a plain scalar: a variable of the environment, from the shortest name on.
#[allow(clippy::unwrap_used, reason = "the pattern is a constant")]
static VARIABLE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\$\{(.*?)\}").unwrap());

/// Where a launch names such a file: its settings in place of the arguments, or why they cannot be told.
pub(super) fn read(arguments: &mut Arguments, parser: &Parser, reading: &Reading<'_>) -> Result<(), ConfigError> {
    let Value::Version(version) = arguments.values.get("version").clone() else { return Ok(()) };
    let rules = ArgumentsFile::load(&version)?;
    let flag = arguments.given.get(&rules.argument).map(|given| given.option.clone());
    let unread = |message: String| Unsupported { message, flags: flag.clone().into_iter().collect(), elsewhere: true };
    let named = match arguments.values.get(&rules.argument) {
        Value::None => return Ok(()),
        Value::Str(path) => PathBuf::from(&**path),
        Value::Unknown(unknown) => {
            let message = format!("arguments from a file whose name is not known ({})", unknown.told());
            arguments.unsupported.push(unread(message));
            return Ok(());
        }
        other => PathBuf::from(other.to_string()),
    };
    let source = match text(&named, reading) {
        Ok(source) => source,
        Err(reason) => {
            let message = format!("arguments from the file {}, which cannot be read here: {reason}", named.display());
            arguments.unsupported.push(unread(message));
            return Ok(());
        }
    };
    arguments.file = source.path.clone();
    match yaml::load(&source) {
        Ok(Some(root)) if matches!(root.value, yaml::Value::Map(_)) => {
            let settings = arguments_file::settings(&rules, &root, &|node| resolved(node, reading));
            arguments_file::take(&rules, parser, &changed(settings, reading), arguments)?;
        }
        Ok(_) => {
            let message = format!("{} holds no settings", named.display());
            arguments.rejected = Some(refused(&rules, message, flag));
        }
        Err(error) => arguments.rejected = Some(refused(&rules, error.to_string(), flag)),
    }
    Ok(())
}

fn refused(rules: &ArgumentsFile, message: String, flag: Option<String>) -> Rejection {
    Rejection { by: rules.checked_by.clone(), message, flags: flag.into_iter().collect(), places: Vec::new() }
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

/// A text with the variables of the environment put in.
fn resolved(node: &Node, reading: &Reading<'_>) -> Value {
    let before = node.span.source.text[..node.span.start].chars().next_back();
    let plain = !matches!(before, Some('"' | '\'')) && !node.span.text().starts_with(['|', '>']);
    if !plain || !VARIABLE.is_match(&node.text) {
        return Value::str(&node.text);
    }
    let mut text = node.text.clone();
    for found in VARIABLE.captures_iter(&node.text) {
        let (whole, name) = (&found[0], &found[1]);
        match reading.variable(name) {
            Some(Ok(value)) => text = text.replace(whole, &value),
            Some(Err(unknown)) => return Value::Unknown(unknown),
            None => {
                let reason = format!("`${name}` is not set in the launch; give it with --env {name}=...");
                return Value::unknown(format!("${name}"), reason, vec![node.span.clone()]);
            }
        }
    }
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
