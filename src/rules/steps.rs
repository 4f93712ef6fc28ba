//! Steps of a framework's argument handling: values it derives, launches it refuses, features we do not model.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde::Deserialize;

use super::RuleError;
use super::embedded;
use super::expr::Expr;
use super::ranged::{Ranged, picked};
use super::template::Template;
use super::version::Version;

/// One step, in the order in which the framework takes them.
#[derive(Debug, Clone)]
pub struct Step {
    /// Only when this is true.
    pub when: Option<Expr>,
    /// What it does.
    pub action: Action,
    /// The options concerned, for labels.
    pub flags: Vec<String>,
    /// Who does it: `validate_args`, `model`, ...
    pub by: String,
}

/// What a step does.
#[derive(Debug, Clone)]
pub enum Action {
    /// Gives a name a value.
    Set {
        /// The name: an argument's dest or a name of our own.
        name: String,
        /// Its value.
        value: Expr,
    },
    /// Stops the launch with the framework's reason.
    Reject(Template),
    /// Leaves what moe-lint models: the outcome is undetermined.
    Unsupported(Template),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Where the steps belong: `launch`, `stage`, `rank` or the name of an index such as `layer`.
    scope: String,
    by: String,
    #[serde(default)]
    rule: Vec<Raw>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    set: Option<String>,
    value: Option<String>,
    reject: Option<String>,
    unsupported: Option<String>,
    when: Option<String>,
    since: Option<String>,
    until: Option<String>,
    by: Option<String>,
    #[serde(default)]
    flags: Vec<String>,
    /// Why, or where the framework says so; for readers of the rule file.
    #[serde(default, rename = "because")]
    _because: Option<String>,
}

/// Where the steps lie.
const FOLDER: &str = "megatron/config/";

/// The steps of all versions, by scope.
type Steps = BTreeMap<String, Vec<Ranged<Arc<Step>>>>;

static ALL: LazyLock<Result<Steps, RuleError>> = LazyLock::new(read);

/// Reads the rule files now, so that they are there when they are needed.
pub(super) fn read_ahead() {
    LazyLock::force(&ALL);
}

fn read() -> Result<Steps, RuleError> {
    let mut all = Steps::new();
    for (path, text) in embedded::below(FOLDER) {
        let file: File = toml::from_str(text).map_err(|e| RuleError::new(path, e.to_string()))?;
        let steps = all.entry(file.scope).or_default();
        for (index, raw) in file.rule.iter().enumerate() {
            let place = || format!("{path}, rule {}", index + 1);
            let step = Arc::new(step(&place, raw, &file.by)?);
            steps.push(Ranged::new(path, raw.since.as_deref(), raw.until.as_deref(), step)?);
        }
    }
    Ok(all)
}

/// The steps that belong to `scope` in that version, in the order of the files' names.
///
/// # Errors
/// When a rule file cannot be read.
pub fn load(scope: &str, version: &Version) -> Result<Vec<Arc<Step>>, RuleError> {
    let all = ALL.as_ref().map_err(Clone::clone)?;
    Ok(all.get(scope).map_or_else(Vec::new, |steps| picked(steps, version)))
}

fn step(place: &dyn Fn() -> String, raw: &Raw, by: &str) -> Result<Step, RuleError> {
    let expr = |text: &str| Expr::parse(text).map_err(|e| RuleError::new(place(), e.to_string()));
    let template = |text: &str| Template::parse(text).map_err(|e| RuleError::new(place(), e.to_string()));
    let action = match (&raw.set, &raw.value, &raw.reject, &raw.unsupported) {
        (Some(name), Some(value), None, None) => Action::Set { name: name.clone(), value: expr(value)? },
        (None, None, Some(text), None) => Action::Reject(template(text)?),
        (None, None, None, Some(text)) => Action::Unsupported(template(text)?),
        _ => return Err(RuleError::new(place(), "expected `set` with `value`, or `reject`, or `unsupported`")),
    };
    let when = raw.when.as_deref().map(expr).transpose()?;
    let by = raw.by.as_deref().unwrap_or(by).to_owned();
    Ok(Step { when, action, flags: raw.flags.clone(), by })
}
