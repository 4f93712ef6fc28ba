//! YAML as PyYAML's `safe_load` reads it: YAML 1.1 scalars, merge keys, the last of equal keys, and a span for every node.
//!
//! The syntax is a library's; which value a plain scalar has is decided here ([`scalar`]), because the frameworks read
//! their files with PyYAML, for which `1e-5` is a text, `on` is true and `010` is 8.

mod load;
pub mod scalar;

use std::fmt;
use std::sync::Arc;

use crate::text::Span;

pub use load::load;

/// A node and where it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its value.
    pub value: Value,
    /// The text of a scalar as it is after quotes and folding; empty for collections.
    pub text: String,
    /// Where it is written; a scalar without its quotes.
    pub span: Span,
    /// Of a mapping in which a key stands twice: all entries as they are written.
    pub doubled: Option<Arc<[Entry]>>,
}

/// A key and its value.
pub type Entry = (Arc<Node>, Arc<Node>);

/// What Python gets.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `None`
    Null,
    /// `True` and `False`
    Bool(bool),
    /// A whole number; `None` where it does not fit into 64 bits.
    Int(Option<i64>),
    /// A `float`
    Float(f64),
    /// A `str`
    Str,
    /// A `datetime.date` or `datetime.datetime`
    Time,
    /// `bytes`
    Binary,
    /// A `list`
    List(Vec<Arc<Node>>),
    /// A `dict`: its keys and values in its order.
    Map(Vec<Entry>),
}

impl Node {
    /// The value of a key of a mapping.
    pub fn get(&self, key: &str) -> Option<&Arc<Node>> {
        self.entry(key).map(|(_, value)| value)
    }

    /// A key of a mapping with its value.
    pub fn entry(&self, key: &str) -> Option<(&Arc<Node>, &Arc<Node>)> {
        self.entries().iter().find(|(name, _)| name.value == Value::Str && name.text == key).map(|(k, v)| (k, v))
    }

    /// The node at a path of keys.
    pub fn at<'n>(self: &'n Arc<Self>, path: &[&str]) -> Option<&'n Arc<Node>> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// A scalar or collection of that value.
    pub fn new(value: Value, text: String, span: Span) -> Self {
        Self { value, text, span, doubled: None }
    }

    /// The entries of a mapping as they are written, also those that a later one of the same key replaces.
    pub fn written(&self) -> &[Entry] {
        self.doubled.as_deref().unwrap_or_else(|| self.entries())
    }

    /// The keys and values of a mapping; none of anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The nodes of a list; none of anything else.
    pub fn items(&self) -> &[Arc<Node>] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The text of a `str`.
    pub fn str(&self) -> Option<&str> {
        (self.value == Value::Str).then_some(self.text.as_str())
    }

    /// Whether it is one value, no collection.
    pub fn is_scalar(&self) -> bool {
        !matches!(self.value, Value::List(_) | Value::Map(_))
    }
}

/// Why a text is no YAML that PyYAML loads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct YamlError {
    /// Why.
    pub reason: String,
    /// Where.
    pub span: Span,
}

impl fmt::Display for YamlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.span.line_column();
        write!(f, "{}:{line}:{column}: {}", self.span.source.name(), self.reason)
    }
}
