//! Bytes of a checkpoint: the only place here that touches files. Positioned reads, sizes checked before allocating.
#![allow(clippy::disallowed_methods, reason = "the one room that reads checkpoints from disk")]

use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::{CheckpointError, Problem, Result};

/// Where files of a checkpoint come from. A local directory today; range requests fit behind it as well.
pub trait Store: Sync {
    /// Opens the file of that name, relative to the store's root, with `/` between folders.
    fn open(&self, name: &str) -> Result<Box<dyn Blob>>;

    /// What lies in that folder, sorted by name; `""` is the root itself.
    fn list(&self, folder: &str) -> Result<Vec<Item>>;

    /// What has that name, if anything.
    fn kind(&self, name: &str) -> Option<ItemKind>;

    /// The full name of a file, for messages.
    fn path(&self, name: &str) -> PathBuf;
}

/// One file, open for positioned reads.
pub trait Blob {
    /// The full name, for messages.
    fn path(&self) -> &Path;

    /// Its size in bytes.
    fn len(&self) -> u64;

    /// Fills the buffer with the bytes from `offset` on.
    fn read_into(&self, offset: u64, buffer: &mut [u8]) -> Result<()>;

    /// Exactly `length` bytes from `offset` on.
    fn read(&self, offset: u64, length: usize) -> Result<Vec<u8>>;

    /// Tells that these bytes will be read, in whatever order; nothing depends on it.
    fn will_need(&self, _offset: u64, _length: u64) {}

    /// Whether it has no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Up to `length` bytes from the start.
    fn head(&self, length: usize) -> Result<Vec<u8>> {
        self.read(0, usize::try_from(self.len()).unwrap_or(usize::MAX).min(length))
    }

    /// All bytes, if there are not more than `limit`.
    fn all(&self, what: &str, limit: u64) -> Result<Vec<u8>> {
        self.read(0, self.bounded(what, self.len(), limit)?)
    }

    /// A size that may be allocated: not above `limit`.
    fn bounded(&self, what: &str, claimed: u64, limit: u64) -> Result<usize> {
        let too_large = || Problem::TooLarge { what: what.to_owned(), claimed, limit };
        if claimed > limit {
            return Err(CheckpointError::new(self.path(), too_large()));
        }
        usize::try_from(claimed).map_err(|_| CheckpointError::new(self.path(), too_large()))
    }
}

/// One name in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its name without the folder.
    pub name: String,
    /// What it is.
    pub kind: ItemKind,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A device, a pipe, a socket: never opened.
    Other,
}

/// A local directory.
///
/// Links on disk are followed: whoever set the directory up made them (a download cache links every file). Names
/// that a checkpoint's own bytes give are another matter: they never leave the directory.
#[derive(Debug, Clone)]
pub struct LocalStore {
    root: Arc<Path>,
}

impl LocalStore {
    /// The store of that directory.
    pub fn new(root: &Path) -> Self {
        Self { root: Arc::from(root) }
    }

    fn inside(&self, name: &str) -> Result<PathBuf> {
        if is_inside(name) {
            Ok(self.path(name))
        } else {
            Err(CheckpointError::new(&*self.root, Problem::Outside(name.to_owned())))
        }
    }
}

/// Whether a name that a checkpoint gives stays in its directory, on every operating system.
fn is_inside(name: &str) -> bool {
    !name.starts_with(['/', '\\'])
        && !name.contains('\0')
        && !name.contains(':')
        && name.split(['/', '\\']).all(|part| part != "..")
}

impl Store for LocalStore {
    fn open(&self, name: &str) -> Result<Box<dyn Blob>> {
        Ok(Box::new(LocalFile::open(self.inside(name)?)?))
    }

    fn list(&self, folder: &str) -> Result<Vec<Item>> {
        let path = self.inside(folder)?;
        let failed = |error| CheckpointError::io(&path, &error);
        let mut items = Vec::new();
        for entry in fs::read_dir(&path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            // A name that is not UTF-8 is none that a framework writes.
            let Ok(name) = entry.file_name().into_string() else { continue };
            let kind = fs::metadata(entry.path()).map_or(ItemKind::Other, |m| kind_of(&m));
            items.push(Item { name, kind });
        }
        items.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(items)
    }

    fn kind(&self, name: &str) -> Option<ItemKind> {
        fs::metadata(self.inside(name).ok()?).ok().map(|m| kind_of(&m))
    }

    fn path(&self, name: &str) -> PathBuf {
        if name.is_empty() { self.root.to_path_buf() } else { self.root.join(name) }
    }
}

fn kind_of(metadata: &fs::Metadata) -> ItemKind {
    match metadata {
        m if m.is_file() => ItemKind::File,
        m if m.is_dir() => ItemKind::Folder,
        _ => ItemKind::Other,
    }
}

/// A regular file on this machine.
pub(super) struct LocalFile {
    path: PathBuf,
    file: fs::File,
    size: u64,
}

