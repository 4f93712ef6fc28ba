//! The commands, from what was typed to what was found. `main` prints it.

use std::path::Path;

use crate::check::{self, Input, Machine, Request};
use crate::checkpoint::{self, Checkpoint, Format};
use crate::cli::{CheckArgs, CheckpointFormat, InspectArgs, LaunchArgs, SchemaArgs, TransformerEngine};
use crate::error::Error;
use crate::launch::{Disk, Files, Limits};
use crate::report::{Report, SchemaReport};

/// Checks a launch against a checkpoint.
///
/// # Errors
/// When there is nothing to judge: no launch, an unreadable file. A finding is never an error.
pub fn check(args: &CheckArgs) -> Result<Report, Error> {
    let mut request = request(&args.launch)?;
    request.checkpoint.clone_from(&args.checkpoint);
    check::check(&request)
}

/// Tells what a launch builds.
///
/// # Errors
/// When there is nothing to judge: no launch, an unreadable file.
pub fn schema(args: &SchemaArgs) -> Result<SchemaReport, Error> {
    let format = args.checkpoint_format.map(|format| match format {
        CheckpointFormat::Torch => Format::Torch,
        CheckpointFormat::TorchDist => Format::TorchDist,
    });
    check::schema(&request(&args.launch)?, format)
}

/// Tells what a checkpoint holds.
///
/// # Errors
/// When the checkpoint cannot be read.
pub fn inspect(args: &InspectArgs) -> Result<Checkpoint, Error> {
    Ok(checkpoint::read(&args.checkpoint, &checkpoint::Options::default())?)
}

fn request(args: &LaunchArgs) -> Result<Request, Error> {
    if !args.rules.is_empty() {
        return Err(Error::NotBuilt("--rules"));
    }
    let input = match &args.script {
        None if args.argv.is_empty() => return Err(Error::NoLaunch),
        None => Input::Words(args.argv.clone()),
        Some(path) => {
            let mut env = match &args.env_file {
                Some(file) => assignments(&text(file)?),
                None => Vec::new(),
            };
            env.extend(args.env.iter().cloned());
            Input::Script { path: path.clone(), text: text(path)?, env, args: args.args.clone() }
        }
    };
    let machine = Machine {
        framework: args.megatron.clone(),
        transformer_engine: args.te.clone().map(|te| match te {
            TransformerEngine::Installed(version) => Some(version),
            TransformerEngine::Absent => None,
        }),
        apex: !args.no_apex,
        world_size: args.world_size,
    };
    Ok(Request { input, machine, checkpoint: None, command: args.command })
}

fn text(path: &Path) -> Result<String, Error> {
    let most = Limits::default().text as u64;
    Disk.read(path, most).map_err(|error| Error::Unreadable { path: path.to_path_buf(), error })
}

/// `NAME=VALUE` lines; blank lines and comments are passed over.
fn assignments(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().map(|line| line.trim().trim_start_matches("export ").to_owned());
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once('=').map(|(name, value)| (name.trim().to_owned(), unquoted(value))))
        .collect()
}

fn unquoted(value: &str) -> String {
    let value = value.trim();
    let inner = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
    inner.unwrap_or(value).to_owned()
}
