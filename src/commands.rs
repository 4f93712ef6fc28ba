//! The commands, one file each: from what was typed to what is printed and the exit code.

mod args;
mod check;
mod convert;
mod diff;
mod exec;
mod files;
mod generate;
mod init;
mod inspect;
mod request;
mod schema;
mod snapshot;
mod targets;
mod tell;

use crate::cli::{Cli, Command};
use crate::error::Error;
use crate::terminal::Console;

/// Does what was typed; the number is the exit code.
///
/// # Errors
/// When a command cannot run. A finding is never an error.
pub fn run(cli: &Cli, console: &mut Console<'_>) -> Result<u8, Error> {
    match &cli.command {
        None => check::run(&cli.check, console),
        Some(Command::Check(args)) => check::run(args, console),
        Some(Command::Args(args)) => args::run(args, console),
        Some(Command::Schema(args)) => schema::run(args, console),
        Some(Command::Inspect(args)) => inspect::run(args, console),
        Some(Command::Snapshot(args)) => snapshot::run(args, console),
        Some(Command::Diff(args)) => diff::run(args, console),
        Some(Command::Init(args)) => init::run(args, console),
        Some(Command::Exec(args)) => exec::run(args, console),
        Some(Command::Completions(args)) => generate::completions(args, console),
        Some(Command::Man(args)) => generate::man(args, console),
        Some(Command::Convert(args)) => convert::run(args, console),
    }
}
