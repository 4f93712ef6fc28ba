//! The formats for services: valid, complete, and with a place for everything.

use std::sync::Arc;

use moe_lint::loader::{Outcome, Stage, Verdict};
use moe_lint::report::findings::Subject;
use moe_lint::report::{Rejection, Report, github, gitlab, junit, links, sarif};
use moe_lint::rules::value::Unknown;
use serde_json::Value;

use crate::founding::{self, span};

fn undetermined() -> Report {
    let source = founding::script();
    let unknown = |name: &str, places| Arc::new(Unknown { name: name.into(), reason: "it is not set".into(), places });
    let unknowns =
        vec![unknown("$CHECKPOINT_PATH", vec![span(&source, "\"$CHECKPOINT_PATH\"")]), unknown("$X", vec![])];
    Report {
        outcome: Outcome::Undetermined,
        checkpoint: None,
        diagnoses: Vec::new(),
        undetermined: unknowns,
        ..founding::fails()
    }
}

fn rejected() -> Report {
    let rejection = Rejection {
        by: "validate_args".into(),
        message: "tensor, pipeline: 100% wrong\nand a second line".into(),
        flags: vec![],
        places: vec![],
    };
    Report { rejected: Some(rejection), diagnoses: Vec::new(), checkpoint: None, ..founding::fails() }
}

fn stopped() -> Report {
    let stage = Stage { name: "locate".into(), verdict: Verdict::Fails, message: "there is nothing".into() };
    Report { stages: vec![stage], diagnoses: Vec::new(), ..founding::fails() }
}

fn subjects() -> Vec<Subject> {
    let reports = [founding::fails(), founding::loads(), undetermined(), rejected(), stopped()];
    let mut subjects: Vec<Subject> = reports.iter().map(Subject::of).collect();
    subjects.push(Subject::failed("jobs/train 2 ü.sh", "no command trains", Some("choose one".into())));
    subjects
}

fn sarif_of(subjects: &[Subject]) -> Value {
    let mut text = Vec::new();
    sarif::write(&mut text, subjects, 1).expect("it is written");
    serde_json::from_slice(&text).expect("JSON")
}

#[test]
fn sarif_keeps_to_its_schema() {
    let schema = include_str!("schemas/sarif-2.1.0.json");
    let schema: Value = serde_json::from_str(schema).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a JSON schema");
    for log in [sarif_of(&subjects()), sarif_of(&[]), sarif_of(&subjects()[1..2])] {
        let errors: Vec<String> = validator.iter_errors(&log).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
    // The validator does find faults.
    let mut wrong = sarif_of(&subjects());
    wrong["runs"][0]["results"][0]["level"] = "fatal".into();
    assert!(!validator.is_valid(&wrong));
}

#[test]
fn every_sarif_result_has_a_place_a_rule_and_a_fingerprint() {
    let log = sarif_of(&subjects());
    let run = &log["runs"][0];
    let results = run["results"].as_array().expect("a list");
    assert_eq!(results.len(), 1 + 2 + 1 + 1 + 1);
    for result in results {
        let place = &result["locations"][0]["physicalLocation"];
        assert!(place["artifactLocation"]["uri"].as_str().is_some_and(|uri| !uri.is_empty() && !uri.contains(' ')));
        assert!(place["region"]["startLine"].as_u64().is_some_and(|line| line >= 1));
        let index = result["ruleIndex"].as_u64().expect("a number") as usize;
        assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
        assert_eq!(result["partialFingerprints"]["moeLint/v1"].as_str().map(str::len), Some(64));
    }
    let first = &results[0];
    assert_eq!(first["ruleId"], "expert-layout");
    assert_eq!(first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "train_mixtral.sh");
    let region = &first["locations"][0]["physicalLocation"]["region"];
    let script = founding::script();
    let line = region["startLine"].as_u64().expect("a line") as usize;
    assert!(script.text.lines().nth(line - 1).is_some_and(|line| line.contains(founding::FLAG)));
    let length = region["endColumn"].as_u64().zip(region["startColumn"].as_u64()).map(|(end, start)| end - start);
    assert_eq!(length, Some(founding::FLAG.len() as u64));
    assert!(first["fixes"].as_array().is_some_and(|fixes| !fixes.is_empty()), "{first:#}");
}

#[test]
fn a_fingerprint_does_not_move_with_the_line() {
    let moved = |text: &str| {
        let source = moe_lint::text::Source::file("train_mixtral.sh", text);
        let mut report = founding::fails();
        report.diagnoses[0].labels[0].span = span(&source, founding::FLAG);
        Subject::of(&report).findings[0].fingerprint()
    };
    let here = moved("a\n    --moe-grouped-gemm \\\n");
    assert_eq!(here, moved("a\nb\nc\n  --moe-grouped-gemm   \\\n"));
    assert_ne!(here, moved("a\n    --other --moe-grouped-gemm \\\n"));
}

#[test]
fn annotations_for_github() {
    insta::assert_snapshot!("github", github::annotations(&subjects()));
}

#[test]
fn a_summary_for_github() {
    insta::assert_snapshot!("github_summary", github::summary(&subjects()));
}

#[test]
fn issues_for_gitlab() {
    let mut text = Vec::new();
    let twice: Vec<Subject> = subjects().into_iter().chain(subjects()).collect();
    gitlab::write(&mut text, &twice).expect("it is written");
    let issues: Value = serde_json::from_slice(&text).expect("JSON");
    let issues = issues.as_array().expect("a list");
    assert_eq!(issues.len(), 12);
    let mut fingerprints: Vec<&str> = issues.iter().filter_map(|issue| issue["fingerprint"].as_str()).collect();
    fingerprints.sort_unstable();
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), 12, "each once");
    for issue in issues {
        assert!(issue["description"].is_string() && issue["check_name"].is_string());
        assert!(["info", "minor", "major", "critical", "blocker"].contains(&issue["severity"].as_str().unwrap_or("")));
        assert!(issue["location"]["lines"]["begin"].as_u64().is_some_and(|line| line >= 1));
        assert!(issue["location"]["path"].as_str().is_some_and(|path| !path.starts_with("./")));
    }
}

#[test]
fn junit_can_be_read_back() {
    let mut text = Vec::new();
    junit::write(&mut text, &subjects()).expect("it is written");
    let report = quick_junit::Report::deserialize(&text[..]).expect("JUnit XML");
    assert_eq!((report.tests, report.failures, report.errors), (6, 3, 2));
    insta::assert_snapshot!("junit", String::from_utf8(text).expect("UTF-8"));
}

#[test]
fn links_are_behind_places_and_change_nothing_to_see() {
    let report = founding::fails();
    let style = moe_lint::report::style::Style { width: 80, unicode: true, color: false };
    let text = moe_lint::report::human::check(&report, style);
    let linked = links::add(&text, &report.launch, std::path::Path::new("/home/me/my runs"));
    let open = "\u{1b}]8;;file:///home/me/my%20runs/train_mixtral.sh\u{1b}\\train_mixtral.sh:42:5\u{1b}]8;;\u{1b}\\]";
    assert!(linked.contains(open), "{linked:?}");
    let mut seen = String::new();
    let mut rest = linked.as_str();
    while let Some(at) = rest.find("\u{1b}]8;;") {
        seen.push_str(&rest[..at]);
        rest = rest[at..].split_once("\u{1b}\\").expect("it ends").1;
    }
    seen.push_str(rest);
    assert_eq!(seen, text);
}
