//! The document of `moe-lint rules` and `moe-lint explain`.

use serde::Serialize;

use super::Head;
use crate::rules::causes::Cause;

/// The whole document.
#[derive(Serialize)]
pub(super) struct Document<'r> {
    #[serde(flatten)]
    head: Head,
    rules: Vec<RuleDocument<'r>>,
}

#[derive(Serialize)]
struct RuleDocument<'r> {
    name: &'r str,
    severity: &'static str,
    summary: &'r str,
    why: &'r str,
}

impl<'r> Document<'r> {
    pub(super) fn new(rules: &[&'r Cause]) -> Self {
        let rule = |rule: &&'r Cause| RuleDocument {
            name: &rule.name,
            severity: rule.severity.name(),
            summary: &rule.summary,
            why: &rule.why,
        };
        Self { head: Head::new(), rules: rules.iter().map(rule).collect() }
    }
}
