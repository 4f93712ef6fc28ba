//! Config repair of a load that no single cause explains.

use super::prove::{cures, judge, prove};
use super::reading::Reading;
use super::understand::Understood;
use super::way::Way;
use crate::checkpoint::Checkpoint;
use crate::diagnose::{Applicability, Candidate, Diagnosis, Explained, Fix, Found, Label, Note, Severity};
use crate::infer::{Inference, infer};
use crate::loader::{Outcome, Verdict};
use crate::repair::{self, Plans, Setting, Trial, candidate};
use crate::report::Report;
use crate::rules::repair::RepairRules;
use crate::training::place;

const RULE: &str = "config-differs";
/// Diagnoses that name no cause.
const UNEXPLAINED: [&str; 4] = ["shape-mismatch", "other-keys", "missing-keys", "unexpected-keys"];
/// Passes that a search may take; fewer where each takes long.
const PASSES: usize = 96;
/// Entries that all passes together may compare.
const ENTRIES: usize = 40_000_000;

/// Whether something that is wrong has a way out, or nothing is wrong that one could be found for.
pub(super) fn cured(report: &Report, diagnoses: &[Diagnosis]) -> bool {
    let cured = |one: &Diagnosis| one.severity == Severity::Error && one.fixes.iter().any(Fix::cures);
    report.rejected.is_some()
        || !matches!(report.outcome, Outcome::Fails | Outcome::Partial)
        || diagnoses.iter().any(cured)
}

/// Gives a report the smallest change of the launch's arguments under which the checkpoint loads: to the first cause, or
/// to a diagnosis of its own for what no cause explains. `proven` proves it in every version that the report speaks of.
pub(super) fn repair(
    reading: &Reading<'_>,
    understood: &Understood,
    report: &Report,
    diagnoses: &mut Vec<Diagnosis>,
    proven: &dyn Fn(&Candidate) -> Option<Fix>,
) {
    let Some(checkpoint) = report.checkpoint.as_ref() else { return };
    // A rule that cannot be used here stops the search, not the check: what is told without it stands.
    let Some((plans, inference)) = plans(understood, checkpoint) else { return };
    let here = found(reading, understood, report, &plans).and_then(|settings| {
        let fix = proven(&candidate(&settings))?;
        Some((settings, fix))
    });
    let elsewhere = || processes(reading, understood, report, &plans, &inference);
    let Some((settings, fix)) = here.or_else(elsewhere) else { return };
    let mut explains = Explained::default();
    diagnoses.retain(|one| {
        let unexplained = UNEXPLAINED.contains(&&*one.rule) || one.rule.ends_with("-fails");
        if unexplained {
            explains.missing.extend(&one.explains.missing);
            explains.unexpected.extend(&one.explains.unexpected);
            explains.mismatched.extend(&one.explains.mismatched);
        }
        !unexplained
    });
    if let Some(first) = diagnoses.iter_mut().find(|one| one.severity == Severity::Error)
        && explains == Explained::default()
    {
        first.fixes.insert(0, fix);
        return;
    }
    let label = settings.iter().find_map(|one| {
        let span = one.options.iter().find_map(|option| place(&understood.config.given, option))?;
        let how = if one.saved { "saved with" } else { "holds" };
        Some(Label { span, text: format!("the checkpoint: {how} {}", one.wanted()) })
    });
    let diagnosis = Diagnosis {
        rule: RULE.to_owned(),
        severity: Severity::Error,
        message: message(&settings),
        labels: label.into_iter().collect(),
        explains,
        notes: happens(report, diagnoses).into_iter().collect(),
        fixes: vec![fix],
    };
    diagnoses.insert(0, diagnosis);
}

/// What to try, and what it is told from.
fn plans(understood: &Understood, checkpoint: &Checkpoint) -> Option<(Plans, Inference)> {
    let inference = infer(checkpoint, understood.target.version()).ok()?;
    let values = &understood.config.values;
    let plans = repair::plans(RepairRules::load().ok()?, &understood.parser, values, checkpoint, &inference).ok()?;
    Some((plans, inference))
}

