//! The rule files: those that the binary carries, and those that the user adds to them or puts in their place.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::RuleError;

/// Path below `rules/` and text of every embedded rule file, sorted by path.
pub static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// A rule file of the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// Its path below the user's directory, with `/`: what it adds to, or takes the place of.
    pub path: String,
    /// Where it is.
    pub origin: PathBuf,
    /// What it says.
    pub text: String,
}

/// All files, and where those of the user are.
struct Together {
    files: Vec<(&'static str, &'static str)>,
    origins: BTreeMap<&'static str, PathBuf>,
}

static TOGETHER: OnceLock<Together> = OnceLock::new();
/// Whether somebody has looked at the files: tables are made of them once.
static READ: AtomicBool = AtomicBool::new(false);

/// Adds files of the user, once, before any rule is used. Of several with the same path the last counts.
///
/// # Errors
/// When no rules are read from a file of that name, or rules are in use already.
pub fn add(added: Vec<Added>) -> Result<(), RuleError> {
    let mut files: BTreeMap<&'static str, &'static str> = FILES.iter().copied().collect();
    let mut origins = BTreeMap::new();
    for Added { path, origin, text } in added {
        if !is_read(&path) {
            let place = origin.display().to_string();
            return Err(RuleError::new(place, format!("no rules are read from a file that is called `{path}`")));
        }
        // They live as long as the process, as the embedded ones do.
        let path: &'static str = String::leak(path);
        files.insert(path, String::leak(text));
        origins.insert(path, origin);
    }
    let together = Together { files: files.into_iter().collect(), origins };
    if READ.load(Ordering::SeqCst) || TOGETHER.set(together).is_err() {
        return Err(RuleError::new("", "rules are in use already"));
    }
    Ok(())
}

/// Folders that are read as a whole, so that a new file in them says something.
const FOLDERS: &[&str] =
    &["causes/", "forks/", "inputs/", "megatron/config/", "megatron/flags/", "megatron/loader/", "megatron/modules/"];

/// Whether rules are read from a file of that path.
fn is_read(path: &str) -> bool {
    FILES.iter().any(|(known, _)| *known == path)
        || FOLDERS.iter().any(|folder| path.starts_with(folder))
        || path.ends_with("/entrypoints.toml")
}

/// All files, sorted by path.
pub fn files() -> &'static [(&'static str, &'static str)] {
    READ.store(true, Ordering::SeqCst);
    TOGETHER.get().map_or(FILES, |together| together.files.as_slice())
}

/// The files whose path starts with `folder`.
pub fn below(folder: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    files().iter().copied().filter(move |(path, _)| path.starts_with(folder))
}

/// A place in a rule file as the user knows it.
pub(super) fn shown(place: &str) -> String {
    let path = place.split(',').next().unwrap_or(place);
    match TOGETHER.get().and_then(|together| together.origins.get(path)) {
        Some(origin) => format!("{}{}", origin.display(), &place[path.len()..]),
        None if place.ends_with(".toml")
            || place.contains(".toml,")
            || place.contains('/') && !place.starts_with('/') =>
        {
            format!("rules/{place}")
        }
        None => place.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_no_use_are_told_apart() {
        for path in ["megatron/flags/ours.toml", "causes/ours.toml", "megatron/versions.toml", "ours/entrypoints.toml"]
        {
            assert!(is_read(path), "{path}");
        }
        for path in ["flags/ours.toml", "megatron/ours.toml", "README.toml", "megatron/flag/ours.toml"] {
            assert!(!is_read(path), "{path}");
        }
    }
}
