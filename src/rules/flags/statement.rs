//! What a flag rule file says, as it is written.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::FlagError;
use super::action::{ActionKind, Nargs};
use crate::rules::version::Version;

/// A file that was read.
pub(super) struct File {
    pub path: String,
    pub rules: Rules,
}

impl File {
    /// An error about one entry of this file.
    pub fn error(&self, entry: &str, reason: impl Into<String>) -> FlagError {
        FlagError { file: self.path.clone(), entry: Some(entry.to_owned()), reason: reason.into() }
    }
}

/// Reads one file.
pub(super) fn read((path, text): (&str, &str)) -> Result<File, FlagError> {
    match toml::from_str(text) {
        Ok(rules) => Ok(File { path: path.to_owned(), rules }),
        Err(error) => Err(FlagError { file: path.to_owned(), entry: None, reason: error.to_string() }),
    }
}

/// The sections of a file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Rules {
    pub parser: Option<ParserRule>,
    pub types: BTreeMap<String, TypeRule>,
    pub flags: BTreeMap<String, Statement>,
    pub fields: BTreeMap<String, Statement>,
}

/// `[parser]`: what is said once for all flags.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ParserRule {
    pub allow_abbrev: bool,
}

/// An entry of `[flags]` or `[fields]`, or what changes in it from some version on.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Statement {
    pub since: Option<Version>,
    pub until: Option<Version>,
    pub action: Option<ActionKind>,
    pub also: Option<Vec<String>>,
    pub dest: Option<String>,
    #[serde(rename = "type")]
    pub value_type: Option<String>,
    pub nargs: Option<Nargs>,
    #[serde(rename = "const")]
    pub constant: Option<toml::Value>,
    pub default: Option<toml::Value>,
    pub choices: Option<Vec<toml::Value>>,
    pub required: bool,
    pub shadowed: bool,
    pub unset: Vec<Key>,
    pub changes: BTreeMap<Version, Statement>,
}

/// What `unset` can take back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Key {
    Also,
    Dest,
    Type,
    Nargs,
    Default,
    Choices,
}

impl Statement {
    /// This statement with a change put on top of it.
    pub fn changed(&self, change: &Self) -> Self {
        let keep = |key: Key| !change.unset.contains(&key);
        let mut unset: Vec<Key> = change.unset.clone();
        // Only for the default does it matter later that it was taken back: None is not what would be inferred.
        if self.unset.contains(&Key::Default) && change.default.is_none() {
            unset.push(Key::Default);
        }
        fn over<T: Clone>(new: &Option<T>, old: &Option<T>, keep: bool) -> Option<T> {
            new.clone().or_else(|| if keep { old.clone() } else { None })
        }
        Self {
            since: self.since.clone(),
            until: self.until.clone(),
            action: over(&change.action, &self.action, true),
            also: over(&change.also, &self.also, keep(Key::Also)),
            dest: over(&change.dest, &self.dest, keep(Key::Dest)),
            value_type: over(&change.value_type, &self.value_type, keep(Key::Type)),
            nargs: over(&change.nargs, &self.nargs, keep(Key::Nargs)),
            constant: over(&change.constant, &self.constant, true),
            default: over(&change.default, &self.default, keep(Key::Default)),
            choices: over(&change.choices, &self.choices, keep(Key::Choices)),
            required: self.required || change.required,
            shadowed: self.shadowed || change.shadowed,
            unset,
            changes: BTreeMap::new(),
        }
    }
}

/// An entry of `[types]`, or what changes in it from some version on.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TypeRule {
    pub name: Option<String>,
    pub form: Option<FormName>,
    pub members: Option<Vec<String>>,
    pub words: Option<Vec<String>>,
    pub numbers: Option<BTreeMap<String, i64>>,
    pub alphabet: Option<String>,
    pub changes: BTreeMap<Version, TypeRule>,
}

/// The forms that a type can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FormName {
    Member,
    MemberOrWord,
    Number,
    IntOrList,
    Ints,
}

impl TypeRule {
    /// This type with a change put on top of it.
    pub fn changed(&self, change: &Self) -> Self {
        let change = change.clone();
        Self {
            name: change.name.or_else(|| self.name.clone()),
            form: change.form.or(self.form),
            members: change.members.or_else(|| self.members.clone()),
            words: change.words.or_else(|| self.words.clone()),
            numbers: change.numbers.or_else(|| self.numbers.clone()),
            alphabet: change.alphabet.or_else(|| self.alphabet.clone()),
            changes: BTreeMap::new(),
        }
    }
}
