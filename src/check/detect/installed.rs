//! Versions of installed packages: the names of their `NAME-VERSION.dist-info` folders.

use std::path::{Path, PathBuf};

use super::folders::Folder;
use super::{Detected, MOST};
use crate::launch::Files;
use crate::rules::version::Version;

/// An installed package.
#[derive(Debug, PartialEq)]
pub(super) struct Installed {
    version: Version,
    at: PathBuf,
    /// The folder that it is imported from, where it was installed as editable.
    pub editable: Option<PathBuf>,
}

impl Installed {
    /// As what a launch would import.
    pub fn detected(&self, folder: &Folder) -> Detected {
        Detected { version: self.version.clone(), from: format!("{} ({})", self.at.display(), folder.because) }
    }
}

/// The first of some packages that is installed in a folder.
pub(super) fn version(files: &dyn Files, folder: &Path, names: &[String]) -> Option<Installed> {
    let mut found: Vec<(usize, Version, String)> = Vec::new();
    for entry in files.list(folder) {
        let Some((name, version)) = entry.strip_suffix(".dist-info").and_then(|stem| stem.rsplit_once('-')) else {
            continue;
        };
        let name = name.to_ascii_lowercase().replace(['-', '.'], "_");
        if let Some(rank) = names.iter().position(|known| *known == name)
            && let Ok(version) = version.parse()
        {
            found.push((rank, version, entry));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.2.cmp(&b.2)));
    let (_, version, entry) = found.into_iter().next()?;
    let at = folder.join(entry);
    let editable = editable(files, &at);
    Some(Installed { version, at, editable })
}

/// PEP 610: `direct_url.json` names the folder of an editable install.
fn editable(files: &dyn Files, info: &Path) -> Option<PathBuf> {
    let path = info.join("direct_url.json");
    files.is_directory(&path)?;
    let document: serde_json::Value = serde_json::from_str(&files.read(&path, MOST).ok()?).ok()?;
    document["dir_info"]["editable"].as_bool().filter(|editable| *editable)?;
    document["url"].as_str()?.strip_prefix("file://").map(PathBuf::from)
}
