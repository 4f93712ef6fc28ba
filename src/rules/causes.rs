//! Causes: when two sides differ like this and the launch says that, this is why, and this is what to do.

mod keys;
mod read;

pub use keys::{KeyPattern, as_path, globs};
pub use read::all;

use serde::Deserialize;

use super::expr::Expr;
use super::ranged::Ranged;
use super::template::Template;

/// One cause, from one file.
#[derive(Debug, Clone)]
pub struct Cause {
    /// Its name: the file's stem.
    pub name: String,
    /// `error`, `warning` or `info`.
    pub severity: Severity,
    /// Causes are tried in this order: a specific one takes its keys before a general one. 50 where nothing is said.
    pub order: i64,
    /// Whether each case that holds is told, and not the first alone.
    pub every: bool,
    /// In a line: what it is.
    pub summary: String,
    /// In sentences: why it happens and what it does.
    pub why: String,
    /// What it looks like, in the order to try.
    pub(crate) cases: Vec<Ranged<Case>>,
}

impl Cause {
    /// Whether it is told of its own accord; the others are pages of what the checker itself finds.
    pub fn has_cases(&self) -> bool {
        !self.cases.is_empty()
    }
}

/// How much a diagnosis matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Loads, but not as one would think.
    Warning,
    /// Does not load, or loads wrongly.
    Error,
}

impl Severity {
    /// The word for it, in reports and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One look of a cause.
#[derive(Debug, Clone)]
pub struct Case {
    /// In place of the cause's.
    pub severity: Option<Severity>,
    /// The stages of the loader that this case speaks for, each of them: a verdict that needs no other diagnosis.
    pub stages: Vec<String>,
    /// Only where no cause before it is an error.
    pub alone: bool,
    /// Only when this is true of the launch, the checkpoint and the stages. Asked before any key is looked at.
    pub when: Option<Expr>,
    /// Keys, by the list of the difference that they stand in.
    pub keys: [KeyLists; LISTS.len()],
    /// Only where no entry has one of these keys, by list.
    pub without: [Vec<KeyPattern>; LISTS.len()],
    /// Only entries for which this is true. It sees the entry: `key`, the numbers that its pattern catches, `wants`,
    /// `has`, `wants_dtype`, `has_dtype`.
    pub each: Option<Expr>,
    /// Only with a prefix that makes keys of one side those of the other.
    pub prefix: Option<Prefix>,
    /// Only when this is true of what was matched; it sees the names listed in `docs/writing-rules.md`.
    pub only_if: Option<Expr>,
    /// One sentence: the cause.
    pub message: Template,
    /// The flags to point at, the most telling first, with a few words each.
    pub labels: Vec<(String, Template)>,
    /// More lines.
    pub(crate) notes: Vec<Ranged<CaseNote>>,
    /// Changes of the launch, the smallest first.
    pub(crate) fixes: Vec<Ranged<Remedy>>,
}

/// The lists of a difference.
pub const LISTS: [List; 4] = [List::Missing, List::Unexpected, List::Mismatched, List::Retyped];

/// A list of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// The model wants it, the checkpoint lacks it.
    Missing,
    /// The checkpoint has it, the model does not want it.
    Unexpected,
    /// Both have it, with other shapes.
    Mismatched,
    /// Both have it, with one shape and other dtypes.
    Retyped,
}

impl List {
    /// Its name in rules.
    pub fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unexpected => "unexpected",
            Self::Mismatched => "mismatched",
            Self::Retyped => "retyped",
        }
    }
}

/// The keys of one list that a case takes.
#[derive(Debug, Clone, Default)]
pub struct KeyLists {
    /// At least one entry must match one of these.
    pub needed: Vec<KeyPattern>,
    /// Taken as well where they are there.
    pub along: Vec<KeyPattern>,
}

impl KeyLists {
    /// All patterns, the needed ones first.
    pub fn all(&self) -> impl Iterator<Item = &KeyPattern> {
        self.needed.iter().chain(&self.along)
    }
}

/// Whose keys carry a prefix that the other side's lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Prefix {
    /// The checkpoint's.
    Checkpoint,
    /// The model's.
    Model,
}

/// A line under a heading.
#[derive(Debug, Clone)]
pub struct CaseNote {
    /// Only when this is true.
    pub when: Option<Expr>,
    /// Its heading.
    pub heading: String,
    /// Its text.
    pub text: Template,
}

/// A way out: a change of the launch, or a command.
#[derive(Debug, Clone)]
pub struct Remedy {
    /// Only when this is true of the launch.
    pub when: Option<Expr>,
    /// What to do, in a few words.
    pub title: Template,
    /// Whether the run then means the same.
    pub safe: bool,
    /// Options to take out, with their values.
    pub remove: Vec<String>,
    /// Words to put in.
    pub add: Vec<Template>,
    /// A command to run: printed, never run.
    pub command: Option<Template>,
    /// The layout that the command converts the experts to: offered only if that, with what is put in and taken out,
    /// ends in `loads`.
    pub convert: Option<String>,
}
