//! What a checkpoint holds, as folded tables.

use std::collections::BTreeSet;

use super::rows::{self, count, printable};
use super::table::{self, Beside};
use crate::checkpoint::{Checkpoint, Iteration, Part};
use crate::pattern::{self, Pattern};
use crate::report::style::{Role, Style};
use crate::rules::value::Value;
use crate::tensor::{Inventory, Kind, Tensor};

/// The text of `moe-lint inspect`.
pub fn inspect(checkpoint: &Checkpoint, style: Style) -> String {
    let mut out = String::new();
    let iteration = match checkpoint.iteration {
        Some(Iteration::Step(step)) => format!(", iteration {step}"),
        Some(Iteration::Release) => ", release".to_owned(),
        None => String::new(),
    };
    let name = printable(&checkpoint.directory.display().to_string());
    let size = bytes(checkpoint);
    let entries: usize = checkpoint.parts.iter().map(entries).sum();
    out.push_str(&style.paint(Role::Strong, &name));
    out.push('\n');
    out.push_str(&format!(
        "  {} format{iteration}, {}, {size}\n",
        checkpoint.format.name(),
        count(entries as u64, "key")
    ));
    if let Some(args) = &checkpoint.saved_args {
        let given = args.values().filter(|value| !matches!(value, Value::None)).count() as u64;
        let text = format!("{} saved with it; --format json lists them", count(given, "launch argument"));
        out.push_str(&format!("  {text}\n"));
    }
    for note in &checkpoint.notes {
        rows::prose(&mut out, style, "note", note);
    }
    parts(&mut out, style, checkpoint);
    for problem in &checkpoint.problems {
        out.push('\n');
        rows::title(&mut out, style, Role::Error, "damaged", &problem.to_string());
        if let Some(help) = problem.help() {
            rows::prose(&mut out, style, "help", &help);
        }
    }
    out
}

fn entries(part: &Part) -> usize {
    part.chunks.iter().map(Inventory::len).sum::<usize>() + part.other.len()
}

/// Files that hold the same keys and shapes are written once.
fn parts(out: &mut String, style: Style, checkpoint: &Checkpoint) {
    let mut groups: Vec<(&Part, Vec<&str>)> = Vec::new();
    for part in &checkpoint.parts {
        match groups.iter_mut().find(|(first, _)| same(first, part)) {
            Some((_, files)) => files.push(&part.file),
            None => groups.push((part, vec![&part.file])),
        }
    }
    for (part, of_group) in groups {
        let names: Vec<String> = pattern::fold(&of_group).iter().map(Pattern::to_string).collect();
        let each = match of_group.len() {
            1 => String::new(),
            n => format!("each of {}: ", count(n as u64, "file")),
        };
        let name = format!("{each}{}", names.join(", "));
        out.push('\n');
        if !name.is_empty() {
            out.push_str(&format!("{}\n", style.paint(Role::Heading, &name)));
        }
        for (stage, chunk) in part.chunks.iter().enumerate() {
            let name = if part.chunks.len() > 1 { format!("virtual stage {stage}") } else { String::new() };
            entries_of(out, style, part, &name, chunk, false);
        }
        if !part.other.is_empty() {
            entries_of(out, style, part, "beside the model", &part.other, true);
        }
    }
}

/// One state dict. Where each line's keys lie is said only where they lie in several files.
fn entries_of(out: &mut String, style: Style, part: &Part, name: &str, inventory: &Inventory, values: bool) {
    let files: BTreeSet<&str> = inventory.iter().filter_map(|(_, tensor)| tensor.file.as_deref()).collect();
    let only = files.first().filter(|file| files.len() == 1 && **file != &*part.file);
    let place = only.map(|file| format!("in {file}"));
    let heading: Vec<&str> =
        [Some(name).filter(|name| !name.is_empty()), place.as_deref()].into_iter().flatten().collect();
    if !heading.is_empty() {
        out.push_str(&format!("  {}\n", style.paint(Role::Heading, &heading.join(", "))));
    }
    let beside = Beside { files: files.len() > 1, values: values.then_some(&part.values) };
    table::render(out, style, inventory.iter(), &beside);
}

fn same(a: &Part, b: &Part) -> bool {
    a.chunks.len() == b.chunks.len()
        && a.chunks.iter().zip(&b.chunks).all(|(a, b)| alike(a, b))
        && alike(&a.other, &b.other)
        && a.values == b.values
}

/// The same but for the file, which is another one for every rank.
fn alike(a: &Inventory, b: &Inventory) -> bool {
    a.len() == b.len()
        && a.iter()
            .zip(b.iter())
            .all(|((a, x), (b, y))| a == b && (x.kind, &x.shape, &x.dtype) == (y.kind, &y.shape, &y.dtype))
}

/// What all tensors take together; replicas on several ranks count as often as they are stored.
fn bytes(checkpoint: &Checkpoint) -> String {
    let inventories = checkpoint.parts.iter().flat_map(|part| part.chunks.iter().chain([&part.other]));
    let total: f64 = inventories.flat_map(Inventory::iter).filter_map(|(_, tensor)| size(tensor)).sum();
    let units = ["B", "kB", "MB", "GB", "TB", "PB"];
    let power = units.len().min(1 + (total.max(1.0).log10() / 3.0) as usize) - 1;
    let value = total / 1000f64.powi(power as i32);
    let digits = usize::from(power > 0 && value < 100.0);
    format!("{value:.digits$} {} of tensors", units[power])
}

fn size(tensor: &Tensor) -> Option<f64> {
    if tensor.kind != Kind::Tensor {
        return None;
    }
    let elements: f64 = tensor.shape.as_ref()?.iter().map(|&axis| axis as f64).product();
    Some(elements * tensor.dtype.as_ref()?.size()? as f64)
}
