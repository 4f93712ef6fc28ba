//! Which changes of a launch are worth trying when a checkpoint does not load.

use std::sync::LazyLock;

use serde::Deserialize;

use super::expr::Scope;
use super::value::Value;
use super::{RuleError, check_expr, embedded};

const FILE: &str = "megatron/repair.toml";

/// What may be changed, by dest.
#[derive(Debug, Clone, Default)]
pub struct RepairRules {
    /// Taken from saved arguments, beside those that can be inferred.
    pub also: Vec<String>,
    /// Those whose change leaves the run's meaning.
    pub same: Vec<String>,
    /// Those that depend on the number of processes.
    pub parallel: Vec<String>,
    /// Values to try.
    pub tries: Vec<(String, Value)>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    also: Vec<String>,
    same: Vec<String>,
    parallel: Vec<String>,
    #[serde(rename = "try")]
    tries: Vec<RawTry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTry {
    name: String,
    values: Vec<String>,
}

static RULES: LazyLock<Result<RepairRules, RuleError>> = LazyLock::new(read);

fn read() -> Result<RepairRules, RuleError> {
    let (path, text) = embedded::below(FILE).next().ok_or_else(|| RuleError::new(FILE, "there is no such file"))?;
    let file: File = toml::from_str(text).map_err(|e| RuleError::new(path, e.to_string()))?;
    let mut tries = Vec::new();
    for raw in file.tries {
        for value in raw.values {
            let value = check_expr(path, &value)?.eval(&Scope::default());
            tries.push((raw.name.clone(), value.map_err(|e| RuleError::new(path, e.to_string()))?));
        }
    }
    Ok(RepairRules { also: file.also, same: file.same, parallel: file.parallel, tries })
}

impl RepairRules {
    /// The rules.
    ///
    /// # Errors
    /// When the rule file cannot be read.
    pub fn load() -> Result<&'static Self, RuleError> {
        RULES.as_ref().map_err(Clone::clone)
    }
}
