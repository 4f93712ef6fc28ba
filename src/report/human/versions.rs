//! What holds where, when the framework's version is not known and every version was checked.

use super::rows::{self, TEXT, count};
use super::{diagnosis, role, stopped, summary};
use crate::diagnose::{Diagnosis, Fix, Note};
use crate::loader::Outcome;
use crate::report::Report;
use crate::report::style::Style;
use crate::report::versions::ranges;
use crate::rules::version::Version;

/// Writes every distinct cause once, a line for each distinct end, and the summary.
pub(super) fn render(out: &mut String, style: Style, report: &Report) {
    let (all, reports) = (report.all_versions(), report.by_version());
    for once in distinct(&reports) {
        once.render(out, style, &all);
    }
    let open = reports.iter().filter(|report| report.outcome == Outcome::Undetermined);
    let unknown: Vec<_> = open.flat_map(|report| report.undetermined.iter().cloned()).collect();
    stopped::unknowns(out, style, &unknown);
    for (text, versions) in together(reports.iter().map(|report| (end(report), &report.versions))) {
        let range = ranges(&versions, &all);
        if range.len() + 2 < TEXT {
            rows::prose(out, style, &range, &text);
        } else {
            out.push_str(&format!("{}\n", rows::heading(style, &range).trim_end()));
            rows::prose(out, style, "", &text);
        }
    }
    out.push('\n');
    ending(out, style, report, &reports, &all);
}

/// `fails up to 0.12, partial from 0.13 on; give the version with --megatron (15 versions, 30 ms)`.
fn ending(out: &mut String, style: Style, report: &Report, reports: &[&Report], all: &[Version]) {
    let ends = together(reports.iter().map(|report| (report.outcome, &report.versions)));
    let words = |(outcome, versions): &(Outcome, Vec<Version>)| format!("{} {}", outcome.name(), ranges(versions, all));
    let words: Vec<String> = ends.iter().map(words).collect();
    let advice = if ends.len() > 1 { "; give the version with --megatron" } else { "" };
    let circumstances = format!("({}, {})", count(all.len() as u64, "version"), summary::time(report.elapsed));
    let text = format!("{}{advice} {circumstances}", words.join(", "));
    for (number, line) in rows::wrap(&text, style.text_columns() - 2).iter().enumerate() {
        let first = ends.first().map_or("", |(outcome, _)| outcome.name());
        match line.strip_prefix(first).filter(|_| number == 0) {
            Some(rest) => out.push_str(&format!("{}{rest}\n", style.paint(role(ends[0].0), first))),
            None => out.push_str(&format!("  {line}\n")),
        }
    }
}

/// A diagnosis and where it holds. The report is that of the newest version that has it.
struct Once<'r> {
    diagnosis: &'r Diagnosis,
    report: &'r Report,
    versions: Vec<Version>,
    /// Its ways out, with the versions that each is proven in.
    fixes: Vec<(&'r Fix, Vec<Version>)>,
}

impl Once<'_> {
    fn render(&self, out: &mut String, style: Style, all: &[Version]) {
        let fix = |(fix, versions): &(&Fix, Vec<Version>)| {
            let only = versions.len() < self.versions.len();
            let title = if only { format!("{} ({})", fix.title, ranges(versions, all)) } else { fix.title.clone() };
            Fix { title, ..(*fix).clone() }
        };
        // What happens is told below, for each version.
        let notes = self.diagnosis.notes.iter().filter(|note| note.heading != "what happens");
        let notes = notes.cloned().chain([Note { heading: "versions".to_owned(), text: ranges(&self.versions, all) }]);
        let told =
            Diagnosis { fixes: self.fixes.iter().map(fix).collect(), notes: notes.collect(), ..self.diagnosis.clone() };
        diagnosis::render(out, style, &self.report.diff, &told);
        out.push('\n');
    }
}

/// The diagnoses, each once: the same cause in the same words.
fn distinct<'r>(reports: &[&'r Report]) -> Vec<Once<'r>> {
    let mut all: Vec<Once<'r>> = Vec::new();
    for report in reports {
        for diagnosis in &report.diagnoses {
            let same = |once: &Once<'_>| {
                (&once.diagnosis.rule, &once.diagnosis.message) == (&diagnosis.rule, &diagnosis.message)
            };
            let at = all.iter().position(same).unwrap_or_else(|| {
                all.push(Once { diagnosis, report, versions: Vec::new(), fixes: Vec::new() });
                all.len() - 1
            });
            let once = &mut all[at];
            once.versions.extend(report.versions.iter().cloned());
            if report.versions.last() >= once.report.versions.last() {
                (once.diagnosis, once.report) = (diagnosis, report);
            }
            for fix in &diagnosis.fixes {
                match once.fixes.iter_mut().find(|(known, _)| known.title == fix.title) {
                    Some((_, versions)) => versions.extend(report.versions.iter().cloned()),
                    None => once.fixes.push((fix, report.versions.clone())),
                }
            }
        }
    }
    all
}

/// The same thing once, with all of its versions.
fn together<'r, T: PartialEq>(things: impl Iterator<Item = (T, &'r Vec<Version>)>) -> Vec<(T, Vec<Version>)> {
    let mut all: Vec<(T, Vec<Version>)> = Vec::new();
    for (thing, versions) in things {
        match all.iter_mut().find(|(known, _)| *known == thing) {
            Some((_, known)) => known.extend(versions.iter().cloned()),
            None => all.push((thing, versions.clone())),
        }
    }
    all
}

/// `fails: what the loader does`.
fn end(report: &Report) -> String {
    match stopped::deciding(report) {
        Some(stage) if report.outcome != Outcome::Loads => format!("{}: {}", report.outcome.name(), stage.message),
        _ => report.outcome.name().to_owned(),
    }
}
