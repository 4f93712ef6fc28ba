//! What a user wants to hear of: severities of their own, rules that are ignored by name and with a reason, rules that
//! alone are shown. Nothing of it changes an outcome.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::Severity;

/// What is asked for, from whatever source.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Only findings of these rules are shown; all, where there are none.
    pub select: Vec<String>,
    /// Rules whose findings are accepted.
    pub ignore: Vec<Ignored>,
    /// Severities by rule.
    pub severity: BTreeMap<String, Severity>,
}

/// A rule that is ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    /// Its name.
    pub rule: String,
    /// Why its findings are accepted; never empty.
    pub reason: String,
}

/// A text that is none of `RULE=REASON`, `RULE=LEVEL`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {0}")]
pub struct NotASelection(&'static str);

impl Selection {
    /// Whether findings of a rule are shown.
    pub fn shows(&self, rule: &str) -> bool {
        self.select.is_empty() || self.select.iter().any(|name| name == rule)
    }

    /// Why findings of a rule are accepted, if they are.
    pub fn accepts(&self, rule: &str) -> Option<&str> {
        self.ignore.iter().find(|ignored| ignored.rule == rule).map(|ignored| ignored.reason.as_str())
    }

    /// Every rule that it names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let ignored = self.ignore.iter().map(|ignored| ignored.rule.as_str());
        self.select.iter().map(String::as_str).chain(ignored).chain(self.severity.keys().map(String::as_str))
    }
}

impl FromStr for Ignored {
    type Err = NotASelection;

    fn from_str(text: &str) -> Result<Self, NotASelection> {
        let named = text.split_once('=').map(|(rule, reason)| (rule.trim(), reason.trim()));
        let (rule, reason) = named
            .filter(|(rule, reason)| !rule.is_empty() && !reason.is_empty())
            .ok_or(NotASelection("RULE=REASON: a rule is ignored by its name and with a reason"))?;
        Ok(Self { rule: rule.to_owned(), reason: reason.to_owned() })
    }
}

/// Reads `RULE=LEVEL`.
///
/// # Errors
/// When it is something else.
pub fn severity(text: &str) -> Result<(String, Severity), NotASelection> {
    let wrong = NotASelection("RULE=LEVEL with the level error, warning or info");
    let (rule, level) = text.split_once('=').ok_or(wrong.clone())?;
    let levels = [Severity::Info, Severity::Warning, Severity::Error];
    let level = levels.into_iter().find(|one| one.name() == level.trim()).ok_or(wrong)?;
    Ok((rule.trim().to_owned(), level))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_needed() {
        assert_eq!(
            "expert-layout=converted tonight".parse(),
            Ok(Ignored { rule: "expert-layout".to_owned(), reason: "converted tonight".to_owned() })
        );
        for text in ["expert-layout", "expert-layout=", "expert-layout= ", "=x", ""] {
            assert!(text.parse::<Ignored>().is_err(), "{text}");
        }
        assert_eq!(severity("a=info"), Ok(("a".to_owned(), Severity::Info)));
        assert!(severity("a=none").is_err() && severity("a").is_err());
    }
}
