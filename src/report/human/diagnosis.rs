//! One cause: what, where, which keys, what happens, what to do.

use textwrap::core::display_width;

use super::rows::{self, TEXT};
use super::{keys, snippet};
use crate::diagnose::{Applicability, Diagnosis, Fix, Severity};
use crate::diff::Diff;
use crate::report::style::{Role, Style};

/// Writes one diagnosis.
pub(super) fn render(out: &mut String, style: Style, diff: &Diff, diagnosis: &Diagnosis) {
    let role = match diagnosis.severity {
        Severity::Error => Role::Error,
        Severity::Warning => Role::Warning,
        Severity::Info => Role::Info,
    };
    let title = format!("{}[{}]", diagnosis.severity.name(), rows::printable(&diagnosis.rule));
    rows::title(out, style, role, &title, &diagnosis.message);
    snippet::render(out, style, role, &diagnosis.labels);
    keys::render(out, style, diff, &diagnosis.explains);
    for note in &diagnosis.notes {
        rows::prose(out, style, &rows::printable(&note.heading), &note.text);
    }
    for (i, fix) in diagnosis.fixes.iter().enumerate() {
        self::fix(out, style, i == 0, fix);
    }
}

/// `fix (proven)    remove --flag    moe-lint ...`: the command beside the title where it fits, else below it.
fn fix(out: &mut String, style: Style, first: bool, fix: &Fix) {
    let heading = format!("{}{}", if first { "fix" } else { "or" }, if fix.proven() { " (proven)" } else { "" });
    let unsafe_words = match fix.applicability {
        Applicability::Safe => "",
        Applicability::Unsafe => " (changes the training)",
    };
    let title = rows::printable(&format!("{}{unsafe_words}", fix.title));
    let command = fix.command.as_deref().map(rows::printable);
    let room = style.columns() - TEXT;
    match command {
        Some(command) if display_width(&title) + 4 + display_width(&command) <= room => {
            let command = style.paint(Role::Command, &command);
            out.push_str(&format!("{}{title}    {command}\n", rows::heading(style, &heading)));
        }
        Some(command) => {
            rows::prose(out, style, &heading, &title);
            // Never wrapped: it is there to be copied.
            out.push_str(&format!("{}{}\n", " ".repeat(TEXT), style.paint(Role::Command, &command)));
        }
        None => rows::prose(out, style, &heading, &title),
    }
}
