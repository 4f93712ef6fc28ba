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

/// Goes through a loader's stages. The first that fails or finds nothing ends the load.
///
/// # Errors
/// When a rule cannot be computed for this launch.
pub fn run(rules: &LoaderRules, scope: &Scope<'_>) -> Result<Vec<Stage>, ExprError> {
    let mut stages = Vec::new();
    let mut ended = false;
    for stage in &rules.stages {
        if ended {
            let (name, message) = (stage.name.clone(), "not reached".to_owned());
            stages.push(Stage { name, verdict: Verdict::Skipped, message });
            continue;
        }
        let stage = one(stage, scope)?;
        ended = matches!(stage.verdict, Verdict::Fails | Verdict::Fresh | Verdict::Undetermined);
        stages.push(stage);
    }
    Ok(stages)
}

fn one(rules: &StageRules, scope: &Scope<'_>) -> Result<Stage, ExprError> {
    let stage = |verdict, message| Stage { name: rules.name.clone(), verdict, message };
    for rule in &rules.rules {
        let value = rule.when.eval(scope)?;
        match value.truth() {
            Some(false) => {}
            Some(true) => return Ok(stage(rule.verdict, rule.message.show(scope))),
            None => {
                let Value::Unknown(unknown) = value else { continue };
                return Ok(stage(Verdict::Undetermined, format!("{} is not known: {}", unknown.name, unknown.reason)));
            }
        }
    }
    Ok(stage(Verdict::Ok, rules.ok.show(scope)))
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
