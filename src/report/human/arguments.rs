//! The training command's flags as a table: what is not known first, then each with its value and its place.

use std::sync::Arc;

use textwrap::core::display_width;

use super::rows::{count, printable};
use super::stopped;
use crate::launch::{Command, Launch};
use crate::report::style::{Role, Style};
use crate::report::{ArgumentsReport, Flag};
use crate::rules::value::{Unknown, Value};
use crate::text::{Source, Span};

/// The text of `moe-lint args`.
pub fn arguments(report: &ArgumentsReport, style: Style) -> String {
    let mut out = String::new();
    let launch = &report.launch;
    let name = launch.sources.first().map_or_else(|| "the launch".to_owned(), |source| printable(&source.name()));
    let Some((number, command)) = launch.training.and_then(|i| Some((i + 1, launch.commands.get(i)?))) else {
        commands(&mut out, style, launch);
        out.push_str(&format!("{name}: {}, none of them trains\n", count(launch.commands.len() as u64, "command")));
        return out;
    };
    let unknown: Vec<Arc<Unknown>> =
        command.argv.iter().filter_map(|word| word.value.as_ref().err().cloned()).collect();
    stopped::unknowns(&mut out, style, &unknown);
    let title = format!(
        "{} (line {}) as {} {}",
        start(launch, command),
        command.line,
        report.framework.name,
        report.framework.version
    );
    out.push_str(&format!("{}\n", style.paint(Role::Strong, &title)));
    table(&mut out, style, &report.flags, launch.sources.first());
    let of = match launch.commands.len() {
        1 => String::new(),
        all => format!(" of command {number} of {all}"),
    };
    let mut text = format!("{name}: {}{of}", count(report.flags.len() as u64, "flag"));
    if !unknown.is_empty() {
        text.push_str(&format!(", {}", count(unknown.len() as u64, "unknown word")));
    }
    out.push_str(&format!("{text}\n"));
    out
}

/// The program and the script that it starts.
fn start(launch: &Launch, command: &Command) -> String {
    let program = command.known(0).unwrap_or("?");
    let script = launch.training_entry().and_then(|entry| entry.script.value.as_deref().ok());
    let script = script.filter(|script| *script != program).map_or_else(String::new, |script| format!(" {script}"));
    printable(&format!("{program}{script}"))
}

/// The commands of a launch that does not train.
fn commands(out: &mut String, style: Style, launch: &Launch) {
    for (index, command) in launch.commands.iter().enumerate() {
        let words: Vec<&str> = command.argv.iter().map(|word| word.value.as_deref().unwrap_or("?")).collect();
        let number = style.paint(Role::Quiet, &format!("{:>4}", index + 1));
        let text = fitting(&printable(&words.join(" ")).replace('\n', " "), style.columns() - 6, style);
        out.push_str(&format!("{number}  {text}\n"));
    }
}

fn table(out: &mut String, style: Style, flags: &[Flag], script: Option<&Arc<Source>>) {
    let rows: Vec<[String; 3]> =
        flags.iter().map(|flag| [printable(&flag.flag), value(flag), place(flag, script)]).collect();
    let widest = |column: usize| rows.iter().map(|row| display_width(&row[column])).max().unwrap_or(0);
    let place = widest(2);
    let flag = widest(0).min(style.columns().saturating_sub(place + 16));
    let room = style.columns().saturating_sub(2 + flag + 2 + 2 + place).max(10);
    let value = widest(1).min(room);
    for row in &rows {
        out.push_str(&format!("  {}", row[0]));
        if display_width(&row[0]) > flag {
            out.push_str(&format!("\n  {}", " ".repeat(flag)));
        } else {
            out.push_str(&" ".repeat(flag - display_width(&row[0])));
        }
        let text = fitting(&row[1], value, style);
        let gap = " ".repeat(value - display_width(&text).min(value));
        out.push_str(&format!("  {text}{gap}  {}\n", style.paint(Role::Quiet, &row[2])).replace(" \n", "\n"));
    }
}

/// The beginning of a text where it is wider than its column.
fn fitting(text: &str, width: usize, style: Style) -> String {
    if display_width(text) <= width {
        return text.to_owned();
    }
    let more = style.ellipsis();
    let mut short = String::new();
    for c in text.chars() {
        if display_width(&short) + display_width(&c.to_string()) + display_width(more) > width {
            break;
        }
        short.push(c);
    }
    short + more
}

fn value(flag: &Flag) -> String {
    let text = match &flag.value {
        Value::Unknown(unknown) => format!("? {}", unknown.name),
        Value::None if flag.dest.is_none() => String::new(),
        value => value.to_string(),
    };
    let strange = match (&flag.dest, &flag.fork) {
        (Some(_), _) => String::new(),
        (None, Some(fork)) => format!(" ({fork}'s)"),
        (None, None) => " (not a flag of this version)".to_owned(),
    };
    printable(&format!("{text}{strange}")).replace('\n', " ").trim().to_owned()
}

/// The line and column of the value, or of the flag where it has none; with the file's name where it is not the script.
fn place(flag: &Flag, script: Option<&Arc<Source>>) -> String {
    let span: Option<&Span> = flag.labels.get(1).or(flag.labels.first());
    span.map_or_else(String::new, |span| {
        let (line, column) = span.line_column();
        match &span.source.path {
            _ if script == Some(&span.source) => format!("{line}:{column}"),
            Some(path) => format!("{}:{line}:{column}", path.file_name().unwrap_or_default().to_string_lossy()),
            None => format!("column {column}"),
        }
    })
}
