//! `moe-lint check --fix` and `--diff`: fixes in the script's own text.

use std::path::{Path, PathBuf};

use super::files;
use super::request::request;
use crate::check::{self, Input, Request};
use crate::cli::{CheckArgs, LaunchArgs};
use crate::diagnose::{Applicability, Fix};
use crate::error::Error;
use crate::fix::{applied, unified};
use crate::report::Report;
use crate::terminal::Console;

/// More fixes than any launch needs: each is made, and everything checked again.
const MOST: usize = 16;

/// What came of fixing.
struct Fixed {
    /// The script's text, as it was and as it would be.
    old: String,
    new: String,
    /// What was done.
    done: Vec<String>,
    /// The report on the text as it was, and on the new one.
    before: Report,
    after: Option<Report>,
}

/// Fixes the scripts of some launches, each with the checkpoint that is named for it. The number is the exit code where
/// that was all to do, because only the differences were asked for.
///
/// # Errors
/// When there is no script, nothing to judge, or a script cannot be written.
pub(super) fn run(
    args: &CheckArgs,
    launches: impl Iterator<Item = (LaunchArgs, Option<PathBuf>)>,
    console: &mut Console<'_>,
) -> Result<Option<u8>, Error> {
    let mut code = 0;
    for (launch, checkpoint) in launches {
        let mut request = request(&launch)?;
        request.checkpoint = checkpoint;
        let path = launch.script.as_deref().ok_or(Error::NothingToFix)?;
        let name = path.display().to_string();
        let Fixed { old, new, done, before, after } = fixed(request, args.unsafe_fixes)?;
        if args.diff {
            console.print(&unified(&name, &old, &new))?;
            // Nothing is written: the launch stays what it is.
            code = code.max(before.outcome.exit_code());
        } else if old != new {
            write(path, &old, &new)?;
            for one in &done {
                writeln!(console.err, "fixed {name}: {one}")?;
            }
        }
        left(after.as_ref().unwrap_or(&before), args.unsafe_fixes, console)?;
    }
    Ok(args.diff.then_some(code))
}

/// Applies the first fix that may be applied, checks again, and so on.
fn fixed(mut request: Request, unsafe_too: bool) -> Result<Fixed, Error> {
    let Input::Script { text, .. } = &request.input else { return Err(Error::NothingToFix) };
    let old = text.clone();
    let before = check::check(&request)?;
    let (mut new, mut done, mut after) = (old.clone(), Vec::new(), None);
    for _ in 0..MOST {
        let report = after.as_ref().unwrap_or(&before);
        let Some(fix) = applicable(report).find(|fix| unsafe_too || fix.applicability == Applicability::Safe) else {
            break;
        };
        let Some(next) = applied(&new, &fix.edits).filter(|next| *next != new) else { break };
        done.push(fix.title.clone());
        new.clone_from(&next);
        if let Input::Script { text, .. } = &mut request.input {
            *text = next;
        }
        after = Some(check::check(&request)?);
    }
    Ok(Fixed { old, new, done, before, after })
}

/// The fixes that are edits of the script.
fn applicable(report: &Report) -> impl Iterator<Item = &Fix> {
    edits(report).filter(|fix| stands_in(report, fix))
}

/// The proven fixes that are edits.
fn edits(report: &Report) -> impl Iterator<Item = &Fix> {
    let fixes = report.diagnoses.iter().flat_map(|diagnosis| &diagnosis.fixes);
    fixes.filter(|fix| fix.proven() && !fix.edits.is_empty())
}

/// Whether all of a fix is in the script itself. Other files that the launch names are not ours to change.
fn stands_in(report: &Report, fix: &Fix) -> bool {
    let script = report.launch.sources.first();
    fix.edits.iter().all(|edit| Some(&edit.span.source) == script)
}

/// Tells of fixes that were not applied: those that change the training, and those of other files.
fn left(report: &Report, unsafe_too: bool, console: &mut Console<'_>) -> Result<(), Error> {
    let count = applicable(report).filter(|fix| fix.applicability == Applicability::Unsafe).count();
    if count > 0 && !unsafe_too {
        let fixes = if count == 1 { "fix changes" } else { "fixes change" };
        writeln!(console.err, "{count} {fixes} the training: --unsafe-fixes applies also such")?;
    }
    for fix in edits(report).filter(|fix| !stands_in(report, fix)) {
        writeln!(console.err, "not applied, for it is in another file than the launch: {}", fix.title)?;
    }
    Ok(())
}

/// Puts the new text in the script's place, if that still holds the old one.
fn write(path: &Path, old: &str, new: &str) -> Result<(), Error> {
    let failed = |error| Error::Unreadable { path: path.to_path_buf(), error };
    // A link stays one.
    let target = path.canonicalize().map_err(failed)?;
    if !files::holds(&target, old).map_err(failed)? {
        return Err(Error::ChangedMeanwhile(path.to_path_buf()));
    }
    files::replace(&target, new.as_bytes()).map_err(failed)
}
