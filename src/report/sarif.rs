//! SARIF 2.1.0: what code scanning services read.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::findings::{Finding, Place, Subject, portable};
use crate::diagnose::{Edit, Fix, Severity};

/// Writes the log of one run over all subjects.
///
/// # Errors
/// When it cannot be written.
pub fn write(out: impl Write, subjects: &[Subject], exit_code: u8) -> io::Result<()> {
    let findings = || subjects.iter().flat_map(|subject| &subject.findings);
    let mut rules: BTreeMap<&str, usize> = findings().map(|finding| (finding.rule.as_str(), 0)).collect();
    rules.values_mut().enumerate().for_each(|(index, at)| *at = index);
    let result = |finding| ResultDocument::new(finding, rules.get(rule_of(finding)).copied().unwrap_or(0));
    let log = Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: env!("CARGO_PKG_NAME"),
                    semantic_version: env!("CARGO_PKG_VERSION"),
                    rules: rules.keys().map(|id| Rule { id: (*id).to_owned() }).collect(),
                },
            },
            // Whether the tool itself ran; what it found stands in the results.
            invocations: [Invocation {
                execution_successful: !subjects.iter().any(|subject| subject.outcome == "error"),
                exit_code,
            }],
            column_kind: "unicodeCodePoints",
            results: findings().map(result).collect(),
        }],
    };
    super::json::write(out, &log)
}

fn rule_of(finding: &Finding) -> &str {
    &finding.rule
}

#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    invocations: [Invocation; 1],
    column_kind: &'static str,
    results: Vec<ResultDocument>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    semantic_version: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
struct Rule {
    id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    exit_code: u8,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultDocument {
    rule_id: String,
    rule_index: usize,
    level: &'static str,
    message: Message,
    locations: [Location; 1],
    partial_fingerprints: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fixes: Vec<FixDocument>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressions: Vec<Suppression>,
}

impl ResultDocument {
    fn new(finding: &Finding, rule_index: usize) -> Self {
        let level = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "note",
        };
        let lines = std::iter::once(&finding.message).chain(&finding.details);
        let text = lines.map(String::as_str).collect::<Vec<_>>().join("\n");
        Self {
            rule_id: finding.rule.clone(),
            rule_index,
            level,
            message: Message { text },
            locations: [Location { physical_location: PhysicalLocation::new(&finding.place) }],
            partial_fingerprints: BTreeMap::from([("moeLint/v1", finding.fingerprint())]),
            fixes: finding.fixes.iter().filter(|fix| !fix.edits.is_empty()).map(FixDocument::new).collect(),
            suppressions: finding.accepted.iter().map(|reason| Suppression::new(reason)).collect(),
        }
    }
}

/// A finding that is accepted.
#[derive(Serialize)]
struct Suppression {
    kind: &'static str,
    justification: String,
}

impl Suppression {
    fn new(reason: &str) -> Self {
        Self { kind: "external", justification: reason.to_owned() }
    }
}

#[derive(Serialize)]
struct Message {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: PhysicalLocation,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: Artifact,
    region: Region,
}

impl PhysicalLocation {
    fn new(place: &Place) -> Self {
        Self { artifact_location: Artifact::new(&place.file), region: Region::new(place) }
    }
}

#[derive(Serialize)]
struct Artifact {
    uri: String,
}

impl Artifact {
    fn new(file: &str) -> Self {
        let path = portable(file);
        let mut uri = if path.starts_with('/') { "file://".to_owned() } else { String::new() };
        for byte in path.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                    uri.push(char::from(byte))
                }
                byte => uri.push_str(&format!("%{byte:02X}")),
            }
        }
        Self { uri }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
    start_column: usize,
    end_line: usize,
    end_column: usize,
}

impl Region {
    fn new(place: &Place) -> Self {
        Self {
            start_line: place.line,
            start_column: place.column,
            end_line: place.end_line,
            end_column: place.end_column,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FixDocument {
    description: Message,
    artifact_changes: Vec<Change>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    artifact_location: Artifact,
    replacements: Vec<Replacement>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Replacement {
    deleted_region: Region,
    #[serde(skip_serializing_if = "Option::is_none")]
    inserted_content: Option<Message>,
}

impl FixDocument {
    fn new(fix: &Fix) -> Self {
        let mut changes: BTreeMap<String, Vec<Replacement>> = BTreeMap::new();
        for edit in &fix.edits {
            changes.entry(edit.span.source.name()).or_default().push(Replacement::new(edit));
        }
        let change =
            |(file, replacements): (String, _)| Change { artifact_location: Artifact::new(&file), replacements };
        Self {
            description: Message { text: fix.title.clone() },
            artifact_changes: changes.into_iter().map(change).collect(),
        }
    }
}

impl Replacement {
    fn new(edit: &Edit) -> Self {
        let inserted = (!edit.replacement.is_empty()).then(|| Message { text: edit.replacement.clone() });
        Self { deleted_region: Region::new(&Place::of(&edit.span)), inserted_content: inserted }
    }
}
