//! `moe-lint infer`: the flags that a checkpoint implies.

use crate::checkpoint::{self, Options};
use crate::cli::{InferArgs, OutputFormat};
use crate::error::Error;
use crate::infer;
use crate::report::{InferReport, human, json};
use crate::rules::releases;
use crate::terminal::Console;

/// Tells which flags a checkpoint implies.
///
/// # Errors
/// When the checkpoint cannot be read, or the version is older than the rules.
pub fn run(args: &InferArgs, console: &mut Console<'_>) -> Result<u8, Error> {
    let releases = releases::load()?;
    let newest = releases::newest(releases).map(|release| release.name.clone());
    let version = args.megatron.clone().or(newest).ok_or(Error::NoTrainingCommand)?;
    if releases::describing(releases, &version).is_none() {
        return Err(Error::TooOld(version));
    }
    let checkpoint = checkpoint::read(&args.checkpoint, &Options::default())?;
    let inference = infer::infer(&checkpoint, &version)?;
    let report = InferReport { version, checkpoint, inference };
    match args.output.format {
        OutputFormat::Human => console.print(&human::infer(&report))?,
        OutputFormat::Json => console.write(|out| json::infer(out, &report))?,
    }
    Ok(report.exit_code())
}
