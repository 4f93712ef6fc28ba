//! Which saved arguments a launch takes over from a checkpoint, and where it reads them.

use std::sync::{Arc, LazyLock};

use serde::Deserialize;

use super::expr::Expr;
use super::ranged::{Ranged, picked};
use super::version::Version;
use super::{RuleError, check_expr, embedded};

/// What one framework version takes over.
#[derive(Debug, Clone)]
pub struct SavedArguments {
    /// Whether the launch asks for it.
    pub when: Expr,
    /// Where they are read, one after the other.
    pub sources: Vec<Arc<Source>>,
    /// What is taken, in order.
    pub takes: Vec<Arc<Take>>,
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

const FILE: &str = "megatron/saved-arguments.toml";

/// What all versions take over.
struct All {
    when: Expr,
    sources: Vec<Ranged<Arc<Source>>>,
    takes: Vec<Ranged<Arc<Take>>>,
}

static ALL: LazyLock<Result<All, RuleError>> = LazyLock::new(read);

fn read() -> Result<All, RuleError> {
    let (path, text) = embedded::below(FILE).next().ok_or_else(|| RuleError::new(FILE, "there is no such file"))?;
    let file: File = toml::from_str(text).map_err(|e| RuleError::new(path, e.to_string()))?;
    let mut all = All { when: check_expr(path, &file.when)?, sources: Vec::new(), takes: Vec::new() };
    for raw in file.source {
        let source = Source { path: check_expr(path, &raw.path)?, step: check_expr(path, &raw.step)? };
        all.sources.push(Ranged::new(path, raw.since.as_deref(), raw.until.as_deref(), Arc::new(source))?);
    }
    for (index, raw) in file.take.into_iter().enumerate() {
        let place = format!("{path}, take {}", index + 1);
        let take = Take {
            names: raw.names,
            keep: raw.keep,
            value: raw.value.as_deref().map(|text| check_expr(&place, text)).transpose()?,
            when: raw.when.as_deref().map(|text| check_expr(&place, text)).transpose()?,
        };
        all.takes.push(Ranged::new(&place, raw.since.as_deref(), raw.until.as_deref(), Arc::new(take))?);
    }
    Ok(all)
}

impl SavedArguments {
    /// The rules of a version.
    ///
    /// # Errors
    /// When the rule file cannot be read.
    pub fn load(version: &Version) -> Result<Self, RuleError> {
        let all = ALL.as_ref().map_err(Clone::clone)?;
        let (sources, takes) = (picked(&all.sources, version), picked(&all.takes, version));
        Ok(Self { when: all.when.clone(), sources, takes })
    }
}
