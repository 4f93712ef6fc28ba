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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: Vec<Release>,
}

const FILE: &str = "megatron/versions.toml";

static ALL: LazyLock<Result<Vec<Release>, RuleError>> = LazyLock::new(read);

/// All releases, oldest first.
///
/// # Errors
/// When the rule file cannot be read.
pub fn load() -> Result<&'static [Release], RuleError> {
    ALL.as_deref().map_err(Clone::clone)
}

fn read() -> Result<Vec<Release>, RuleError> {
    let (path, text) = embedded::below(FILE).next().ok_or_else(|| RuleError::new(FILE, "there is no such file"))?;
    let mut file: File = toml::from_str(text).map_err(|e| RuleError::new(path, e.to_string()))?;
    file.version.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(file.version)
}

/// The release whose rules describe a version: the newest that is not newer. `None` when the version is older than all.
pub fn describing<'r>(releases: &'r [Release], version: &Version) -> Option<&'r Release> {
    releases.iter().rev().find(|release| release.name <= *version)
}

/// The newest numbered release.
pub fn newest(releases: &[Release]) -> Option<&Release> {
    releases.iter().rev().find(|release| release.name != Version::Main)
}
