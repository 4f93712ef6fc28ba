//! Values that rules compute with. A value that nobody can know is a value too: it says why.

use std::fmt;
use std::sync::Arc;

use super::version::Version;
use crate::text::Span;

/// A value of a flag, a fact or an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Python's `None`: not given and without a default.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// Text; also dtypes (`bfloat16`) and enum members by their name.
    Str(Arc<str>),
    /// A list.
    List(Arc<[Value]>),
    /// A framework version.
    Version(Version),
    /// Something that decides the value is not known.
    Unknown(Arc<Unknown>),
}

/// Why a value is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// What is unknown, in the user's words: `$MODEL_PATH`, `--load`.
    pub name: String,
    /// Why, as a sentence: "`$MODEL_PATH` is not set in this script", "it comes from the tokenizer".
    pub reason: String,
    /// Where it was used.
    pub places: Vec<Span>,
}

impl Unknown {
    /// What is unknown and why, in a line: the reason alone where it names it.
    pub fn told(&self) -> String {
        if self.reason.contains(&self.name) { self.reason.clone() } else { format!("{}: {}", self.name, self.reason) }
    }
}

impl Value {
    /// A text value.
    pub fn str(text: &str) -> Self {
        Self::Str(Arc::from(text))
    }

    /// An unknown value with its reason.
    pub fn unknown(name: impl Into<String>, reason: impl Into<String>, places: Vec<Span>) -> Self {
        Self::Unknown(Arc::new(Unknown { name: name.into(), reason: reason.into(), places }))
    }

    /// Whether Python would take it for true; `None` when it is unknown.
    pub fn truth(&self) -> Option<bool> {
        Some(match self {
            Self::None => false,
            Self::Bool(b) => *b,
            Self::Int(i) => *i != 0,
            Self::Float(x) => *x != 0.0,
            Self::Str(s) => !s.is_empty(),
            Self::List(l) => !l.is_empty(),
            Self::Version(_) => true,
            Self::Unknown(_) => return None,
        })
    }

    /// The whole number, if it is one (`True` counts as 1, as in Python).
    pub fn int(&self) -> Option<i64> {
        match self {
            Self::Int(i) => Some(*i),
            Self::Bool(b) => Some(i64::from(*b)),
            _ => None,
        }
    }

    /// The text, if it is text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Str(s) => Some(s),
            _ => None,
        }
    }
}

impl fmt::Display for Value {
    /// As Python's `str()` would print it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Bool(true) => f.write_str("True"),
            Self::Bool(false) => f.write_str("False"),
            Self::Int(i) => write!(f, "{i}"),
            Self::Float(x) => write!(f, "{x:?}"),
            Self::Str(s) => f.write_str(s),
            Self::List(items) => {
                f.write_str("[")?;
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        f.write_str(", ")?;
                    }
                    match item {
                        Self::Str(s) => write!(f, "'{s}'")?,
                        other => write!(f, "{other}")?,
                    }
                }
                f.write_str("]")
            }
            Self::Version(v) => write!(f, "{v}"),
            Self::Unknown(u) => write!(f, "<unknown: {}>", u.name),
        }
    }
}
