//! The result of a check, and its renderings.

mod arguments;
pub mod findings;
pub mod github;
pub mod gitlab;
pub mod human;
mod infer;
pub mod json;
pub mod junit;
pub mod links;
pub mod sarif;
pub mod style;
mod versions;
mod words;

use std::sync::Arc;
use std::time::Duration;

pub use arguments::{ArgumentsReport, Flag};
pub use infer::InferReport;

use crate::checkpoint::Checkpoint;
use crate::diagnose::Diagnosis;
use crate::diff::Diff;
use crate::launch::Launch;
use crate::loader::{Outcome, Stage};
use crate::rules::value::Unknown;
use crate::rules::version::Version;
use crate::schema::Schema;
pub use crate::training::Rejection;

/// The framework that a launch was read for.
#[derive(Debug, Clone)]
pub struct Framework {
    /// `Megatron-LM`.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// How the version is known: `--megatron`, the file of the copy that the launch imports, ...
    pub from: String,
}

/// What else is installed beside the framework, as given or assumed.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Transformer Engine's version; `None`: not importable.
    pub transformer_engine: Option<Version>,
    /// How that is known: `--te`, the installed package, what is assumed beside the framework.
    pub engine_from: String,
    /// Whether apex is importable.
    pub apex: bool,
}

/// What `moe-lint check` found.
#[derive(Debug)]
pub struct Report {
    /// The framework.
    pub framework: Framework,
    /// What is installed beside it.
    pub environment: Environment,
    /// The launch.
    pub launch: Arc<Launch>,
    /// Set when the launch stops before it builds a model.
    pub rejected: Option<Rejection>,
    /// What the launch builds; `None` when it is rejected or cannot be told.
    pub schema: Option<Schema>,
    /// The checkpoint, if one was found and readable.
    pub checkpoint: Option<Arc<Checkpoint>>,
    /// How the load ends.
    pub outcome: Outcome,
    /// The loader's stages in order.
    pub stages: Vec<Stage>,
    /// What differs.
    pub diff: Diff,
    /// Why, the most important first.
    pub diagnoses: Vec<Diagnosis>,
    /// What would have to be known to decide the outcome; empty unless it is undetermined.
    pub undetermined: Vec<Arc<Unknown>>,
    /// The versions that it holds for, oldest first: one where the version is known, several where every version was
    /// checked and they came to the same.
    pub versions: Vec<Version>,
    /// What else comes out in other versions, the worst first; empty where the version is known.
    pub others: Vec<Report>,
    /// How long the check took.
    pub elapsed: Duration,
}

/// What `moe-lint schema` found.
#[derive(Debug)]
pub struct SchemaReport {
    /// The framework.
    pub framework: Framework,
    /// What is installed beside it.
    pub environment: Environment,
    /// The launch.
    pub launch: Arc<Launch>,
    /// Set when the launch stops before it builds a model.
    pub rejected: Option<Rejection>,
    /// What the launch builds; `None` when it is rejected or cannot be told.
    pub schema: Option<Schema>,
    /// What would have to be known to tell it; empty when there is a schema or a rejection.
    pub undetermined: Vec<Arc<Unknown>>,
    /// How long it took.
    pub elapsed: Duration,
}

impl SchemaReport {
    /// 0: the schema is told; 1: the launch is rejected; 2: it cannot be told.
    pub fn exit_code(&self) -> u8 {
        match (&self.rejected, &self.schema) {
            (Some(_), _) => 1,
            (None, Some(_)) => 0,
            (None, None) => 2,
        }
    }
}
