//! Diagnoses for what no cause explains: extra states apart, so that they never bury parameters.

use std::collections::BTreeSet;

use super::open::{At, Open};
use super::{Diagnosis, Explained, Found, Severity};
use crate::diff::is_state;

/// What is left, told by what it is.
pub(super) fn rest(open: Open<'_>) -> Vec<Found> {
    let [missing, unexpected, mismatched, _] = open.lists;
    let apart = |list: std::collections::BTreeMap<&str, BTreeSet<At>>| -> (Vec<At>, Vec<At>) {
        let (states, others): (Vec<_>, Vec<_>) = list.into_iter().partition(|(key, _)| is_state(key));
        let sorted = |list: Vec<(&str, BTreeSet<At>)>| {
            let mut entries: Vec<At> = list.into_iter().flat_map(|(_, entries)| entries).collect();
            entries.sort_unstable();
            entries
        };
        (sorted(states), sorted(others))
    };
    let (missing_states, missing) = apart(missing);
    let (unexpected_states, unexpected) = apart(unexpected);
    let mut found = Vec::new();
    let mut add = |rule: &str, severity, message: &str, explains: Explained| {
        if explains != Explained::default() {
            let diagnosis = Diagnosis {
                rule: rule.to_owned(),
                severity,
                message: message.to_owned(),
                labels: Vec::new(),
                explains,
                notes: Vec::new(),
                fixes: Vec::new(),
            };
            found.push(Found { diagnosis, stage: None, remedies: Vec::new() });
        }
    };
    let mut mismatched: Vec<At> = mismatched.into_values().flatten().collect();
    mismatched.sort_unstable();
    add(
        "shape-mismatch",
        Severity::Error,
        "the launch and the checkpoint give the same tensors other shapes",
        Explained { mismatched, ..Explained::default() },
    );
    let (rule, message) = match (missing.is_empty(), unexpected.is_empty()) {
        (false, false) => ("other-keys", "the launch builds other parameters than the checkpoint holds"),
        (false, true) => ("missing-keys", "the launch builds parameters that the checkpoint does not hold"),
        _ => ("unexpected-keys", "the checkpoint holds parameters that the launch does not build"),
    };
    add(rule, Severity::Error, message, Explained { missing, unexpected, ..Explained::default() });
    add(
        "extra-state",
        Severity::Warning,
        "the launch and the checkpoint keep other extra states (of fp8 scaling)",
        Explained { missing: missing_states, unexpected: unexpected_states, ..Explained::default() },
    );
    found
}
