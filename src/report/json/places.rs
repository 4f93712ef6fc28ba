//! Places in the user's texts in JSON.

use serde::Serialize;

use crate::rules::value::Unknown;
use crate::text::Span;

/// Where something is written. Lines and columns count from 1, columns in characters, bytes from 0.
#[derive(Serialize)]
pub(super) struct Place {
    file: String,
    line: usize,
    column: usize,
    byte_start: usize,
    byte_end: usize,
}

impl Place {
    pub(super) fn new(span: &Span) -> Self {
        let (line, column) = span.line_column();
        Self { file: span.source.name(), line, column, byte_start: span.start, byte_end: span.end }
    }
}

/// A place with its last line and column, which is the one behind its last character.
#[derive(Serialize)]
pub(super) struct Range {
    #[serde(flatten)]
    place: Place,
    end_line: usize,
    end_column: usize,
}

impl Range {
    pub(super) fn new(span: &Span) -> Self {
        let (end_line, end_column) = Span { start: span.end, ..span.clone() }.line_column();
        Self { place: Place::new(span), end_line, end_column }
    }
}

/// A value that would have to be known.
#[derive(Serialize)]
pub(super) struct UnknownDocument<'r> {
    name: &'r str,
    reason: &'r str,
    labels: Vec<Place>,
}

impl<'r> UnknownDocument<'r> {
    pub(super) fn new(unknown: &'r Unknown) -> Self {
        Self { name: &unknown.name, reason: &unknown.reason, labels: unknown.places.iter().map(Place::new).collect() }
    }
}
