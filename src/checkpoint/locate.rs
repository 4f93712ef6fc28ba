//! Finding the iteration to load, step by step as the framework does it. Nothing is an error here: every stage is
//! reported, for whoever predicts the loader.

use std::path::PathBuf;

use super::error::{CheckpointError, Problem, Result};
use super::store::{Item, ItemKind, Store};
use super::{Iteration, safetensors};
use crate::rules::name::NamePattern;
use crate::rules::storage::StorageRules;

/// What the loader would find at a root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The root, as the user or the launch named it.
    pub root: PathBuf,
    /// Whether the root is a file: a checkpoint of one file.
    pub is_file: bool,
    /// Whether the root is a directory at all.
    pub root_exists: bool,
    /// The tracker file.
    pub tracker: Tracker,
    /// The iteration to load: the option's, else the tracker's.
    pub iteration: Option<Iteration>,
    /// Who chose it.
    pub chosen_by: Option<ChosenBy>,
    /// The directory of that iteration below the root; `""` is the root itself.
    pub folder: Option<String>,
    /// Whether that directory exists.
    pub folder_exists: bool,
    /// Every iteration that is there, sorted.
    pub present: Vec<String>,
    /// What a tracker file would say of the last of these.
    pub newest: Option<String>,
    /// Names of what lies at the root, sorted; of a very long list the first.
    pub names: Vec<String>,
    /// What lies in the directory.
    pub content: Content,
}

/// The tracker file's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tracker {
    /// There is none.
    Absent,
    /// It names a step. The framework refuses negative numbers, and older releases refuse 0.
    Step(i64),
    /// It names a release.
    Release,
    /// It says something else; the text, shortened.
    Garbage(String),
    /// It cannot be read as text.
    Unreadable(String),
}

/// Who chose the iteration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChosenBy {
    /// The tracker file.
    Tracker,
    /// The option that names a step.
    Option,
    /// The path is an iteration's directory itself. The framework would not accept it as a root.
    Path,
}

/// What lies in an iteration's directory, by the names that the framework looks at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Content {
    /// A name by which the framework recognises rank directories.
    pub looks_ranked: bool,
    /// Rank directories that hold the rank's file, sorted.
    pub ranks: Vec<String>,
    /// Rank directories that lack it.
    pub empty_ranks: Vec<String>,
    /// The index of a distributed checkpoint.
    pub has_index: bool,
    /// The JSON file of a distributed checkpoint.
    pub has_config: bool,
    /// safetensors files.
    pub safetensors: Option<safetensors::Found>,
}

impl Content {
    /// Whether anything is there that can be read.
    pub fn is_checkpoint(&self) -> bool {
        !self.ranks.is_empty() || self.has_index || self.has_config || self.safetensors.is_some()
    }
}

/// Looks at a root. `step` is the option that names an iteration.
pub fn locate(store: &dyn Store, rules: &StorageRules, step: Option<u64>) -> Location {
    let root_exists = store.kind("") == Some(ItemKind::Folder);
    let items = store.list("").unwrap_or_default();
    let tracker = tracker(store, rules);
    let (iteration, chosen_by) = match (step, &tracker) {
        (Some(step), _) => (Some(Iteration::Step(step)), Some(ChosenBy::Option)),
        (None, Tracker::Release) => (Some(Iteration::Release), Some(ChosenBy::Tracker)),
        (None, Tracker::Step(step)) => {
            let step = u64::try_from(*step).ok().map(Iteration::Step);
            (step, step.map(|_| ChosenBy::Tracker))
        }
        _ => (None, None),
    };
    let mut location = Location {
        root: store.path(""),
        is_file: store.kind("") == Some(ItemKind::File),
        root_exists,
        tracker,
        iteration,
        chosen_by,
        folder: iteration.map(|iteration| folder_of(rules, iteration)),
        folder_exists: false,
        present: present(rules, &items),
        newest: newest(rules, &items),
        names: names(&items),
        content: Content::default(),
    };
    // Without a tracker the path may be the iteration's directory: what a person means when they name it.
    if location.folder.is_none() && location.tracker == Tracker::Absent {
        let content = content(store, rules, "");
        if content.is_checkpoint() || content.looks_ranked {
            let name = store.path("").file_name().and_then(|name| name.to_str()).map(str::to_owned);
            location.iteration = name.and_then(|name| iteration_of(rules, &name));
            location.chosen_by = Some(ChosenBy::Path);
            location.folder = Some(String::new());
            location.folder_exists = true;
            location.content = content;
            return location;
        }
    }
    if let Some(folder) = &location.folder {
        location.folder_exists = store.kind(folder) == Some(ItemKind::Folder);
        if location.folder_exists {
            location.content = content(store, rules, folder);
        }
    }
    location
}

