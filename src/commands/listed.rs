//! `@FILE`: a command line, or a part of it, that stands in a file, as compilers and build tools read them.

use std::path::Path;

use crate::cli::{CheckArgs, Cli, Command, LaunchArgs};
use crate::error::Error;
use crate::launch::{Disk, Files, Limits};

/// Puts the words of such files in their place. `exec` is left alone: its words are the program's own.
///
/// # Errors
/// When a file cannot be read, or its quotes do not close.
pub(super) fn expand(cli: &mut Cli) -> Result<(), Error> {
    match &mut cli.command {
        None => check(&mut cli.check),
        Some(Command::Check(args)) => check(args),
        Some(Command::Args(args)) => launch(&mut args.launch),
        Some(Command::Schema(args)) => launch(&mut args.launch),
        Some(Command::Convert(args)) => launch(&mut args.launch),
        Some(_) => Ok(()),
    }
}

fn check(args: &mut CheckArgs) -> Result<(), Error> {
    let script = args.launch.script.as_deref().and_then(Path::to_str).and_then(listed);
    if let (Some(path), true) = (script, args.fix || args.diff) {
        return Err(Error::NoScript(path.to_path_buf()));
    }
    launch(&mut args.launch)
}

fn launch(args: &mut LaunchArgs) -> Result<(), Error> {
    let mut all = Vec::new();
    if let Some(path) = args.script.as_deref().and_then(Path::to_str).and_then(listed) {
        all = words(path)?;
        args.script = None;
    }
    for word in std::mem::take(&mut args.argv) {
        match listed(&word) {
            Some(path) => all.extend(words(path)?),
            None => all.push(word),
        }
    }
    args.argv = all;
    Ok(())
}

/// The file that a word names; a file of that very name goes before.
fn listed(word: &str) -> Option<&Path> {
    let path = Path::new(word.strip_prefix('@').filter(|path| !path.is_empty())?);
    Disk.is_directory(Path::new(word)).is_none().then_some(path)
}

/// A file's words, with the quotes, `\` and comments of a shell. Nothing in them is expanded.
fn words(path: &Path) -> Result<Vec<String>, Error> {
    let text = Disk.read(path, Limits::default().text as u64);
    let text = text.map_err(|error| Error::Unreadable { path: path.to_path_buf(), error })?;
    // shlex makes an empty word of a line that goes on.
    shlex::split(&text.replace("\\\n", "")).ok_or_else(|| Error::OpenQuote(path.to_path_buf()))
}
