//! The laws of diagnoses, for any report.

use std::collections::BTreeSet;

use moe_lint::diagnose::{Explained, Severity};
use moe_lint::diff::PartDiff;
use moe_lint::loader::Outcome;
use moe_lint::report::Report;

/// Rules that speak of a checkpoint that loads, and why.
const SPEAK_OF_LOADS: &[(&str, &str)] = &[
    ("extra-state", "the loader lets other extra states pass; they are told apart from parameters, as a warning"),
    (
        "glu-interleaving",
        "keys and shapes are the same: the saved arguments alone tell that the rows are in another order",
    ),
    ("rotary-embedding", "nothing of it is saved: the saved arguments alone tell that positions are rotated otherwise"),
    ("pickled-classes", "whether torch refuses them depends on its release, which is not known"),
    ("schedule-restarts", "the model loads; that the schedule starts over is a warning of its own"),
    ("learning-rate-kept", "all is restored; that a flag has no effect is a warning of its own"),
    ("optimizer-settings-kept", "all is restored; that flags have no effect is a warning of its own"),
    ("rng-absent", "the loader leaves random-number state out without an error: a warning, since it was asked for"),
];

/// Rules for what no cause explains.
const GENERAL: &[&str] = &[
    "shape-mismatch",
    "missing-keys",
    "unexpected-keys",
    "other-keys",
    "extra-state",
    "launch-rejected",
    "nothing-loaded",
];

/// Whether a diagnosis names a cause.
pub fn is_cause(rule: &str) -> bool {
    !GENERAL.contains(&rule) && !rule.ends_with("-fails")
}

/// A list of a part: its name, what a diagnosis explains of it, how long it is.
type Listed = (&'static str, fn(&Explained) -> &Vec<(usize, usize)>, fn(&PartDiff) -> usize);

/// What is wrong with a report's diagnoses: entries that are explained twice or not at all, and alarms where all is well.
pub fn broken_laws(report: &Report) -> Vec<String> {
    let mut broken = Vec::new();
    let lists: [Listed; 3] = [
        ("missing", |e| &e.missing, |p| p.missing.len()),
        ("unexpected", |e| &e.unexpected, |p| p.unexpected.len()),
        ("mismatched", |e| &e.mismatched, |p| p.mismatched.len()),
    ];
    for (name, list, length) in lists {
        let explained: Vec<_> = report.diagnoses.iter().flat_map(|d| list(&d.explains)).copied().collect();
        let parts = report.diff.parts.iter().enumerate();
        let all: BTreeSet<_> = parts.flat_map(|(at, part)| (0..length(part)).map(move |i| (at, i))).collect();
        if explained.len() != all.len() || explained.iter().copied().collect::<BTreeSet<_>>() != all {
            broken.push(format!("{name}: {} entries are explained, {} differ", explained.len(), all.len()));
        }
    }
    if report.outcome == Outcome::Loads {
        for one in &report.diagnoses {
            let speaks = SPEAK_OF_LOADS.iter().any(|(rule, _)| *rule == one.rule);
            if one.severity > Severity::Info && !speaks {
                broken.push(format!("it loads, and {} says: {}", one.rule, one.message));
            }
        }
    }
    for one in &report.diagnoses {
        if one.message.contains('?') || one.notes.iter().any(|note| note.text.contains('?')) {
            broken.push(format!("{} does not know what it says: {} {:?}", one.rule, one.message, one.notes));
        }
    }
    broken
}
