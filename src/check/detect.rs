//! The version of the copy that a launch would import: followed through the folders that Python searches.
//!
//! The order is Python's: the script's folder (or the working directory of `-m`), `PYTHONPATH`, the packages of the
//! environment. The first folder that holds a copy decides. Where a folder that comes earlier is not known, or the files
//! here are not those of the training, nothing is told: a wrong version would be worse than none.

mod folders;
mod installed;

use std::path::Path;

use super::reading::Reading;
use crate::error::Error;
use crate::launch::{Disk, Files};
use crate::rules::releases::{self, CopyRules};
use crate::rules::version::Version;
use folders::{Folder, folders};

/// A version and how it is known.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Detected {
    /// The version.
    pub version: Version,
    /// Where it is written, and what of the launch leads there.
    pub from: String,
}

/// What a launch would import.
#[derive(Debug, Default)]
pub(super) struct Imports {
    /// The framework.
    pub framework: Option<Detected>,
    /// Transformer Engine.
    pub engine: Option<Detected>,
}

/// The largest file that is read for a version, in bytes.
const MOST: u64 = 256 << 10;

/// Looks for the copies that a launch would import.
///
/// # Errors
/// When a rule file cannot be read.
pub(super) fn imports(reading: &Reading<'_>) -> Result<Imports, Error> {
    let (copy, engine) = releases::copies()?;
    let mut imports = Imports::default();
    let Some(folders) = folders(reading) else { return Ok(imports) };
    for folder in &folders {
        imports.engine =
            installed::version(&Disk, &folder.path, &engine.distributions).map(|found| found.detected(folder));
        if imports.engine.is_some() {
            break;
        }
    }
    for folder in &folders {
        if let Some(text) = read(&folder.path.join(&copy.file)) {
            let at = folder.path.join(&copy.file);
            imports.framework = numbers(copy, &text).map(|version| folder.detected(version, &at));
            break;
        }
        if Disk.is_directory(&folder.path.join(&copy.folder)) == Some(true) {
            // A copy that does not tell its version.
            break;
        }
        if let Some(found) = installed::version(&Disk, &folder.path, &copy.distributions) {
            // An editable install: the copy lies elsewhere and tells its own version.
            imports.framework = match &found.editable {
                None => Some(found.detected(folder)),
                Some(source) => {
                    let at = source.join(&copy.file);
                    read(&at).and_then(|text| numbers(copy, &text)).map(|version| folder.detected(version, &at))
                }
            };
            break;
        }
    }
    Ok(imports)
}

fn read(path: &Path) -> Option<String> {
    Disk.is_directory(path).is_some_and(|directory| !directory).then(|| Disk.read(path, MOST).ok())?
}

/// The version that a file's assignments make up; a pre-release counts as its release.
fn numbers(copy: &CopyRules, text: &str) -> Option<Version> {
    let number = |name: &String| {
        let assigned = text.lines().find_map(|line| line.strip_prefix(name.as_str())?.trim_start().strip_prefix('='));
        assigned?.split('#').next()?.trim().parse::<u32>().ok()
    };
    copy.numbers.iter().map(number).collect::<Option<Vec<u32>>>().map(Version::Release)
}

impl Folder {
    fn detected(&self, version: Version, at: &Path) -> Detected {
        Detected { version, from: format!("{} ({})", at.display(), self.because) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_tells_its_version_by_assignments() {
        let (copy, _) = releases::copies().expect("the rules");
        let text = "# (c)\nMAJOR = 0\nMINOR = 12  # twelve\nPATCH=3\nPRE_RELEASE = 'rc1'\nVERSION = (MAJOR, MINOR)\n";
        assert_eq!(numbers(copy, text), Some(Version::Release(vec![0, 12, 3])));
        for text in ["", "MAJOR = 0\nMINOR = x\nPATCH = 0\n", "MAJOR = 0\nMINOR = 1\n", "XMAJOR = 0"] {
            assert_eq!(numbers(copy, text), None, "{text:?}");
        }
    }
}
