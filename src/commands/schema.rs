//! `moe-lint schema`: the keys, shapes and dtypes that a launch builds.

use super::request::request;
use crate::check;
use crate::checkpoint::Format;
use crate::cli::{CheckpointFormat, OutputFormat, SchemaArgs};
use crate::error::Error;
use crate::report::{human, json};
use crate::terminal::Console;

/// Tells what a launch builds.
///
/// # Errors
/// When there is nothing to judge: no launch, an unreadable file.
pub fn run(args: &SchemaArgs, console: &mut Console<'_>) -> Result<u8, Error> {
    let format = args.checkpoint_format.map(|format| match format {
        CheckpointFormat::Torch => Format::Torch,
        CheckpointFormat::TorchDist => Format::TorchDist,
    });
    let report = check::schema(&request(&args.launch)?, format)?;
    match args.output.format {
        OutputFormat::Human => console.print(&human::schema(&report, console.style(&args.output)))?,
        OutputFormat::Json => console.write(|out| json::schema(out, &report))?,
    }
    Ok(report.exit_code())
}
