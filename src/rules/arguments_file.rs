//! A file of settings that takes the place of a launch's arguments, as `rules/megatron/arguments-file.toml` describes it.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde::Deserialize;

use super::expr::Expr;
use super::ranged::{Ranged, picked};
use super::template::Template;
use super::version::Version;
use super::{RuleError, check_expr, check_template, embedded};

/// How one framework version reads the file.
#[derive(Debug, Clone)]
pub struct ArgumentsFile {
    /// The argument that names the file, by its dest.
    pub argument: String,
    /// Whose steps are taken for arguments of the command line, and not for those of the file.
    pub replaces: String,
    /// Whose steps are taken in their place.
    pub checked_by: String,
    /// The mappings of the file whose settings are arguments too; `""` is the top.
    pub sections: Vec<String>,
    /// What the framework says of a name that stands in two of them.
    pub twice: Template,
    /// Arguments that the file has under another name.
    pub named: BTreeMap<String, String>,
    /// Arguments that mean nothing in the file.
    pub unread: Vec<String>,
    /// By section, settings that the framework adds itself.
    pub adds: BTreeMap<String, Vec<String>>,
    /// Settings without which the usual default of the argument holds.
    pub optional: Vec<String>,
    /// Settings that the framework cannot do without, in the order in which it asks for them.
    pub needs: Vec<Arc<Need>>,
}

/// Settings that must be there.
#[derive(Debug, Clone)]
pub struct Need {
    /// The sections of which one has them.
    pub within: Vec<String>,
    /// The settings.
    pub names: Vec<String>,
    /// What the framework says where `name` is not there.
    pub message: Template,
    /// Only when this is true.
    pub when: Option<Expr>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    argument: String,
    replaces: String,
    checked_by: String,
    sections: Vec<String>,
    twice: String,
    #[serde(default)]
    named: BTreeMap<String, String>,
    #[serde(default)]
    unread: Vec<String>,
    #[serde(default)]
    adds: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    optional: Vec<RawOptional>,
    #[serde(default)]
    needs: Vec<RawNeed>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOptional {
    names: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNeed {
    within: Vec<String>,
    names: Vec<String>,
    message: String,
    when: Option<String>,
    since: Option<String>,
    until: Option<String>,
}

const FILE: &str = "megatron/arguments-file.toml";

/// The rules of all versions: those that all share, without needs, and the needs.
struct All {
    rules: ArgumentsFile,
    needs: Vec<Ranged<Arc<Need>>>,
}

static ALL: LazyLock<Result<All, RuleError>> = LazyLock::new(read);

fn read() -> Result<All, RuleError> {
    let (path, text) = embedded::below(FILE).next().ok_or_else(|| RuleError::new(FILE, "there is no such file"))?;
    let file: File = toml::from_str(text).map_err(|e| RuleError::new(path, e.to_string()))?;
    let mut needs = Vec::new();
    for (index, raw) in file.needs.into_iter().enumerate() {
        let place = format!("{path}, needs {}", index + 1);
        if let Some(section) = raw.within.iter().find(|section| !file.sections.contains(section)) {
            return Err(RuleError::new(place, format!("`{section}` is not one of `sections`")));
        }
        let need = Need {
            message: check_template(&place, &raw.message)?,
            when: raw.when.as_deref().map(|text| check_expr(&place, text)).transpose()?,
            within: raw.within,
            names: raw.names,
        };
        needs.push(Ranged::new(&place, raw.since.as_deref(), raw.until.as_deref(), Arc::new(need))?);
    }
    let rules = ArgumentsFile {
        argument: file.argument,
        replaces: file.replaces,
        checked_by: file.checked_by,
        sections: file.sections,
        twice: check_template(path, &file.twice)?,
        named: file.named,
        unread: file.unread,
        adds: file.adds,
        optional: file.optional.into_iter().flat_map(|one| one.names).collect(),
        needs: Vec::new(),
    };
    Ok(All { rules, needs })
}

impl ArgumentsFile {
    /// The rules of a version.
    ///
    /// # Errors
    /// When the rule file cannot be read.
    pub fn load(version: &Version) -> Result<Self, RuleError> {
        let all = ALL.as_ref().map_err(Clone::clone)?;
        Ok(Self { needs: picked(&all.needs, version), ..all.rules.clone() })
    }
}
