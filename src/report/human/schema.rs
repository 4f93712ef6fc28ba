//! What a launch builds, as a folded table.

use std::sync::Arc;

use super::rows::{count, printable};
use super::table::{self, Beside};
use super::{stopped, summary};
use crate::loader::Outcome;
use crate::pattern::{self, Pattern};
use crate::report::SchemaReport;
use crate::report::style::{Role, Style};
use crate::schema::{Rank, Schema};
use crate::tensor::{Inventory, Kind};

/// The text of `moe-lint schema`.
pub fn schema(report: &SchemaReport, style: Style) -> String {
    let mut out = String::new();
    if let Some(rejection) = &report.rejected {
        stopped::rejected(&mut out, style, &report.framework, &report.launch, rejection);
        return out;
    }
    let Some(schema) = &report.schema else {
        stopped::unknowns(&mut out, style, &report.undetermined);
        let word = style.paint(Role::Warning, Outcome::Undetermined.name());
        let about = if report.undetermined.is_empty() {
            "what this launch builds is not modelled"
        } else {
            "give the values above"
        };
        out.push_str(&format!("{word}: {about} ({})\n", summary::time(report.elapsed)));
        return out;
    };
    let launch = report.launch.sources.first().map_or_else(|| "the launch".to_owned(), |source| source.name());
    let te = match &report.environment.transformer_engine {
        Some(version) => format!(" with Transformer Engine {version}"),
        None => " without Transformer Engine".to_owned(),
    };
    let framework = format!("{} {}", report.framework.name, report.framework.version);
    let title = format!("{} as {framework}{te}", printable(&launch));
    out.push_str(&format!("{}\n", style.paint(Role::Strong, &title)));
    match schema {
        Schema::Global(inventory) => {
            heading(&mut out, style, "the whole model, sharded", &[inventory]);
            table::render(&mut out, style, inventory.iter(), &Beside { files: false, values: None });
        }
        Schema::PerRank(ranks) => per_rank(&mut out, style, ranks),
    }
    out
}

/// Ranks that hold the same are written once.
fn per_rank(out: &mut String, style: Style, ranks: &[Rank]) {
    let mut groups: Vec<(&[Arc<Inventory>], Vec<&str>)> = Vec::new();
    for rank in ranks {
        match groups.iter_mut().find(|(chunks, _)| same(chunks, &rank.chunks)) {
            Some((_, files)) => files.push(&rank.file),
            None => groups.push((&rank.chunks, vec![&rank.file])),
        }
    }
    for (chunks, files) in groups {
        let names: Vec<String> = pattern::fold(&files).iter().map(Pattern::to_string).collect();
        let each =
            if files.len() > 1 { format!("each of {}: ", count(files.len() as u64, "file")) } else { String::new() };
        let name = format!("{each}{}", names.join(", "));
        heading(out, style, &name, &chunks.iter().collect::<Vec<_>>());
        for (stage, chunk) in chunks.iter().enumerate() {
            if chunks.len() > 1 {
                out.push_str(&style.paint(Role::Heading, &format!("  virtual stage {stage}")));
                out.push('\n');
            }
            table::render(out, style, chunk.iter(), &Beside { files: false, values: None });
        }
    }
}

fn same(a: &[Arc<Inventory>], b: &[Arc<Inventory>]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| Arc::ptr_eq(a, b) || a == b)
}

fn heading(out: &mut String, style: Style, name: &str, chunks: &[&Arc<Inventory>]) {
    let entries = || chunks.iter().flat_map(|chunk| chunk.iter());
    let tensors = entries().filter(|(_, tensor)| tensor.kind == Kind::Tensor).count() as u64;
    let objects = entries().count() as u64 - tensors;
    let mut size = count(tensors, "tensor");
    if objects > 0 {
        size.push_str(&format!(", {}", count(objects, "other object")));
    }
    out.push_str(&format!("\n{}\n  {}\n", style.paint(Role::Heading, name), style.paint(Role::Quiet, &size)));
}
