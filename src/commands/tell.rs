//! Printing what was found about one launch or many, in the format that was asked for, and the exit code.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::files;
use crate::cli::{ReportArgs, ReportFormat};
use crate::error::Error;
use crate::report::findings::Subject;
use crate::report::style::Style;
use crate::report::{Report, github, gitlab, human, json, junit, links, sarif};
use crate::terminal::Console;

/// A launch, and what was found or why nothing could be.
pub(super) struct Judged {
    /// The launch; empty for a command line.
    pub(super) launch: PathBuf,
    /// Its report.
    pub(super) result: Result<Report, Error>,
    /// What the report says in short.
    pub(super) subject: Subject,
}

impl Judged {
    /// A launch and its result.
    pub(super) fn new(launch: &Path, result: Result<Report, Error>) -> Self {
        let subject = match &result {
            Ok(report) => Subject::of(report),
            Err(error) => {
                let name =
                    if launch.as_os_str().is_empty() { "command line".into() } else { launch.display().to_string() };
                Subject::failed(&name, &error.to_string(), error.help())
            }
        };
        Self { launch: launch.to_path_buf(), result, subject }
    }

    /// 0 it may go on, 1 it does not load as asked, 2 that cannot be told.
    pub(super) fn exit_code(&self) -> u8 {
        match &self.result {
            _ if self.subject.passes => 0,
            Ok(report) => report.outcome.exit_code(),
            Err(_) => 2,
        }
    }
}

/// Prints all reports; the number is the exit code, whatever the format: the worst of all.
///
/// # Errors
/// When the only launch could not be checked, or nothing can be written.
pub(super) fn tell(mut judged: Vec<Judged>, args: &ReportArgs, console: &mut Console<'_>) -> Result<u8, Error> {
    let code = judged.iter().map(Judged::exit_code).max().unwrap_or(0);
    let on_github = (console.terminal.variable)("GITHUB_ACTIONS").is_some_and(|value| value == "true");
    let format = args.format.unwrap_or(ReportFormat::Human);
    let subjects: Vec<Subject> = judged.iter().map(|one| one.subject.clone()).collect();
    match format {
        ReportFormat::Human | ReportFormat::Json => {}
        ReportFormat::Sarif => console.write(|out| sarif::write(out, &subjects, code))?,
        ReportFormat::Github => console.print(&github::annotations(&subjects))?,
        ReportFormat::Gitlab => console.write(|out| gitlab::write(out, &subjects))?,
        ReportFormat::Junit => console.write(|out| junit::write(out, &subjects))?,
    }
    if matches!(format, ReportFormat::Human | ReportFormat::Json) {
        if let [Judged { result: Ok(_), .. }] | [_, _, ..] = judged.as_slice() {
            print(&judged, &subjects, format, args, console)?;
        }
        if on_github && args.format.is_none() {
            console.print(&github::annotations(&subjects))?;
        }
    }
    if on_github
        && (args.format.is_none() || format == ReportFormat::Github)
        && let Some(path) = (console.terminal.variable)("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty())
    {
        files::append(Path::new(&path), &github::summary(&subjects))?;
    }
    match judged.pop() {
        Some(Judged { result: Err(error), .. }) if judged.is_empty() => Err(error),
        _ => Ok(code),
    }
}

fn print(
    judged: &[Judged],
    subjects: &[Subject],
    format: ReportFormat,
    args: &ReportArgs,
    console: &mut Console<'_>,
) -> io::Result<()> {
    if format == ReportFormat::Json {
        return console.write(|out| judged.iter().try_for_each(|one| document(&mut *out, one)));
    }
    let style = console.style(&args.human());
    let directory = console.terminal.links().then(|| std::env::current_dir().ok()).flatten();
    let mut text = String::new();
    for one in judged {
        let subject = &one.subject;
        if judged.len() > 1 {
            text.push_str(&human::heading(&subject.name, style));
        }
        match &one.result {
            // All of it is accepted: that it is, and why, is all there is to say.
            Ok(_) if subject.is_accepted() => text.push_str(&human::accepted(subject, style)),
            Ok(report) => {
                let report_text = human::check(report, style);
                text.push_str(&match &directory {
                    Some(directory) => links::add(&report_text, &report.launch, directory),
                    None => report_text,
                });
                text.push_str(&human::accepted(subject, style));
            }
            Err(error) => text.push_str(&failure(error, style)),
        }
        text.push_str(if judged.len() > 1 { "\n" } else { "" });
    }
    if judged.len() > 1 {
        text.push_str(&human::tally(subjects));
    }
    console.print(&text)
}

fn failure(error: &Error, style: Style) -> String {
    human::failure(&error.to_string(), error.help().as_deref(), style)
}

fn document(out: &mut dyn Write, judged: &Judged) -> io::Result<()> {
    match &judged.result {
        Ok(report) => json::check(out, report),
        Err(error) => json::failure(out, &judged.subject.name, &error.to_string(), error.help().as_deref()),
    }
}
