//! Why two sides differ: each diagnosis explains a part of the difference.

pub mod comments;
mod explain;
mod open;
mod prefix;
mod rest;
pub mod selection;

pub use explain::{Evidence, diagnose};
pub use selection::{Ignored, Selection};

pub use crate::rules::causes::Severity;
use crate::text::Span;

/// One cause, with everything it explains.
#[derive(Debug, Clone)]
pub struct Diagnosis {
    /// The rule's name, such as `expert-layout`.
    pub rule: String,
    /// How much it matters.
    pub severity: Severity,
    /// One sentence: the cause.
    pub message: String,
    /// Places in the user's texts, the most telling first.
    pub labels: Vec<Label>,
    /// The entries it explains.
    pub explains: Explained,
    /// More lines under short headings ("what happens", "arithmetic"), in print order.
    pub notes: Vec<Note>,
    /// Ways out, the smallest first.
    pub fixes: Vec<Fix>,
}

/// A place and what it does.
#[derive(Debug, Clone)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// A few words under it.
    pub text: String,
}

/// A heading and a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Such as `what happens`.
    pub heading: String,
    /// One or more sentences.
    pub text: String,
}

/// Entries of a diff: index of the part in [`crate::diff::Diff::parts`] and of the entry in its list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Explained {
    /// Into `missing`.
    pub missing: Vec<(usize, usize)>,
    /// Into `unexpected`.
    pub unexpected: Vec<(usize, usize)>,
    /// Into `mismatched`.
    pub mismatched: Vec<(usize, usize)>,
    /// Into `retyped`: what is told of them is no part of the difference.
    pub retyped: Vec<(usize, usize)>,
}

/// A way out.
#[derive(Debug, Clone)]
pub struct Fix {
    /// What to do, in a few words.
    pub title: String,
    /// Whether it changes what the run means.
    pub applicability: Applicability,
    /// Edits of the user's texts; empty where the fix is a command.
    pub edits: Vec<Edit>,
    /// A command to run, printed and never run by us.
    pub command: Option<String>,
    /// What checking again with it applied has shown.
    pub proof: Proof,
}

impl Fix {
    /// Whether checking again with it applied ended in `loads`.
    pub fn proven(&self) -> bool {
        self.proof == Proof::Loads
    }

    /// Whether nothing that can be told differs with it applied.
    pub fn cures(&self) -> bool {
        self.proof >= Proof::OnlyUnknown
    }
}

/// What checking again with a fix applied has shown, from the least on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    /// Nothing: it cannot be checked from here.
    None,
    /// Fewer keys differ, and no others.
    Fewer,
    /// Nothing differs any more; what was unknown before still is.
    OnlyUnknown,
    /// It loads.
    Loads,
}

/// Whether a fix may be applied without looking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applicability {
    /// The run means the same, and loads.
    Safe,
    /// It changes what is trained or how.
    Unsafe,
}

impl Applicability {
    /// The word for it, in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Unsafe => "unsafe",
        }
    }
}

/// One replacement in a user's text.
#[derive(Debug, Clone)]
pub struct Edit {
    /// What is replaced.
    pub span: Span,
    /// The new text.
    pub replacement: String,
}

/// A diagnosis with the changes of the launch that may cure it.
#[derive(Debug)]
pub struct Found {
    /// The diagnosis, without fixes.
    pub diagnosis: Diagnosis,
    /// The stage of the loader that it speaks for.
    pub stage: Option<String>,
    /// What may cure it, the smallest first.
    pub remedies: Vec<Candidate>,
}

/// A change of the launch that may cure a cause.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// What to do.
    pub title: String,
    /// Whether the run then means the same.
    pub applicability: Applicability,
    /// Options to take out, with their values.
    pub remove: Vec<String>,
    /// Words to put in.
    pub add: Vec<String>,
    /// An option of the launch to put them behind.
    pub behind: Option<String>,
    /// A command in place of a change: shown, never run.
    pub command: Option<String>,
    /// The layout of experts that the command converts the checkpoint to.
    pub convert: Option<String>,
}
