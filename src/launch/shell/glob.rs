//! File names that a pattern stands for, and paths as the script sees them.

use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use super::holes::Hole;
use super::machine::{Flow, Machine, Run};
use super::pattern::{Pattern, is_pattern, unquote};
use super::state::Written;
use super::text::Text;

impl Machine<'_> {
    /// A path as an absolute one; the hole that decides it where it is not known.
    pub(super) fn absolute(&self, path: &str) -> Result<PathBuf, Hole> {
        if let Some(hole) = Hole::in_text(path) {
            return Err(hole);
        }
        if path.starts_with('/') {
            return Ok(tidy(Path::new(path)));
        }
        match Hole::in_text(self.state.directory.as_str()) {
            Some(hole) => Err(hole),
            None => Ok(tidy(&Path::new(self.state.directory.as_str()).join(path))),
        }
    }

    fn written(&self, path: &Path) -> Option<&Written> {
        self.state.files.get(path.to_str()?)
    }

    /// Notes what the script did to a file.
    pub(super) fn write_file(&mut self, path: &Path, what: Written) {
        if let Some(path) = path.to_str()
            && self.state.files.len() < 2_000
        {
            Rc::make_mut(&mut self.state.files).insert(path.to_owned(), what);
        }
    }

    /// Whether a path is there, and whether it is a directory.
    pub(super) fn kind_of(&self, path: &Path) -> Option<bool> {
        match self.written(path) {
            Some(Written::Directory) => Some(true),
            Some(Written::File(_)) => Some(false),
            Some(Written::Gone) => None,
            None => match path.to_str() {
                Some("/dev/null" | "/dev/stdin" | "/dev/stdout" | "/dev/stderr" | "/dev/tty") => Some(false),
                _ => self.files.is_directory(path),
            },
        }
    }

    /// The size of a file; `None` where it is not there.
    pub(super) fn size_of(&self, path: &Path) -> Option<u64> {
        match self.written(path) {
            Some(Written::File(text)) => Some(text.len() as u64),
            Some(Written::Gone) => None,
            _ => self.files.size(path),
        }
    }

    /// The text of a file.
    pub(super) fn read_file(&mut self, path: &Path) -> Option<Text> {
        match self.written(path) {
            Some(Written::File(text)) => return Some(text.clone()),
            Some(_) => return None,
            None => {}
        }
        if path == Path::new("/dev/stdin") && self.state.input.is_some() {
            return self.rest_of_input().ok();
        }
        if path.starts_with("/dev") {
            return (path == Path::new("/dev/null")).then(Text::default);
        }
        let most = self.limits.text as u64;
        let text = super::holes::without_holes(self.files.read(path, most).ok()?);
        let source = crate::text::Source::file(path, text);
        self.sources.push(source.clone());
        Some(Text::of_source(&source))
    }

    /// The sorted names that a pattern stands for; `None` where it stays as it is.
    pub(super) fn glob(&mut self, pattern: &str) -> Run<Option<Vec<String>>> {
        let mut names = self.matching(pattern)?;
        names.sort();
        if !names.is_empty() {
            return Ok(Some(names));
        }
        if self.state.flags.failglob {
            self.remark(format!("no file matches `{}`, and `failglob` is on", unquote(pattern)), None);
            self.state.status = Ok(1);
            return Err(Flow::Failed);
        }
        Ok(self.state.flags.nullglob.then(Vec::new))
    }

    fn matching(&mut self, pattern: &str) -> Run<Vec<String>> {
        let mut found = vec![String::new()];
        let parts: Vec<&str> = pattern.split('/').collect();
        for (i, part) in parts.iter().enumerate() {
            let last = i + 1 == parts.len();
            let mut next = Vec::new();
            for base in found {
                self.step(1)?;
                let slash = if i == 0 { "" } else { "/" };
                if !is_pattern(part) {
                    let name = format!("{base}{slash}{}", unquote(part));
                    let Ok(path) = self.absolute(if name.is_empty() { "/" } else { &name }) else { continue };
                    let there = match self.kind_of(&path) {
                        Some(directory) => last && !part.is_empty() || directory,
                        None => false,
                    };
                    if there || name.is_empty() {
                        next.push(name);
                    }
                    continue;
                }
                let directory = format!("{base}{slash}");
                let Ok(path) = self.absolute(if directory.is_empty() { "." } else { &directory }) else { continue };
                let compiled = Pattern::new(part, false);
                let hidden = part.starts_with('.') || self.state.flags.dotglob;
                for name in self.names_in(&path) {
                    self.step(name.len())?;
                    let characters: Vec<char> = name.chars().collect();
                    if (!name.starts_with('.') || hidden) && compiled.matches(&characters) {
                        let full = format!("{directory}{name}");
                        let is_directory = || self.kind_of(&path.join(&name)) == Some(true);
                        if last || is_directory() {
                            next.push(full);
                        }
                    }
                }
            }
            found = next;
        }
        Ok(found)
    }

    /// The names in a directory, with what the script itself did.
    pub(super) fn names_in(&self, directory: &Path) -> Vec<String> {
        let mut names = self.files.list(directory);
        for (path, what) in self.state.files.iter() {
            let path = Path::new(path);
            if path.parent() != Some(directory) {
                continue;
            }
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            names.retain(|known| known != name);
            if *what != Written::Gone {
                names.push(name.to_owned());
            }
        }
        names
    }
}

/// A path without `.` and `..`, as `cd` keeps it.
pub fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                tidy.pop();
            }
            Component::CurDir => {}
            other => tidy.push(other),
        }
    }
    tidy
}
