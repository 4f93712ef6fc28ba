//! The stages of a framework's checkpoint loader: what each of them makes of a launch and a checkpoint.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use globset::GlobSet;
use serde::Deserialize;

use super::causes::globs;
use super::expr::Expr;
use super::facts::{AllFacts, Facts, RawFact, RawParameters, RawSavedModel};
use super::ranged::{Ranged, picked};
use super::template::Template;
use super::version::Version;
use super::{RuleError, check_expr, check_template, embedded};

/// A loader, as it is in one framework version.
#[derive(Debug, Clone, Default)]
pub struct LoaderRules {
    /// Its stages in order.
    pub stages: Vec<StageRules>,
    /// Keys whose tensors may have another number of rows in the checkpoint, as glob patterns.
    pub resizable: Vec<String>,
    /// Keys of buffers, which no optimizer knows, as glob patterns.
    pub untrained: Vec<String>,
    /// Modules in the order in which they are registered, and loaded.
    pub order: Vec<String>,
    /// What modules do about keys when a rank's state dict is loaded.
    pub hooks: Vec<Arc<Hook>>,
    /// Where else to look when the launch's own path holds nothing.
    pub sources: Vec<Arc<Source>>,
    /// What is to be known of the state beside the model.
    pub facts: Facts,
}

/// A load hook that takes back unexpected keys.
#[derive(Debug, Clone)]
pub struct Hook {
    /// Only when this is true of the launch.
    pub when: Option<Expr>,
    /// Modules that have it, as glob patterns; without, it is there whatever is built.
    pub after: Option<GlobSet>,
    /// Keys that it takes back.
    pub unexpected: GlobSet,
}

/// Another path to load from.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its condition, which sees what lies at the path before it.
    pub when: Expr,
    /// The path.
    pub path: Expr,
    /// Names that get another value then.
    pub set: Vec<(String, Expr)>,
}

/// One stage.
#[derive(Debug, Clone)]
pub struct StageRules {
    /// Its name. Several sections may have the same: they are parts of one stage, at their places in the order.
    pub name: String,
    /// Whether it goes on with an earlier section of that name: then it does not move the stage in the report.
    pub continues: bool,
    /// Only when this is true.
    pub when: Option<Expr>,
    /// What to say when no rule holds; a part that says nothing then has none.
    pub ok: Option<Template>,
    /// Rules in order; the first that holds decides.
    pub rules: Vec<Arc<VerdictRule>>,
}

/// What a stage does under a condition.
#[derive(Debug, Clone)]
pub struct VerdictRule {
    /// The condition.
    pub when: Expr,
    /// What the stage does.
    pub verdict: Verdict,
    /// In words.
    pub message: Template,
}

/// What one stage of the loader does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It goes through.
    Ok,
    /// It goes through, and does not do what the launch's flags say.
    Warns,
    /// It goes on, with less than was asked for.
    Partial,
    /// It finds nothing and goes on without a checkpoint.
    Fresh,
    /// It raises or exits.
    Fails,
    /// It is not reached, or the launch switches it off.
    Skipped,
    /// Something that decides it is not known, or is not modelled.
    Undetermined,
}

