//! `moe-lint args`: the commands that a launch would run, and what the training one's flags are.

use super::request::request;
use crate::check;
use crate::cli::{ArgsArgs, OutputFormat};
use crate::error::Error;
use crate::report::{human, json};
use crate::terminal::Console;

/// Tells what a launch would run. It is a look and no judgement: words that are not known are shown as such, and the
/// exit code is 0.
///
/// # Errors
/// When there is no launch, or it cannot be read.
pub fn run(args: &ArgsArgs, console: &mut Console<'_>) -> Result<u8, Error> {
    let report = check::arguments(&request(&args.launch)?)?;
    match args.output.format {
        OutputFormat::Human => console.print(&human::arguments(&report, console.style(&args.output)))?,
        OutputFormat::Json => console.write(|out| json::arguments(out, &report))?,
    }
    Ok(0)
}
