//! The JSON documents: the public interface for programs, described in `docs/json.md` and `docs/schema/`.
//!
//! They are written as they are walked: a document of a million entries is never held as a tree.

mod arguments;
mod check;
mod compare;
mod convert;
mod diagnoses;
mod diff;
mod entries;
mod infer;
mod inspect;
mod places;
mod rules;
mod schema;
mod versions;

use std::io::{self, Write};

use serde::Serialize;
use serde::ser::{SerializeSeq, Serializer};

use super::{ArgumentsReport, Environment, Framework, InferReport, Rejection, Report, SchemaReport};
use crate::checkpoint::Checkpoint;
use crate::convert::{Report as Converted, Request as Conversion};
use crate::diff::checkpoints::CheckpointDiff;
use crate::rules::causes::Cause;

/// Raised only when a reader of the documents would have to change.
const FORMAT_VERSION: u32 = 1;

/// Writes the document of `moe-lint check`.
pub fn check(out: impl Write, report: &Report) -> io::Result<()> {
    write(out, &check::Document::new(report))
}

/// Writes the document of `moe-lint schema`.
pub fn schema(out: impl Write, report: &SchemaReport) -> io::Result<()> {
    write(out, &schema::Document::new(report))
}

/// Writes the document of `moe-lint args`.
pub fn arguments(out: impl Write, report: &ArgumentsReport) -> io::Result<()> {
    write(out, &arguments::Document::new(report))
}

/// Writes the document of a launch that could not be checked, where others could.
pub fn failure(out: impl Write, launch: &str, message: &str, help: Option<&str>) -> io::Result<()> {
    let document =
        FailureDocument { head: Head::new(), launch: Launch { source: launch }, error: Failure { message, help } };
    write(out, &document)
}

/// Writes the document of `moe-lint diff`.
pub fn compare(out: impl Write, diff: &CheckpointDiff, sides: [&Checkpoint; 2]) -> io::Result<()> {
    write(out, &compare::Document::new(diff, sides))
}

/// Writes the document of `moe-lint infer`.
pub fn infer(out: impl Write, report: &InferReport) -> io::Result<()> {
    write(out, &infer::Document::new(report))
}

/// Writes the document of `moe-lint rules` and `moe-lint explain`.
pub fn rules(out: impl Write, rules: &[&Cause]) -> io::Result<()> {
    write(out, &rules::Document::new(rules))
}

/// Writes the document of `moe-lint inspect`.
pub fn inspect(out: impl Write, checkpoint: &Checkpoint) -> io::Result<()> {
    write(out, &inspect::Document::new(checkpoint))
}

/// Writes the document of `moe-lint convert`.
pub fn convert(out: impl Write, request: &Conversion, report: &Converted, checked: Option<&Report>) -> io::Result<()> {
    write(out, &convert::Document::new(request, report, checked))
}

pub(super) fn write(out: impl Write, document: &impl Serialize) -> io::Result<()> {
    let mut out = io::BufWriter::new(out);
    serde_json::to_writer(&mut out, document).map_err(io::Error::from)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// A launch that could not be checked.
#[derive(Serialize)]
struct FailureDocument<'r> {
    #[serde(flatten)]
    head: Head,
    launch: Launch<'r>,
    error: Failure<'r>,
}

#[derive(Serialize)]
struct Launch<'r> {
    source: &'r str,
}

#[derive(Serialize)]
struct Failure<'r> {
    message: &'r str,
    help: Option<&'r str>,
}

/// What every document begins with.
#[derive(Serialize)]
struct Head {
    format_version: u32,
    tool: Tool,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

impl Head {
    const fn new() -> Self {
        let tool = Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") };
        Self { format_version: FORMAT_VERSION, tool }
    }
}

/// What a launch was read for: the part of the head that `check` and `schema` share.
#[derive(Serialize)]
struct Assumed<'r> {
    framework: FrameworkDocument<'r>,
    environment: EnvironmentDocument<'r>,
    rejected: Option<Rejected<'r>>,
}

#[derive(Serialize)]
struct FrameworkDocument<'r> {
    name: &'r str,
    version: String,
    from: &'r str,
}

#[derive(Serialize)]
struct EnvironmentDocument<'r> {
    transformer_engine: Option<String>,
    transformer_engine_from: &'r str,
    apex: bool,
}

#[derive(Serialize)]
struct Rejected<'r> {
    by: &'r str,
    message: &'r str,
}

impl<'r> FrameworkDocument<'r> {
    fn new(framework: &'r Framework) -> Self {
        Self { name: &framework.name, version: framework.version.to_string(), from: &framework.from }
    }
}

impl<'r> Assumed<'r> {
    fn new(framework: &'r Framework, environment: &'r Environment, rejected: Option<&'r Rejection>) -> Self {
        Self {
            framework: FrameworkDocument::new(framework),
            environment: EnvironmentDocument {
                transformer_engine: environment.transformer_engine.as_ref().map(ToString::to_string),
                transformer_engine_from: &environment.engine_from,
                apex: environment.apex,
            },
            rejected: rejected.map(self::rejected),
        }
    }
}

fn rejected(rejection: &Rejection) -> Rejected<'_> {
    Rejected { by: &rejection.by, message: &rejection.message }
}

/// A list that is serialized while it is walked.
struct Stream<F>(F);

impl<F, I> Serialize for Stream<F>
where
    F: Fn() -> I,
    I: Iterator,
    I::Item: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for item in (self.0)() {
            list.serialize_element(&item)?;
        }
        list.end()
    }
}
