//! `moe-lint diff`: what differs between two checkpoints.

use crate::checkpoint::{self, Options};
use crate::cli::{DiffArgs, OutputFormat};
use crate::diff::checkpoints::CheckpointDiff;
use crate::error::Error;
use crate::report::{human, json};
use crate::terminal::Console;

/// Compares two checkpoints: 0 they hold the same, 1 they do not, 2 one of them is damaged.
///
/// # Errors
/// When one cannot be read.
pub fn run(args: &DiffArgs, console: &mut Console<'_>) -> Result<u8, Error> {
    let options = Options::default();
    let (a, b) = (checkpoint::read(&args.a, &options)?, checkpoint::read(&args.b, &options)?);
    let diff = CheckpointDiff::new(&a, &b);
    match args.output.format {
        OutputFormat::Human => {
            let names = [args.a.display().to_string(), args.b.display().to_string()];
            let style = console.style(&args.output);
            console.print(&human::compare(&diff, [&names[0], &names[1]], style))?;
        }
        OutputFormat::Json => console.write(|out| json::compare(out, &diff, [&a, &b]))?,
    }
    for problem in a.problems.iter().chain(&b.problems) {
        writeln!(console.err, "warning: {problem}")?;
    }
    let damaged = !a.problems.is_empty() || !b.problems.is_empty();
    Ok(if damaged { 2 } else { u8::from(!diff.is_empty()) })
}
