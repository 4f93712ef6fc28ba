//! Reading the files of causes.

use serde::Deserialize;

use super::{Case, CaseNote, Cause, KeyLists, KeyPattern, LISTS, List, Prefix, Remedy, Severity};
use crate::rules::version::Version;
use crate::rules::{RuleError, check_expr, check_template, embedded, in_range};

/// Where a file says nothing.
const ORDER: i64 = 50;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    severity: Severity,
    order: Option<i64>,
    #[serde(default)]
    every: bool,
    summary: String,
    why: String,
    #[serde(default)]
    case: Vec<RawCase>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCase {
    severity: Option<Severity>,
    stage: Option<String>,
    when: Option<String>,
    since: Option<String>,
    until: Option<String>,
    #[serde(default)]
    missing: Vec<String>,
    #[serde(default)]
    unexpected: Vec<String>,
    #[serde(default)]
    mismatched: Vec<String>,
    #[serde(default)]
    retyped: Vec<String>,
    #[serde(default)]
    along: RawKeys,
    each: Option<String>,
    prefix: Option<Prefix>,
    #[serde(rename = "if")]
    only_if: Option<String>,
    message: String,
    #[serde(default)]
    label: Vec<RawLabel>,
    #[serde(default)]
    note: Vec<RawNote>,
    #[serde(default)]
    fix: Vec<RawRemedy>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKeys {
    #[serde(default)]
    missing: Vec<String>,
    #[serde(default)]
    unexpected: Vec<String>,
    #[serde(default)]
    mismatched: Vec<String>,
    #[serde(default)]
    retyped: Vec<String>,
}

impl RawKeys {
    fn of(&self, list: List) -> &[String] {
        match list {
            List::Missing => &self.missing,
            List::Unexpected => &self.unexpected,
            List::Mismatched => &self.mismatched,
            List::Retyped => &self.retyped,
        }
    }
}

impl RawCase {
    fn needed(&self, list: List) -> &[String] {
        match list {
            List::Missing => &self.missing,
            List::Unexpected => &self.unexpected,
            List::Mismatched => &self.mismatched,
            List::Retyped => &self.retyped,
        }
    }
}

fn patterns(place: &str, texts: &[String]) -> Result<Vec<KeyPattern>, RuleError> {
    texts.iter().map(|text| KeyPattern::parse(place, text)).collect()
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
    when: Option<String>,
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
    #[serde(default)]
    safe: bool,
    #[serde(default)]
    remove: Vec<String>,
    #[serde(default)]
    add: Vec<String>,
    command: Option<String>,
}

/// The causes of every file below `folder`, in the order in which they are tried.
///
/// # Errors
/// When a rule file cannot be read.
pub fn load(folder: &str, version: &Version) -> Result<Vec<Cause>, RuleError> {
    let files = embedded::below(folder).map(|(path, text)| cause(path, text, version));
    let mut causes = files.collect::<Result<Vec<_>, RuleError>>()?;
    causes.sort_by(|a, b| (a.order, &a.name).cmp(&(b.order, &b.name)));
    Ok(causes)
}

fn cause(path: &str, text: &str, version: &Version) -> Result<Cause, RuleError> {
    let file: File = toml::from_str(text).map_err(|e| RuleError::new(path, e.to_string()))?;
    let stem = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".toml");
    let mut cases = Vec::new();
    for (index, raw) in file.case.into_iter().enumerate() {
        let place = format!("{path}, case {}", index + 1);
        if in_range(&place, raw.since.as_deref(), raw.until.as_deref(), version)? {
            cases.push(case(&place, raw, version)?);
        }
    }
    Ok(Cause {
        name: stem.to_owned(),
        severity: file.severity,
        order: file.order.unwrap_or(ORDER),
        every: file.every,
        summary: file.summary.trim().to_owned(),
        why: file.why.trim().to_owned(),
        cases,
    })
}

fn case(place: &str, raw: RawCase, version: &Version) -> Result<Case, RuleError> {
    let expr = |text: &Option<String>| text.as_deref().map(|text| check_expr(place, text)).transpose();
    let mut notes = Vec::new();
    for note in &raw.note {
        if in_range(place, note.since.as_deref(), note.until.as_deref(), version)? {
            let text = check_template(place, &note.text)?;
            notes.push(CaseNote { when: expr(&note.when)?, heading: note.heading.clone(), text });
        }
    }
    let mut fixes = Vec::new();
    for fix in &raw.fix {
        if in_range(place, fix.since.as_deref(), fix.until.as_deref(), version)? {
            let add = fix.add.iter().map(|word| check_template(place, word));
            fixes.push(Remedy {
                when: expr(&fix.when)?,
                title: check_template(place, &fix.title)?,
                safe: fix.safe,
                remove: fix.remove.clone(),
                add: add.collect::<Result<_, _>>()?,
                command: fix.command.as_deref().map(|text| check_template(place, text)).transpose()?,
            });
        }
    }
    let lists = |list| -> Result<KeyLists, RuleError> {
        Ok(KeyLists { needed: patterns(place, raw.needed(list))?, along: patterns(place, raw.along.of(list))? })
    };
    let [a, b, c, d] = LISTS.map(lists);
    let labels = raw.label.iter().map(|label| Ok((label.flag.clone(), check_template(place, &label.text)?)));
    Ok(Case {
        severity: raw.severity,
        stage: raw.stage,
        when: expr(&raw.when)?,
        keys: [a?, b?, c?, d?],
        each: expr(&raw.each)?,
        prefix: raw.prefix,
        only_if: expr(&raw.only_if)?,
        message: check_template(place, &raw.message)?,
        labels: labels.collect::<Result<_, RuleError>>()?,
        notes,
        fixes,
    })
}
