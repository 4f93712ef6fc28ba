//! What the framework's own loader will do, stage by stage.

use crate::rules::expr::{ExprError, Scope};
pub use crate::rules::loader::Verdict;
use crate::rules::loader::{LoaderRules, StageRules};
use crate::rules::value::Value;

/// How a load ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Every parameter of the model is filled from the checkpoint.
    Loads,
    /// The loader reports success, but some state keeps its initial values or saved weights are dropped.
    Partial,
    /// Nothing is loaded and training starts from random weights.
    Fresh,
    /// The loader raises or exits.
    Fails,
    /// An input that decides it is not known.
    Undetermined,
}

impl Outcome {
    /// The word for it, in reports and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Loads => "loads",
            Self::Partial => "partial",
            Self::Fresh => "fresh",
            Self::Fails => "fails",
            Self::Undetermined => "undetermined",
        }
    }

    /// The exit code of a check that ends so.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Loads => 0,
            Self::Partial | Self::Fresh | Self::Fails => 1,
            Self::Undetermined => 2,
        }
    }
}

/// One stage of a load: `locate`, `format`, `args`, `model`, `optimizer`, `scheduler`, `rng`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// What it does.
    pub verdict: Verdict,
    /// In words: what it does and why.
    pub message: String,
}

/// Goes through a loader's stages. The first that fails or finds nothing ends the load. Several sections of one name are
/// one stage: the gravest tells.
///
/// # Errors
/// When a rule cannot be computed for this launch.
pub fn run(rules: &LoaderRules, scope: &Scope<'_>) -> Result<Vec<Stage>, ExprError> {
    let mut told: Vec<Stage> = Vec::new();
    let mut ended = false;
    for section in &rules.stages {
        if ended {
            break;
        }
        let Some(stage) = one(section, scope)? else { continue };
        ended = matches!(stage.verdict, Verdict::Fails | Verdict::Fresh | Verdict::Undetermined);
        match told.iter_mut().find(|other| other.name == stage.name) {
            None => told.push(stage),
            Some(other) if gravity(stage.verdict) >= gravity(other.verdict) => *other = stage,
            Some(_) => {}
        }
    }
    let mut stages = Vec::new();
    for (index, section) in rules.stages.iter().enumerate() {
        let name = &section.name;
        if section.continues || rules.stages.iter().skip(index + 1).any(|later| later.name == *name && !later.continues)
        {
            continue;
        }
        let not_reached = || Stage { name: name.clone(), verdict: Verdict::Skipped, message: "not reached".to_owned() };
        stages.push(told.iter().find(|stage| stage.name == *name).cloned().unwrap_or_else(not_reached));
    }
    Ok(stages)
}

fn gravity(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Skipped => 0,
        Verdict::Ok => 1,
        Verdict::Warns => 2,
        Verdict::Partial => 3,
        Verdict::Undetermined => 4,
        Verdict::Fresh => 5,
        Verdict::Fails => 6,
    }
}

/// One section; nothing when it does not apply or has nothing to say.
fn one(rules: &StageRules, scope: &Scope<'_>) -> Result<Option<Stage>, ExprError> {
    let stage = |verdict, message| Some(Stage { name: rules.name.clone(), verdict, message });
    let unknown = |value: Value| match value {
        Value::Unknown(unknown) => stage(Verdict::Undetermined, unknown.told()),
        _ => None,
    };
    if let Some(when) = &rules.when {
        let value = when.eval(scope)?;
        match value.truth() {
            Some(false) => return Ok(None),
            Some(true) => {}
            None => return Ok(unknown(value)),
        }
    }
    for rule in &rules.rules {
        let value = rule.when.eval(scope)?;
        match value.truth() {
            Some(false) => {}
            Some(true) => return Ok(stage(rule.verdict, rule.message.show(scope))),
            None => return Ok(unknown(value)),
        }
    }
    Ok(rules.ok.as_ref().and_then(|ok| stage(Verdict::Ok, ok.show(scope))))
}

/// How a load with these stages ends.
pub fn outcome(stages: &[Stage]) -> Outcome {
    let any = |verdict| stages.iter().any(|stage| stage.verdict == verdict);
    if any(Verdict::Fails) {
        Outcome::Fails
    } else if any(Verdict::Undetermined) {
        Outcome::Undetermined
    } else if any(Verdict::Fresh) {
        Outcome::Fresh
    } else if any(Verdict::Partial) {
        Outcome::Partial
    } else {
        Outcome::Loads
    }
}
