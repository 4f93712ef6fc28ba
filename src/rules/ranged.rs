//! Rules that hold in some framework versions only. They are compiled once a process, for all versions; what one version
//! has is picked from them.

use super::RuleError;
use super::version::Version;

/// A rule and the versions `since..until` that have it.
#[derive(Debug, Clone)]
pub(crate) struct Ranged<T> {
    since: Option<Version>,
    until: Option<Version>,
    rule: T,
}

impl<T> Ranged<T> {
    /// A rule with its bounds as a rule file writes them.
    ///
    /// # Errors
    /// When a bound is no version.
    pub(crate) fn new(place: &str, since: Option<&str>, until: Option<&str>, rule: T) -> Result<Self, RuleError> {
        let parse = |text: &str| text.parse::<Version>().map_err(|e| RuleError::new(place, e.to_string()));
        Ok(Self { since: since.map(parse).transpose()?, until: until.map(parse).transpose()?, rule })
    }

    /// The rule, where that version has it.
    pub(crate) fn at(&self, version: &Version) -> Option<&T> {
        let begun = self.since.as_ref().is_none_or(|since| version >= since);
        (begun && self.until.as_ref().is_none_or(|until| version < until)).then_some(&self.rule)
    }
}

/// The rules that a version has, in order.
pub(crate) fn picked<T: Clone>(rules: &[Ranged<T>], version: &Version) -> Vec<T> {
    rules.iter().filter_map(|rule| rule.at(version)).cloned().collect()
}
