//! GitLab: a code quality report.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::findings::{Finding, Subject, hex, portable};
use crate::diagnose::Severity;

/// Writes the report: a list of issues.
///
/// # Errors
/// When it cannot be written.
pub fn write(out: impl Write, subjects: &[Subject]) -> io::Result<()> {
    // GitLab wants each fingerprint once; equal ones are numbered in their order.
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut issues = Vec::new();
    for finding in subjects.iter().flat_map(Subject::open) {
        let fingerprint = finding.fingerprint();
        let before = seen.entry(fingerprint.clone()).or_default();
        let fingerprint = if *before == 0 { fingerprint } else { numbered(&fingerprint, *before) };
        *before += 1;
        issues.push(Issue::new(finding, fingerprint));
    }
    super::json::write(out, &issues)
}

fn numbered(fingerprint: &str, number: usize) -> String {
    use sha2::Digest;
    hex(&sha2::Sha256::digest(format!("{fingerprint} {number}")))
}

#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: String,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
    end: usize,
}

impl Issue {
    fn new(finding: &Finding, fingerprint: String) -> Self {
        let severity = match finding.severity {
            Severity::Error => "blocker",
            Severity::Warning => "minor",
            Severity::Info => "info",
        };
        let lines = std::iter::once(&finding.message).chain(&finding.details);
        Self {
            description: lines.map(String::as_str).collect::<Vec<_>>().join(". "),
            check_name: finding.rule.clone(),
            fingerprint,
            severity,
            location: Location {
                path: portable(&finding.place.file),
                lines: Lines { begin: finding.place.line, end: finding.place.end_line },
            },
        }
    }
}
