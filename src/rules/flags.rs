//! The flags of the training program, version by version: what its argparse parser would be.
//!
//! The rule files below `rules/megatron/flags/` say it; `parser.toml` there explains how they are written. They are checked
//! and turned into [`Action`]s once, when they are loaded; a [`Parser`] for one version only picks from them.

mod action;
mod compile;
mod spell;
mod statement;
mod types;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

pub use action::{Action, ActionKind, Form, Nargs, ValueType};

use super::embedded;
use super::version::Version;
use compile::Variants;

/// Where the embedded flag rules lie.
const FOLDER: &str = "megatron/flags/";

/// A flag rule file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {entry}{reason}", embedded::shown(.file), entry = .entry.as_ref().map(|e| format!("`{e}`: ")).unwrap_or_default())]
pub struct FlagError {
    /// The file, relative to the folder of rules.
    pub file: String,
    /// The entry of the file, where the file could be read at all.
    pub entry: Option<String>,
    /// What is wrong with it.
    pub reason: String,
}

/// The flags of every version.
#[derive(Debug)]
pub struct FlagTable {
    allow_abbrev: bool,
    flags: Vec<Variants>,
}

impl FlagTable {
    /// The flag rules that the binary carries, read once.
    ///
    /// # Errors
    /// When one of the files cannot be used.
    pub fn load() -> Result<&'static Self, FlagError> {
        static ALL: LazyLock<Result<FlagTable, FlagError>> =
            LazyLock::new(|| FlagTable::from_files(embedded::below(FOLDER)));
        ALL.as_ref().map_err(Clone::clone)
    }

    /// Reads flag rules from `(path, text)` pairs.
    pub fn from_files<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, FlagError> {
        let files = files.into_iter().map(statement::read).collect::<Result<Vec<_>, _>>()?;
        let allow_abbrev = files.iter().find_map(|file| file.rules.parser.as_ref()).is_none_or(|p| p.allow_abbrev);
        let types = types::read(&files)?;
        let mut flags = Vec::new();
        for file in &files {
            for (name, statement) in &file.rules.flags {
                flags.push(compile::flag(file, name, statement, &types)?);
            }
            for (name, statement) in &file.rules.fields {
                flags.push(compile::field(file, name, statement, &types)?);
            }
        }
        compile::refuse_duplicates(&flags)?;
        Ok(Self { allow_abbrev, flags })
    }

    /// The parser of that version.
    pub fn parser(&self, version: &Version) -> Parser {
        let actions = self.flags.iter().filter_map(|flag| flag.at(version)).cloned();
        Parser::new(self.allow_abbrev, actions.collect())
    }

    /// Every flag as the newest version that has it knows it.
    pub fn newest(&self) -> Vec<Arc<Action>> {
        self.flags.iter().filter_map(Variants::newest).cloned().collect()
    }

    /// The versions that know an option, as (first, first without it); several where an option went and came back.
    pub fn lifetimes(&self, option: &str) -> Vec<(Option<Version>, Option<Version>)> {
        let has = |flag: &&Variants| flag.actions().any(|action| action.options.iter().any(|o| **o == *option));
        self.flags.iter().filter(has).map(|flag| flag.lifetime_of(option)).collect()
    }
}

/// What argparse's `ArgumentParser` of one version knows.
#[derive(Debug, Clone)]
pub struct Parser {
    /// Whether an unambiguous beginning of an option counts as the option.
    pub allow_abbrev: bool,
    /// The actions; `--help`, which argparse adds by itself, first.
    pub actions: Vec<Arc<Action>>,
    by_option: HashMap<Arc<str>, usize>,
}

impl Parser {
    /// A parser of these actions and `-h`, `--help`.
    pub fn new(allow_abbrev: bool, actions: Vec<Arc<Action>>) -> Self {
        let actions: Vec<_> = std::iter::once(Arc::new(Action::help())).chain(actions).collect();
        let mut by_option = HashMap::with_capacity(actions.len() + 64);
        for (index, action) in actions.iter().enumerate() {
            by_option.extend(action.options.iter().map(|option| (Arc::clone(option), index)));
        }
        Self { allow_abbrev, actions, by_option }
    }

    /// The place in [`Self::actions`] of the action that an option string (`--lr`) names exactly.
    pub fn index_of(&self, option: &str) -> Option<usize> {
        self.by_option.get(option).copied()
    }

    /// The action that an option string names exactly.
    pub fn action(&self, option: &str) -> Option<&Action> {
        self.index_of(option).map(|index| &*self.actions[index])
    }

    /// The actions that set a dest.
    pub fn setting<'a>(&'a self, dest: &'a str) -> impl Iterator<Item = &'a Action> {
        self.actions.iter().map(|action| &**action).filter(move |action| *action.dest == *dest)
    }

    /// What every dest is before any word is read. Where several actions share a dest, argparse takes the default of
    /// the first one; rules mark the others as shadowed, because they are sorted by name.
    pub fn defaults(&self) -> BTreeMap<String, super::value::Value> {
        let mut defaults = BTreeMap::new();
        for shadowed in [false, true] {
            for action in self.actions.iter().filter(|a| a.shadowed == shadowed && a.kind != ActionKind::Help) {
                if !defaults.contains_key(&*action.dest) {
                    defaults.insert(action.dest.to_string(), action.default.clone());
                }
            }
        }
        defaults
    }
}
