//! `moe-lint check`: will the checkpoint load into the model that the launch builds?

use std::path::{Path, PathBuf};

use super::request::request;
use super::tell::{self, Judged};
use super::{files, fix, rule_files, select, targets};
use crate::check;
use crate::cli::{CheckArgs, LaunchArgs};
use crate::error::Error;
use crate::report::Report;
use crate::settings::{Accepted, Baseline, Found, Planned, new_baseline, set_severities};
use crate::terminal::Console;

/// The baseline's name, where the settings give none.
const BASELINE: &str = "moe-lint-baseline.json";

/// Checks a launch against a checkpoint, or all launches that the settings name. `more` are directories with rules.
///
/// # Errors
/// When there is nothing to judge: no launch, an unreadable file. A finding is never an error.
pub fn run(args: &CheckArgs, more: &[PathBuf], console: &mut Console<'_>) -> Result<u8, Error> {
    let found = settings(args, more)?;
    if args.launch.argv.is_empty() && (args.fix || args.diff) {
        let planned = targets::plan(args, &found, &named(args), console)?;
        let launches = planned.iter().map(|planned| subject(args, &found, planned));
        if let Some(code) = fix::run(args, launches, console)? {
            return Ok(code);
        }
    }
    let judged = judge(args, &found, console)?;
    tell::tell(judged, &args.output, console)
}

/// The settings, with the rules that they name and `more` put in place: before any rule is used.
///
/// # Errors
/// When they are wrong.
pub(super) fn settings(args: &CheckArgs, more: &[PathBuf]) -> Result<Found, Error> {
    let found = targets::settings(args)?;
    let of_settings = found.settings.rules.iter().map(|path| found.resolve(path));
    rule_files::add(&of_settings.chain(more.iter().cloned()).collect::<Vec<_>>())?;
    let ignored = found.settings.ignores.iter().map(|ignore| &ignore.rule);
    found.settings.severity.keys().chain(ignored).try_for_each(|name| select::known(name))?;
    Ok(found)
}

fn named(args: &CheckArgs) -> Vec<PathBuf> {
    args.launch.script.iter().chain(&args.launch.more).cloned().collect()
}

/// Checks, and leaves out what is accepted.
///
/// # Errors
/// When there is nothing to judge.
pub(super) fn judge(args: &CheckArgs, found: &Found, console: &mut Console<'_>) -> Result<Vec<Judged>, Error> {
    let mut judged = Vec::new();
    let mut complete = false;
    if args.launch.argv.is_empty() || args.launch.script.is_some() {
        let named = named(args);
        complete = named.is_empty();
        for planned in targets::plan(args, found, &named, console)? {
            judged.push(one(args, found, &planned));
        }
    } else {
        judged.push(one(args, found, &Planned { launch: PathBuf::new(), target: None }));
    }
    let selection = args.settings.selection();
    let unheard = select::apply(&selection, &mut judged)?;
    accept(args, found, &mut judged, complete, console)?;
    select::show(&selection, &mut judged);
    for line in unheard {
        writeln!(console.err, "warning: {line}")?;
    }
    Ok(judged)
}

/// Checks one launch as one target of it.
fn one(args: &CheckArgs, found: &Found, planned: &Planned<'_>) -> Judged {
    let (launch, checkpoint) = subject(args, found, planned);
    let result = report(&launch, checkpoint).map(|mut report| {
        set_severities(&found.settings, &mut report.diagnoses);
        report
    });
    Judged::new(&planned.launch, result)
}

/// One launch with its options, and the checkpoint that is named for it.
fn subject(args: &CheckArgs, found: &Found, planned: &Planned<'_>) -> (LaunchArgs, Option<PathBuf>) {
    let launch = targets::launch_args(&args.launch, found, planned);
    let from_target = planned.target.and_then(|target| target.checkpoint.as_ref()).map(|path| found.resolve(path));
    (launch, args.checkpoint.clone().or(from_target))
}

fn report(launch: &LaunchArgs, checkpoint: Option<PathBuf>) -> Result<Report, Error> {
    let mut request = request(launch)?;
    request.checkpoint = checkpoint;
    check::check(&request)
}

/// Accepts what the settings and the baseline do, and tells what they accept in vain.
fn accept(
    args: &CheckArgs,
    found: &Found,
    judged: &mut [Judged],
    complete: bool,
    console: &mut Console<'_>,
) -> Result<(), Error> {
    let from_settings = || found.settings.baseline.as_ref().map(|path| found.resolve(path));
    let path = args.settings.baseline.clone().or_else(from_settings);
    let baseline = match &path {
        Some(path) if !args.settings.write_baseline => Baseline::read(path)?,
        _ => Baseline::default(),
    };
    let mut accepted = Accepted::new(found, baseline);
    judged.iter_mut().for_each(|one| accepted.apply(&one.launch, &mut one.subject));
    if args.settings.write_baseline {
        let path = path.unwrap_or_else(|| found.resolve(Path::new(BASELINE)));
        let files: Vec<PathBuf> = judged.iter().map(|one| found.relative(&one.launch)).collect();
        let baseline = new_baseline(files.iter().map(PathBuf::as_path).zip(judged.iter().map(|one| &one.subject)));
        files::replace(&path, baseline.text().as_bytes())
            .map_err(|error| Error::Unwritable { path: path.clone(), error })?;
        let findings = match baseline.len() {
            1 => "1 finding is".to_owned(),
            n => format!("{n} findings are"),
        };
        writeln!(console.err, "{}: {findings} accepted from now on", path.display())?;
        let mut accepted = Accepted::new(found, baseline);
        judged.iter_mut().for_each(|one| accepted.apply(&one.launch, &mut one.subject));
    } else if complete {
        for line in accepted.unused() {
            writeln!(console.err, "warning: {}: {line}", found.path.display())?;
        }
    }
    Ok(())
}
