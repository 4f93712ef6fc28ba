//! `moe-lint inspect`: what a checkpoint holds.

use crate::checkpoint;
use crate::cli::{InspectArgs, OutputFormat};
use crate::error::Error;
use crate::report::{human, json};
use crate::terminal::Console;

/// Tells what a checkpoint holds.
///
/// # Errors
/// When the checkpoint cannot be read.
pub fn run(args: &InspectArgs, console: &mut Console<'_>) -> Result<u8, Error> {
    let checkpoint = checkpoint::read(&args.checkpoint, &checkpoint::Options::default())?;
    match args.output.format {
        OutputFormat::Human => console.print(&human::inspect(&checkpoint, console.style(&args.output)))?,
        OutputFormat::Json => console.write(|out| json::inspect(out, &checkpoint))?,
    }
    // What could be read has been told, and it is not all.
    Ok(if checkpoint.problems.is_empty() { 0 } else { 2 })
}
