//! Writing: the only place that creates, renames or removes anything. A file is written beside its name, made durable,
//! then renamed; what fails is taken away again.
#![allow(clippy::disallowed_methods, reason = "the one room that writes checkpoints to disk")]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::copy::Windows;
use super::error::{ConvertError, Result};
use super::rewrite::FilePlan;
use crate::checkpoint::store::{Blob, Store};

/// Ends the name of what is not complete.
pub const PARTIAL: &str = ".partial";
/// The windows of all workers together.
const MEMORY: usize = 128 << 20;
/// What one window has at most.
const MAX_WINDOW: usize = 64 << 20;

/// What one write has at most: larger ones make the kernel look for larger pages, and others wait longer for their turn.
const MAX_WRITE: usize = 256 << 10;

/// Told how many bytes were written.
pub type Advance<'a> = &'a (dyn Fn(u64) + Sync);

/// Writes a planned file and renames it to `path`. What comes back tells its content apart: the checksum of its
/// directory, which holds the checksums of all its entries.
///
/// # Errors
/// When the source cannot be read or the target not be written; the target's file is then not there.
pub fn file(
    plan: &FilePlan,
    (store, name): (&dyn Store, &str),
    path: &Path,
    jobs: usize,
    advance: Advance<'_>,
) -> Result<u32> {
    let partial = with_suffix(path, PARTIAL);
    let written = entries(plan, (store, name), &partial, jobs, advance).and_then(|checksum| {
        fs::rename(&partial, path).map_err(|error| ConvertError::write(path, error))?;
        sync_folder(path.parent().unwrap_or(Path::new(".")))?;
        Ok(checksum)
    });
    if written.is_err() {
        // Nothing more can be done where this fails too; the name says what it is.
        let _ = fs::remove_file(&partial);
    }
    written
}

fn entries(
    plan: &FilePlan,
    (store, name): (&dyn Store, &str),
    partial: &Path,
    jobs: usize,
    advance: Advance<'_>,
) -> Result<u32> {
    let failed = |error| ConvertError::write(partial, error);
    let file = File::create(partial).map_err(failed)?;
    let count = plan.contents.len();
    let jobs = jobs.clamp(1, count.max(1));
    let window = (MEMORY / jobs).min(MAX_WINDOW);
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let checksums = Mutex::new(vec![0_u32; count]);
    let work = || -> Result<()> {
        let blob = store.open(name)?;
        let mut out = OpenOptions::new().write(true).open(partial).map_err(failed)?;
        let mut windows = Windows::new(window);
        while !stop.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                break;
            }
            let checksum = entry(plan, index, &*blob, (&mut out, partial), &mut windows, advance)?;
            if let Ok(mut checksums) = checksums.lock() {
                checksums[index] = checksum;
            }
        }
        Ok(())
    };
    let results: Vec<Result<()>> = std::thread::scope(|scope| {
        let worker = || {
            let result = work();
            if result.is_err() {
                stop.store(true, Ordering::Relaxed);
            }
            result
        };
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(worker)).collect();
        let panicked = || ConvertError::write(partial, io::Error::other("a worker stopped"));
        workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| Err(panicked()))).collect()
    });
    results.into_iter().collect::<Result<()>>()?;
    let end = plan.layout.end(&checksums.into_inner().unwrap_or_default());
    let mut file = file;
    file.seek(SeekFrom::Start(plan.layout.directory)).map_err(failed)?;
    file.write_all(&end).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    not_needed(&file);
    Ok(crc32fast::hash(&end))
}

/// Writes one entry, its header last; its checksum comes back.
fn entry(
    plan: &FilePlan,
    index: usize,
    blob: &dyn Blob,
    (out, path): (&mut File, &Path),
    windows: &mut Windows,
    advance: Advance<'_>,
) -> Result<u32> {
    let failed = |error| ConvertError::write(path, error);
    let placed = &plan.layout.entries[index];
    let checksum = windows.pass(blob, &plan.contents[index], &mut |at, bytes| {
        let mut at = placed.data + at;
        for piece in bytes.chunks(MAX_WRITE) {
            write_at(out, at, piece).map_err(failed)?;
            at += piece.len() as u64;
            advance(piece.len() as u64);
        }
        Ok(())
    })?;
    write_at(out, placed.header, &placed.local_header(checksum)).map_err(failed)?;
    Ok(checksum)
}

/// What is on the disk need not stay in memory: the next file takes its room, and what verifies reads the disk.
fn not_needed(file: &File) {
    #[cfg(target_os = "linux")]
    let _ = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed);
    #[cfg(not(target_os = "linux"))]
    let _ = file;
}

#[cfg(unix)]
fn write_at(out: &mut File, at: u64, bytes: &[u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(out, bytes, at)
}

#[cfg(not(unix))]
fn write_at(out: &mut File, at: u64, bytes: &[u8]) -> io::Result<()> {
    out.seek(SeekFrom::Start(at))?;
    out.write_all(bytes)
}

/// Writes a small file whole or not at all. It is prepared in the folder `beside`, of the same file system.
///
/// # Errors
/// When it cannot be written.
pub fn small(path: &Path, content: &[u8], beside: &Path) -> Result<()> {
    // Several processes, on several machines, may write the same record: each one's partial file is its own.
    let (process, start) = (std::process::id(), std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH));
    let unique = start.map_or(0, |time| time.as_nanos());
    let name = path.file_name().unwrap_or_default();
    let partial = with_suffix(&beside.join(name), &format!(".{process}-{unique}{PARTIAL}"));
    let failed = |error| ConvertError::write(path, error);
    let write = || {
        let mut file = File::create(&partial)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&partial, path)
    };
    let written = write().map_err(failed);
    if written.is_err() {
        let _ = fs::remove_file(&partial);
    }
    written?;
    sync_folder(path.parent().unwrap_or(Path::new(".")))
}

/// Makes a folder and those above it.
///
/// # Errors
/// When it cannot be made.
pub fn folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|error| ConvertError::write(path, error))
}

/// Removes a file or an empty folder that this program wrote; that it is not there is no error.
///
/// # Errors
/// When it cannot be removed.
pub fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(ConvertError::write(path, error)),
        _ => Ok(()),
    }
}

/// Bytes of a file, and when it was last changed, in nanoseconds of the Unix time.
///
/// # Errors
/// When it cannot be looked at.
pub fn identity(path: &Path) -> Result<(u64, u64)> {
    let metadata = fs::metadata(path).map_err(|error| ConvertError::write(path, error))?;
    let changed = metadata.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    let nanoseconds = changed.map_or(0, |time| u64::try_from(time.as_nanos()).unwrap_or(0));
    Ok((metadata.len(), nanoseconds))
}

/// The same place under its real name; of what does not exist yet, that of the folder that it will be in.
pub fn real(path: &Path) -> PathBuf {
    if let Ok(real) = fs::canonicalize(path) {
        return real;
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) if parent.as_os_str().is_empty() => real(Path::new(".")).join(name),
        (Some(parent), Some(name)) => real(parent).join(name),
        _ => path.to_path_buf(),
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Makes a rename durable; only Unix has this.
fn sync_folder(path: &Path) -> Result<()> {
    if cfg!(unix) {
        File::open(path).and_then(|folder| folder.sync_all()).map_err(|error| ConvertError::write(path, error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_exist_has_a_real_name_too() {
        let here = fs::canonicalize(".").expect("a folder");
        assert_eq!(real(Path::new("src/../not/there")), here.join("not/there"));
        assert_eq!(real(Path::new("nothing")), here.join("nothing"));
    }
}