/// Text after which a tracker file is none.
const MAX_TRACKER: u64 = 4096;

fn tracker(store: &dyn Store, rules: &StorageRules) -> Tracker {
    if store.kind(&rules.tracker.file).is_none() {
        return Tracker::Absent;
    }
    match store.open(&rules.tracker.file).and_then(|blob| blob.all("a tracker file", MAX_TRACKER)) {
        Err(CheckpointError { problem: Problem::TooLarge { .. }, .. }) => Tracker::Garbage("a long text".to_owned()),
        Err(error) => Tracker::Unreadable(error.problem.to_string()),
        Ok(bytes) => match std::str::from_utf8(&bytes) {
            // Python would raise while decoding.
            Err(_) => Tracker::Unreadable("is not UTF-8 text".to_owned()),
            Ok(text) => read_tracker(text, &rules.tracker.release),
        },
    }
}

/// `int(text.strip())`, else the word for a release.
fn read_tracker(text: &str, release: &str) -> Tracker {
    let text = text.trim_matches(|c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c));
    match python_int(text) {
        Some(step) => Tracker::Step(step),
        None if text == release => Tracker::Release,
        None => Tracker::Garbage(text.chars().take(60).collect()),
    }
}

/// What Python's `int()` makes of a text: a sign, digits, single underscores between them.
fn python_int(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_int = digits.split('_').all(|group| !group.is_empty() && group.bytes().all(|b| b.is_ascii_digit()));
    is_int.then(|| text.replace('_', "").parse().ok()).flatten()
}

/// The directory of an iteration.
pub fn folder_of(rules: &StorageRules, iteration: Iteration) -> String {
    match iteration {
        Iteration::Step(step) => {
            let pattern = &rules.directories.iteration;
            let numbers: Vec<(&str, u64)> = pattern.names().map(|name| (name, step)).collect();
            pattern.write(&numbers)
        }
        Iteration::Release => rules.directories.release.clone(),
    }
}

/// The iteration that a directory's name stands for.
fn iteration_of(rules: &StorageRules, name: &str) -> Option<Iteration> {
    if name == rules.directories.release {
        return Some(Iteration::Release);
    }
    let numbers = rules.directories.iteration.numbers(name)?;
    numbers.first().map(|(_, step)| Iteration::Step(*step))
}

fn present(rules: &StorageRules, items: &[Item]) -> Vec<String> {
    let folders = items.iter().filter(|item| item.kind == ItemKind::Folder);
    folders.filter(|item| iteration_of(rules, &item.name).is_some()).map(|item| item.name.clone()).collect()
}

/// What a tracker file would say of the newest iteration that is there; a release where there is no other.
fn newest(rules: &StorageRules, items: &[Item]) -> Option<String> {
    let folders = items.iter().filter(|item| item.kind == ItemKind::Folder);
    let steps = folders.filter_map(|item| iteration_of(rules, &item.name)).map(|iteration| match iteration {
        Iteration::Step(step) => (true, step, step.to_string()),
        Iteration::Release => (false, 0, rules.tracker.release.clone()),
    });
    steps.max().map(|(.., text)| text)
}

/// More names than this tell nothing more.
const MOST_NAMES: usize = 1000;

fn names(items: &[Item]) -> Vec<String> {
    let mut names: Vec<String> = items.iter().map(|item| item.name.clone()).collect();
    names.sort();
    names.truncate(MOST_NAMES);
    names
}

