//! Modules know only what stands above them in the picture of `docs/architecture.md`: data flows one way.

use std::fs;
use std::path::{Path, PathBuf};

/// The order; modules of one line may know each other.
const ORDER: &[&[&str]] = &[
    &["text", "tensor", "pattern"],
    &["rules"],
    &["launch"],
    &["training"],
    &["schema"],
    &["checkpoint"],
    &["infer"],
    &["tokenizer"],
    &["convert"],
    &["diff"],
    &["loader"],
    &["diagnose"],
    &["fix"],
    &["repair"],
    &["report"],
    &["settings", "cli", "check", "commands", "error", "terminal"],
];

fn level(module: &str) -> Option<usize> {
    ORDER.iter().position(|line| line.contains(&module))
}

fn rust_files(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The names that follow a prefix anywhere in a text.
fn names_after<'t>(text: &'t str, prefix: &str) -> Vec<&'t str> {
    let name = |rest: &'t str| rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or("");
    text.match_indices(prefix).map(|(at, _)| name(&text[at + prefix.len()..])).collect()
}

#[test]
fn no_module_looks_back() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&root, &mut files);
    let mut wrong = Vec::new();
    for file in files {
        let inside = file.strip_prefix(&root).expect("below src");
        let names: Vec<&str> =
            inside.iter().map(|part| part.to_str().expect("UTF-8").trim_end_matches(".rs")).collect();
        let (module, depth) = (names[0], names.len());
        if matches!(module, "main" | "lib") {
            continue;
        }
        let text = fs::read_to_string(&file).expect("a file");
        let Some(own) = level(module) else {
            wrong.push(format!("src/{}: `{module}` has no place in the order", inside.display()));
            continue;
        };
        if text.contains("crate::{") {
            wrong.push(format!("src/{}: write one `use crate::...` a line", inside.display()));
        }
        let up = "super::".repeat(depth);
        for other in names_after(&text, "crate::").into_iter().chain(names_after(&text, &up)) {
            if level(other).is_some_and(|other| other > own) {
                wrong.push(format!("src/{}: `{module}` must not know `{other}`", inside.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_picture_shows_this_order() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md");
    let page = fs::read_to_string(page).expect("docs/architecture.md");
    let line = |names: &[&str]| names.join(", ");
    let order = ORDER.iter().map(|names| line(names)).collect::<Vec<_>>().join("\n");
    assert!(page.contains(&order), "docs/architecture.md must hold this order:\n{order}");
}
