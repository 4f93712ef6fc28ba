//! From settings and names to the launches that are to be checked, each with its options.

use std::path::{Path, PathBuf};

use crate::cli::{CheckArgs, LaunchArgs};
use crate::error::Error;
use crate::settings::{self, Found, NAME, Planned, Settings};
use crate::terminal::Console;

/// The settings that hold; none are empty ones.
///
/// # Errors
/// When they are wrong.
pub(super) fn settings(args: &CheckArgs) -> Result<Found, Error> {
    let none = || Found { path: PathBuf::from(NAME), settings: Settings::default() };
    if args.settings.isolated {
        return Ok(none());
    }
    if let Some(path) = &args.settings.config {
        return Ok(settings::read(path)?);
    }
    let start = args.launch.script.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
    Ok(settings::find(start)?.unwrap_or_else(none))
}

/// What is to be checked.
///
/// # Errors
/// When that is nothing.
pub(super) fn plan<'f>(
    args: &CheckArgs,
    found: &'f Found,
    named: &[PathBuf],
    console: &mut Console<'_>,
) -> Result<Vec<Planned<'f>>, Error> {
    let no_targets = found.settings.targets.is_empty();
    if (named.is_empty() || args.settings.only_targets) && no_targets {
        return Err(Error::NoTargets);
    }
    if named.is_empty() {
        let all = found.all();
        return if all.is_empty() { Err(Error::NothingMatches(found.path.clone())) } else { Ok(all) };
    }
    for file in named.iter().filter(|file| found.excludes(file)) {
        writeln!(console.err, "note: {} is excluded by {}", file.display(), found.path.display())?;
    }
    Ok(found.of_files(named, args.settings.only_targets))
}

/// The options of one launch: what was typed, else what its target says, else what holds for all.
pub(super) fn launch_args(typed: &LaunchArgs, found: &Found, planned: &Planned<'_>) -> LaunchArgs {
    let mut args = typed.clone();
    args.more.clear();
    let general = &found.settings;
    let target = planned.target;
    if args.argv.is_empty() || args.script.is_some() {
        args.script = Some(planned.launch.clone());
    }
    let of_target = |value: Option<bool>| value.or(general.apex);
    args.megatron =
        args.megatron.or_else(|| target.and_then(|t| t.megatron.clone()).or_else(|| general.megatron.clone()));
    if typed.megatron.is_none() && args.megatron.is_some() {
        args.told_by = Some(found.path.clone());
    }
    args.te = args.te.or_else(|| target.and_then(|t| t.te.clone()).or_else(|| general.te.clone()));
    args.no_apex |= of_target(target.and_then(|target| target.apex)) == Some(false);
    args.world_size = args.world_size.or(target.and_then(|target| target.world_size));
    args.tokenizer_size = args.tokenizer_size.or(target.and_then(|target| target.tokenizer_size));
    args.command = args.command.or(target.and_then(|target| target.command));
    if args.args.is_empty() {
        args.args = target.map_or_else(Vec::new, |target| target.args.clone());
    }
    // A later one wins.
    let pairs = general.env.iter().chain(target.iter().flat_map(|target| &target.env));
    let mut env: Vec<(String, String)> = pairs.map(|(name, value)| (name.clone(), value.clone())).collect();
    env.append(&mut args.env);
    args.env = env;
    args
}
