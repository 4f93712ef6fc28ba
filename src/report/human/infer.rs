//! The flags that a checkpoint implies, as a bash array that can be pasted; everything else stands in comments.

use super::rows::printable;
use crate::infer::{From, Inferred, Known};
use crate::launch::quoted;
use crate::report::InferReport;

/// The text of `moe-lint infer`.
pub fn infer(report: &InferReport) -> String {
    let arguments = &report.inference.arguments;
    let name = printable(&report.checkpoint.directory.display().to_string());
    let mut out = format!("# {name}\nCHECKPOINT_ARGS=(\n");
    for from in [From::SavedArgs, From::Shapes] {
        block(&mut out, arguments, from);
    }
    out.push_str(")\n");
    let nothing = arguments.iter().filter_map(|one| match &one.known {
        Known::Nothing(reason) => Some(format!("{}: {reason}", one.option)),
        Known::Value { .. } => None,
    });
    comments(&mut out, "cannot be told", nothing);
    let contradicted = arguments.iter().filter_map(|one| match &one.known {
        Known::Value { value, saved: Some(saved), .. } => {
            Some(format!("{}: saved as {saved}, keys and shapes say {value}", one.option))
        }
        _ => None,
    });
    comments(&mut out, "the saved args say otherwise", contradicted);
    comments(&mut out, "not all of it can be read", report.checkpoint.problems.iter().map(ToString::to_string));
    out
}

/// The flags that are known from one source, those without an assumption first.
fn block(out: &mut String, arguments: &[Inferred], of: From) {
    let mut groups: Vec<(Option<&str>, Vec<String>)> = Vec::new();
    for one in arguments {
        let Known::Value { words, from, assumes, .. } = &one.known else { continue };
        if *from != of || words.is_empty() {
            continue;
        }
        let line = words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
        match groups.iter_mut().find(|(condition, _)| *condition == assumes.as_deref()) {
            Some((_, lines)) => lines.push(line),
            None => groups.push((assumes.as_deref(), vec![line])),
        }
    }
    groups.sort_by_key(|(condition, _)| condition.is_some());
    for (condition, lines) in groups {
        let condition = condition.map_or_else(String::new, |text| format!(", if {}", printable(text)));
        out.push_str(&format!("    # from {}{condition}\n", of.name()));
        for line in lines {
            out.push_str(&format!("    {}\n", printable(&line)));
        }
    }
}

fn comments(out: &mut String, heading: &str, lines: impl Iterator<Item = String>) {
    let mut first = true;
    for line in lines {
        if std::mem::take(&mut first) {
            out.push_str(&format!("# {heading}:\n"));
        }
        out.push_str(&format!("#   {}\n", printable(&line)));
    }
}
