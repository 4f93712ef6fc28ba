//! Diagnoses that no cause rule gives: a launch that is refused, a stage that ends a load, what the loader then does.

use super::target::FRAMEWORK;
use super::understand::Understood;
use crate::diagnose::{Diagnosis, Explained, Found, Label, Note, Severity};
use crate::loader::{Stage, Verdict};
use crate::report::Framework;
use crate::training::{Rejection, place};

/// The launch stops before it builds a model.
pub(super) fn rejection(understood: &Understood, rejected: &Rejection) -> Found {
    let mut spans = rejected.places.clone();
    spans.extend(rejected.flags.iter().filter_map(|flag| place(&understood.config.given, flag)));
    let labels = spans.into_iter().take(1).map(|span| Label { span, text: "given here".to_owned() }).collect();
    plain("launch-rejected", format!("{FRAMEWORK} stops this launch: {}", rejected.message), labels)
}

/// Puts what the loader will do into the first error, unless that is what the error says.
pub(super) fn tell_what_happens(found: &mut [Found], framework: &Framework, stages: &[Stage]) {
    let decides = |stage: &&Stage| matches!(stage.verdict, Verdict::Fails | Verdict::Partial);
    let Some(stage) = stages.iter().find(decides) else { return };
    let how = if stage.verdict == Verdict::Fails { "stops" } else { "goes on" };
    let text = format!("{} {} {how}: {}", framework.name, framework.version, stage.message);
    let tells = |one: &&mut Found| match &one.stage {
        Some(name) => *name == stage.name,
        None => one.diagnosis.severity == Severity::Error && one.diagnosis.explains != Explained::default(),
    };
    if let Some(first) = found.iter_mut().find(tells) {
        first.diagnosis.notes.insert(0, Note { heading: "what happens".to_owned(), text });
    }
}

/// A diagnosis for the stage that ended a load, where no cause explains it.
pub(super) fn stage(understood: &Understood, stages: &[Stage], found: &[Found]) -> Option<Found> {
    let stage = stages.iter().find(|stage| matches!(stage.verdict, Verdict::Fails | Verdict::Fresh))?;
    let is_told = found.iter().any(|one| one.stage.as_ref() == Some(&stage.name));
    // Keys that differ say why the model does not load; what comes after it has reasons of its own.
    let passed = stages.iter().any(|one| one.name == "model" && one.verdict != Verdict::Skipped);
    let of_the_model = !passed || !matches!(stage.name.as_str(), "optimizer" | "scheduler" | "rng");
    let has_keys = of_the_model && found.iter().any(|one| one.diagnosis.explains != Explained::default());
    if is_told || has_keys && stage.verdict == Verdict::Fails {
        return None;
    }
    let labels = place(&understood.config.given, "--load");
    let labels = labels.map(|span| Label { span, text: "loaded from here".to_owned() }).into_iter().collect();
    let rule = match stage.verdict {
        Verdict::Fresh => "nothing-loaded".to_owned(),
        _ => format!("{}-fails", stage.name),
    };
    Some(plain(&rule, stage.message.clone(), if stage.name == "locate" { labels } else { Vec::new() }))
}

fn plain(rule: &str, message: String, labels: Vec<Label>) -> Found {
    let diagnosis = Diagnosis {
        rule: rule.to_owned(),
        severity: Severity::Error,
        message,
        labels,
        explains: Explained::default(),
        notes: Vec::new(),
        fixes: Vec::new(),
    };
    Found { diagnosis, stage: None, remedies: Vec::new() }
}
