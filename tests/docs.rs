//! The documentation is true: its commands run and print what it shows, its pages are those that would be rendered, its
//! links lead somewhere. `UPDATE=1 cargo test --test docs` writes what has changed.

#[path = "docs/causes.rs"]
mod causes;
#[path = "docs/console.rs"]
mod console;
#[path = "docs/links.rs"]
mod links;
#[path = "docs/picture.rs"]
mod picture;

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every page: README.md and what lies below docs/.
fn pages() -> Vec<PathBuf> {
    let mut open = vec![root().join("docs")];
    let mut pages = vec![root().join("README.md")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => open.push(path),
                false if path.extension().is_some_and(|end| end == "md") => pages.push(path),
                false => {}
            }
        }
    }
    pages.sort();
    pages
}

/// A directory with the founding case: its launch looks for its checkpoints there.
fn sandbox(directory: &Path) {
    let case = root().join("tests/cases/issue-924");
    copy(&case.join("checkpoints"), &directory.join("checkpoints"));
    let script = fs::read_to_string(case.join("train_mixtral.sh")).expect("the script");
    let here = script.replace("tests/cases/issue-924", ".").replace("$CASE/checkpoints", "checkpoints");
    assert_ne!(script, here);
    fs::write(directory.join("train_mixtral.sh"), here).expect("a file");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &target),
            false => _ = fs::copy(entry.path(), target).expect("a copy"),
        }
    }
}

/// Holds a file against what it should be, or writes it.
fn current(path: &Path, now: &str) {
    if std::env::var_os("UPDATE").is_some() && fs::read_to_string(path).ok().as_deref() != Some(now) {
        fs::write(path, now).expect("a file");
    }
    let there = fs::read_to_string(path).unwrap_or_default();
    if there != now {
        let differing = there.lines().zip(now.lines()).enumerate().find(|(_, (there, now))| there != now);
        let (line, (there, now)) = differing.map_or((0, ("", "other lines at its end")), |(n, lines)| (n + 1, lines));
        panic!(
            "{}:{line} is not current; `UPDATE=1 cargo test --test docs` writes it\n  there: {there}\n  now:   {now}",
            path.display()
        );
    }
}

/// The blocks of a page: their language, their first line (from 0) and their text.
fn blocks(page: &str) -> Vec<(String, usize, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, usize, String)> = None;
    for (number, line) in page.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(language)) => open = Some((language.to_owned(), number + 1, String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some((_, _, text)), None) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block without end");
    blocks
}
