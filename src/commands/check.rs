//! `moe-lint check`: will the checkpoint load into the model that the launch builds?

use super::request::request;
use crate::check;
use crate::cli::{CheckArgs, OutputFormat};
use crate::error::Error;
use crate::report::{human, json};
use crate::terminal::Console;

/// Checks a launch against a checkpoint.
///
/// # Errors
/// When there is nothing to judge: no launch, an unreadable file. A finding is never an error.
pub fn run(args: &CheckArgs, console: &mut Console<'_>) -> Result<u8, Error> {
    let mut request = request(&args.launch)?;
    request.checkpoint.clone_from(&args.checkpoint);
    let report = check::check(&request)?;
    match args.output.format {
        OutputFormat::Human => console.print(&human::check(&report, console.style(&args.output)))?,
        OutputFormat::Json => console.write(|out| json::check(out, &report))?,
    }
    Ok(report.outcome.exit_code())
}