/// The settings, where some are found.
fn found(reading: &Reading<'_>, understood: &Understood, report: &Report, plans: &Plans) -> Option<Vec<Setting>> {
    let checkpoint = report.checkpoint.as_ref()?;
    let entries: usize = checkpoint.parts.iter().flat_map(|part| &part.chunks).map(|chunk| chunk.len() + 1).sum();
    let budget = (ENTRIES / entries.max(1)).clamp(8, PASSES);
    repair::search(plans, trial(report, report), budget, &mut |settings| {
        let judged = judge(reading, understood, &Way::of(&candidate(settings), understood)?)?;
        judged.rejected.is_none().then(|| trial(report, &judged))
    })
}

/// The settings with as many processes as wrote the checkpoint, where it has a file for each. The launcher's own words are
/// left to the user: how processes are spread over machines is not ours to say.
fn processes(
    reading: &Reading<'_>,
    understood: &Understood,
    report: &Report,
    plans: &Plans,
    inference: &Inference,
) -> Option<(Vec<Setting>, Fix)> {
    let files = |name: &str| inference.facts.get(name).int().and_then(|count| u64::try_from(count).ok());
    let ranks = files("tp_files")?.checked_mul(files("pp_files")?)?.checked_mul(files("ep_files")?)?;
    let has = understood.config.values.get("world_size").int().and_then(|size| u64::try_from(size).ok());
    if report.versions.len() > 1 || ranks < 2 || has == Some(ranks) {
        return None;
    }
    let mut request = reading.request.clone();
    request.machine.world_size = Some(ranks);
    let other = Reading { request: &request, ..reading.again() };
    let plans = Plans { whole: plans.whole.clone(), single: Vec::new() };
    let settings = found(&other, understood, report, &plans)?;
    let mut fix = prove(&other, understood, &candidate(&settings), report).filter(Fix::cures)?;
    fix.title = format!("start {ranks} processes and {}", fix.title);
    fix.applicability = Applicability::Unsafe;
    fix.edits.clear();
    Some((settings, fix))
}

/// The first ways out of all causes in one.
pub(super) fn together(found: &[Found]) -> Option<Candidate> {
    let first: Vec<&Candidate> =
        found.iter().filter_map(|found| found.remedies.iter().find(|one| one.command.is_none())).collect();
    let [one, more @ ..] = &first[..] else { return None };
    let mut all = (*one).clone();
    for other in more {
        all.title = format!("{}; {}", all.title, other.title);
        if other.applicability == Applicability::Unsafe {
            all.applicability = Applicability::Unsafe;
        }
        all.remove.extend(other.remove.iter().cloned());
        all.add.extend(other.add.iter().cloned());
    }
    (!more.is_empty()).then_some(all)
}

fn trial(before: &Report, report: &Report) -> Trial {
    let parts = report.diff.parts.iter();
    let differing: usize = parts.map(|part| part.missing.len() + part.unexpected.len() + part.mismatched.len()).sum();
    let failing = report.stages.iter().filter(|stage| stage.verdict == Verdict::Fails).count();
    let absent = if report.schema.is_none() { usize::MAX / 2 } else { 0 };
    Trial { loads: cures(before, report), distance: differing + failing + absent }
}

/// What the loader does, for the first diagnosis of a report.
fn happens(report: &Report, diagnoses: &[Diagnosis]) -> Option<Note> {
    // It stands in another diagnosis already.
    let heading = "what happens";
    if diagnoses.iter().any(|one| one.notes.iter().any(|note| note.heading == heading)) {
        return None;
    }
    let stage = report.stages.iter().find(|stage| matches!(stage.verdict, Verdict::Fails | Verdict::Partial))?;
    let how = if stage.verdict == Verdict::Fails { "stops" } else { "goes on" };
    let text = format!("{} {} {how}: {}", report.framework.name, report.framework.version, stage.message);
    Some(Note { heading: heading.to_owned(), text })
}

/// `the checkpoint was saved with --num-query-groups 4, the launch has 8`.
fn message(settings: &[Setting]) -> String {
    let saved = settings.iter().any(|one| one.saved);
    let wanted: Vec<String> = settings.iter().map(Setting::wanted).collect();
    let given: Vec<String> = settings.iter().map(Setting::given).collect();
    let how = if saved { "was saved with" } else { "needs" };
    let has = match &given[..] {
        [one] if one == "does not" => "the launch does not have it".to_owned(),
        _ => format!("the launch has {}", given.join(", ").replace("does not", "none")),
    };
    format!("the checkpoint {how} {}, {has}", wanted.join(", "))
}
