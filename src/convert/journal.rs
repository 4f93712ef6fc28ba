//! What was agreed on and what is done, on disk: so that a conversion goes on after it was killed, and so that several
//! processes share one without talking to each other.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::{ConvertError, Result};
use super::write;
use crate::checkpoint::store::{LocalStore, Store as _};

/// The folder of the journal, in the target until it is complete.
const FOLDER: &str = ".moe-lint-convert";
/// What is converted, in that folder.
const TASK: &str = "task.json";
/// What was converted, in the target when it is complete.
pub const RECORD: &str = "moe-lint-convert.json";
/// A journal's file is a few hundred bytes a rank.
const MAX_FILE: u64 = 64 << 20;

/// What is converted, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The source's directory.
    pub source: String,
    /// The iteration's directory, in the source and in the target.
    pub folder: String,
    /// The words of the options that decide the content.
    pub options: Vec<String>,
    /// The source's files.
    pub files: Vec<SourceFile>,
}

/// A file of the source as it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFile {
    /// Its name in the iteration's directory.
    pub file: String,
    /// Bytes.
    pub bytes: u64,
    /// When it was last changed, in nanoseconds of the Unix time.
    pub changed: u64,
}

/// A file of the target that is complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// Its name in the iteration's directory.
    pub file: String,
    /// Bytes.
    pub bytes: u64,
    /// Checksum (CRC-32) of its zip directory, which holds the checksums of all its entries.
    pub checksum: u32,
}

/// The record of a complete target.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    #[serde(flatten)]
    task: Task,
    written: Vec<Done>,
}

/// How a target was found.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing is there, or nothing that counts.
    Nothing,
    /// It was begun.
    Begun,
    /// It is complete.
    Complete,
    /// Something else is there.
    Other,
}

/// The journal of one target.
#[derive(Debug)]
pub struct Journal {
    target: PathBuf,
}

impl Journal {
    /// The journal of that target; nothing is touched.
    pub fn new(target: &Path) -> Self {
        Self { target: target.to_path_buf() }
    }

    /// What is there.
    ///
    /// # Errors
    /// When what is there belongs to another conversion.
    pub fn look(&self, task: &Task) -> Result<Found> {
        let store = LocalStore::new(&self.target);
        if store.kind("").is_none() {
            return Ok(Found::Nothing);
        }
        if let Some(begun) = self.read::<Task>(&format!("{FOLDER}/{TASK}"))? {
            return same(&begun, task).map(|()| Found::Begun);
        }
        if let Some(record) = self.read::<Record>(RECORD)? {
            return same(&record.task, task).map(|()| Found::Complete);
        }
        let is_empty = store.list("")?.iter().all(|item| item.name == FOLDER);
        Ok(if is_empty { Found::Nothing } else { Found::Other })
    }

    /// Begins.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn begin(&self, task: &Task) -> Result<()> {
        write::folder(&self.folder())?;
        self.put(&self.folder().join(TASK), task)
    }

    /// What is known to be complete of that file, if it is still there as it was written.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn done(&self, task: &Task, file: &str) -> Result<Option<Done>> {
        let Some(done) = self.read::<Done>(&format!("{FOLDER}/{}", name_of(file)))? else { return Ok(None) };
        let written = self.target.join(&task.folder).join(file);
        let is_there = done.file == file && super::fingerprint(&written).ok() == Some((done.bytes, done.checksum));
        Ok(is_there.then_some(done))
    }

    /// Notes that a file is complete.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn note(&self, done: &Done) -> Result<()> {
        self.put(&self.folder().join(name_of(&done.file)), done)
    }

    /// Ends: the record, then the tracker file, then the journal goes. Killed in between, it can end again.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn end(&self, task: &Task, written: Vec<Done>, (tracker, text): (&str, &str)) -> Result<()> {
        self.put(&self.target.join(RECORD), &Record { task: task.clone(), written })?;
        write::small(&self.target.join(tracker), text.as_bytes(), &self.folder())?;
        write::remove(&self.folder())
    }

    /// The files of a complete target. Whoever completed it may have been killed before the journal was gone.
    ///
    /// # Errors
    /// When the record cannot be read, or the disk refuses.
    pub fn record(&self) -> Result<Vec<Done>> {
        write::remove(&self.folder())?;
        Ok(self.read::<Record>(RECORD)?.map(|record| record.written).unwrap_or_default())
    }

    fn folder(&self) -> PathBuf {
        self.target.join(FOLDER)
    }

    fn put(&self, path: &Path, content: &impl Serialize) -> Result<()> {
        let mut text = serde_json::to_vec_pretty(content)
            .map_err(|error| ConvertError::write(path, std::io::Error::other(error)))?;
        text.push(b'\n');
        write::small(path, &text, &self.folder())
    }

    fn read<T: for<'de> Deserialize<'de>>(&self, name: &str) -> Result<Option<T>> {
        let store = LocalStore::new(&self.target);
        if store.kind(name).is_none() {
            return Ok(None);
        }
        let bytes = store.open(name)?.all("a journal", MAX_FILE)?;
        match serde_json::from_slice(&bytes) {
            Ok(content) => Ok(Some(content)),
            Err(error) => Err(ConvertError::refused(
                format!("{}: {error}", store.path(name).display()),
                "this journal is not one that moe-lint wrote: choose another target",
            )),
        }
    }
}

fn same(there: &Task, here: &Task) -> Result<()> {
    let difference = match () {
        () if there.source != here.source => format!("it is of {}", there.source),
        () if there.options != here.options => format!("it was begun with {}", there.options.join(" ")),
        () if there != here => "files of the source have changed since it was begun".to_owned(),
        () => return Ok(()),
    };
    Err(ConvertError::refused(
        format!("the target holds another conversion: {difference}"),
        "choose another target, or remove this one",
    ))
}

/// A file's name in the journal: ranks' directories become part of the name.
fn name_of(file: &str) -> String {
    format!("{}.json", file.replace(['/', '\\'], "__"))
}
