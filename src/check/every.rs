//! A launch whose framework version is not known is judged for every version: which outcome holds where.

use rayon::prelude::*;

use super::group::{Group, grouped};
use super::pass::{Pass, pass};
use super::reading::Reading;
use super::target::Target;
use crate::error::Error;
use crate::loader::Outcome;
use crate::report::Report;

/// Judges a launch for every target, oldest first. The report is that of the worst outcome, of several the newest; the
/// others are beside it, each distinct one once.
///
/// # Errors
/// When no version can be judged.
pub(super) fn every(reading: &Reading<'_>, targets: &[Target]) -> Result<Report, Error> {
    let Some((newest, older)) = targets.split_last() else { return Err(Error::NoTrainingCommand) };
    // The newest goes first, so that the checkpoint is read once before the others ask for it.
    let last = pass(reading, newest);
    let mut passes: Vec<Result<Pass, Error>> = older.par_iter().map(|target| pass(reading, target)).collect();
    if passes.iter().all(Result::is_err) && last.is_err() {
        return last.map(|pass| pass.report);
    }
    passes.push(last);
    let groups = grouped(targets.iter().zip(passes));
    let mut reports: Vec<Report> = groups.into_par_iter().map(|group: Group<'_>| group.report(reading)).collect();
    reports.sort_by(|a, b| badness(a).cmp(&badness(b)).then_with(|| a.versions.last().cmp(&b.versions.last())));
    let mut worst = reports.pop().ok_or(Error::NoTrainingCommand)?;
    reports.reverse();
    worst.others = reports;
    Ok(worst)
}

/// How bad a report is: what surely does not load comes before what cannot be told.
fn badness(report: &Report) -> u8 {
    match report.outcome {
        Outcome::Loads => 0,
        Outcome::Undetermined => 1,
        Outcome::Partial => 2,
        Outcome::Fresh => 3,
        Outcome::Fails => 4,
    }
}
