//! The names that loader rules and causes see beside the launch's own values.

use super::compare::Compared;
use crate::checkpoint::{Checkpoint, CheckpointError, ChosenBy, Location, Problem, Tracker};
use crate::diff::is_state;
use crate::error::Error;
use crate::loader::{self, Stage};
use crate::rules::causes::{as_path, globs};
use crate::rules::expr::Scope;
use crate::rules::loader::{Hook, LoaderRules};
use crate::rules::storage::StorageRules;
use crate::rules::value::Value;
use crate::schema::Schema;

/// Where the loader looks and what it finds there. `given` is true where the user named the checkpoint: then an
/// iteration's own directory is what they mean.
pub(super) fn location<'a>(values: &'a Scope<'a>, location: &Location, given: bool) -> Scope<'a> {
    let mut scope = Scope::within(values);
    let by_path = location.chosen_by == Some(ChosenBy::Path);
    let (tracker, step) = match &location.tracker {
        Tracker::Absent => ("absent", Value::None),
        Tracker::Step(step) => ("step", Value::Int(*step)),
        Tracker::Release => ("release", Value::None),
        Tracker::Garbage(_) => ("garbage", Value::None),
        Tracker::Unreadable(_) => ("unreadable", Value::None),
    };
    let file = location.is_file;
    scope.set("root", Value::str(&location.root.display().to_string()));
    scope.set("root_exists", Value::Bool(location.root_exists || file));
    scope.set("tracker", Value::str(tracker));
    scope.set("tracker_step", step);
    scope.set("tracker_file", Value::str(&StorageRules::megatron().tracker.file));
    scope.set("named_iteration", Value::Bool(by_path));
    scope.set("nothing_named", Value::Bool((location.iteration.is_none() || by_path) && !(given && (by_path || file))));
    scope.set("folder", Value::str(location.folder.as_deref().filter(|f| !f.is_empty()).unwrap_or(".")));
    scope.set("folder_exists", Value::Bool(location.folder_exists || file));
    scope
}

/// What the checkpoint holds and how it differs.
pub(super) fn state(
    scope: &mut Scope<'_>,
    checkpoint: &Checkpoint,
    schema: Option<&Schema>,
    compared: &Compared,
    rules: &LoaderRules,
) -> Result<(), Error> {
    let Compared { diff, missing_files, .. } = compared;
    let count = |n: usize| Value::Int(i64::try_from(n).unwrap_or(i64::MAX));
    scope.set("checkpoint_format", Value::str(checkpoint.format.name()));
    scope.set("saved", Value::Bool(checkpoint.saved_args.is_some()));
    for (name, value) in checkpoint.saved_args.iter().flatten() {
        scope.set(format!("saved_{name}"), value.clone());
    }
    for part in &checkpoint.parts {
        for (key, _) in part.other.iter() {
            let first = key.split(['.', '/']).next().unwrap_or(key);
            let name = format!("state_{first}");
            if scope.get(&name) == &Value::None {
                scope.set(name, Value::Bool(true));
            }
        }
    }
    for (key, value) in checkpoint.parts.iter().flat_map(|part| &part.values) {
        scope.set(format!("value_{}", key.replace('.', "_")), value.clone());
    }
    let ranks = match schema {
        Some(Schema::PerRank(ranks)) => ranks.len(),
        _ => 1,
    };
    scope.set("ranks", count(ranks));
    scope.set("ranks_without_file", count(missing_files.len()));
    scope.set("missing_file", missing_files.first().map_or(Value::None, |file| Value::str(file)));
    scope.set("one_of_many_chunks", Value::Bool(compared.one_of_many_chunks));
    scope.set("chunks_absent", count(compared.chunks_absent));
    let problem = checkpoint.problems.first().map(ToString::to_string);
    scope.set("damage", problem.map_or(Value::None, |problem| Value::str(&problem)));
    let resizable = globs("loader", &rules.resizable)?;
    let (mut missing, mut missing_states, mut unexpected, mut unexpected_states) = (0, 0, 0, 0);
    let mut missing_optional = 0;
    let (mut mismatched, mut fixed) = (0, 0);
    for part in &diff.parts {
        for (key, tensor) in &part.missing {
            if is_state(key) {
                missing_states += 1
            } else {
                missing += 1
            }
            missing_optional += usize::from(tensor.optional);
        }
        for (key, _) in &part.unexpected {
            if is_state(key) { unexpected_states += 1 } else { unexpected += 1 }
        }
        for mismatch in &part.mismatched {
            mismatched += 1;
            fixed += usize::from(!resizable.is_match(as_path(&mismatch.key)));
        }
    }
    for (name, n) in [
        ("missing", missing),
        ("missing_states", missing_states),
        ("missing_optional", missing_optional),
        ("unexpected", unexpected),
        ("unexpected_states", unexpected_states),
        ("mismatched", mismatched),
        ("mismatched_fixed", fixed),
    ] {
        scope.set(name, count(n));
    }
    Ok(())
}

/// What each stage does, as `stage_<name>`: a verdict's word, or none where a loader has no such stage.
pub(super) fn verdicts(scope: &mut Scope<'_>, stages: &[Stage]) {
    for stage in stages {
        scope.set(format!("stage_{}", stage.name), Value::str(stage.verdict.name()));
    }
}

/// The load hooks that this launch has.
pub(super) fn active<'r>(rules: &'r LoaderRules, scope: &Scope<'_>) -> Result<Vec<&'r Hook>, Error> {
    let mut active = Vec::new();
    for hook in &rules.hooks {
        let holds = hook.when.as_ref().map(|when| when.eval(scope)).transpose()?;
        if holds.is_none_or(|holds| holds.truth() == Some(true)) {
            active.push(&**hook);
        }
    }
    Ok(active)
}

/// The stages when no checkpoint can be read: only the first two can say what the loader does. `broken` is what is wrong
/// where the framework cannot read it either; none where only we cannot.
pub(super) fn without_checkpoint(
    rules: &LoaderRules,
    scope: &mut Scope<'_>,
    error: &CheckpointError,
) -> Result<Vec<Stage>, Error> {
    let broken = matches!(
        error.problem,
        Problem::Missing | Problem::NoCheckpoint { .. } | Problem::Truncated(_) | Problem::Empty | Problem::NotAFile
    );
    scope.set("broken", if broken { Value::str(&error.to_string()) } else { Value::None });
    let first = LoaderRules { stages: rules.stages.iter().take(2).cloned().collect(), ..LoaderRules::default() };
    Ok(loader::run(&first, scope)?)
}
