//! Writing a changed script: beside the old one, to the disk, then in its place. It is never half there.
#![allow(clippy::disallowed_methods, reason = "the one room that writes a launch")]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Why a script was left as it is.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// It is not what was checked.
    #[error("{} has changed since it was read, or is not UTF-8 text", .0.display())]
    Changed(PathBuf),
    /// The disk refuses.
    #[error("{}: {error}", .path.display())]
    Io {
        /// The script.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// Puts `new` in the place of a script that holds `old`. Its mode stays; a link stays one.
///
/// # Errors
/// When it holds something else by now, or cannot be written. Then nothing has changed.
pub fn write(path: &Path, old: &str, new: &str) -> Result<(), WriteError> {
    let failed = |error| WriteError::Io { path: path.to_path_buf(), error };
    let target = path.canonicalize().map_err(failed)?;
    if fs::read(&target).map_err(failed)? != old.as_bytes() {
        return Err(WriteError::Changed(path.to_path_buf()));
    }
    replace(&target, new.as_bytes()).map_err(failed)
}

fn replace(target: &Path, content: &[u8]) -> io::Result<()> {
    let folder = target.parent().unwrap_or(Path::new("."));
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let beside = folder.join(format!(".{name}.{}.moe-lint", std::process::id()));
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).open(&beside)?;
        file.set_permissions(fs::metadata(target)?.permissions())?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&beside, target)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&beside);
        return written;
    }
    // That the new name is on the disk too; where a directory cannot be synced, the file is still whole.
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}
