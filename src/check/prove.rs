//! Ways out that are proven: everything is gone through again with the change made.

use super::pass::pass;
use super::reading::Reading;
use super::request;
use super::understand::Understood;
use crate::convert;
use crate::diagnose::{Candidate, Fix};
use crate::fix;
use crate::loader::Outcome;

/// A way out, if going through everything again with it ends in `loads`. A command is passed on as it is.
pub(super) fn prove(reading: &Reading<'_>, understood: &Understood, candidate: &Candidate) -> Option<Fix> {
    if let Some(experts) = &candidate.convert {
        return converted(reading, understood, candidate, experts);
    }
    if candidate.command.is_some() {
        return Some(Fix {
            title: candidate.title.clone(),
            applicability: candidate.applicability,
            edits: Vec::new(),
            command: candidate.command.clone(),
            proven: false,
        });
    }
    let arguments = understood.arguments();
    let change = fix::change(candidate, arguments, &understood.parser)?;
    let edits = fix::edits(&change, arguments).unwrap_or_default();
    let input = request::changed(&reading.request.input, &understood.launch, &change, &edits)?;
    let changed = reading.changed(&input).ok()?;
    let outcome = pass(&changed, &understood.target).ok()?.report.outcome;
    (outcome == Outcome::Loads).then(|| Fix {
        title: candidate.title.clone(),
        applicability: candidate.applicability,
        edits,
        command: None,
        proven: true,
    })
}

/// A conversion, if the launch loads what it would write. What the launch needs beside it is a part of the proof and not
/// an edit: it must not be applied before the conversion was run.
fn converted(reading: &Reading<'_>, understood: &Understood, candidate: &Candidate, experts: &str) -> Option<Fix> {
    let changed = if candidate.remove.is_empty() && candidate.add.is_empty() {
        None
    } else {
        let arguments = understood.arguments();
        let change = fix::change(candidate, arguments, &understood.parser)?;
        let edits = fix::edits(&change, arguments).unwrap_or_default();
        Some(request::changed(&reading.request.input, &understood.launch, &change, &edits)?)
    };
    let input = changed.as_ref().unwrap_or(&reading.request.input);
    let predicted =
        reading.converted(input, &|read| convert::predict(read, experts, understood.target.version())).ok()?;
    let outcome = pass(&predicted, &understood.target).ok()?.report.outcome;
    (outcome == Outcome::Loads).then(|| Fix {
        title: candidate.title.clone(),
        applicability: candidate.applicability,
        edits: Vec::new(),
        command: candidate.command.clone(),
        proven: true,
    })
}
