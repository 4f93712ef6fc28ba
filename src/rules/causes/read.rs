//! Reading the files of causes.

use std::sync::LazyLock;

use serde::Deserialize;

use super::{Case, CaseNote, Cause, KeyLists, KeyPattern, LISTS, List, Prefix, Remedy, Severity};
use crate::rules::ranged::Ranged;
use crate::rules::{RuleError, check_expr, check_template, embedded};

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
    #[serde(default)]
    stage: Stages,
    #[serde(default)]
    alone: bool,
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
    #[serde(default)]
    without: RawKeys,
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

/// One stage, or a list of them.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Stages {
    One(String),
    Several(Vec<String>),
}

impl Default for Stages {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
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
    convert: Option<String>,
}

/// Where the causes lie.
const FOLDER: &str = "causes/";

static ALL: LazyLock<Result<Vec<Cause>, RuleError>> = LazyLock::new(|| {
    let files = embedded::below(FOLDER).map(|(path, text)| cause(path, text));
    let mut causes = files.collect::<Result<Vec<_>, RuleError>>()?;
    causes.sort_by(|a, b| (a.order, &a.name).cmp(&(b.order, &b.name)));
    Ok(causes)
});

/// All causes, in the order in which they are tried; the looks of each know their versions.
///
/// # Errors
/// When a rule file cannot be read.
pub fn all() -> Result<&'static [Cause], RuleError> {
    ALL.as_deref().map_err(Clone::clone)
}

fn cause(path: &str, text: &str) -> Result<Cause, RuleError> {
    let file: File = toml::from_str(text).map_err(|e| RuleError::new(path, e.to_string()))?;
    let stem = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".toml");
    let mut cases = Vec::new();
    for (index, raw) in file.case.into_iter().enumerate() {
        let place = format!("{path}, case {}", index + 1);
        cases.push(Ranged::new(&place, raw.since.as_deref(), raw.until.as_deref(), case(&place, &raw)?)?);
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

fn case(place: &str, raw: &RawCase) -> Result<Case, RuleError> {
    let expr = |text: &Option<String>| text.as_deref().map(|text| check_expr(place, text)).transpose();
    let notes = raw.note.iter().map(|note| {
        let text = check_template(place, &note.text)?;
        let heading = note.heading.clone();
        let rule = CaseNote { when: expr(&note.when)?, heading, text };
        Ranged::new(place, note.since.as_deref(), note.until.as_deref(), rule)
    });
    let fixes = raw.fix.iter().map(|fix| {
        let remedy = Remedy {
            when: expr(&fix.when)?,
            title: check_template(place, &fix.title)?,
            // What a command does to a checkpoint is no change of the training.
            safe: fix.safe || fix.command.is_some(),
            remove: fix.remove.clone(),
            add: fix.add.iter().map(|word| check_template(place, word)).collect::<Result<_, _>>()?,
            command: fix.command.as_deref().map(|text| check_template(place, text)).transpose()?,
            convert: fix.convert.clone(),
        };
        Ranged::new(place, fix.since.as_deref(), fix.until.as_deref(), remedy)
    });
    let lists = |list| -> Result<KeyLists, RuleError> {
        Ok(KeyLists { needed: patterns(place, raw.needed(list))?, along: patterns(place, raw.along.of(list))? })
    };
    let [a, b, c, d] = LISTS.map(lists);
    let [k, l, m, n] = LISTS.map(|list| patterns(place, raw.without.of(list)));
    let labels = raw.label.iter().map(|label| Ok((label.flag.clone(), check_template(place, &label.text)?)));
    Ok(Case {
        severity: raw.severity,
        stages: match &raw.stage {
            Stages::One(stage) => vec![stage.clone()],
            Stages::Several(stages) => stages.clone(),
        },
        alone: raw.alone,
        when: expr(&raw.when)?,
        keys: [a?, b?, c?, d?],
        without: [k?, l?, m?, n?],
        each: expr(&raw.each)?,
        prefix: raw.prefix,
        only_if: expr(&raw.only_if)?,
        message: check_template(place, &raw.message)?,
        labels: labels.collect::<Result<_, RuleError>>()?,
        notes: notes.collect::<Result<_, _>>()?,
        fixes: fixes.collect::<Result<_, _>>()?,
    })
}
