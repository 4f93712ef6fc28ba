//! How a framework lays checkpoints out on disk: `rules/<framework>/checkpoint.toml` and `rules/foreign.toml`.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::{Deserialize, Deserializer};

use super::name::NamePattern;
use super::{RuleError, embedded};

/// The layout of one framework's checkpoints. Each field is explained in the rule file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StorageRules {
    /// The file that names the iteration to load.
    pub tracker: Tracker,
    /// The directory of one iteration.
    pub directories: Directories,
    /// Files of the ranks.
    pub ranks: Ranks,
    /// Top-level entries of a saved state.
    pub entries: Entries,
    /// Distributed checkpoints.
    pub distributed: Distributed,
    /// Names of enum members by class and pickled value.
    #[serde(default)]
    pub enums: BTreeMap<String, BTreeMap<String, String>>,
    /// Names that a pickle may mention.
    pub globals: Globals,
}

/// `[tracker]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tracker {
    /// Name of the tracker file.
    pub file: String,
    /// The text that stands for a release.
    pub release: String,
}

/// `[directories]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Directories {
    /// Directory of an iteration.
    #[serde(deserialize_with = "pattern")]
    pub iteration: NamePattern,
    /// Directory of a release.
    pub release: String,
}

/// `[ranks]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ranks {
    /// Directories of ranks, the most specific pattern first.
    #[serde(deserialize_with = "patterns")]
    pub directories: Vec<NamePattern>,
    /// The file in each of them.
    pub file: String,
    /// Files that may lie beside it.
    pub beside: Vec<String>,
    /// The saved argument with the number of pipeline stages.
    pub pipeline_size: String,
    /// The saved argument with the number of expert ranks.
    pub expert_size: String,
    /// The name by which the framework recognises this format.
    #[serde(deserialize_with = "pattern")]
    pub recognised_by: NamePattern,
}

/// `[entries]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entries {
    /// Entries that hold a model's state dict.
    #[serde(deserialize_with = "patterns")]
    pub model: Vec<NamePattern>,
    /// The entry that holds the saved launch arguments.
    pub args: String,
    /// The entry that holds the iteration.
    pub iteration: String,
    /// Class methods that rebuild a quantised tensor.
    pub quantised: Vec<String>,
}

/// `[distributed]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distributed {
    /// The pickled index.
    pub index: String,
    /// The JSON file that names the format.
    pub config: String,
    /// Its entry with the name.
    pub backend: String,
    /// Names that are read.
    pub supported: Vec<String>,
    /// The file with the state that is the same on all ranks.
    pub common_file: String,
    /// The object that holds it instead.
    pub common_entry: String,
    /// Objects in data files that are read too: settings of the state beside the model.
    #[serde(deserialize_with = "patterns")]
    pub objects: Vec<NamePattern>,
    /// Form of a sharded object's key: `{key}`, a text, `{offset}`, a text, `{grid}`.
    pub object_shard: String,
    /// Attribute and entry that hold the shape of a tensor that was flattened.
    pub real_shape: [String; 2],
    /// Prefix of the model's keys in checkpoints without the JSON file.
    pub model_prefix: String,
    /// First words of keys that are not the model's.
    #[serde(deserialize_with = "patterns")]
    pub other: Vec<NamePattern>,
}

/// `[globals]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Globals {
    /// Names that checkpoints usually mention; `module.*` stands for the module and everything below it.
    pub known: Vec<String>,
    /// Names that would run something.
    pub dangerous: Vec<String>,
}

impl Globals {
    /// Whether that dotted name would run something when loaded by the framework.
    pub fn is_dangerous(&self, name: &str) -> bool {
        listed(&self.dangerous, name)
    }

    /// Whether checkpoints usually mention that dotted name.
    pub fn is_known(&self, name: &str) -> bool {
        listed(&self.known, name)
    }
}

fn listed(list: &[String], name: &str) -> bool {
    list.iter().any(|entry| match entry.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => name == entry,
    })
}

impl StorageRules {
    /// Reads a rule file.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// Checks the rule files that are taken to be in order afterwards.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn check() -> Result<(), RuleError> {
        Self::parse(file(LAYOUT)).map_err(|error| RuleError::new(LAYOUT, error.to_string()))?;
        toml::from_str::<ForeignFile>(file(FOREIGN)).map_err(|error| RuleError::new(FOREIGN, error.to_string()))?;
        Ok(())
    }

    /// The rules that the binary carries for Megatron-LM.
    pub fn megatron() -> &'static Self {
        static RULES: OnceLock<StorageRules> = OnceLock::new();
        RULES.get_or_init(|| Self::parse(file(LAYOUT)).expect("a test reads this rule file"))
    }

    /// The name of an enum's member, by its class and pickled value.
    pub fn enum_member(&self, class: &str, value: &str) -> Option<&str> {
        self.enums.get(class)?.get(value).map(String::as_str)
    }
}

const LAYOUT: &str = "megatron/checkpoint.toml";
const FOREIGN: &str = "foreign.toml";

#[derive(Deserialize)]
struct ForeignFile {
    foreign: Vec<Foreign>,
}

/// A checkpoint format that is recognised and refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Foreign {
    /// What it is.
    pub name: String,
    /// What the user can do.
    pub help: String,
    /// Text in the file.
    #[serde(default)]
    pub starts: Option<String>,
    /// Where that text stands.
    #[serde(default)]
    pub at: usize,
    /// The end of the file's name.
    #[serde(default)]
    pub suffix: Option<String>,
    /// Files in the directory.
    #[serde(default, deserialize_with = "patterns")]
    pub files: Vec<NamePattern>,
}

impl Foreign {
    /// The formats that the binary knows by sight.
    pub fn all() -> &'static [Self] {
        static ALL: OnceLock<Vec<Foreign>> = OnceLock::new();
        ALL.get_or_init(|| {
            let file: ForeignFile = toml::from_str(file(FOREIGN)).expect("a test reads this rule file");
            file.foreign
        })
    }

    /// Whether a file of that name that starts so is of this format.
    pub fn is_file(&self, name: &str, head: &[u8]) -> bool {
        let starts =
            self.starts.as_deref().map(|text| head.get(self.at..).is_some_and(|h| h.starts_with(text.as_bytes())));
        let ends = self.suffix.as_deref().map(|suffix| name.ends_with(suffix));
        (starts.is_some() || ends.is_some()) && starts.unwrap_or(true) && ends.unwrap_or(true)
    }
}

/// The text of an embedded rule file.
fn file(path: &str) -> &'static str {
    embedded::files().iter().find(|(name, _)| *name == path).map_or("", |(_, text)| text)
}

fn pattern<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NamePattern, D::Error> {
    NamePattern::new(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

fn patterns<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<NamePattern>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| NamePattern::new(text).map_err(serde::de::Error::custom)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_rules_are_read() {
        let rules = StorageRules::megatron();
        assert_eq!(rules.directories.iteration.write(&[("iteration", 10)]), "iter_0000010");
        assert!(rules.ranks.recognised_by.matches("mp_rank_00"));
        assert!(rules.globals.is_dangerous("os.system") && !rules.globals.is_known("os.system"));
        assert!(rules.globals.is_known("torch._utils._rebuild_tensor_v2"));
        assert!(Foreign::all().len() > 5);
    }
}
