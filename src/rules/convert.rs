//! How one way of storing a model becomes another: `rules/<framework>/convert/`. The rule files explain each field.

use std::collections::BTreeMap;

use globset::GlobSet;
use serde::{Deserialize, Deserializer};

use super::causes::{as_path, globs};
use super::expr::Expr;
use super::key_form::KeyForm;
use super::{RuleError, embedded};

/// The layouts of a model's experts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpertRules {
    /// Form of every key of the experts.
    pub entries: KeyForm,
    /// Experts of a rank, of the saved arguments.
    #[serde(deserialize_with = "expr")]
    pub experts_a_rank: Expr,
    /// The option that names the target.
    pub option: String,
    /// The layouts.
    #[serde(rename = "layout")]
    pub layouts: Vec<Layout>,
    /// State of modules.
    pub states: States,
    /// What fits no other layout.
    pub optimizer: OptimizerState,
}

/// One way to store experts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layout {
    /// The option's word for it.
    pub name: String,
    /// The framework's word for it.
    pub module: String,
    /// What an expert consists of, in the order in which it is saved.
    #[serde(rename = "entry")]
    pub entries: Vec<Entry>,
    /// Saved arguments that tell this layout.
    pub saved: Vec<Saved>,
    /// When it cannot be built.
    #[serde(default, rename = "refuse")]
    pub refusals: Vec<Refusal>,
}

/// A part of an expert in one layout.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The part's name, the same in all layouts.
    pub part: String,
    /// The form of its key.
    pub key: KeyForm,
    /// For all experts in one tensor: the axis that is as long as all of them.
    pub joined: Option<usize>,
}

/// A saved argument of the target.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saved {
    /// Its name.
    pub name: String,
    /// Its value.
    #[serde(deserialize_with = "expr")]
    pub value: Expr,
    /// Only when this is true of the saved arguments.
    #[serde(default, deserialize_with = "optional_expr")]
    pub when: Option<Expr>,
}

/// A target that cannot be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// When.
    #[serde(deserialize_with = "expr")]
    pub when: Expr,
    /// Why.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// State of modules that is not a parameter.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct States {
    /// The parts that are such a state.
    pub parts: Vec<String>,
    /// The end of every key of one.
    pub suffix: String,
    /// Neighbours that show what an empty state looks like.
    pub like: Vec<KeyForm>,
    /// Contents of an empty state.
    #[serde(deserialize_with = "hex_list")]
    pub empty: Vec<Vec<u8>>,
    /// What an empty state that is a file holds.
    #[serde(deserialize_with = "hex")]
    pub empty_file: Vec<u8>,
    /// What is said of one that is not empty.
    pub left_out: String,
}

/// State of the optimizer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimizerState {
    /// Top-level entries.
    pub entries: Vec<String>,
    /// Files beside a rank's file.
    pub files: Vec<String>,
    /// The launch's option to do without.
    pub option: String,
}

/// The implementations of a model's layers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImplementationRules {
    /// The saved argument that tells which one it is.
    pub argument: String,
    /// The option that names the target.
    pub option: String,
    /// Their names.
    #[serde(rename = "implementation")]
    pub names: Vec<Named>,
    /// Keys that differ.
    #[serde(rename = "rename")]
    pub renames: Vec<Rename>,
    /// Modules with a state.
    #[serde(rename = "state")]
    pub states: Vec<ModuleStates>,
}

/// A name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// The option's word.
    pub name: String,
}

/// One entry under two names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rename {
    /// The form of its key by implementation.
    pub keys: BTreeMap<String, KeyForm>,
    /// Only in layers that have this entry too.
    pub with: KeyForm,
}

/// Modules of an implementation that have a state.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModuleStates {
    /// The implementation.
    pub implementation: String,
    /// Globs of the modules' names.
    #[serde(deserialize_with = "glob_list")]
    pub modules: GlobSet,
    /// `none` when it is always None, `kept` when it is never added.
    pub value: Option<String>,
    /// Only when this is true.
    #[serde(default, deserialize_with = "optional_expr")]
    pub when: Option<Expr>,
}

impl ModuleStates {
    /// Whether the module of that name is one of these.
    pub fn has(&self, module: &str) -> bool {
        self.modules.is_match(as_path(module))
    }
}

/// All rules for rewriting a checkpoint.
#[derive(Debug)]
pub struct ConvertRules {
    /// Layouts of experts.
    pub experts: ExpertRules,
    /// Implementations of layers.
    pub implementations: ImplementationRules,
}

impl ConvertRules {
    /// Reads the rule files of that folder.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn load(folder: &str) -> Result<Self, RuleError> {
        Ok(Self {
            experts: read(&format!("{folder}experts.toml"))?,
            implementations: read(&format!("{folder}implementation.toml"))?,
        })
    }

    /// The layout of that name.
    pub fn layout(&self, name: &str) -> Option<&Layout> {
        self.experts.layouts.iter().find(|layout| layout.name == name)
    }
}

fn read<T: for<'de> Deserialize<'de>>(path: &str) -> Result<T, RuleError> {
    let (path, text) = embedded::below(path).next().ok_or_else(|| RuleError::new(path, "there is no such file"))?;
    toml::from_str(text).map_err(|error| RuleError::new(path, error.to_string()))
}

fn expr<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Expr, D::Error> {
    Expr::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

fn optional_expr<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Expr>, D::Error> {
    expr(deserializer).map(Some)
}

fn glob_list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<GlobSet, D::Error> {
    globs("convert", &Vec::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

fn hex<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    bytes(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

fn hex_list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Vec<u8>>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| bytes(text).map_err(serde::de::Error::custom)).collect()
}

fn bytes(text: &str) -> Result<Vec<u8>, String> {
    let digits = |at: usize| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    (0..text.len()).step_by(2).map(|at| digits(at).ok_or_else(|| format!("`{text}` is not hexadecimal"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_rules_are_read() {
        let rules = ConvertRules::load("megatron/convert/").expect("rules");
        let names: Vec<&str> = rules.experts.layouts.iter().map(|layout| layout.name.as_str()).collect();
        assert_eq!(names, ["sequential", "grouped", "te-grouped"]);
        let parts = |layout: &Layout| layout.entries.iter().map(|entry| entry.part.clone()).collect::<Vec<_>>();
        assert_eq!(parts(&rules.experts.layouts[0]), parts(&rules.experts.layouts[2]));
        for part in &rules.experts.states.parts {
            assert!(parts(&rules.experts.layouts[0]).contains(part), "{part}");
        }
        for rename in &rules.implementations.renames {
            for named in &rules.implementations.names {
                assert!(rename.keys.contains_key(&named.name), "{named:?}");
            }
        }
    }
}
