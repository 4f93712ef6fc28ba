//! From the options of a launch to what is to be checked.

use std::path::Path;

use crate::check::{Input, Machine, Request};
use crate::cli::{LaunchArgs, TransformerEngine};
use crate::error::Error;
use crate::launch::{Disk, Files, Limits, is_yaml};

/// What is to be checked, without a checkpoint.
pub(super) fn request(args: &LaunchArgs) -> Result<Request, Error> {
    if let Some(more) = args.more.first() {
        return Err(Error::OneLaunch(more.clone()));
    }
    let mut env = match &args.env_file {
        Some(file) => assignments(&text(file)?),
        None => Vec::new(),
    };
    env.extend(args.env.iter().cloned());
    let input = match &args.script {
        None if args.argv.is_empty() => return Err(Error::NoLaunch),
        None => Input::Words(args.argv.clone()),
        Some(path) => {
            if !args.argv.is_empty() && !is_yaml(path) {
                return Err(Error::WordsBesideScript(path.clone()));
            }
            let words = args.args.iter().chain(&args.argv).cloned().collect();
            Input::Script { path: path.clone(), text: text(path)?, env: env.clone(), args: words }
        }
    };
    let machine = Machine {
        framework: args.megatron.clone(),
        te: args.te.clone().map(|te| match te {
            TransformerEngine::Installed(version) => Some(version),
            TransformerEngine::Absent => None,
        }),
        apex: !args.no_apex,
        world_size: args.world_size,
        tokenizer_size: args.tokenizer_size,
        told_by: args.told_by.clone(),
        env,
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
