//! Ways out that are proven: everything is gone through again with the change made.

use super::pass::pass;
use super::reading::Reading;
use super::request;
use super::understand::Understood;
use crate::diagnose::{Candidate, Fix};
use crate::fix;
use crate::loader::Outcome;

/// A way out, if going through everything again with it ends in `loads`. A command is passed on as it is.
pub(super) fn prove(reading: &Reading<'_>, understood: &Understood, candidate: &Candidate) -> Option<Fix> {
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
