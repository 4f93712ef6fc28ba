//! Where something was written: source texts, byte spans, and values that remember their places.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One text that a person wrote: a launch script, a YAML file, or the argv after `--`.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// The path as the user gave it; `None` for text that is not a file (the command line).
    pub path: Option<PathBuf>,
    /// The whole text. Byte offsets of a [`Span`] point into it.
    pub text: String,
}

impl Source {
    /// A source that is a file on disk.
    pub fn file(path: impl Into<PathBuf>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { path: Some(path.into()), text: text.into() })
    }

    /// A source that is the user's own command line, joined by blanks.
    pub fn command_line(text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { path: None, text: text.into() })
    }

    /// The name to print for this source.
    pub fn name(&self) -> String {
        self.path.as_deref().map_or_else(|| "command line".to_owned(), |p: &Path| p.display().to_string())
    }
}

/// A byte range of a [`Source`].
#[derive(Clone, PartialEq, Eq)]
pub struct Span {
    /// The text it points into.
    pub source: Arc<Source>,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The text under the span; empty where the range does not fit the source.
    pub fn text(&self) -> &str {
        self.source.text.get(self.start..self.end).unwrap_or("")
    }

    /// Line and column of the first byte, both counted from 1; the column counts characters.
    pub fn line_column(&self) -> (usize, usize) {
        let before = self.source.text.get(..self.start).unwrap_or("");
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        (line, column)
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.line_column();
        write!(f, "{}:{line}:{column} {:?}", self.source.name(), self.text())
    }
}

/// A value and every place in the user's texts that it came from, the most direct first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it was written; empty for values that nobody wrote.
    pub places: Vec<Span>,
}

impl<T> Located<T> {
    /// A value with its places.
    pub fn new(value: T, places: Vec<Span>) -> Self {
        Self { value, places }
    }

    /// A value that nobody wrote.
    pub fn nowhere(value: T) -> Self {
        Self { value, places: Vec::new() }
    }
}