impl Verdict {
    /// The word for it, in reports and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warns => "warns",
            Self::Partial => "partial",
            Self::Fresh => "fresh",
            Self::Fails => "fails",
            Self::Skipped => "skipped",
            Self::Undetermined => "undetermined",
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    resizable: Vec<String>,
    #[serde(default)]
    untrained: Vec<String>,
    #[serde(default)]
    order: Vec<String>,
    #[serde(default)]
    hook: Vec<RawHook>,
    #[serde(default)]
    source: Vec<RawSource>,
    #[serde(default)]
    stage: Vec<RawStage>,
    #[serde(default)]
    fact: Vec<RawFact>,
    #[serde(default)]
    parameters: Vec<RawParameters>,
    saved_model: Option<RawSavedModel>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHook {
    when: Option<String>,
    after: Option<String>,
    unexpected: Vec<String>,
    since: Option<String>,
    until: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSource {
    when: String,
    path: String,
    #[serde(default)]
    set: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStage {
    name: String,
    when: Option<String>,
    ok: Option<String>,
    /// It goes on with an earlier section.
    #[serde(default)]
    continues: bool,
    /// It goes on with an earlier section, and the rules of the first are its own.
    #[serde(default)]
    again: bool,
    #[serde(default)]
    rule: Vec<RawRule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    verdict: Verdict,
    when: String,
    message: String,
    since: Option<String>,
    until: Option<String>,
    #[serde(default, rename = "because")]
    _because: Option<String>,
}

/// Where the stages lie.
const FOLDER: &str = "megatron/loader/";

/// The loader in all versions.
#[derive(Debug, Default)]
struct All {
    resizable: Vec<String>,
    untrained: Vec<String>,
    order: Vec<String>,
    hooks: Vec<Ranged<Arc<Hook>>>,
    sources: Vec<Arc<Source>>,
    stages: Vec<Stage>,
    facts: AllFacts,
}

/// One stage in all versions.
#[derive(Debug)]
struct Stage {
    name: String,
    continues: bool,
    when: Option<Expr>,
    ok: Option<Template>,
    rules: Vec<Ranged<Arc<VerdictRule>>>,
}

static ALL: LazyLock<Result<All, RuleError>> = LazyLock::new(read);

/// Reads the rule files now, so that they are there when they are needed.
pub(super) fn read_ahead() {
    LazyLock::force(&ALL);
}

fn read() -> Result<All, RuleError> {
    let mut all = All::default();
    for (path, text) in embedded::below(FOLDER) {
        let file: File = toml::from_str(text).map_err(|e| RuleError::new(path, e.to_string()))?;
        all.resizable.extend(file.resizable);
        all.untrained.extend(file.untrained);
        all.order.extend(file.order);
        for (index, raw) in file.hook.into_iter().enumerate() {
            let place = format!("{path}, hook {}", index + 1);
            let hook = Arc::new(Hook {
                when: raw.when.as_deref().map(|text| check_expr(&place, text)).transpose()?,
                after: raw.after.map(|pattern| globs(&place, &[pattern])).transpose()?,
                unexpected: globs(&place, &raw.unexpected)?,
            });
            all.hooks.push(Ranged::new(&place, raw.since.as_deref(), raw.until.as_deref(), hook)?);
        }
        for raw in file.source {
            let set = raw.set.iter().map(|(name, value)| Ok((name.clone(), check_expr(path, value)?)));
            all.sources.push(Arc::new(Source {
                when: check_expr(path, &raw.when)?,
                path: check_expr(path, &raw.path)?,
                set: set.collect::<Result<_, RuleError>>()?,
            }));
        }
        for raw in file.stage {
            let ok = raw.ok.as_deref().map(|text| check_template(path, text)).transpose()?;
            let when = raw.when.as_deref().map(|text| check_expr(path, text)).transpose()?;
            let rules = raw.rule.iter().enumerate().map(|(index, rule)| {
                let place = format!("{path}, stage {} rule {}", raw.name, index + 1);
                verdict(&place, rule)
            });
            let mut rules: Vec<_> = rules.collect::<Result<_, _>>()?;
            if raw.again {
                let first = all.stages.iter().find(|stage| stage.name == raw.name);
                let first = first.ok_or_else(|| RuleError::new(path, format!("no stage {} before", raw.name)))?;
                rules.extend(first.rules.iter().cloned());
            }
            all.stages.push(Stage { rules, name: raw.name, continues: raw.continues || raw.again, when, ok });
        }
        all.facts.add(path, file.fact, file.parameters, file.saved_model)?;
    }
    Ok(all)
}

fn verdict(place: &str, raw: &RawRule) -> Result<Ranged<Arc<VerdictRule>>, RuleError> {
    let rule = Arc::new(VerdictRule {
        when: check_expr(place, &raw.when)?,
        verdict: raw.verdict,
        message: check_template(place, &raw.message)?,
    });
    Ranged::new(place, raw.since.as_deref(), raw.until.as_deref(), rule)
}

impl LoaderRules {
    /// The loader of that version: the stages of every file, in the order of the files' names.
    ///
    /// # Errors
    /// When a rule file cannot be read.
    pub fn load(version: &Version) -> Result<Self, RuleError> {
        let all = ALL.as_ref().map_err(Clone::clone)?;
        let stage = |stage: &Stage| StageRules {
            name: stage.name.clone(),
            continues: stage.continues,
            when: stage.when.clone(),
            ok: stage.ok.clone(),
            rules: picked(&stage.rules, version),
        };
        Ok(Self {
            stages: all.stages.iter().map(stage).collect(),
            resizable: all.resizable.clone(),
            untrained: all.untrained.clone(),
            order: all.order.clone(),
            hooks: picked(&all.hooks, version),
            sources: all.sources.clone(),
            facts: all.facts.of(version),
        })
    }
}
