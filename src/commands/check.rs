//! `moe-lint check`: will the checkpoint load into the model that the launch builds?

use super::fix;
use super::request::request;
use super::tell::{self, Judged};
use crate::check;
use crate::cli::CheckArgs;
use crate::error::Error;
use crate::terminal::Console;

/// Checks a launch against a checkpoint.
///
/// # Errors
/// When there is nothing to judge: no launch, an unreadable file. A finding is never an error.
pub fn run(args: &CheckArgs, console: &mut Console<'_>) -> Result<u8, Error> {
    if args.fix || args.diff {
        return fix::run(args, console);
    }
    let name =
        args.launch.script.as_deref().map_or_else(|| "command line".to_owned(), |path| path.display().to_string());
    tell::tell(vec![Judged { name, result: report(args) }], &args.output, console)
}

fn report(args: &CheckArgs) -> Result<crate::report::Report, Error> {
    let mut request = request(&args.launch)?;
    request.checkpoint.clone_from(&args.checkpoint);
    check::check(&request)
}
