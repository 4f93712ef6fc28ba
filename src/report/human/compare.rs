//! Two checkpoints side by side, for people.

use std::collections::BTreeMap;

use super::rows::{self, count, printable};
use crate::checkpoint::Iteration;
use crate::diff::checkpoints::{CheckpointDiff, PartDifference, Sides, State};
use crate::pattern::{fold, fold_by};
use crate::report::style::{Role, Style};
use crate::report::words;
use crate::rules::value::Value;
use crate::tensor::Tensor;

/// The text of a comparison of A and B.
pub fn compare(diff: &CheckpointDiff, names: [&str; 2], style: Style) -> String {
    let mut out = String::new();
    if diff.is_empty() {
        let text = format!("{} and {} hold the same", printable(names[0]), printable(names[1]));
        out.push_str(&format!("{}: {text}\n", style.paint(Role::Good, "same")));
        return out;
    }
    rows::prose(&mut out, style, "-", names[0]);
    rows::prose(&mut out, style, "+", names[1]);
    if let Some((a, b)) = diff.format {
        rows::prose(&mut out, style, "format", &format!("{} -> {}", a.name(), b.name()));
    }
    if let Some((a, b)) = diff.iteration {
        rows::prose(&mut out, style, "iteration", &format!("{} -> {}", iteration(a), iteration(b)));
    }
    if !diff.saved_args.is_empty() {
        heading(&mut out, style, "saved arguments");
        diff.saved_args.iter().for_each(|(name, sides)| value(&mut out, style, name, sides));
    }
    for (mark, files) in [("-", &diff.only_a), ("+", &diff.only_b)] {
        for pattern in fold(files) {
            let files = count(pattern.count(), "file");
            line(&mut out, style, mark, &format!("{pattern}"), &files);
        }
    }
    parts(&mut out, style, &diff.parts);
    out.push_str(&format!("\n{}: {}\n", style.paint(Role::Error, "differ"), summary(diff)));
    out
}

/// Parts that differ in the same way are shown once.
fn parts(out: &mut String, style: Style, parts: &[PartDifference]) {
    let mut groups: Vec<(&PartDifference, Vec<&str>)> = Vec::new();
    let alike = |a: &PartDifference, b: &PartDifference| {
        a.state == b.state && a.values == b.values && entries_of(a) == entries_of(b)
    };
    for part in parts {
        match groups.iter_mut().find(|(first, _)| alike(first, part)) {
            Some((_, files)) => files.push(&part.file),
            None => groups.push((part, vec![&part.file])),
        }
    }
    for (part, files) in groups {
        let patterns: Vec<String> = fold(&files).iter().map(ToString::to_string).collect();
        let state = match part.state {
            State::Model(0) => "model".to_owned(),
            State::Model(stage) => format!("model, virtual stage {stage}"),
            State::Other => "not the model's".to_owned(),
        };
        heading(out, style, &format!("{state}, in {}", printable(&patterns.join(", "))));
        for (pattern, (mark, what)) in fold_by(entries_of(part)) {
            let n = pattern.count();
            let what = if n == 1 { what } else { format!("{what}  ({})", count(n, "key")) };
            line(out, style, mark, &pattern.to_string(), &what);
        }
        part.values.iter().for_each(|(name, sides)| value(out, style, name, sides));
    }
}

/// Each entry with its mark and what it is, without its file.
fn entries_of(part: &PartDifference) -> BTreeMap<&str, (&'static str, String)> {
    let told = |sides: &Sides<Tensor>| match (&sides.a, &sides.b) {
        (Some(a), Some(b)) => ("~", format!("{} -> {}", tensor(a), tensor(b))),
        (Some(a), None) => ("-", tensor(a)),
        (None, b) => ("+", b.as_ref().map(tensor).unwrap_or_default()),
    };
    part.entries.iter().map(|(key, sides)| (&**key, told(sides))).collect()
}

fn tensor(tensor: &Tensor) -> String {
    format!("{} {}", words::dtype(tensor), words::shape(tensor)).trim_end().to_owned()
}

fn value(out: &mut String, style: Style, name: &str, sides: &Sides<Value>) {
    let (mark, text) = match (&sides.a, &sides.b) {
        (Some(a), Some(b)) => ("~", format!("{a} -> {b}")),
        (Some(a), None) => ("-", a.to_string()),
        (None, b) => ("+", b.as_ref().map(ToString::to_string).unwrap_or_default()),
    };
    line(out, style, mark, name, &text.replace('\n', " "));
}

fn line(out: &mut String, style: Style, mark: &str, name: &str, text: &str) {
    let role = match mark {
        "-" => Role::Error,
        "+" => Role::Good,
        _ => Role::Warning,
    };
    out.push_str(&format!("  {} {}  {}\n", style.paint(role, mark), printable(name), printable(text)));
}

fn heading(out: &mut String, style: Style, text: &str) {
    out.push_str(&format!("{}\n", style.paint(Role::Strong, text)));
}

fn iteration(iteration: Option<Iteration>) -> String {
    match iteration {
        None => "none".to_owned(),
        Some(Iteration::Release) => "release".to_owned(),
        Some(Iteration::Step(step)) => step.to_string(),
    }
}

fn summary(diff: &CheckpointDiff) -> String {
    let keys: u64 = diff.parts.iter().map(|part| part.entries.len() as u64).sum();
    let values: u64 = diff.parts.iter().map(|part| part.values.len() as u64).sum();
    let files = (diff.only_a.len() + diff.only_b.len()) as u64;
    let told = [(keys, "key"), (values, "setting"), (diff.saved_args.len() as u64, "saved argument"), (files, "file")];
    let told: Vec<String> = told.into_iter().filter(|(n, _)| *n > 0).map(|(n, noun)| count(n, noun)).collect();
    if told.is_empty() { "in format or iteration only".to_owned() } else { told.join(", ") }
}
