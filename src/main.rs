//! The command-line program: the only place that touches the process.
#![warn(clippy::disallowed_methods, clippy::print_stdout)]
#![allow(clippy::print_stderr, reason = "errors are printed here")]

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;
use moe_lint::cli::{CheckArgs, Cli, Command, InspectArgs, OutputArgs, OutputFormat, SchemaArgs};
use moe_lint::commands;
use moe_lint::error::Error;
use moe_lint::report::style::Style;
use moe_lint::report::{human, json};
use moe_lint::terminal::Terminal;

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
            ExitCode::from(2)
        }
        Err(_) => ExitCode::from(2),
    }
}

fn run(cli: Cli) -> Result<u8, Error> {
    match cli.command {
        None => check(&cli.check),
        Some(Command::Check(args)) => check(&args),
        Some(Command::Schema(args)) => schema(&args),
        Some(Command::Inspect(args)) => inspect(&args),
    }
}

fn check(args: &CheckArgs) -> Result<u8, Error> {
    let report = commands::check(args)?;
    let written = match args.output.format {
        OutputFormat::Human => print(&human::check(&report, style(&args.output))),
        OutputFormat::Json => json::check(io::stdout().lock(), &report),
    };
    told(written)?;
    Ok(report.outcome.exit_code())
}

fn schema(args: &SchemaArgs) -> Result<u8, Error> {
    let report = commands::schema(args)?;
    let written = match args.output.format {
        OutputFormat::Human => print(&human::schema(&report, style(&args.output))),
        OutputFormat::Json => json::schema(io::stdout().lock(), &report),
    };
    told(written)?;
    Ok(report.exit_code())
}

fn inspect(args: &InspectArgs) -> Result<u8, Error> {
    let checkpoint = commands::inspect(args)?;
    let written = match args.output.format {
        OutputFormat::Human => print(&human::inspect(&checkpoint, style(&args.output))),
        OutputFormat::Json => json::inspect(io::stdout().lock(), &checkpoint),
    };
    told(written)?;
    // What could be read has been told, and it is not all.
    Ok(if checkpoint.problems.is_empty() { 0 } else { 2 })
}

/// A reader that goes away has seen enough: the exit code stays what it would have been.
fn told(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn style(output: &OutputArgs) -> Style {
    let columns = terminal_size::terminal_size().map(|(width, _)| width.0);
    let variable = |name: &str| std::env::var(name).ok();
    Terminal { variable, is_terminal: io::stdout().is_terminal(), columns }.style(output)
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
