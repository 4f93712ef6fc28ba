//! `moe-lint.toml`: which launches a repository has, what they load, and what is accepted.

mod accept;
mod baseline;
mod error;
mod targets;

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

pub use accept::{Accepted, baseline as new_baseline, set_severities};
pub use baseline::Baseline;
pub use error::SettingsError;
pub use targets::{Planned, walk};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use crate::cli::TransformerEngine;
use crate::diagnose::Severity;
use crate::launch::{Disk, Files};
use crate::rules::version::Version;

/// The name of the file.
pub const NAME: &str = "moe-lint.toml";
/// A larger file is none of ours.
const MOST_BYTES: u64 = 1 << 20;

/// Settings of moe-lint. Paths and globs are relative to the directory of the file.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[schemars(title = "moe-lint.toml")]
pub struct Settings {
    /// Megatron-LM's version, such as "0.12.0" or "main", where a target does not say it.
    #[serde(deserialize_with = "version")]
    #[schemars(with = "Option<String>")]
    pub megatron: Option<Version>,
    /// Transformer Engine's version, or "none", where a target does not say it.
    #[serde(deserialize_with = "engine")]
    #[schemars(with = "Option<String>")]
    pub te: Option<TransformerEngine>,
    /// Whether apex is installed, where a target does not say it.
    pub apex: Option<bool>,
    /// Variables of the scripts' environment, where a target does not give them.
    pub env: BTreeMap<String, String>,
    /// Launch files that are never checked, even when they are named: globs.
    pub exclude: Vec<String>,
    /// Directories with more rules.
    pub rules: Vec<PathBuf>,
    /// File of findings that are known and accepted; `--write-baseline` writes it.
    pub baseline: Option<PathBuf>,
    /// Launches and what they load.
    #[serde(rename = "target")]
    pub targets: Vec<Target>,
    /// The severity of rules, by their names.
    #[serde(deserialize_with = "named_severities")]
    #[schemars(with = "BTreeMap<String, SeverityName>")]
    pub severity: BTreeMap<String, Severity>,
    /// Findings that are accepted.
    #[serde(rename = "ignore")]
    pub ignores: Vec<Ignore>,
}

/// Launches that load the same.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Target {
    /// Launch scripts: globs, or paths.
    pub launch: Vec<String>,
    /// The checkpoint or snapshot that they load; default: the one that each launch names.
    #[serde(default)]
    pub checkpoint: Option<PathBuf>,
    /// Megatron-LM's version.
    #[serde(default, deserialize_with = "version")]
    #[schemars(with = "Option<String>")]
    pub megatron: Option<Version>,
    /// Transformer Engine's version, or "none".
    #[serde(default, deserialize_with = "engine")]
    #[schemars(with = "Option<String>")]
    pub te: Option<TransformerEngine>,
    /// Whether apex is installed.
    #[serde(default)]
    pub apex: Option<bool>,
    /// Number of processes; default: as the launch says.
    #[serde(default)]
    pub world_size: Option<u64>,
    /// Number of the tokenizer's tokens; default: as its files say.
    #[serde(default)]
    pub tokenizer_size: Option<u64>,
    /// Variables of the scripts' environment.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Arguments of the scripts.
    #[serde(default)]
    pub args: Vec<String>,
    /// Which command of the scripts trains, counted from 1.
    #[serde(default)]
    pub command: Option<u64>,
}

/// A finding that is accepted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Ignore {
    /// The rule's name.
    pub rule: String,
    /// Launch scripts that it is accepted in: globs; default: all.
    #[serde(default)]
    pub launch: Vec<String>,
    /// Why it is accepted.
    #[serde(deserialize_with = "reason")]
    pub reason: String,
}

/// The severities' names.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum SeverityName {
    Error,
    Warning,
    Info,
}

/// Settings and where they stand.
#[derive(Debug)]
pub struct Found {
    /// The file.
    pub path: PathBuf,
    /// What it says.
    pub settings: Settings,
}

impl Found {
    /// The directory that paths in the file are relative to.
    pub fn directory(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// A path of the file, as it is to be opened.
    pub fn resolve(&self, path: &Path) -> PathBuf {
        self.directory().join(path)
    }
}

/// The settings at a path.
///
/// # Errors
/// When they cannot be read or are wrong.
pub fn read(path: &Path) -> Result<Found, SettingsError> {
    let text =
        Disk.read(path, MOST_BYTES).map_err(|error| SettingsError::Unreadable { path: path.to_path_buf(), error })?;
    let settings = toml::from_str(&text).map_err(|error| SettingsError::wrong(path, &error))?;
    let found = Found { path: path.to_path_buf(), settings };
    targets::globs_are_sound(&found)?;
    Ok(found)
}

/// The settings of the nearest directory above a launch; `start` is its directory.
///
/// # Errors
/// When they cannot be read or are wrong.
pub fn find(start: &Path) -> Result<Option<Found>, SettingsError> {
    let mut directory = if start.as_os_str().is_empty() { PathBuf::from(".") } else { start.to_path_buf() };
    while let Some(real) = Disk.real_path(&directory) {
        let path = directory.join(NAME);
        if Disk.is_directory(&path) == Some(false) {
            return read(path.strip_prefix(".").unwrap_or(&path)).map(Some);
        }
        if real.parent().is_none() {
            break;
        }
        // The path stays as it was given while that goes: messages show it.
        let last = directory.components().next_back();
        directory = match (last, directory.parent()) {
            (Some(Component::Normal(_)), Some(parent)) if parent.as_os_str().is_empty() => PathBuf::from("."),
            (Some(Component::Normal(_)), Some(parent)) => parent.to_path_buf(),
            (Some(Component::CurDir), _) => PathBuf::from(".."),
            _ => directory.join(".."),
        };
    }
    Ok(None)
}

fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Version>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(|_| serde::de::Error::custom("expected a version such as \"0.12.0\", or \"main\""))
}

fn engine<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<TransformerEngine>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(serde::de::Error::custom::<String>)
}

fn reason<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.trim().is_empty() {
        true => Err(serde::de::Error::custom("say why it is accepted")),
        false => Ok(text),
    }
}

fn named_severities<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Severity>, D::Error> {
    let names = BTreeMap::<String, SeverityName>::deserialize(deserializer)?;
    let severity = |name| match name {
        SeverityName::Error => Severity::Error,
        SeverityName::Warning => Severity::Warning,
        SeverityName::Info => Severity::Info,
    };
    Ok(names.into_iter().map(|(rule, name)| (rule, severity(name))).collect())
}

/// The JSON schema of the file.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Settings).to_value()
}
