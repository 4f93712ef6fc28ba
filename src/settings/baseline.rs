//! The baseline: findings that were there when it was written. Only new ones stop anybody.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::SettingsError;
use crate::launch::{Disk, Files};
use crate::report::findings::Finding;

const MOST_BYTES: u64 = 64 << 20;
/// Raised when an older moe-lint would misread the file.
const VERSION: u32 = 1;

/// Findings that are known, with how often each occurs.
#[derive(Debug, Default)]
pub struct Baseline {
    known: BTreeMap<Entry, u64>,
}

/// What makes a finding the same one tomorrow: not its line number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The file, relative to the baseline's directory.
    pub file: String,
    /// The rule's name.
    pub rule: String,
    /// The line of the finding, its blanks made one each.
    pub line: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    moe_lint_baseline: u32,
    findings: Vec<Counted>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Counted {
    file: String,
    rule: String,
    line: String,
    #[serde(default = "one", skip_serializing_if = "is_one")]
    count: u64,
}

fn one() -> u64 {
    1
}

fn is_one(count: &u64) -> bool {
    *count == 1
}

impl Entry {
    /// The key of a finding in that file.
    pub fn of(finding: &Finding, file: &Path) -> Self {
        let line: Vec<&str> = finding.place.text.split_whitespace().collect();
        let file = file.to_string_lossy().replace('\\', "/");
        Self { file, rule: finding.rule.clone(), line: line.join(" ") }
    }
}

impl Baseline {
    /// Reads a baseline; one that is not there yet is empty.
    ///
    /// # Errors
    /// When it cannot be read or is none.
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        if Disk.is_directory(path).is_none() {
            return Ok(Self::default());
        }
        let text = Disk
            .read(path, MOST_BYTES)
            .map_err(|error| SettingsError::Unreadable { path: path.to_path_buf(), error })?;
        let wrong = |message: String| SettingsError::Wrong {
            path: PathBuf::from(path),
            message,
            help: Some("write it again with `moe-lint check --write-baseline`".to_owned()),
        };
        let document: Document =
            serde_json::from_str(&text).map_err(|error| wrong(format!("is no baseline: {error}")))?;
        if document.moe_lint_baseline != VERSION {
            return Err(wrong(format!("is a baseline of version {}", document.moe_lint_baseline)));
        }
        let mut known = BTreeMap::new();
        for Counted { file, rule, line, count } in document.findings {
            *known.entry(Entry { file, rule, line }).or_default() += count;
        }
        Ok(Self { known })
    }

    /// Puts a finding in.
    pub fn add(&mut self, entry: Entry) {
        *self.known.entry(entry).or_default() += 1;
    }

    /// Takes a finding out; false when it is not known (any more).
    pub fn take(&mut self, entry: &Entry) -> bool {
        match self.known.get_mut(entry) {
            Some(count) if *count > 1 => *count -= 1,
            Some(_) => _ = self.known.remove(entry),
            None => return false,
        }
        true
    }

    /// What was not taken out.
    pub fn left(&self) -> impl Iterator<Item = &Entry> {
        self.known.keys()
    }

    /// How many findings it holds.
    pub fn len(&self) -> u64 {
        self.known.values().sum()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// The file's text: one line a finding, sorted.
    pub fn text(&self) -> String {
        let line = |(entry, count): (&Entry, &u64)| {
            let Entry { file, rule, line } = entry.clone();
            // What has strings only can always be written.
            format!("    {}", serde_json::to_string(&Counted { file, rule, line, count: *count }).unwrap_or_default())
        };
        let lines: Vec<String> = self.known.iter().map(line).collect();
        let inside = if lines.is_empty() { String::new() } else { format!("\n{}\n  ", lines.join(",\n")) };
        format!("{{\n  \"moe_lint_baseline\": {VERSION},\n  \"findings\": [{inside}]\n}}\n")
    }
}
