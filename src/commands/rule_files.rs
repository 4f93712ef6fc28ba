//! `--rules DIR`: rule files of the user, added to those of the binary or in their place.

use std::path::{Path, PathBuf};

use crate::convert;
use crate::error::Error;
use crate::launch::{self, Disk, Files};
use crate::rules::arguments_file::ArgumentsFile;
use crate::rules::embedded::{self, Added};
use crate::rules::flags::FlagTable;
use crate::rules::infer::InferRules;
use crate::rules::loader::LoaderRules;
use crate::rules::modules::Modules;
use crate::rules::repair::RepairRules;
use crate::rules::saved::SavedArguments;
use crate::rules::storage::StorageRules;
use crate::rules::version::Version;
use crate::rules::{RuleError, causes, releases, steps, tokenizers};

/// A rule file is read up to that size, in bytes.
const MOST: u64 = 4 << 20;
/// A directory with more rule files is none.
const MOST_FILES: usize = 2_000;
/// Folders are followed so deep.
const DEEPEST: usize = 6;

/// Adds the rule files of directories, the later ones in place of the earlier. All are checked, used or not.
///
/// # Errors
/// When a directory or a file cannot be read, or what it says is no rule.
pub(super) fn add(directories: &[PathBuf]) -> Result<(), Error> {
    if directories.is_empty() {
        return Ok(());
    }
    let mut files = Vec::new();
    for directory in directories {
        let before = files.len();
        collect(directory, "", &mut files)?;
        if files.len() == before {
            return Err(
                RuleError::new(directory.display().to_string(), "there are no rule files (*.toml) in it").into()
            );
        }
    }
    embedded::add(files)?;
    check()
}

fn collect(directory: &Path, below: &str, files: &mut Vec<Added>) -> Result<(), Error> {
    if below.matches('/').count() > DEEPEST {
        return Ok(());
    }
    let folder = directory.join(below);
    if Disk.is_directory(&folder) != Some(true) {
        return Err(RuleError::new(folder.display().to_string(), "is not a directory").into());
    }
    let mut names = Disk.list(&folder);
    names.sort();
    for name in names {
        let (path, origin) = (format!("{below}{name}"), folder.join(&name));
        if Disk.is_directory(&origin) == Some(true) {
            collect(directory, &format!("{path}/"), files)?;
        } else if name.ends_with(".toml") {
            if files.len() >= MOST_FILES {
                let message = format!("there are more than {MOST_FILES} rule files");
                return Err(RuleError::new(directory.display().to_string(), message).into());
            }
            let text = Disk.read(&origin, MOST);
            let text = text.map_err(|error| Error::Unreadable { path: origin.clone(), error })?;
            files.push(Added { path, origin, text });
        }
    }
    Ok(())
}

/// Reads every kind of rule.
fn check() -> Result<(), Error> {
    StorageRules::check()?;
    launch::check_rules()?;
    FlagTable::load()?;
    let main = Version::Main;
    LoaderRules::load(&main)?;
    SavedArguments::load(&main)?;
    ArgumentsFile::load(&main)?;
    tokenizers::load(&main)?;
    InferRules::load(&main)?;
    RepairRules::load()?;
    convert::check_rules()?;
    causes::all()?;
    steps::load("launch", &main)?;
    for release in releases::load()? {
        Modules::load(&release.name)?;
    }
    Ok(())
}