impl LocalFile {
    pub(super) fn open(path: PathBuf) -> Result<Self> {
        let failed = |error| CheckpointError::io(&path, &error);
        // Looked at before opening: opening a pipe would wait for a writer.
        if kind_of(&fs::metadata(&path).map_err(failed)?) != ItemKind::File {
            return Err(CheckpointError::new(path, Problem::NotAFile));
        }
        let file = fs::File::open(&path).map_err(failed)?;
        let size = file.metadata().map_err(failed)?.len();
        Ok(Self { path, file, size })
    }
}

impl LocalFile {
    /// Whether so many bytes are there.
    fn has(&self, offset: u64, length: usize) -> Result<()> {
        match offset.checked_add(length as u64).filter(|&end| end <= self.size) {
            Some(_) => Ok(()),
            None => {
                let expected = format!("{length} bytes here, the file has {}", self.size);
                Err(CheckpointError::at(&self.path, offset, Problem::Truncated(expected)))
            }
        }
    }
}

impl Blob for LocalFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn len(&self) -> u64 {
        self.size
    }

    fn will_need(&self, offset: u64, length: u64) {
        #[cfg(target_os = "linux")]
        {
            // A hint: where the kernel does not take it, reading is slower and no more.
            let _ = rustix::fs::fadvise(&self.file, offset, length.try_into().ok(), rustix::fs::Advice::WillNeed);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = (offset, length);
    }

    fn read_into(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        self.has(offset, buffer.len())?;
        let failed = |error| CheckpointError::io(&self.path, &error);
        #[cfg(unix)]
        return std::os::unix::fs::FileExt::read_exact_at(&self.file, buffer, offset).map_err(failed);
        #[cfg(not(unix))]
        {
            let mut file = &self.file;
            file.seek(SeekFrom::Start(offset)).map_err(failed)?;
            file.read_exact(buffer).map_err(failed)
        }
    }

    fn read(&self, offset: u64, length: usize) -> Result<Vec<u8>> {
        self.has(offset, length)?;
        let failed = |error| CheckpointError::io(&self.path, &error);
        let mut bytes = Vec::with_capacity(length);
        let mut file = &self.file;
        file.seek(SeekFrom::Start(offset)).map_err(failed)?;
        file.take(length as u64).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() < length {
            return Err(failed(std::io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(bytes)
    }
}

/// A stretch of a file that is a file of its own, such as one item of a distributed checkpoint.
pub struct Section<'b> {
    blob: &'b dyn Blob,
    start: u64,
    size: u64,
}

impl<'b> Section<'b> {
    /// The whole file.
    pub fn whole(blob: &'b dyn Blob) -> Self {
        Self { blob, start: 0, size: blob.len() }
    }

    /// A part of it.
    pub fn part(blob: &'b dyn Blob, start: u64, size: u64) -> Result<Self> {
        if start.checked_add(size).is_none_or(|end| end > blob.len()) {
            let expected = format!("{size} bytes here, the file has {}", blob.len());
            return Err(CheckpointError::at(blob.path(), start, Problem::Truncated(expected)));
        }
        Ok(Self { blob, start, size })
    }

    /// Its size.
    pub fn len(&self) -> u64 {
        self.size
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.size == 0
    }

    /// Exactly `length` bytes from `offset` on, counted in the section.
    pub fn read(&self, offset: u64, length: usize) -> Result<Vec<u8>> {
        if offset.checked_add(length as u64).is_none_or(|end| end > self.size) {
            return Err(self.error(offset, Problem::Truncated(format!("{length} bytes here, there are {}", self.size))));
        }
        self.blob.read(self.start + offset, length)
    }

    /// A size that may be allocated: not above `limit` and not above the section.
    pub fn bounded(&self, what: &str, claimed: u64, limit: u64) -> Result<usize> {
        self.blob.bounded(what, claimed, limit.min(self.size))
    }

    /// An error at a byte of the section.
    pub fn error(&self, offset: u64, problem: Problem) -> CheckpointError {
        CheckpointError::at(self.blob.path(), self.start.saturating_add(offset), problem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_a_checkpoint_stay_in_its_directory() {
        for name in ["../x", "/etc/passwd", "a/../../b", "..", "\\\\host\\x", "C:\\x", "a\0b", "a\\..\\..\\b"] {
            assert!(!is_inside(name), "{name:?}");
        }
        for name in ["", "__0_0.distcp", "iter_0000010/a.pt", "a..b"] {
            assert!(is_inside(name), "{name:?}");
        }
    }

    #[test]
    fn a_folder_is_not_opened_as_a_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = LocalStore::new(folder.path());
        fs::create_dir(folder.path().join("x")).expect("a folder");
        assert_eq!(store.open("x").err().map(|e| e.problem), Some(Problem::NotAFile));
        assert_eq!(store.open("y").err().map(|e| e.problem), Some(Problem::Missing));
    }
}
