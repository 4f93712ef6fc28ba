//! `moe-lint snapshot`: all that a checkpoint's headers tell, in a small file.

use super::files;
use crate::checkpoint::{self, Options, snapshot};
use crate::cli::SnapshotArgs;
use crate::error::Error;
use crate::terminal::Console;

/// Writes a snapshot.
///
/// # Errors
/// When the checkpoint cannot be read or the file cannot be written.
pub fn run(args: &SnapshotArgs, console: &mut Console<'_>) -> Result<u8, Error> {
    let options = Options::default();
    let checkpoint = checkpoint::read(&args.checkpoint, &options)?;
    let text = snapshot::write(&checkpoint, &checkpoint::locate(&args.checkpoint, &options));
    match &args.output {
        None => console.print(&text)?,
        Some(path) => {
            files::replace(path, text.as_bytes()).map_err(|error| Error::Unwritable { path: path.clone(), error })?;
            let from = checkpoint.directory.display();
            let size = text.len().div_ceil(1000);
            console.print(&format!("{}: {size} kB, from {from}\n", path.display()))?;
        }
    }
    // A damaged checkpoint is recorded as one, and said.
    for problem in &checkpoint.problems {
        writeln!(console.err, "warning: {problem}")?;
    }
    Ok(if checkpoint.problems.is_empty() { 0 } else { 2 })
}
