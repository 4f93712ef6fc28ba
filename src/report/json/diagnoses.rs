//! Diagnoses in JSON.

use serde::Serialize;

use super::places::Place;
use crate::diagnose::{Diagnosis, Edit, Explained, Fix, Label, Note};
use crate::diff::{Diff, PartDiff};

/// One cause.
#[derive(Serialize)]
pub(super) struct DiagnosisDocument<'r> {
    rule: &'r str,
    severity: &'static str,
    message: &'r str,
    labels: Vec<LabelDocument<'r>>,
    explains: Explains<'r>,
    notes: Vec<NoteDocument<'r>>,
    fixes: Vec<FixDocument<'r>>,
}

impl<'r> DiagnosisDocument<'r> {
    pub(super) fn new(diagnosis: &'r Diagnosis, diff: &'r Diff) -> Self {
        Self {
            rule: &diagnosis.rule,
            severity: diagnosis.severity.name(),
            message: &diagnosis.message,
            labels: diagnosis.labels.iter().map(LabelDocument::new).collect(),
            explains: Explains::new(&diagnosis.explains, diff),
            notes: diagnosis.notes.iter().map(NoteDocument::new).collect(),
            fixes: diagnosis.fixes.iter().map(FixDocument::new).collect(),
        }
    }
}

#[derive(Serialize)]
struct LabelDocument<'r> {
    #[serde(flatten)]
    place: Place,
    text: &'r str,
}

impl<'r> LabelDocument<'r> {
    fn new(label: &'r Label) -> Self {
        Self { place: Place::new(&label.span), text: &label.text }
    }
}

#[derive(Serialize)]
struct Explains<'r> {
    missing: Vec<Reference<'r>>,
    unexpected: Vec<Reference<'r>>,
    mismatched: Vec<Reference<'r>>,
}

/// An entry of the document's `diff`: the index of its part, and its key.
#[derive(Serialize)]
struct Reference<'r> {
    part: usize,
    key: &'r str,
}

impl<'r> Explains<'r> {
    fn new(explained: &Explained, diff: &'r Diff) -> Self {
        let of = |pairs: &[(usize, usize)], key: fn(&PartDiff, usize) -> Option<&str>| {
            let reference =
                |&(part, entry): &(usize, usize)| Some(Reference { part, key: key(diff.parts.get(part)?, entry)? });
            pairs.iter().filter_map(reference).collect()
        };
        Self {
            missing: of(&explained.missing, |part, i| part.missing.get(i).map(|entry| &*entry.0)),
            unexpected: of(&explained.unexpected, |part, i| part.unexpected.get(i).map(|entry| &*entry.0)),
            mismatched: of(&explained.mismatched, |part, i| part.mismatched.get(i).map(|entry| &*entry.key)),
        }
    }
}

#[derive(Serialize)]
struct NoteDocument<'r> {
    heading: &'r str,
    text: &'r str,
}

impl<'r> NoteDocument<'r> {
    fn new(note: &'r Note) -> Self {
        Self { heading: &note.heading, text: &note.text }
    }
}

#[derive(Serialize)]
struct FixDocument<'r> {
    title: &'r str,
    applicability: &'static str,
    edits: Vec<EditDocument<'r>>,
    command: Option<&'r str>,
    proven: bool,
}

impl<'r> FixDocument<'r> {
    fn new(fix: &'r Fix) -> Self {
        Self {
            title: &fix.title,
            applicability: fix.applicability.name(),
            edits: fix.edits.iter().map(EditDocument::new).collect(),
            command: fix.command.as_deref(),
            proven: fix.proven(),
        }
    }
}

#[derive(Serialize)]
struct EditDocument<'r> {
    file: String,
    byte_start: usize,
    byte_end: usize,
    replacement: &'r str,
}

impl<'r> EditDocument<'r> {
    fn new(edit: &'r Edit) -> Self {
        Self {
            file: edit.span.source.name(),
            byte_start: edit.span.start,
            byte_end: edit.span.end,
            replacement: &edit.replacement,
        }
    }
}
