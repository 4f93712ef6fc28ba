//! Causes: when two sides differ like this and the launch says that, this is why, and this is what to do.

use std::sync::{Arc, LazyLock};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde::Deserialize;

use super::expr::Expr;
use super::ranged::{Ranged, picked};
use super::template::Template;
use super::version::Version;
use super::{RuleError, check_expr, check_template, embedded};

/// One cause, from one file.
#[derive(Debug, Clone)]
pub struct Cause {
    /// Its name: the file's stem.
    pub name: String,
    /// `error`, `warning` or `info`.
    pub severity: Severity,
    /// What it looks like, in the order to try.
    pub cases: Vec<Case>,
}

/// How much a diagnosis matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Loads, but not as one would think.
    Warning,
    /// Does not load, or loads wrongly.
    Error,
}

impl Severity {
    /// The word for it, in reports and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One look of a cause.
#[derive(Debug, Clone)]
pub struct Case {
    /// Only when this is true of the launch.
    pub when: Option<Expr>,
    /// Keys that the model wants and the checkpoint lacks; at least one must be there.
    pub missing: Arc<GlobSet>,
    /// Keys that the checkpoint has and the model does not want; at least one must be there.
    pub unexpected: Arc<GlobSet>,
    /// Keys with another shape; at least one must be there.
    pub mismatched: Arc<GlobSet>,
    /// One sentence: the cause.
    pub message: Template,
    /// The flags to point at, the most telling first, with a few words each.
    pub labels: Vec<(String, Template)>,
    /// More lines.
    pub notes: Vec<(String, Template)>,
    /// Changes of the launch, the smallest first.
    pub fixes: Vec<Remedy>,
}

/// A change of the launch.
#[derive(Debug, Clone)]
pub struct Remedy {
    /// Only when this is true of the launch.
    pub when: Option<Expr>,
    /// What to do, in a few words.
    pub title: Template,
    /// Whether the run then means the same.
    pub safe: bool,
    /// Options to take out, with their values.
    pub remove: Vec<String>,
    /// Words to put in.
    pub add: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    severity: Severity,
    /// For the cause's page.
    #[serde(rename = "summary")]
    _summary: String,
    #[serde(rename = "why")]
    _why: String,
    #[serde(default)]
    case: Vec<RawCase>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCase {
    when: Option<String>,
    since: Option<String>,
    until: Option<String>,
    #[serde(default)]
    missing: Vec<String>,
    #[serde(default)]
    unexpected: Vec<String>,
    #[serde(default)]
    mismatched: Vec<String>,
    message: String,
    #[serde(default)]
    label: Vec<RawLabel>,
    #[serde(default)]
    note: Vec<RawNote>,
    #[serde(default)]
    fix: Vec<RawRemedy>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLabel {
    flag: String,
    text: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNote {
    heading: String,
    text: String,
    since: Option<String>,
    until: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRemedy {
    when: Option<String>,
    since: Option<String>,
    until: Option<String>,
    title: String,
    safe: bool,
    #[serde(default)]
    remove: Vec<String>,
    #[serde(default)]
    add: Vec<String>,
}

/// Where the causes lie.
const FOLDER: &str = "causes/";

/// A cause in all versions.
struct Dated {
    name: String,
    severity: Severity,
    cases: Vec<Ranged<DatedCase>>,
}

/// A look of a cause in all versions; the lists of `case` are empty.
struct DatedCase {
    case: Case,
    notes: Vec<Ranged<(String, Template)>>,
    fixes: Vec<Ranged<Remedy>>,
}

static ALL: LazyLock<Result<Vec<Dated>, RuleError>> =
    LazyLock::new(|| embedded::below(FOLDER).map(|(path, text)| read(path, text)).collect());

/// The causes of that version, in the order of the files' names.
///
/// # Errors
/// When a rule file cannot be read.
pub fn load(version: &Version) -> Result<Vec<Cause>, RuleError> {
    let all = ALL.as_ref().map_err(Clone::clone)?;
    let case = |dated: &DatedCase| Case {
        notes: picked(&dated.notes, version),
        fixes: picked(&dated.fixes, version),
        ..dated.case.clone()
    };
    let cause = |dated: &Dated| Cause {
        name: dated.name.clone(),
        severity: dated.severity,
        cases: dated.cases.iter().filter_map(|ranged| ranged.at(version)).map(case).collect(),
    };
    Ok(all.iter().map(cause).collect())
}

fn read(path: &str, text: &str) -> Result<Dated, RuleError> {
    let file: File = toml::from_str(text).map_err(|e| RuleError::new(path, e.to_string()))?;
    let stem = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".toml");
    let mut cases = Vec::new();
    for (index, raw) in file.case.into_iter().enumerate() {
        let place = format!("{path}, case {}", index + 1);
        let (since, until) = (raw.since.clone(), raw.until.clone());
        cases.push(Ranged::new(&place, since.as_deref(), until.as_deref(), case(&place, raw)?)?);
    }
    Ok(Dated { name: stem.to_owned(), severity: file.severity, cases })
}

fn case(place: &str, raw: RawCase) -> Result<DatedCase, RuleError> {
    let notes = raw.note.into_iter().map(|note| {
        let text = check_template(place, &note.text)?;
        Ranged::new(place, note.since.as_deref(), note.until.as_deref(), (note.heading, text))
    });
    let fixes = raw.fix.into_iter().map(|fix| {
        let remedy = Remedy {
            when: fix.when.as_deref().map(|text| check_expr(place, text)).transpose()?,
            title: check_template(place, &fix.title)?,
            safe: fix.safe,
            remove: fix.remove,
            add: fix.add,
        };
        Ranged::new(place, fix.since.as_deref(), fix.until.as_deref(), remedy)
    });
    let labels = raw.label.into_iter().map(|l| Ok((l.flag, check_template(place, &l.text)?)));
    Ok(DatedCase {
        notes: notes.collect::<Result<_, _>>()?,
        fixes: fixes.collect::<Result<_, _>>()?,
        case: Case {
            when: raw.when.as_deref().map(|text| check_expr(place, text)).transpose()?,
            missing: Arc::new(globs(place, &raw.missing)?),
            unexpected: Arc::new(globs(place, &raw.unexpected)?),
            mismatched: Arc::new(globs(place, &raw.mismatched)?),
            message: check_template(place, &raw.message)?,
            labels: labels.collect::<Result<_, RuleError>>()?,
            notes: Vec::new(),
            fixes: Vec::new(),
        },
    })
}

/// Key globs: `*` stands for one part of a key, `**` for any number of parts.
pub fn globs(place: &str, patterns: &[String]) -> Result<GlobSet, RuleError> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let path = as_path(pattern);
        let glob = GlobBuilder::new(&path).literal_separator(true).build();
        set.add(glob.map_err(|e| RuleError::new(place, e.to_string()))?);
    }
    set.build().map_err(|e| RuleError::new(place, e.to_string()))
}

/// A key as the path that its glob is matched against.
pub fn as_path(key: &str) -> String {
    key.replace('.', "/")
}
