//! Which launches are meant: globs against the files of the repository.

use std::path::{Component, Path, PathBuf};

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

use super::{Found, SettingsError, Target};
use crate::launch::{Disk, Files};

/// Deeper directories are not searched.
const MOST_DEPTH: usize = 24;
/// More files than this are not looked at.
const MOST_FILES: usize = 200_000;

/// A launch to check, and the target it belongs to; `None` where only general settings hold.
#[derive(Debug)]
pub struct Planned<'s> {
    /// The script.
    pub launch: PathBuf,
    /// Its target.
    pub target: Option<&'s Target>,
}

fn glob(text: &str) -> Result<Glob, globset::Error> {
    GlobBuilder::new(text.strip_prefix("./").unwrap_or(text)).literal_separator(true).build()
}

fn set(globs: &[String]) -> GlobSet {
    let mut builder = GlobSetBuilder::new();
    // They were found sound when the settings were read.
    globs.iter().filter_map(|text| glob(text).ok()).for_each(|glob| _ = builder.add(glob));
    builder.build().unwrap_or_else(|_| GlobSet::empty())
}

/// Refuses globs that are none.
pub(super) fn globs_are_sound(found: &Found) -> Result<(), SettingsError> {
    let settings = &found.settings;
    let targets = settings.targets.iter().flat_map(|target| &target.launch);
    let ignores = settings.ignores.iter().flat_map(|ignore| &ignore.launch);
    for text in settings.exclude.iter().chain(targets).chain(ignores) {
        if let Err(error) = glob(text) {
            let (path, message) = (found.path.clone(), format!("`{text}` is no glob: {}", error.kind()));
            return Err(SettingsError::Wrong { path, message, help: None });
        }
    }
    Ok(())
}

impl Found {
    /// A path as the globs see it: relative to the settings' directory, without `.` and `..`.
    pub fn relative(&self, path: &Path) -> PathBuf {
        let real = |path: &Path| Disk.real_path(path).unwrap_or_else(|| path.to_path_buf());
        let directory = if self.directory().as_os_str().is_empty() { Path::new(".") } else { self.directory() };
        let (directory, path) = (real(directory), real(path));
        let inside = path.strip_prefix(&directory).unwrap_or(&path);
        inside.components().filter(|part| !matches!(part, Component::CurDir)).collect()
    }

    /// Whether a file is never to be checked.
    pub fn excludes(&self, path: &Path) -> bool {
        set(&self.settings.exclude).is_match(self.relative(path))
    }

    /// Whether globs match a file; no globs match every file.
    pub fn matches(&self, globs: &[String], path: &Path) -> bool {
        globs.is_empty() || set(globs).is_match(self.relative(path))
    }

    /// All launches of all targets.
    pub fn all(&self) -> Vec<Planned<'_>> {
        let directory = self.directory();
        let files = walk(directory);
        let excluded = set(&self.settings.exclude);
        let mut planned = Vec::new();
        for target in &self.settings.targets {
            let wanted = set(&target.launch);
            let fits = |file: &&PathBuf| wanted.is_match(file) && !excluded.is_match(file);
            planned.extend(
                files.iter().filter(fits).map(|file| Planned { launch: directory.join(file), target: Some(target) }),
            );
        }
        planned
    }

    /// What is to be checked of the files that were named: launches, settings, snapshots. A launch that belongs to no
    /// target is passed over where only targets are wanted, and one that is excluded always.
    pub fn of_files(&self, files: &[PathBuf], only_targets: bool) -> Vec<Planned<'_>> {
        let mut planned: Vec<Planned<'_>> = Vec::new();
        for file in files {
            let here = self.relative(file);
            if self.relative(&self.path) == here {
                return self.all();
            }
            let loads = |target: &&Target| {
                target.checkpoint.as_ref().is_some_and(|path| self.relative(&self.resolve(path)) == here)
            };
            let loading: Vec<&Target> = self.settings.targets.iter().filter(loads).collect();
            if loading.is_empty() {
                planned.extend(self.of_launch(file, only_targets));
            }
            for target in loading {
                let all = self.all().into_iter();
                planned.extend(all.filter(|one| one.target.is_some_and(|other| std::ptr::eq(other, target))));
            }
        }
        let mut seen = Vec::new();
        planned.retain(|one| {
            let key = (self.relative(&one.launch), one.target.map(std::ptr::from_ref));
            let new = !seen.contains(&key);
            seen.push(key);
            new
        });
        planned
    }

    /// The targets of one launch.
    fn of_launch(&self, launch: &Path, only_targets: bool) -> Vec<Planned<'_>> {
        if self.excludes(launch) {
            return Vec::new();
        }
        let here = self.relative(launch);
        let fitting = self.settings.targets.iter().filter(|target| set(&target.launch).is_match(&here));
        let mut planned: Vec<_> =
            fitting.map(|target| Planned { launch: launch.to_path_buf(), target: Some(target) }).collect();
        if planned.is_empty() && !only_targets {
            planned.push(Planned { launch: launch.to_path_buf(), target: None });
        }
        planned
    }
}

/// Every file below a directory, relative to it, sorted; without hidden directories and links to directories.
pub fn walk(directory: &Path) -> Vec<PathBuf> {
    let root = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let mut files = Vec::new();
    let mut open = vec![(PathBuf::new(), 0)];
    while let Some((folder, depth)) = open.pop() {
        for name in Disk.list(&root.join(&folder)) {
            if name.starts_with('.') || files.len() >= MOST_FILES {
                continue;
            }
            let inside = folder.join(&name);
            let path = root.join(&inside);
            match Disk.is_directory(&path) {
                Some(false) => files.push(inside),
                Some(true) if depth < MOST_DEPTH && is_real(&path) => open.push((inside, depth + 1)),
                _ => {}
            }
        }
    }
    files.sort();
    files
}

/// Whether a directory is one itself and no link to one: links may lead in circles.
fn is_real(path: &Path) -> bool {
    let parent = path.parent().and_then(|parent| Disk.real_path(parent));
    match (parent, path.file_name(), Disk.real_path(path)) {
        (Some(parent), Some(name), Some(real)) => parent.join(name) == real,
        _ => false,
    }
}
