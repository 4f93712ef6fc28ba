//! The kinds of YAML launches, as `rules/inputs/*.toml` describe them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use serde::Deserialize;

use crate::launch::training::matches;
use crate::launch::yaml::Node;
use crate::rules::{RuleError, check_files, embedded};

/// One kind of file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    /// Its name, for people.
    pub name: String,
    /// Keys that it has, as paths joined by dots.
    keys: Vec<String>,
    /// Further keys of which it has one.
    #[serde(default)]
    any: Vec<String>,
    /// The start of the first key below `flags`.
    #[serde(default)]
    first_key: Option<String>,
    /// How its path ends, as patterns.
    #[serde(default)]
    paths: Vec<String>,
    /// The words before those that the file stands for; `${NAME}` is a variable of the environment.
    pub command: Vec<String>,
    /// Values of such variables where the environment has none.
    #[serde(default)]
    defaults: BTreeMap<String, String>,
    /// Other values for files whose path fits.
    #[serde(default)]
    here: Vec<Here>,
    /// Where the mapping is whose keys are flags.
    pub flags: Option<String>,
    /// Values with which a flag is left out.
    #[serde(default)]
    pub drop: Vec<String>,
    /// Whether a flag and its value are one word, joined by `=`.
    #[serde(default)]
    pub joined: bool,
    /// Where the variables are that the program's environment gets.
    pub env: Option<String>,
    /// Where the mappings are whose keys are names of arguments.
    #[serde(default)]
    pub sections: Vec<String>,
    /// Where the settings are that a word `name=value` or `--name value` changes; otherwise paths start at the top.
    pub overrides: Option<String>,
    /// How references in values are written.
    #[serde(default)]
    pub references: References,
    /// The files that it builds on.
    pub presets: Option<Presets>,
    /// Names of settings that are not those of the framework's arguments.
    #[serde(default)]
    pub names: BTreeMap<String, Name>,
}

/// Values for files whose path fits a pattern.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Here {
    path: String,
    defaults: BTreeMap<String, String>,
}

/// How references in values are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum References {
    /// `$NAME` and `${NAME}`: variables of a shell.
    #[default]
    Shell,
    /// `${NAME:default}`: variables of the environment, with a default.
    Default,
    /// `${path.in.the.file}`, `${oc.env:NAME,default}`: OmegaConf's.
    Omegaconf,
}

/// Files that one file builds on.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Presets {
    /// The folder that holds them, found in one of the folders above the file.
    pub root: String,
    /// Keys beside the overrides that name a file, with the folder it lies in; later ones win.
    pub files: Vec<PresetFile>,
    /// The key whose value is a folder between.
    pub folder: String,
    /// The key of what wins over all files.
    pub overrides: String,
    /// The key of a list of files beside a file that it builds on.
    pub extends: String,
}

/// A key that names a file, and the folder where it lies.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PresetFile {
    /// The key.
    pub key: String,
    /// The folder.
    pub folder: String,
}

/// What a setting is among the framework's arguments.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Name {
    /// The dest of an argument; empty for what is none.
    Dest(String),
    /// A flag without value that stands for one truth of the setting.
    Flag {
        /// The flag.
        flag: String,
        /// The truth.
        when: bool,
    },
}

static FORMS: LazyLock<Vec<Form>> = LazyLock::new(|| {
    // A test checks that the embedded files are in order.
    embedded::below("inputs/").filter_map(|(_, text)| toml::from_str(text).ok()).collect()
});

/// Checks the rule files.
pub(in crate::launch) fn check_rules() -> Result<(), RuleError> {
    check_files::<Form>(embedded::below("inputs/"))
}

/// The kind of a file: of those that fit, the first by name of its rule file.
pub fn of(root: &Arc<Node>, path: &Path) -> Option<&'static Form> {
    FORMS.iter().find(|form| form.fits(root, path))
}

/// The names of all kinds.
pub fn names() -> String {
    FORMS.iter().map(|form| form.name.as_str()).collect::<Vec<_>>().join(", ")
}

impl Form {
    fn fits(&self, root: &Arc<Node>, path: &Path) -> bool {
        let node = |path: &String| root.at(&path.split('.').collect::<Vec<_>>());
        let first = || {
            let flags = self.flags.as_ref().and_then(node);
            flags.and_then(|flags| flags.entries().first()).map_or("", |(key, _)| key.text.as_str())
        };
        self.keys.iter().all(|key| node(key).is_some())
            && (self.any.is_empty() || self.any.iter().any(|key| node(key).is_some()))
            && self.first_key.as_ref().is_none_or(|start| first().starts_with(start.as_str()))
            && (self.paths.is_empty() || self.paths.iter().any(|pattern| fits(pattern, path)))
    }

    /// The value of a variable where the environment has none.
    pub fn default(&self, name: &str, path: &Path) -> Option<String> {
        let here = self.here.iter().filter(|here| fits(&here.path, path)).find_map(|here| here.defaults.get(name));
        here.or_else(|| self.defaults.get(name)).cloned()
    }
}

/// Whether a path fits a pattern; both with `/`.
fn fits(pattern: &str, path: &Path) -> bool {
    let text = path.to_string_lossy().replace('\\', "/");
    matches(pattern, &format!("/{text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_files_are_in_order() {
        for (path, text) in embedded::below("inputs/") {
            let form: Form = toml::from_str(text).unwrap_or_else(|error| panic!("{path}: {error}"));
            assert!(form.flags.is_some() || !form.sections.is_empty(), "{path} stands for no words");
        }
        assert!(FORMS.len() > 4);
    }
}
