//! The commands, one file each: from what was typed to what is printed and the exit code.

mod args;
mod check;
mod convert;
mod diff;
mod exec;
mod files;
mod fix;
mod generate;
mod infer;
mod init;
mod inspect;
mod listed;
mod request;
mod rule_files;
mod rules;
mod schema;
mod select;
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
pub fn run(mut cli: Cli, console: &mut Console<'_>) -> Result<u8, Error> {
    listed::expand(&mut cli)?;
    match &cli.command {
        None => check::run(&cli.check, &cli.rules, console),
        Some(Command::Check(args)) => check::run(args, &cli.rules, console),
        Some(Command::Exec(args)) => exec::run(args, &cli.rules, console),
        Some(command) => {
            rule_files::add(&cli.rules)?;
            other(command, console)
        }
    }
}

/// The commands that do not look at settings.
fn other(command: &Command, console: &mut Console<'_>) -> Result<u8, Error> {
    match command {
        Command::Check(args) => check::run(args, &[], console),
        Command::Args(args) => args::run(args, console),
        Command::Schema(args) => schema::run(args, console),
        Command::Infer(args) => infer::run(args, console),
        Command::Inspect(args) => inspect::run(args, console),
        Command::Snapshot(args) => snapshot::run(args, console),
        Command::Diff(args) => diff::run(args, console),
        Command::Convert(args) => convert::run(args, console),
        Command::Rules(args) => rules::list(args, console),
        Command::Explain(args) => rules::explain(args, console),
        Command::Exec(args) => exec::run(args, &[], console),
        Command::Completions(args) => generate::completions(args, console),
        Command::Man(args) => generate::man(args, console),
        Command::Init(args) => init::run(args, console),
    }
}
