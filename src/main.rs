//! The command-line program: the only place that touches the process.
#![warn(clippy::disallowed_methods, clippy::print_stdout)]
#![allow(clippy::print_stderr, reason = "errors are printed here")]

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use clap::Parser;
use moe_lint::cli::Cli;
use moe_lint::commands;
use moe_lint::error::Error;
use moe_lint::terminal::{Console, Lookup, Terminal};

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(bug));
    let cli = Cli::parse();
    let result = std::panic::catch_unwind(|| run(cli));
    match result {
        Ok(Ok(code)) => ExitCode::from(code),
        Ok(Err(error)) => {
            eprintln!("error: {error}");
            if let Some(help) = error.help() {
                eprintln!("  help: {help}");
            }
            ExitCode::from(error.exit_code())
        }
        Err(_) => ExitCode::from(2),
    }
}

fn run(cli: Cli) -> Result<u8, Error> {
    let columns = terminal_size::terminal_size().map(|(width, _)| width.0);
    let variable = |name: &str| std::env::var(name).ok();
    let terminal = Terminal { variable: &variable as Lookup<'_>, is_terminal: io::stdout().is_terminal(), columns };
    // Not locked: a panic on another thread is printed too.
    let (mut out, mut err) = (io::stdout(), io::stderr());
    commands::run(cli, &mut Console { out: &mut out, err: &mut err, terminal })
}

/// A panic is a bug of ours, never a property of the user's files.
fn bug(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic.location().map_or_else(String::new, |place| format!(" at {}:{}", place.file(), place.line()));
    let payload = panic.payload();
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    eprintln!("moe-lint stopped because of a bug in it{place}: {}", text.unwrap_or("no message"));
    eprintln!(
        "  help: nothing was changed; please report this line with the launch and the version ({})",
        env!("CARGO_PKG_VERSION")
    );
}
