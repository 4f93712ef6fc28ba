//! Snapshots of the renderings for people.

use std::sync::Arc;

use moe_lint::diagnose::{Diagnosis, Explained, Severity};
use moe_lint::diff::{Diff, Mismatch, PartDiff};
use moe_lint::loader::{Outcome, Stage, Verdict};
use moe_lint::report::style::Style;
use moe_lint::report::{Rejection, Report, SchemaReport, human};
use moe_lint::rules::value::Unknown;
use moe_lint::schema::Coordinates;

use crate::founding::{self, bf16, span};

fn plain(width: usize) -> Style {
    Style { width, unicode: true, color: false }
}

fn lines_fit(text: &str, width: usize) {
    for line in text.lines() {
        assert!(line.chars().count() <= width, "wider than {width}: {line}");
        assert_eq!(line.trim_end(), line, "blanks at the end");
    }
}

#[test]
fn the_founding_case_fits_a_screen() {
    let text = human::check(&founding::fails(), plain(80));
    lines_fit(&text, 80);
    assert!(text.lines().count() <= 24, "{text}");
    insta::assert_snapshot!("fails_80", text);
}

#[test]
fn the_founding_case_on_a_wide_terminal() {
    let text = human::check(&founding::fails(), plain(120));
    lines_fit(&text, 120);
    insta::assert_snapshot!("fails_120", text);
}

#[test]
fn without_line_drawing_it_is_ascii() {
    let text = human::check(&founding::fails(), Style { unicode: false, ..plain(80) });
    assert!(text.is_ascii(), "{text}");
    insta::assert_snapshot!("fails_ascii", text);
}

#[test]
fn colour_adds_nothing_but_colour() {
    let coloured = human::check(&founding::fails(), Style { color: true, ..plain(80) });
    assert!(coloured.contains("\u{1b}["));
    assert_eq!(without_colour(&coloured), human::check(&founding::fails(), plain(80)));
}

#[test]
fn a_load_is_one_line() {
    let text = human::check(&founding::loads(), plain(80));
    assert_eq!(text.lines().count(), 1);
    insta::assert_snapshot!("loads", text);
}

#[test]
fn an_assumed_version_is_said() {
    let mut report = founding::loads();
    report.framework.from = "the newest known".into();
    insta::assert_snapshot!("loads_assumed", human::check(&report, plain(80)));
}

#[test]
fn an_unknown_value_is_named_where_it_is_used() {
    let source = founding::script();
    let unknown = Unknown {
        name: "$CHECKPOINT_PATH".into(),
        reason: "it is not set in this script and not in the environment given".into(),
        places: vec![span(&source, "\"$CHECKPOINT_PATH\"")],
    };
    let report = Report {
        outcome: Outcome::Undetermined,
        schema: None,
        checkpoint: None,
        stages: vec![stage("locate", Verdict::Undetermined, "the checkpoint's path depends on $CHECKPOINT_PATH")],
        diff: Diff::default(),
        diagnoses: Vec::new(),
        undetermined: vec![Arc::new(unknown)],
        ..founding::fails()
    };
    insta::assert_snapshot!("undetermined", human::check(&report, plain(80)));
}

#[test]
fn a_rejected_launch_says_who_and_why() {
    let rejected = Rejection {
        by: "validate_args".into(),
        message: "AssertionError: number of experts should be divisible by expert parallel size".into(),
        flags: vec!["--num-experts".into()],
        places: Vec::new(),
    };
    let report = Report {
        rejected: Some(rejected),
        schema: None,
        diff: Diff::default(),
        diagnoses: Vec::new(),
        stages: Vec::new(),
        ..founding::fails()
    };
    insta::assert_snapshot!("rejected", human::check(&report, plain(80)));
}

#[test]
fn a_fresh_start_is_loud() {
    let message = "there is no latest_checkpointed_iteration.txt in checkpoints/mixtral, so nothing is loaded";
    let report = Report {
        outcome: Outcome::Fresh,
        checkpoint: None,
        diff: Diff::default(),
        diagnoses: Vec::new(),
        stages: vec![stage("locate", Verdict::Fresh, message)],
        ..founding::fails()
    };
    insta::assert_snapshot!("fresh", human::check(&report, plain(80)));
}

#[test]
fn shapes_are_compared_and_long_lists_are_cut() {
    let mut parts = Vec::new();
    for pp in 0..2 {
        let mut part =
            PartDiff { coordinates: Some(Coordinates { tp: 0, pp, ep: 0, etp: None }), ..PartDiff::default() };
        if pp == 0 {
            part.mismatched.push(Mismatch {
                key: "embedding.word_embeddings.weight".into(),
                expected: bf16(&[50432, 4096]),
                found: bf16(&[50304, 4096]),
            });
        }
        for layer in 0..4 {
            for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
                part.unexpected.push((format!("decoder.layers.{layer}.{name}_layernorm.weight").into(), bf16(&[16])));
            }
        }
        parts.push(part);
    }
    let all = |part: usize, n: usize| (0..n).map(move |entry| (part, entry));
    let diagnosis = |rule: &str, message: &str, explains| Diagnosis {
        rule: rule.into(),
        severity: Severity::Warning,
        message: message.into(),
        labels: Vec::new(),
        explains,
        notes: Vec::new(),
        fixes: Vec::new(),
    };
    let diagnoses = vec![
        diagnosis(
            "vocab-padding",
            "the vocabulary is padded to another size",
            Explained { mismatched: vec![(0, 0)], ..Explained::default() },
        ),
        diagnosis(
            "unexplained",
            "no rule knows why these keys differ",
            Explained { unexpected: all(0, 32).chain(all(1, 32)).collect(), ..Explained::default() },
        ),
    ];
    let report = Report { diff: Diff { parts }, diagnoses, schema: None, ..founding::fails() };
    let text = human::check(&report, plain(80));
    lines_fit(&text, 80);
    insta::assert_snapshot!("mismatched_and_cut", text);
}

#[test]
fn a_schema_is_folded() {
    insta::assert_snapshot!("schema", human::schema(&founding::schema_report(), plain(80)));
}

#[test]
fn a_schema_that_cannot_be_told_says_what_to_give() {
    let source = founding::script();
    let unknown = Unknown {
        name: "--num-layers".into(),
        reason: "it comes from a command that only running the script can answer".into(),
        places: vec![span(&source, "--num-layers 4")],
    };
    let report = SchemaReport { schema: None, undetermined: vec![Arc::new(unknown)], ..founding::schema_report() };
    insta::assert_snapshot!("schema_undetermined", human::schema(&report, plain(80)));
}

#[test]
fn a_checkpoint_is_folded() {
    insta::assert_snapshot!("inspect", human::inspect(&founding::checkpoint(), plain(80)));
}

fn stage(name: &str, verdict: Verdict, message: &str) -> Stage {
    Stage { name: name.into(), verdict, message: message.into() }
}

fn without_colour(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("\u{1b}[") {
        plain.push_str(&rest[..start]);
        let end = rest[start..].find('m').expect("the end of an escape");
        rest = &rest[start + end + 1..];
    }
    plain + rest
}
