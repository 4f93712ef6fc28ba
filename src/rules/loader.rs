//! The stages of a framework's checkpoint loader: what each of them makes of a launch and a checkpoint.

use serde::Deserialize;

use super::expr::Expr;
use super::template::Template;
use super::version::Version;
use super::{RuleError, check_expr, check_template, embedded, in_range};

/// A loader, as it is in one framework version.
#[derive(Debug, Clone, Default)]
pub struct LoaderRules {
    /// Its stages in order.
    pub stages: Vec<StageRules>,
    /// Keys whose tensors may have another number of rows in the checkpoint, as glob patterns.
    pub resizable: Vec<String>,
}

/// One stage.
#[derive(Debug, Clone)]
pub struct StageRules {
    /// Its name.
    pub name: String,
    /// What to say when no rule holds.
    pub ok: Template,
    /// Rules in order; the first that holds decides.
    pub rules: Vec<VerdictRule>,
}

/// What a stage does under a condition.
#[derive(Debug, Clone)]
pub struct VerdictRule {
    /// The condition.
    pub when: Expr,
    /// What the stage does.
    pub verdict: RuledVerdict,
    /// In words.
    pub message: Template,
}

/// What a rule says a stage does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuledVerdict {
    /// It goes through.
    Ok,
    /// It goes on, with less than was asked for.
    Partial,
    /// It goes on without a checkpoint.
    Fresh,
    /// It raises or exits.
    Fails,
    /// The launch switches it off.
    Skipped,
    /// Not modelled.
    Undetermined,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    resizable: Vec<String>,
    #[serde(default)]
    stage: Vec<RawStage>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStage {
    name: String,
    ok: String,
    #[serde(default)]
    rule: Vec<RawRule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    verdict: RuledVerdict,
    when: String,
    message: String,
    since: Option<String>,
    until: Option<String>,
    #[serde(default, rename = "because")]
    _because: Option<String>,
}

impl LoaderRules {
    /// The stages of every file below `folder`, in the order of the files' names.
    ///
    /// # Errors
    /// When a rule file cannot be read.
    pub fn load(folder: &str, version: &Version) -> Result<Self, RuleError> {
        let mut loader = Self::default();
        for (path, text) in embedded::below(folder) {
            let file: File = toml::from_str(text).map_err(|e| RuleError::new(path, e.to_string()))?;
            loader.resizable.extend(file.resizable);
            for raw in file.stage {
                let mut rules = Vec::new();
                for (index, rule) in raw.rule.into_iter().enumerate() {
                    let place = format!("{path}, stage {} rule {}", raw.name, index + 1);
                    if in_range(&place, rule.since.as_deref(), rule.until.as_deref(), version)? {
                        rules.push(VerdictRule {
                            when: check_expr(&place, &rule.when)?,
                            verdict: rule.verdict,
                            message: check_template(&place, &rule.message)?,
                        });
                    }
                }
                let ok = check_template(path, &raw.ok)?;
                loader.stages.push(StageRules { name: raw.name, ok, rules });
            }
        }
        Ok(loader)
    }
}
