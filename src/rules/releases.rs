//! The framework releases that the rules describe.

use std::sync::LazyLock;

use serde::Deserialize;

use super::version::Version;
use super::{RuleError, embedded};

/// One release.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// Its version.
    pub name: Version,
    /// The Transformer Engine release that is assumed beside it.
    pub te: Version,
    /// The tag or commit that was read.
    pub source: String,
}

/// How a copy of the framework on disk tells its version.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CopyRules {
    /// The file with the numbers, below the folder that it is imported from.
    pub file: String,
    /// The folder that shows that there is a copy.
    pub folder: String,
    /// The names that are assigned the numbers of the version, in order.
    pub numbers: Vec<String>,
    /// Names of installed packages.
    pub distributions: Vec<String>,
}

/// How an installed Transformer Engine tells its version.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Engine {
    /// Names of installed packages.
    pub distributions: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: Vec<Release>,
    copy: CopyRules,
    engine: Engine,
}

const FILE: &str = "megatron/versions.toml";

static ALL: LazyLock<Result<File, RuleError>> = LazyLock::new(read);

fn all() -> Result<&'static File, RuleError> {
    ALL.as_ref().map_err(Clone::clone)
}

/// All releases, oldest first.
///
/// # Errors
/// When the rule file cannot be read.
pub fn load() -> Result<&'static [Release], RuleError> {
    all().map(|file| file.version.as_slice())
}

/// How copies of the framework and of Transformer Engine tell their versions.
///
/// # Errors
/// When the rule file cannot be read.
pub fn copies() -> Result<(&'static CopyRules, &'static Engine), RuleError> {
    all().map(|file| (&file.copy, &file.engine))
}

fn read() -> Result<File, RuleError> {
    let (path, text) = embedded::below(FILE).next().ok_or_else(|| RuleError::new(FILE, "there is no such file"))?;
    let mut file: File = toml::from_str(text).map_err(|e| RuleError::new(path, e.to_string()))?;
    file.version.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(file)
}

/// The version that rules are asked for: a number newer than all releases is the development branch.
pub fn known_as(releases: &[Release], version: Version) -> Version {
    match newest(releases) {
        Some(newest) if version > newest.name && !same_release(&version, &newest.name) => Version::Main,
        _ => version,
    }
}

/// Whether two versions differ in their last number only: fixes of one release.
fn same_release(a: &Version, b: &Version) -> bool {
    match (a, b) {
        (Version::Release(a), Version::Release(b)) => a.iter().take(2).eq(b.iter().take(2)),
        _ => a == b,
    }
}

/// The release whose rules describe a version: the newest that is not newer. `None` when the version is older than all.
pub fn describing<'r>(releases: &'r [Release], version: &Version) -> Option<&'r Release> {
    releases.iter().rev().find(|release| release.name <= *version)
}

/// The newest numbered release.
pub fn newest(releases: &[Release]) -> Option<&Release> {
    releases.iter().rev().find(|release| release.name != Version::Main)
}
