//! Which saved arguments a launch takes over from a checkpoint, and where it reads them.

use serde::Deserialize;

use super::expr::Expr;
use super::version::Version;
use super::{RuleError, check_expr, embedded, in_range};

/// What one framework version takes over.
#[derive(Debug, Clone)]
pub struct SavedArguments {
    /// Whether the launch asks for it.
    pub when: Expr,
    /// Where they are read, one after the other.
    pub sources: Vec<Source>,
    /// What is taken, in order.
    pub takes: Vec<Take>,
}

/// A checkpoint to read arguments from.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its path; nothing is read where it is none.
    pub path: Expr,
    /// The iteration, if the launch names one.
    pub step: Expr,
}

/// Arguments that are taken.
#[derive(Debug, Clone)]
pub struct Take {
    /// Their dests.
    pub names: Vec<String>,
    /// Whether a value of the launch stays.
    pub keep: bool,
    /// A value to take instead of the saved one.
    pub value: Option<Expr>,
    /// Only when this is true; sees saved arguments as `saved_<dest>`.
    pub when: Option<Expr>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    when: String,
    source: Vec<RawSource>,
    take: Vec<RawTake>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSource {
    path: String,
    step: String,
    since: Option<String>,
    until: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTake {
    names: Vec<String>,
    #[serde(default)]
    keep: bool,
    value: Option<String>,
    when: Option<String>,
    since: Option<String>,
    until: Option<String>,
}

impl SavedArguments {
    /// The rules of a version.
    ///
    /// # Errors
    /// When the rule file cannot be read.
    pub fn load(path: &str, version: &Version) -> Result<Self, RuleError> {
        let (path, text) = embedded::below(path).next().ok_or_else(|| RuleError::new(path, "there is no such file"))?;
        let file: File = toml::from_str(text).map_err(|e| RuleError::new(path, e.to_string()))?;
        let mut rules = Self { when: check_expr(path, &file.when)?, sources: Vec::new(), takes: Vec::new() };
        for source in file.source {
            if in_range(path, source.since.as_deref(), source.until.as_deref(), version)? {
                let (at, step) = (check_expr(path, &source.path)?, check_expr(path, &source.step)?);
                rules.sources.push(Source { path: at, step });
            }
        }
        for (index, take) in file.take.into_iter().enumerate() {
            let place = format!("{path}, take {}", index + 1);
            if in_range(&place, take.since.as_deref(), take.until.as_deref(), version)? {
                rules.takes.push(Take {
                    names: take.names,
                    keep: take.keep,
                    value: take.value.as_deref().map(|text| check_expr(&place, text)).transpose()?,
                    when: take.when.as_deref().map(|text| check_expr(&place, text)).transpose()?,
                });
            }
        }
        Ok(rules)
    }
}