/// The step that a directory's name stands for.
pub fn step_of(rules: &StorageRules, name: &str) -> Option<u64> {
    match iteration_of(rules, name)? {
        Iteration::Step(step) => Some(step),
        Iteration::Release => None,
    }
}

/// What lies in a directory.
pub fn content(store: &dyn Store, rules: &StorageRules, folder: &str) -> Content {
    let items = store.list(folder).unwrap_or_default();
    let has = |name: &str| items.iter().any(|item| item.name == name && item.kind == ItemKind::File);
    let mut content = Content {
        looks_ranked: items.iter().any(|item| rules.ranks.recognised_by.matches(&item.name)),
        has_index: has(&rules.distributed.index),
        has_config: has(&rules.distributed.config),
        safetensors: safetensors::find(&items),
        ..Content::default()
    };
    for item in items.iter().filter(|item| item.kind == ItemKind::Folder) {
        if rules.ranks.directories.iter().any(|pattern| pattern.matches(&item.name)) {
            let file = join(folder, &format!("{}/{}", item.name, rules.ranks.file));
            let ranks = if store.kind(&file).is_some() { &mut content.ranks } else { &mut content.empty_ranks };
            ranks.push(item.name.clone());
        }
    }
    content
}

/// A name in a folder.
pub fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// The directory to read, or why there is none.
pub fn directory(store: &dyn Store, rules: &StorageRules, location: &Location) -> Result<String> {
    let tracker = store.path(&rules.tracker.file);
    match (&location.tracker, &location.folder) {
        (Tracker::Garbage(text), None) => {
            let (text, release) = (text.clone(), rules.tracker.release.clone());
            Err(CheckpointError::new(tracker, Problem::BadTracker { text, release }))
        }
        (Tracker::Unreadable(why), None) => Err(CheckpointError::new(tracker, Problem::Unreadable(why.clone()))),
        (Tracker::Step(step), None) => {
            let (text, release) = (step.to_string(), rules.tracker.release.clone());
            Err(CheckpointError::new(tracker, Problem::BadTracker { text, release }))
        }
        (_, None) => Err(no_checkpoint(store, rules, location)),
        (_, Some(folder)) if !location.folder_exists => {
            let asked_by = match location.chosen_by {
                Some(ChosenBy::Option) => "the launch".to_owned(),
                _ => format!("`{}`", rules.tracker.file),
            };
            let present = location.present.clone();
            Err(CheckpointError::new(store.path(folder), Problem::MissingIteration { asked_by, present }))
        }
        (_, Some(folder)) => Ok(folder.clone()),
    }
}

fn no_checkpoint(store: &dyn Store, rules: &StorageRules, location: &Location) -> CheckpointError {
    let problem = match location.present.first() {
        Some(example) => {
            let example = store.path(example).display().to_string();
            Problem::NoTracker { tracker: rules.tracker.file.clone(), example }
        }
        None => Problem::NoCheckpoint { looked_for: looked_for(rules) },
    };
    CheckpointError::new(store.path(""), problem)
}

/// What a checkpoint's directory would hold, in words.
pub fn looked_for(rules: &StorageRules) -> String {
    let ranks = rules.ranks.directories.last().map_or("", NamePattern::text);
    format!(
        "looked for `{}`, for `{}` with `{ranks}/{}`, for `{}` and for *{}",
        rules.tracker.file,
        rules.directories.iteration.text(),
        rules.ranks.file,
        rules.distributed.index,
        safetensors::SUFFIX,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trackers_are_read_as_python_reads_them() {
        for (text, step) in
            [("10", 10), (" 0010\n", 10), ("\u{a0}+7\u{3000}", 7), ("1_000", 1000), ("0", 0), ("-1", -1)]
        {
            assert_eq!(read_tracker(text, "release"), Tracker::Step(step), "{text:?}");
        }
        assert_eq!(read_tracker("release\n", "release"), Tracker::Release);
        for text in ["", "10.0", "1__0", "_1", "Release", "ten", "99999999999999999999"] {
            assert!(matches!(read_tracker(text, "release"), Tracker::Garbage(_)), "{text:?}");
        }
    }
}
