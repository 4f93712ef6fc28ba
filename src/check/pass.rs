//! One pass: from a launch and a framework version to an outcome and its causes, without ways out.

use std::sync::Arc;

use super::beside;
use super::compare;
use super::find::{Found as Place, find};
use super::findings;
use super::reading::Reading;
use super::saved_model;
use super::scope;
use super::target::Target;
use super::understand::Understood;
use crate::checkpoint::{Checkpoint, CheckpointError, Format};
use crate::diagnose::{self, Evidence, Found};
use crate::diff::Diff;
use crate::error::Error;
use crate::loader::{self, Outcome, Stage, Verdict};
use crate::report::Report;
use crate::rules::causes;
use crate::rules::expr::Scope;
use crate::rules::loader::LoaderRules;
use crate::schema::Schema;

/// What one pass tells.
pub(super) struct Pass {
    /// The report, without diagnoses.
    pub report: Report,
    /// The diagnoses, with what may cure them.
    pub found: Vec<Found>,
    /// What the launch means.
    pub understood: Understood,
}

/// What a load comes to.
struct Load {
    outcome: Outcome,
    stages: Vec<Stage>,
    diff: Diff,
    found: Vec<Found>,
    schema: Option<Schema>,
    checkpoint: Option<Arc<Checkpoint>>,
}

impl Load {
    /// Nothing is known of it.
    fn unknown(schema: Option<Schema>) -> Self {
        let (stages, found) = (Vec::new(), Vec::new());
        Self { outcome: Outcome::Undetermined, stages, diff: Diff::default(), found, schema, checkpoint: None }
    }
}

/// Judges a launch for one target.
///
/// # Errors
/// When there is nothing to judge.
pub(super) fn pass(reading: &Reading<'_>, target: &Target) -> Result<Pass, Error> {
    let mut understood = Understood::new(reading, target)?;
    // A refusal while the model is built comes before anything is loaded.
    let schema = understood.build(Format::Torch)?;
    let load = match &understood.rejected {
        Some(_) => refused(&understood, schema),
        // Its loader is not this framework's, or not all of it.
        None if understood.foreign => Load::unknown(schema),
        None => load(reading, &mut understood, schema)?,
    };
    let Load { outcome, stages, diff, mut found, schema, checkpoint } = load;
    if understood.rejected.is_none() && matches!(outcome, Outcome::Fails | Outcome::Fresh) {
        let stage = findings::stage(&understood, &stages, &found);
        found.extend(stage);
    }
    findings::tell_what_happens(&mut found, &target.framework, &stages);
    let report = Report {
        framework: target.framework.clone(),
        environment: target.environment.clone(),
        launch: Arc::clone(&understood.launch),
        rejected: understood.rejected.clone(),
        schema,
        checkpoint,
        outcome,
        stages,
        diff,
        diagnoses: Vec::new(),
        undetermined: understood.undetermined.clone(),
        versions: vec![target.version().clone()],
        others: Vec::new(),
        elapsed: std::time::Duration::ZERO,
    };
    Ok(Pass { report, found, understood })
}

/// The launch stops before anything is loaded.
fn refused(understood: &Understood, schema: Option<Schema>) -> Load {
    let mut load = Load::unknown(schema);
    if let Some(rejected) = &understood.rejected {
        load.outcome = Outcome::Fails;
        load.stages.push(Stage {
            name: "launch".to_owned(),
            verdict: Verdict::Fails,
            message: rejected.message.clone(),
        });
        load.found.push(findings::rejection(understood, rejected));
    }
    load
}

/// Finds the checkpoint and goes through the loader's stages. `schema` is what each rank builds.
fn load(reading: &Reading<'_>, understood: &mut Understood, schema: Option<Schema>) -> Result<Load, Error> {
    let rules = LoaderRules::load(understood.target.version())?;
    let Some(place) = find(reading, &mut understood.config, &rules)? else { return Ok(Load::unknown(schema)) };
    match reading.files.checkpoint(&place.path, place.step) {
        Ok(checkpoint) => against(understood, &rules, &place, checkpoint, schema),
        Err(error) => unreadable(understood, &rules, &place, error),
    }
}

/// Compares what is built with what was saved, and asks the loader's rules and the causes about it.
fn against(
    understood: &mut Understood,
    rules: &LoaderRules,
    place: &Place,
    checkpoint: Arc<Checkpoint>,
    per_rank: Option<Schema>,
) -> Result<Load, Error> {
    let global = match checkpoint.format {
        Format::Torch => None,
        format => understood.build(format)?,
    };
    let schema = if checkpoint.format == Format::Torch { per_rank.as_ref() } else { global.as_ref() };
    let mut facts = scope::location(&understood.config.values, &place.location, place.given);
    let active = scope::active(rules, &facts)?;
    let mut compared =
        schema.map(|schema| compare::differences(schema, &checkpoint, rules, &active)).unwrap_or_default();
    if !understood.keys_known {
        // What an unknown value decides is not in the schema: it cannot be called unexpected.
        compared.diff.parts.iter_mut().for_each(|part| part.unexpected.clear());
    }
    scope::state(&mut facts, &checkpoint, schema, &compared, rules)?;
    let saved = || saved_model::model(&checkpoint, understood);
    beside::facts(&mut facts, rules, &checkpoint, per_rank.as_ref(), &saved)?;
    let diff = compared.diff;
    let stages = loader::run(rules, &facts)?;
    let found = explain(understood, &mut facts, &stages, &diff)?;
    let mut outcome = loader::outcome(&stages);
    let known = schema.is_some() && understood.undetermined.is_empty();
    if !known && matches!(outcome, Outcome::Loads | Outcome::Partial) {
        outcome = Outcome::Undetermined;
    }
    let schema = if checkpoint.format == Format::Torch { per_rank } else { global };
    Ok(Load { outcome, stages, diff, found, schema, checkpoint: Some(checkpoint) })
}

/// A checkpoint that cannot be read: the loader may say what happens all the same.
fn unreadable(
    understood: &Understood,
    rules: &LoaderRules,
    place: &Place,
    error: CheckpointError,
) -> Result<Load, Error> {
    let mut facts = scope::location(&understood.config.values, &place.location, place.given);
    let stages = scope::without_checkpoint(rules, &mut facts, &error)?;
    let outcome = loader::outcome(&stages);
    if !matches!(outcome, Outcome::Fails | Outcome::Fresh) {
        return Err(error.into());
    }
    let found = explain(understood, &mut facts, &stages, &Diff::default())?;
    Ok(Load { stages, outcome, found, ..Load::unknown(None) })
}

/// The causes of what differs and of what the stages do.
fn explain(understood: &Understood, facts: &mut Scope<'_>, stages: &[Stage], diff: &Diff) -> Result<Vec<Found>, Error> {
    scope::verdicts(facts, stages);
    scope::given(facts, &understood.config);
    let (given, version) = (&understood.config.given, understood.target.version());
    Ok(diagnose::diagnose(causes::all()?, &Evidence { diff, scope: facts, given, version }))
}
