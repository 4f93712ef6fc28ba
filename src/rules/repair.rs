//! Which changes of a launch are worth trying when a checkpoint does not load.

use std::sync::LazyLock;

use serde::Deserialize;

use super::expr::Expr;
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
    /// Values to try; their expressions see the launch's values, and the facts of infer.toml as `stored_<name>`.
    pub tries: Vec<Try>,
}

/// A value to try.
#[derive(Debug, Clone)]
pub struct Try {
    /// The dest.
    pub name: String,
    /// Only when this is true.
    pub when: Option<Expr>,
    /// The value.
    pub value: Expr,
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
    when: Option<String>,
    values: Vec<String>,
}

static RULES: LazyLock<Result<RepairRules, RuleError>> = LazyLock::new(read);

fn read() -> Result<RepairRules, RuleError> {
    let (path, text) = embedded::below(FILE).next().ok_or_else(|| RuleError::new(FILE, "there is no such file"))?;
    let file: File = toml::from_str(text).map_err(|e| RuleError::new(path, e.to_string()))?;
    let mut tries = Vec::new();
    for raw in file.tries {
        for value in raw.values {
            let when = raw.when.as_deref().map(|text| check_expr(path, text)).transpose()?;
            tries.push(Try { name: raw.name.clone(), when, value: check_expr(path, &value)? });
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
