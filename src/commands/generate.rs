//! `moe-lint completions` and `moe-lint man`: generated from the definition of the command line.

use crate::cli::{Cli, CompletionsArgs, ManArgs};
use crate::error::Error;
use crate::terminal::Console;
use clap::CommandFactory as _;
use clap_complete::Shell;

/// Prints a shell's completions.
///
/// # Errors
/// When they cannot be written.
pub fn completions(args: &CompletionsArgs, console: &mut Console<'_>) -> Result<u8, Error> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), env!("CARGO_PKG_NAME"), &mut text);
    if args.shell == Shell::Bash {
        // clap_complete 4.6 sets `moe__lint__subcmd__check` and then looks for `moe__subcmd__lint__subcmd__check`: it
        // takes the hyphen of the name for the blank before a command.
        text = String::from_utf8_lossy(&text).replace("moe__subcmd__lint", "moe__lint").into_bytes();
    }
    console.write(|out| out.write_all(&text))?;
    Ok(0)
}

/// Writes the pages of the manual.
///
/// # Errors
/// When they cannot be written.
pub fn man(args: &ManArgs, console: &mut Console<'_>) -> Result<u8, Error> {
    clap_mangen::generate_to(Cli::command(), &args.directory)
        .map_err(|error| Error::Unwritable { path: args.directory.clone(), error })?;
    console.print(&format!("{}: moe-lint.1 and a page for each command\n", args.directory.display()))?;
    Ok(0)
}
