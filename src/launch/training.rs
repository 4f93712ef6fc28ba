//! Which of the commands trains, by `rules/*/entrypoints.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use super::entry::{Entry, entry};
use super::{Command, Launch, Remark, launchers};
use crate::rules::{RuleError, check_files, embedded};

/// A script that is known to train, or not to.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryPoint {
    /// The script's name without folders; `*` stands for any text.
    script: Option<String>,
    /// A module's name.
    module: Option<String>,
    /// A program of its own.
    program: Option<String>,
    /// The framework.
    #[serde(default)]
    pub framework: String,
    /// The kind of model.
    #[serde(default)]
    pub family: String,
    /// Whether it has arguments of its own, from which it makes the framework's and the model in its own way.
    #[serde(default)]
    pub own_arguments: bool,
    /// Whether it trains.
    #[serde(default = "yes")]
    pub trains: bool,
}

fn yes() -> bool {
    true
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    entry: Vec<EntryPoint>,
}

static ENTRY_POINTS: LazyLock<Vec<EntryPoint>> = LazyLock::new(|| {
    let files = embedded::files().iter().filter(|(path, _)| path.ends_with("/entrypoints.toml"));
    // A test checks that the embedded files are in order.
    files.filter_map(|(_, text)| toml::from_str::<File>(text).ok()).flat_map(|file| file.entry).collect()
});

/// Checks the rule files.
pub(super) fn check_rules() -> Result<(), RuleError> {
    check_files::<File>(embedded::files().iter().copied().filter(|(path, _)| path.ends_with("/entrypoints.toml")))
}

/// What is known of the script that an entry starts.
pub fn entry_point(entry: &Entry<'_>) -> Option<&'static EntryPoint> {
    let text = match &entry.script.value {
        Ok(text) => text,
        Err(_) => launchers::written_name(entry.script)?,
    };
    let name = text.rsplit('/').next().unwrap_or(text);
    let program = !entry.module && !text.contains('.');
    ENTRY_POINTS.iter().find(|point| {
        let fits = |pattern: &Option<String>, text: &str| pattern.as_deref().is_some_and(|p| matches(p, text));
        match (entry.module, program) {
            (true, _) => fits(&point.module, text),
            (false, true) => fits(&point.program, name),
            (false, false) => fits(&point.script, name),
        }
    })
}

/// Whether a name fits a pattern in which `*` stands for any text.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// How surely a command trains.
fn rank(command: &Command) -> u8 {
    let Some(entry) = entry(command) else {
        // A launcher of many processes whose script is not known: better than nothing.
        let launcher = command.known(0).and_then(launchers::by_program);
        let unknown = command.argv.iter().any(|word| word.value.is_err());
        return u8::from(unknown && launcher.is_some_and(|launcher| launcher.distributed));
    };
    let is_script = entry.module || entry.script.value.as_deref().map_or(true, |text| text.ends_with(".py"));
    match entry_point(&entry) {
        Some(point) if !point.trains => 0,
        Some(point) if point.framework == "unknown" => 2 + u8::from(entry.distributed),
        Some(_) => 4,
        None if entry.distributed && is_script => 2,
        None => 0,
    }
}

/// Notes which command trains: the surest, of several the first. A wrapper counts where nothing that it starts does.
pub fn choose(launch: &mut Launch) {
    let mut ranks: Vec<u8> = launch.commands.iter().map(rank).collect();
    for index in 0..ranks.len() {
        let mut outer = launch.commands[index].via.filter(|_| ranks[index] > 0);
        while let Some(wrapper) = outer.filter(|wrapper| *wrapper < index) {
            ranks[wrapper] = 0;
            outer = launch.commands[wrapper].via.filter(|next| *next < wrapper);
        }
    }
    let best = ranks.iter().max().copied().filter(|best| *best > 0);
    launch.training = best.and_then(|best| ranks.iter().position(|rank| *rank == best));
    let Some(command) = launch.training_command() else { return };
    let (program, broken) = launchers::valueless(command);
    let remarks: Vec<Remark> = broken
        .into_iter()
        .map(|index| Remark {
            message: format!("`{}` has no value: {program} stops here", command.known(index).unwrap_or("?")),
            place: command.argv[index].places.first().cloned(),
        })
        .collect();
    launch.remarks.extend(remarks);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_files_are_in_order() {
        for (path, text) in embedded::files().iter().filter(|(path, _)| path.ends_with("/entrypoints.toml")) {
            let file: File = toml::from_str(text).expect(path);
            assert!(!file.entry.is_empty());
        }
        assert!(matches("train_*vlm*.py", "train_my_vlm_2.py") && !matches("a*b", "ac"));
        assert!(matches("exact.py", "exact.py") && !matches("exact.py", "exact.py2"));
    }
}
