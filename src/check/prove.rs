//! Ways out that are proven: everything is gone through again with the change made.

use super::pass::pass;
use super::reading::Reading;
use super::request;
use super::understand::Understood;
use crate::diagnose::{Candidate, Fix};
use crate::fix::{self, Change};
use crate::loader::Outcome;
use crate::report::Report;

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
    let change = fix::change(candidate, understood.arguments(), &understood.parser)?;
    (judge(reading, understood, &change)?.outcome == Outcome::Loads).then(|| Fix {
        title: candidate.title.clone(),
        applicability: candidate.applicability,
        // Their words were read again: they are those that were judged.
        edits: request::edits(&reading.request.input, &understood.launch, &change),
        command: None,
        proven: true,
    })
}

/// Goes through everything again with a launch's words changed.
pub(super) fn judge(reading: &Reading<'_>, understood: &Understood, change: &Change) -> Option<Report> {
    let changed = reading.changed(change.applied(&understood.launch)?);
    Some(pass(&changed, &understood.target).ok()?.report)
}
